/* Convolutions as the kernels compute them (kernels/conv.h): what they are of, and the tiles that they are cut into. */
#ifndef NNLUA_LAUNCH_CONV_JOB_H
#define NNLUA_LAUNCH_CONV_JOB_H

#include "core/blocks.h"
#include "core/parallel.h"
#include "kernels/conv.h"
#include "launch/conv/convolve.h"
#include "launch/launch.h"
#include "launch/math/chain.h"

/* The places of a result that the same taps reach: all of the forward's; of the gradient of an input, those of one
   residue of the stride. Tap t of a place meets the source at first + place * stride + tap along each dimension. */
typedef struct ConvPart {
  int64_t taps, *tap[CONV_DIMS], *weight_at; /* offsets in the source, and of the weight of a row and channel */
  int64_t first[CONV_DIMS], size[CONV_DIMS], reach[CONV_DIMS]; /* reach is the largest tap */
  int64_t y;                                                   /* where the result of the first place is */
} ConvPart;

/* A convolution of x into y in parts; channels and rows are those of a group. x has any strides. */
typedef struct ConvJob {
  const KernelTable *k;
  DType dtype;
  int64_t size, images, groups, channels, rows;
  const char *x;
  int64_t x_image, x_channel, x_step[CONV_DIMS], x_size[CONV_DIMS];
  int64_t stride[CONV_DIMS];
  const Tensor *weight;
  int64_t weight_row, weight_channel, weight_group;
  const char *bias;
  char *y;
  int64_t y_image, y_row, y_step[CONV_DIMS];
  const ConvPart *parts;
  int64_t nparts;
  const ChainRun *then; /* what follows on the result; NULL: nothing */
} ConvJob;

/* For so few places weights are read as they lie, since to pack them takes longer than to go by them in small steps. */
enum { CONV_LOOSE_PLACES = BLOCK_SIZE(64, 12) };

void conv_multiply(Call *call, const ConvJob *j);

/* The same by fewer multiplications, for kernels of 3x3 without strides where channels, rows and places repay it. */
bool conv_is_winograd(const ConvJob *j);
void conv_winograd(Call *call, const ConvJob *j);

/* Multiplications from which on an op's work is cut for threads. */
enum { CONV_SHARED_WORK = BLOCK_SIZE(1 << 20, 8) };

/* Whether so many parts of so much work are enough: what is small stays with one thread, and parts are even, or many.
   More cost more than they bring where each part makes again what others have made. */
static inline bool conv_shares(int64_t parts, int64_t work)
{
  return parts >= CONV_UNITS || parts % parallel_threads() == 0 || work < CONV_SHARED_WORK;
}

/* The parts' numbers, those of most taps first, so that the last units of work are small. */
int64_t *conv_parts_in_order(Call *call, const ConvJob *j);

/* Of some images with small maps; j is without parts, and its x is dy where it is a gradient of the input. */
bool conv_is_by_images(const Convolution *c, const Tensor *x, bool is_gradient);
void conv_by_images(Call *call, const Convolution *c, const ConvJob *j, bool is_gradient);

/* Of a few images, by runs of columns. */
bool conv_is_by_runs(const ConvJob *j);
void conv_by_runs(Call *call, const ConvJob *j);

/* Weights [group][vector of rows][channel][tap][lanes], and the bias [group][vector][lanes], or NULL. */
typedef struct ConvRowWeights {
  const ConvJob *j;
  int64_t taps, vectors; /* of the kernel; of the rows of a group */
  char *weight, *bias;
} ConvRowWeights;

ConvRowWeights conv_row_weights(Call *call, const ConvJob *j, int64_t taps);

/* The gradient of an input whose taps meet a place each; j is without parts, and its x is dy. */
bool conv_is_apart(const Convolution *c, const Tensor *dy);
void conv_apart(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight);

/* A convolution of a few places; j is without parts. */
bool conv_has_few_places(const Convolution *c, DType dtype);
void conv_few_places(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight);

/* Convolutions of one channel and a few rows a group, and their gradients, plane by plane; j is without parts. */
bool conv_is_depthwise(const Convolution *c, const ConvJob *j);
void conv_depthwise(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight);
void conv_depthwise_input(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight);
void conv_depthwise_weight(Call *call, const Convolution *c, const ConvJob *j, const Tensor *dy, Tensor *weight);

