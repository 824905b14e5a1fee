/*
 * Gradients of the weights of convolutions as products, whose terms are the places of all images, tile by tile. Units
 * of work are some channels and some rows.
 */
#include "core/arith.h"
#include "core/blocks.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

typedef struct Plan {
  const ConvJob *j;
  const ConvProductKernels *k;
  const ConvPart *p;
  Tiling tiling;
  const char *dy;
  char *weight;
  int64_t blocks, channel_parts, row_parts;
  int64_t to_row; /* of patches */
  int64_t slab_bytes, patch_bytes, row_bytes, run_bytes;
  Scratch scratch;
} Plan;

/* What a thread has. */
typedef struct Unit {
  const Plan *plan;
  int64_t group, channel, channels, first_block, last_block, row;
  ConvSlab slab;
  char *patches, *rows;
  int64_t *at;
  ConvPiece *pieces;
  ConvPlace *vectors;
} Unit;

/* Runs of taps of a line that lie side by side, cut to vectors. */
static int64_t pieces_of_taps(const Unit *u)
{
  const Plan *w = u->plan;
  int64_t n = 0;
  for (int64_t t = 0; t < w->p->taps; t++) {
    int64_t from = conv_tap(&u->slab.window, w->p, t);
    const ConvPiece *last = n ? &u->pieces[n - 1] : NULL;
    if (last && from - last->from == t - last->to && t - last->to < w->k->vector) continue;
    u->pieces[n++] = (ConvPiece){from, t};
  }
  return n;
}

/* Lays side by side what the taps of the channels meet at each place of the tile. */
static void lay_patches(const Unit *u)
{
  const Plan *w = u->plan;
  const Tile *t = &u->slab.tile;
  const Window *window = &u->slab.window;
  int64_t step[CONV_DIMS], n = 0;
  for (int d = 0; d < CONV_DIMS; d++) step[d] = conv_step(w->j, window, d);
  EACH_LINE(t, i, p, l)
  for (int64_t c = 0; c < t->size[2]; c++) u->at[n++] = i * u->slab.image + p * step[0] + l * step[1] + c * step[2];
  if (w->p->taps > 1) {
    ConvPatches g = {n,     u->channels, w->p->taps, pieces_of_taps(u), u->slab.memory, window->channel,
                     u->at, u->pieces,   u->patches, w->to_row};
    w->k->patches(&g);
    return;
  }
  int64_t run = t->size[2];
  if (step[1] == run) run *= t->size[1];
  if (step[1] == t->size[2] && step[0] == run) run *= t->size[0];
  for (int64_t first = 0; first < n; first += run)
    w->k->turn(u->channels, run, u->slab.memory + u->at[first] * w->j->size, window->channel,
               u->patches + first * w->to_row * w->j->size, w->to_row);
}

/* A tile's places of an image follow each other in the result. */
static void pack_gradients(const Unit *u, const ConvRows *rows)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const Tile *t = &u->slab.tile;
  const int64_t *size = w->p->size, places = size[0] * size[1] * size[2], run = places_of_image(t);
  const int64_t first = (t->begin[0] * size[1] + t->begin[1]) * size[2] + t->begin[2];
  for (int64_t i = 0; i < t->images; i++) {
    int64_t at = ((t->image + i) * j->groups + u->group) * j->rows * places + first;
    w->k->pack_rows(rows, run, w->dy + at * j->size, i * run);
  }
}

/* Vectors of the columns of patches, and their terms; returns how many. */
static int64_t places_of_columns(const Unit *u, int64_t columns, int64_t depth)
{
  const int64_t vector = u->plan->k->vector;
  int64_t n = 0;
  for (int64_t c = 0; c < columns; c += vector)
    u->vectors[n++] = (ConvPlace){c, c, (int32_t)min_i64(vector, columns - c)};
  for (int64_t i = 0; i < depth; i++) u->at[i] = i * u->plan->to_row;
  return n;
}

static void run_tile(Unit *u, const Tile *t, bool add)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t places = places_of_tile(t), all = j->channels * w->p->taps;
  conv_slab_set(&u->slab, j, w->p, t);
  conv_slab_fill(&u->slab, u->group, u->channel, u->channels);
  lay_patches(u);
  ConvRows left = {j->rows, u->first_block, u->last_block, places, w->p->size[0] * w->p->size[1] * w->p->size[2],
                   u->rows};
  pack_gradients(u, &left);
  ConvProduct p = {.rows = j->rows,
                   .first_block = u->first_block,
                   .last_block = u->last_block,
                   .depth = places,
                   .places = places_of_columns(u, u->channels * w->p->taps, places),
                   .a = u->rows,
                   .a_depth = places,
                   .b = u->patches,
                   .at = u->at,
                   .place = u->vectors,
                   .add = add,
                   .c = w->weight + ((u->group * j->rows + u->row) * all + u->channel * w->p->taps) * j->size,
                   .c_row = all};
  w->k->multiply(&p);
}

