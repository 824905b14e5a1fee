/*
 * Gradients of the weights of convolutions tap by tap: that of a tap is a product whose terms are the places where it
 * lies inside of an image. Nothing is copied into patches and no padding is multiplied: the gradients of the result are
 * laid out by blocks of rows, the input by vectors of channels, once each for all taps. Units of work are some channels
 * and some rows of some taps, over all places.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

enum {
  VECTORS = 2,                 /* of channels at a time */
  BLOCKS = BLOCK_SIZE(12, 2),  /* of rows at a time, at most */
  ROWS = BLOCK_SIZE(16, 3),    /* from which on this is done, */
  CHANNELS = BLOCK_SIZE(32, 3) /* of so many channels at least */
};

/* And of so many places of all images: to turn the sums of fewer takes too long, as to lay out the operands of more.
   Correlations are slower where registers hold sums enough, of more places still. */
enum { PLACES = BLOCK_SIZE(256, 20), TOO_MANY_PLACES = BLOCK_SIZE(8192, 4096), KERNEL_ROWS = BLOCK_SIZE(12, 2) };

typedef struct Plan {
  const ConvJob *j;
  const ConvPart *p;
  const ConvProductKernels *k;
  Tiling tiling;
  const char *dy;
  char *weight;
  int64_t places, source; /* of an image of the result and of the input */
  int64_t blocks, pitch;  /* of the rows of a group; rows of a block, at most */
  int64_t vectors;        /* of the channels of a group */
  int64_t row_parts, channel_parts, tap_parts;
  char *left;  /* [group][block][image][place][pitch] */
  char *right; /* [group][vector][image][source][lanes] */
  int64_t sum_bytes;
  Scratch scratch;
} Plan;

static int64_t volume_of(const int64_t *v) { return v[0] * v[1] * v[2]; }
static int64_t block_of_left(const Plan *w) { return w->j->images * w->places * w->pitch; }
static int64_t vector_of_right(const Plan *w) { return w->j->images * w->source * w->k->vector; }

/* ---- packing ---- */

static void lay_gradients(void *arg, int64_t begin, int64_t end)
{
  const Plan *w = arg;
  const ConvJob *j = w->j;
  for (int64_t at = begin; at < end; at++) {
    const int64_t group = at / w->blocks, block = at % w->blocks;
    const int64_t row = j->rows * block / w->blocks, rows = j->rows * (block + 1) / w->blocks - row;
    for (int64_t i = 0; i < j->images; i++) {
      const int64_t from = ((i * j->groups + group) * j->rows + row) * w->places;
      w->k->turn(rows, w->places, w->dy + from * j->size, w->places,
                 w->left + (at * block_of_left(w) + i * w->places * w->pitch) * j->size, w->pitch);
    }
  }
}

/* Lanes beyond the channels are 0. */
static void lay_inputs(void *arg, int64_t begin, int64_t end)
{
  const Plan *w = arg;
  const ConvJob *j = w->j;
  const int64_t lanes = w->k->vector, bytes = vector_of_right(w) * j->size;
  for (int64_t at = begin; at < end; at++) {
    const int64_t group = at / w->vectors, channel = at % w->vectors * lanes;
    const int64_t channels = min_i64(lanes, j->channels - channel);
    char *to = w->right + at * bytes;
    if (channels < lanes) memset(to, 0, (size_t)bytes);
    for (int64_t i = 0; i < j->images; i++)
      w->k->turn(channels, w->source,
                 j->x + (i * j->x_image + (group * j->channels + channel) * j->x_channel) * j->size, j->x_channel,
                 to + i * w->source * lanes * j->size, lanes);
  }
}

/* ---- units ---- */

/* What a thread has: taps, vectors of channels and blocks of rows, and where the terms of each tap are in a tile. */
typedef struct Unit {
  const Plan *plan;
  int64_t group, tap, taps, vector, vectors, block, blocks, row, rows;
  char *sums; /* [tap][row][channel] */
  ConvTap *terms;
  int64_t *first_term; /* of each tap */
} Unit;