/*
 * weight = the gradient, from dy [groups * rows of an image][result]; both contiguous. The part is the forward's. By a
 * product, by one whose vectors are the rows, by one for each tap, or by dot products of lines.
 */
bool conv_is_weight_by_taps(const ConvJob *j, const Tensor *x, bool or_correlation);
void conv_multiply_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight);
void conv_correlate_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight);
void conv_weight_by_taps(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight);
void conv_dot_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight);

/* ---- tiles ---- */

/* A tile, of the places of a part: so many images, planes, lines and columns. */
typedef struct Tile {
  int64_t image, images, begin[CONV_DIMS], size[CONV_DIMS];
} Tile;

/* How a part is cut: along a dimension only where those behind it are cut to one. */
typedef struct Tiling {
  int64_t images, size[CONV_DIMS]; /* of a tile, at most */
  int64_t tiles[CONV_DIMS + 1];    /* along each */
  int64_t places;                  /* of a tile, at most */
} Tiling;

/* Cuts a part into tiles of up to so many places. */
Tiling conv_tiling(const ConvJob *j, const ConvPart *p, int64_t places);
int64_t conv_tiles(const Tiling *t);
Tile conv_tile(const ConvJob *j, const ConvPart *p, const Tiling *t, int64_t at);
Tile conv_largest_tile(const Tiling *t);

static inline int64_t places_of_image(const Tile *t) { return t->size[0] * t->size[1] * t->size[2]; }
static inline int64_t places_of_tile(const Tile *t) { return t->images * places_of_image(t); }

/* Runs what follows on a tile's places of so many rows, of which the first has its first place at y, and whose columns
   lie side by side. */
void conv_then(ChainWorker *w, const ConvJob *j, const Tile *t, const char *y, int64_t rows);

/* Whether the lines of a result follow each other, so that a tile's are one run. */
bool conv_is_one_run(const ConvJob *j, const Tile *t);

#define EACH_LINE(t, i, p, l)                  \
  for (int64_t i = 0; i < (t)->images; i++)    \
    for (int64_t p = 0; p < (t)->size[0]; p++) \
      for (int64_t l = 0; l < (t)->size[1]; l++)

/* Into so many even parts, or more, that none is over the most: how large they are. */
int64_t even_share(int64_t n, int64_t most);

static inline int64_t align_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* ---- slabs ---- */

/*
 * What the taps of some channels meet in a tile, as [images][channels][phases][planes][lines][width]: lines with their
 * padding. With several phases these are cut so that the columns that a tap meets are side by side: phase q has the
 * columns first + q, + q + across…; phases that no tap meets are left out.
 */
typedef struct Window {
  int64_t first[CONV_DIMS], size[CONV_DIMS]; /* size: planes, lines and width */
  int64_t phases, across;
  int64_t channel; /* elements of one */
} Window;

/* Without `phases` the places of a line are a stride apart. */
Window conv_window(const ConvJob *j, const ConvPart *p, const Tile *t, bool phases);

/* Where a tap's numbers begin, and how far it is from a place to the next along a dimension. */
int64_t conv_tap(const Window *w, const ConvPart *p, int64_t tap);
int64_t conv_step(const ConvJob *j, const Window *w, int dim);

/* The slab of a tile. Those of tiles that lie alike differ in what is copied, and in nothing else. */
typedef struct ConvSlab {
  const ConvJob *j;
  const ConvPart *p;
  bool phases;
  int64_t channels; /* at most */
  char *memory;
  ConvRun *run;
  int64_t runs;
  Window window;
  int64_t image; /* from one to the next */
  Tile tile;
} ConvSlab;

static inline int64_t conv_slab_bytes(const ConvJob *j, const Tile *t, const Window *w, int64_t channels)
{
  return align_up(t->images * channels * w->channel * j->size + SLAB_SLACK);
}

static inline int64_t conv_slab_runs(const Tile *t, const Window *w)
{
  return t->images * w->phases * w->size[0] * w->size[1];
}

/* Makes a slab that of a tile, with zeros all over; false if it was one of a tile that lies alike. A slab that is 0
   but for its first fields and memory is none's. */
bool conv_slab_set(ConvSlab *s, const ConvJob *j, const ConvPart *p, const Tile *t);

/* Fills the slab's places within the images. */
void conv_slab_fill(ConvSlab *s, int64_t group, int64_t channel, int64_t channels);

#endif
