/*
 * Convolutions, and gradients of inputs, of images with small maps: one place of the result at a time, of several
 * images at once, by the taps that lie inside of the image there and no others. Neither padding nor strides cost
 * anything so: at 4x4 places three tenths of the terms of a kernel of 3x3 are padding. Images are laid side by side
 * first, element by element, and rows are the vectors. Units of work are some rows of some places of some images.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/table.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

enum {
  IMAGES = BLOCK_SIZE(4, 2),        /* from which on this is done, */
  ROWS = BLOCK_SIZE(16, 3),         /* of so many rows at least, */
  PLACES = BLOCK_SIZE(1024, 40),    /* of so many places at most, */
  TERMS = BLOCK_SIZE(256, 12),      /* or, of fewer terms, */
  FEW_PLACES = BLOCK_SIZE(256, 20), /* so many */
  VECTORS = 3, /* of rows at a time: their weights for CONV_DEPTH terms go by once for each place */
  SUM_BYTES = BLOCK_SIZE(96 << 10, 256), /* of sums at a time */
  IMAGE_UNITS = 12                       /* parts of the work, where these are large enough */
};

typedef struct Plan {
  const Convolution *c;
  const ConvJob *j;
  const ConvProductKernels *k;
  bool is_gradient;                 /* of the input */
  int64_t size[CONV_DIMS];          /* of an image of the result, whose places are counted through */
  int64_t places, source, taps;     /* of an image of the result and of the source; of the kernel */
  int64_t blocks;                   /* of images */
  int64_t vectors, part, row_parts; /* of the rows of a group; of a part of them, at most */
  int64_t tile, tiles;              /* places at a time */
  int64_t channels;                 /* at a time */
  char *images;                     /* block after block: [groups * channels][source][images of it] */
  char *weight;                     /* [group][vector][channel][tap][lanes] */
  char *bias;                       /* [group][vector][lanes], or NULL */
  int64_t sum_bytes;
  Scratch scratch;
} Plan;

static int64_t volume_of(const int64_t *v) { return v[0] * v[1] * v[2]; }
static int64_t first_image(const Plan *w, int64_t block) { return w->j->images * block / w->blocks; }
static int64_t vector_of_weights(const Plan *w) { return w->j->channels * w->taps * w->k->vector; }

/* ---- images ---- */

/* Channels, of all groups', that are laid out at once. */
static int64_t channels_at_once(const Plan *w)
{
  const int64_t all = w->j->groups * w->j->channels;
  return even_share(all, ceil_div_i64(all, CONV_UNITS));
}

static void lay_images(void *arg, int64_t begin, int64_t end)
{
  const Plan *w = arg;
  const ConvJob *j = w->j;
  const int64_t all = j->groups * j->channels, step = channels_at_once(w), steps = ceil_div_i64(all, step);
  for (int64_t at = begin; at < end; at++) {
    const int64_t block = at / steps, channel = at % steps * step, channels = min_i64(step, all - channel);
    const int64_t first = first_image(w, block), images = first_image(w, block + 1) - first;
    w->k->turn(images, channels * w->source, j->x + (first * j->x_image + channel * w->source) * j->size, j->x_image,
               w->images + (first * all + channel * images) * w->source * j->size, images);
  }
}

/* ---- taps ---- */

/* The place of the source that a tap meets at a place of the result along a dimension, or -1. */
static int64_t met_along(const Plan *w, int d, int64_t place, int64_t tap)
{
  const Convolution *c = w->c;
  if (!w->is_gradient) {
    const int64_t at = place * c->stride[d] - c->padding[d] + tap * c->dilation[d];
    return at < c->size[d] ? max_i64(at, -1) : -1;
  }
  const int64_t at = place + c->padding[d] - tap * c->dilation[d];
  return at >= 0 && at % c->stride[d] == 0 && at / c->stride[d] < c->result[d] ? at / c->stride[d] : -1;
}

/* Lists the taps along a dimension that are inside of the image at a place, and where; returns how many. */
static int64_t list_along(const Plan *w, int d, int64_t place, ConvTap *to)
{
  int64_t n = 0;
  for (int64_t tap = 0; tap < w->c->kernel[d]; tap++) {
    const int64_t met = met_along(w, d, place, tap);
    if (met >= 0) to[n++] = (ConvTap){met, tap};
  }
  return n;
}

/* Lists the taps that are inside of the image at a place, of so many images; returns how many. `along` has room for
   those of each dimension. */