/* The places of a tile along a dimension where a tap is inside of the image: [begin, end). */
static void range_inside(const Plan *w, const Tile *t, int d, int64_t tap, int64_t *begin, int64_t *end)
{
  const int64_t step = w->j->stride[d], first = w->p->first[d] + tap;
  *begin = max_i64(t->begin[d], ceil_div_i64(max_i64(-first, 0), step));
  *end = min_i64(t->begin[d] + t->size[d], ceil_div_i64(max_i64(w->j->x_size[d] - first, 0), step));
}

/* Lists the places of a tile's first image that a tap is inside of; returns how many. */
static int64_t list_tap(const Plan *w, const Tile *t, int64_t tap, ConvTap *to)
{
  const ConvJob *j = w->j;
  const int64_t *size = w->p->size, *stride = j->stride, lanes = w->k->vector;
  int64_t begin[CONV_DIMS], end[CONV_DIMS], at[CONV_DIMS], n = 0;
  for (int d = 0; d < CONV_DIMS; d++) {
    at[d] = w->p->first[d] + w->p->tap[d][tap];
    range_inside(w, t, d, w->p->tap[d][tap], &begin[d], &end[d]);
  }
  for (int64_t p = begin[0]; p < end[0]; p++)
    for (int64_t l = begin[1]; l < end[1]; l++) {
      const int64_t place = (p * size[1] + l) * size[2];
      const int64_t line = ((at[0] + p * stride[0]) * j->x_size[1] + at[1] + l * stride[1]) * j->x_size[2] + at[2];
      for (int64_t c = begin[2]; c < end[2]; c++)
        to[n++] = (ConvTap){(place + c) * w->pitch, (line + c * stride[2]) * lanes};
    }
  return n;
}

static void list_terms(const Unit *u, const Tile *t)
{
  int64_t n = 0;
  for (int64_t tap = 0; tap < u->plan->p->taps; tap++) {
    u->first_term[tap] = n;
    n += list_tap(u->plan, t, tap, u->terms + n);
  }
  u->first_term[u->plan->p->taps] = n;
}

/* Adds a tile's terms to the sums of all taps. */
static void add_tile(const Unit *u, const Tile *t, bool add)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t size = j->size, lanes = w->k->vector;
  const int64_t right = (u->group * w->vectors + u->vector) * vector_of_right(w) + t->image * w->source * lanes;
  ConvPlaceOfImages p = {.vectors = (int)u->vectors,
                         .channels = t->images,
                         .w = w->right + right * size,
                         .x_channel = w->places * w->pitch,
                         .w_channel = w->source * lanes,
                         .w_vector = vector_of_right(w),
                         .add = add};
  for (int64_t tap = u->tap; tap < u->tap + u->taps; tap++) {
    p.tap = u->terms + u->first_term[tap];
    p.taps = u->first_term[tap + 1] - u->first_term[tap];
    for (int64_t b = u->block; b < u->block + u->blocks; b++) {
      const int64_t row = j->rows * b / w->blocks, left = (u->group * w->blocks + b) * block_of_left(w);
      p.images = (int)(j->rows * (b + 1) / w->blocks - row);
      p.x = w->left + (left + t->image * p.x_channel) * size;
      p.c = u->sums + ((tap - u->tap) * u->rows + row - u->row) * u->vectors * lanes * size;
      j->k->conv->place_of_images(&p);
    }
  }
}

static void take_sums(const Unit *u)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t taps = w->p->taps, length = u->vectors * w->k->vector, channel = u->vector * w->k->vector;
  for (int64_t r = 0; r < u->rows; r++) {
    const int64_t to = ((u->group * j->rows + u->row + r) * j->channels + channel) * taps;
    w->k->turn(u->taps, min_i64(length, j->channels - channel), u->sums + r * length * j->size, u->rows * length,
               w->weight + (to + u->tap) * j->size, taps);
  }
}