static void run_unit(Unit *u, int64_t unit)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t row_part = unit % w->row_parts, channel_part = unit / w->row_parts % w->channel_parts;
  u->group = unit / w->row_parts / w->channel_parts;
  u->channel = j->channels * channel_part / w->channel_parts;
  u->channels = j->channels * (channel_part + 1) / w->channel_parts - u->channel;
  u->first_block = w->blocks * row_part / w->row_parts;
  u->last_block = w->blocks * (row_part + 1) / w->row_parts;
  u->row = j->rows * u->first_block / w->blocks;
  for (int64_t n = 0; n < conv_tiles(&w->tiling); n++) {
    Tile t = conv_tile(j, w->p, &w->tiling, n);
    run_tile(u, &t, n > 0);
  }
}

static void run_units(void *arg, int64_t begin, int64_t end)
{
  Plan *w = arg;
  char *memory = scratch_take(&w->scratch);
  Unit u = {.plan = w, .slab = {.phases = w->p->taps == 1, .memory = memory}};
  u.slab.channels = ceil_div_i64(w->j->channels, w->channel_parts);
  u.patches = memory + w->slab_bytes;
  u.rows = u.patches + w->patch_bytes;
  u.slab.run = (ConvRun *)(void *)(u.rows + w->row_bytes);
  u.at = (int64_t *)(void *)((char *)u.slab.run + w->run_bytes);
  u.pieces = (ConvPiece *)(void *)(u.at + w->tiling.places);
  u.vectors = (ConvPlace *)(void *)(u.pieces + w->p->taps);
  for (int64_t unit = begin; unit < end; unit++) run_unit(&u, unit);
  scratch_give(&w->scratch, memory);
}

/* Cuts channels into so many parts at least, and then channels or rows into more until there are units enough for
   threads: each part of the one packs all of the other again. */
static void cut_weights(Plan *w, int64_t channel_parts, int64_t work)
{
  const ConvJob *j = w->j;
  w->channel_parts = channel_parts;
  w->row_parts = 1;
  while (!conv_shares(j->groups * w->channel_parts * w->row_parts, work)) {
    const bool more_rows = w->blocks >= 4 * w->row_parts;
    const bool more_channels = j->channels * w->p->taps >= 4 * w->channel_parts * w->k->vector
                               && j->channels >= 2 * w->channel_parts;
    if (!more_rows && !more_channels) return;
    if (more_rows && (!more_channels || w->row_parts * j->channels * w->p->taps < w->channel_parts * j->rows))
      w->row_parts *= 2;
    else w->channel_parts *= 2;
  }
}

void conv_multiply_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  Plan w = {.j = j, .k = j->k->conv_product, .p = j->parts, .dy = tensor_data(dy), .weight = tensor_data(weight)};
  const int64_t taps = w.p->taps, width = 2 * w.k->vector;
  w.tiling = conv_tiling(j, w.p, CONV_DEPTH);
  w.blocks = ceil_div_i64(j->rows, w.k->rows);
  int64_t most = max_i64(CONV_TILE_BYTES / (w.tiling.places * j->size) / taps, 1);
  const int64_t places = j->images * w.p->size[0] * w.p->size[1] * w.p->size[2];
  const int64_t work = places * j->groups * j->rows * j->channels * taps;
  cut_weights(&w, ceil_div_i64(j->channels, most), work);
  const int64_t channels = ceil_div_i64(j->channels, w.channel_parts);
  w.to_row = ceil_div_i64(channels * taps, width) * width;
  if (w.to_row * j->size / 64 % 2 == 0) w.to_row += 64 / j->size; /* rows begin in different sets of the cache */
  const Tile t = conv_largest_tile(&w.tiling);
  const Window s = conv_window(j, w.p, &t, taps == 1);
  w.slab_bytes = conv_slab_bytes(j, &t, &s, channels);
  w.patch_bytes = align_up(w.tiling.places * w.to_row * j->size + SLAB_SLACK);
  w.row_bytes = align_up(w.tiling.places * ceil_div_i64(w.blocks, w.row_parts) * w.k->rows * j->size + SLAB_SLACK);
  w.run_bytes = conv_slab_runs(&t, &s) * (int64_t)sizeof(ConvRun);
  const int64_t lists = w.tiling.places * (int64_t)sizeof(int64_t) + taps * (int64_t)sizeof(ConvPiece)
                        + w.to_row / w.k->vector * (int64_t)sizeof(ConvPlace);
  const int64_t units = j->groups * w.channel_parts * w.row_parts;
  scratch_init(call, &w.scratch, units, w.slab_bytes + w.patch_bytes + w.row_bytes + w.run_bytes + lists);
  launch_items((Work){units, work / max_i64(units, 1) / 8}, run_units, &w);
}