static int64_t list_taps(const Plan *w, int64_t place, int64_t images, ConvTap *along, ConvTap *to)
{
  const int64_t *kernel = w->c->kernel, *source = w->is_gradient ? w->c->result : w->c->size, lanes = w->k->vector;
  const ConvTap *first[CONV_DIMS], *last[CONV_DIMS];
  int64_t n = 0;
  for (int d = CONV_DIMS - 1; d >= 0; d--) {
    first[d] = along;
    last[d] = along += list_along(w, d, place % w->size[d], along);
    place /= w->size[d];
  }
  for (const ConvTap *p = first[0]; p < last[0]; p++)
    for (const ConvTap *l = first[1]; l < last[1]; l++) {
      const int64_t x = (p->x * source[1] + l->x) * source[2], tap = (p->w * kernel[1] + l->w) * kernel[2];
      for (const ConvTap *t = first[2]; t < last[2]; t++)
        to[n++] = (ConvTap){(x + t->x) * images, (tap + t->w) * lanes};
    }
  return n;
}

/* ---- units ---- */

/* What a thread has: vectors of rows of a group, at the places of a tile, of a block of images. */
typedef struct Unit {
  const Plan *plan;
  int64_t group, vector, vectors, place, places, image, images;
  char *sums; /* [place][image][row] */
  int64_t *first_tap;
  ConvTap *taps, *along; /* of the places; of a place, dimension by dimension */
} Unit;

static void list_places(const Unit *u)
{
  int64_t n = 0;
  for (int64_t i = 0; i < u->places; i++) {
    u->first_tap[i] = n;
    n += list_taps(u->plan, u->place + i, u->images, u->along, u->taps + n);
  }
  u->first_tap[u->places] = n;
}

static void sum_channels(const Unit *u, int64_t channel, int64_t channels)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t size = j->size, first = u->group * w->vectors + u->vector, all = j->groups * j->channels;
  const int64_t at = u->image * all + (u->group * j->channels + channel) * u->images;
  ConvPlaceOfImages p = {.images = (int)u->images,
                         .vectors = (int)u->vectors,
                         .channels = channels,
                         .x = w->images + at * w->source * size,
                         .w = w->weight + (first * vector_of_weights(w) + channel * w->taps * w->k->vector) * size,
                         .x_channel = w->source * u->images,
                         .w_channel = w->taps * w->k->vector,
                         .w_vector = vector_of_weights(w),
                         .start = w->bias && channel == 0 ? w->bias + first * w->k->vector * size : NULL,
                         .add = channel > 0};
  for (int64_t i = 0; i < u->places; i++) {
    p.tap = u->taps + u->first_tap[i];
    p.taps = u->first_tap[i + 1] - u->first_tap[i];
    p.c = u->sums + i * u->images * u->vectors * w->k->vector * size;
    j->k->conv->place_of_images(&p);
  }
}

/* Turns the sums into lines of places, and runs what follows on them. */
static void take_sums(const Unit *u, ChainWorker *then)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t row = u->vector * w->k->vector, length = u->vectors * w->k->vector;
  const int64_t rows = min_i64(length, j->rows - row);
  for (int64_t i = 0; i < u->images; i++) {
    const int64_t at = (u->image + i) * j->y_image + (u->group * j->rows + row) * j->y_row + u->place;
    w->k->turn(u->places, rows, u->sums + i * length * j->size, u->images * length, j->y + at * j->size, j->y_row);
    for (int64_t r = 0; then && r < rows; r++) chain_part(then, at + r * j->y_row, at + r * j->y_row + u->places);
  }
}

/* The taps of all dimensions. */
static int64_t taps_along(const Plan *w) { return w->c->kernel[0] + w->c->kernel[1] + w->c->kernel[2]; }

static void run_units(void *arg, int64_t begin, int64_t end)
{
  Plan *w = arg;
  const ConvJob *j = w->j;
  ChainWorker then;
  Unit u = {.plan = w, .sums = scratch_take(&w->scratch)};
  if (j->then) chain_open(&then, j->then);
  u.first_tap = (int64_t *)(void *)(u.sums + w->sum_bytes);
  u.along = (ConvTap *)(void *)(u.first_tap + w->tile + 1);
  u.taps = u.along + taps_along(w);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t block = unit % w->blocks, tile = unit / w->blocks % w->tiles;
    const int64_t rows = unit / w->blocks / w->tiles % w->row_parts;
    u.group = unit / w->blocks / w->tiles / w->row_parts;
    u.vector = rows * w->part;
    u.vectors = min_i64(w->part, w->vectors - u.vector);
    u.place = tile * w->tile;
    u.places = min_i64(w->tile, w->places - u.place);
    u.image = first_image(w, block);
    u.images = first_image(w, block + 1) - u.image;
    list_places(&u);
    for (int64_t c = 0; c < j->channels; c += w->channels) sum_channels(&u, c, min_i64(w->channels, j->channels - c));
    take_sums(&u, j->then ? &then : NULL);
  }
  scratch_give(&w->scratch, u.sums);
}