static void run_units(void *arg, int64_t begin, int64_t end)
{
  Plan *w = arg;
  Unit u = {.plan = w, .sums = scratch_take(&w->scratch)};
  u.first_term = (int64_t *)(void *)(u.sums + w->sum_bytes);
  u.terms = (ConvTap *)(void *)(u.first_term + w->p->taps + 1);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t row_part = unit % w->row_parts, channel_part = unit / w->row_parts % w->channel_parts;
    const int64_t rest = unit / w->row_parts / w->channel_parts, tap_part = rest % w->tap_parts;
    u.group = rest / w->tap_parts;
    u.tap = w->p->taps * tap_part / w->tap_parts;
    u.taps = w->p->taps * (tap_part + 1) / w->tap_parts - u.tap;
    u.vector = channel_part * VECTORS;
    u.vectors = min_i64(VECTORS, w->vectors - u.vector);
    u.block = w->blocks * row_part / w->row_parts;
    u.blocks = w->blocks * (row_part + 1) / w->row_parts - u.block;
    u.row = w->j->rows * u.block / w->blocks;
    u.rows = w->j->rows * (u.block + u.blocks) / w->blocks - u.row;
    for (int64_t n = 0; n < conv_tiles(&w->tiling); n++) {
      const Tile t = conv_tile(w->j, w->p, &w->tiling, n);
      if (n == 0 || conv_tiles(&w->tiling) != w->tiling.tiles[0]) list_terms(&u, &t); /* whole images lie alike */
      add_tile(&u, &t, n > 0);
    }
    take_sums(&u);
  }
  scratch_give(&w->scratch, u.sums);
}

/* ---- plan ---- */

bool conv_is_weight_by_taps(const ConvJob *j, const Tensor *x, bool or_correlation)
{
  const int64_t places = j->images * volume_of(j->parts->size), most = TOO_MANY_PLACES * (or_correlation ? 2 : 1);
  if (or_correlation && j->k->conv_product->rows < KERNEL_ROWS) return false;
  if (!j->k->conv->place_of_images || !x->is_contiguous || j->parts->taps < 2) return false;
  return j->rows >= ROWS && j->channels >= CHANNELS && places >= PLACES && places < most;
}

void conv_weight_by_taps(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  Plan w = {.j = j, .k = j->k->conv_product, .p = j->parts, .dy = tensor_data(dy), .weight = tensor_data(weight)};
  const int64_t taps = w.p->taps;
  w.tiling = conv_tiling(j, w.p, CONV_DEPTH);
  w.places = volume_of(w.p->size);
  w.source = volume_of(j->x_size);
  w.blocks = ceil_div_i64(j->rows, w.k->rows);
  w.pitch = ceil_div_i64(j->rows, w.blocks);
  w.vectors = ceil_div_i64(j->channels, w.k->vector);
  w.channel_parts = ceil_div_i64(w.vectors, VECTORS);
  w.row_parts = ceil_div_i64(w.blocks, BLOCKS);
  w.tap_parts = 1;
  const int64_t parts = j->groups * w.channel_parts * w.row_parts;
  const int64_t work = j->images * w.places * taps * j->groups * j->rows * j->channels;
  while (!conv_shares(parts * w.tap_parts, work) && 2 * w.tap_parts <= taps) w.tap_parts *= 2;
  w.left = tensor_data(new_beside(call, weight, j->dtype, INTS(j->groups * w.blocks * block_of_left(&w))));
  w.right = tensor_data(new_beside(call, weight, j->dtype, INTS(j->groups * w.vectors * vector_of_right(&w))));
  launch_items((Work){j->groups * w.blocks, block_of_left(&w)}, lay_gradients, &w);
  launch_items((Work){j->groups * w.vectors, vector_of_right(&w)}, lay_inputs, &w);
  const int64_t units = parts * w.tap_parts;
  const int64_t rows = ceil_div_i64(w.blocks, w.row_parts) * w.pitch, lanes = VECTORS * w.k->vector;
  const Tile t = conv_largest_tile(&w.tiling);
  w.sum_bytes = align_up(ceil_div_i64(taps, w.tap_parts) * rows * lanes * j->size);
  scratch_init(call, &w.scratch, units,
               w.sum_bytes + (taps + 1) * (int64_t)sizeof(int64_t)
                 + taps * places_of_image(&t) * (int64_t)sizeof(ConvTap));
  launch_items((Work){units, j->images * w.places * rows * lanes * taps / w.tap_parts / 8}, run_units, &w);
}