/* ---- plan ---- */

/* Of a place of few terms it costs more to turn images and sums than is won, as of kernels of 1x1 without strides. */
bool conv_is_by_images(const Convolution *c, const Tensor *x, bool is_gradient)
{
  const int64_t places = volume_of(is_gradient ? c->size : c->result), area = volume_of(c->kernel);
  const int64_t rows = is_gradient ? c->channels : c->rows, step = volume_of(c->stride);
  const int64_t terms = is_gradient ? c->rows * area / step : c->channels * area;
  if (!dtype_is_floating(tensor_dtype(x)) || !x->is_contiguous || terms == 0 || area * step == 1) return false;
  return c->images >= IMAGES && rows >= ROWS && c->images * places > CONV_LOOSE_PLACES
         && places <= (terms < TERMS ? FEW_PLACES : PLACES);
}

/* Places at a time, each of so many bytes and multiplications: as many as the cache has sums of, but for parts enough
   that threads end together, though the last vectors of rows are fewer. */
static int64_t tile_of(const Plan *w, int64_t bytes, int64_t work)
{
  const int64_t most = even_share(w->places, SUM_BYTES / bytes), others = w->j->groups * w->row_parts * w->blocks;
  const int64_t even = ceil_div_i64(w->places * others, IMAGE_UNITS);
  const int64_t least = ceil_div_i64(CONV_UNIT_WORK, max_i64(work, 1));
  if (w->places * others * work < CONV_SHARED_WORK) return most;
  return even_share(w->places, min_i64(most, max_i64(even, least)));
}

void conv_by_images(Call *call, const Convolution *c, const ConvJob *j, bool is_gradient)
{
  Plan w = {.c = c, .j = j, .k = j->k->conv_product, .is_gradient = is_gradient, .taps = volume_of(c->kernel)};
  memcpy(w.size, is_gradient ? c->size : c->result, sizeof w.size);
  w.places = volume_of(w.size);
  w.source = volume_of(is_gradient ? c->result : c->size);
  w.blocks = ceil_div_i64(j->images, w.k->rows);
  w.vectors = ceil_div_i64(j->rows, w.k->vector);
  w.part = even_share(w.vectors, VECTORS);
  w.row_parts = ceil_div_i64(w.vectors, w.part);
  w.channels = even_share(j->channels, max_i64(CONV_DEPTH / w.taps, 1) * (is_gradient ? volume_of(c->stride) : 1));
  const int64_t images = ceil_div_i64(j->images, w.blocks), row_bytes = images * w.part * w.k->vector * j->size;
  const int64_t terms = j->channels * w.taps / (is_gradient ? volume_of(c->stride) : 1);
  w.tile = tile_of(&w, row_bytes, images * w.part * w.k->vector * terms);
  w.tiles = ceil_div_i64(w.places, w.tile);
  w.sum_bytes = align_up(w.tile * row_bytes);
  const int64_t units = j->groups * w.row_parts * w.tiles * w.blocks;
  if (units == 0 || w.places == 0) return;
  const int64_t all = j->groups * j->channels, steps = ceil_div_i64(all, channels_at_once(&w));
  w.images = tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(j->images * all * w.source * j->size)));
  launch_items((Work){w.blocks * steps, 2 * images * all * w.source / steps}, lay_images, &w);
  const ConvRowWeights weights = conv_row_weights(call, j, w.taps);
  w.weight = weights.weight;
  w.bias = weights.bias;
  const int64_t taps = taps_along(&w) + w.tile * w.taps;
  scratch_init(call, &w.scratch, units,
               w.sum_bytes + (w.tile + 1) * (int64_t)sizeof(int64_t) + taps * (int64_t)sizeof(ConvTap));
  launch_items((Work){units, w.tile * images * w.part * w.k->vector * terms / 8}, run_units, &w);
}
