/*
 * Gradients of the weights of convolutions of few rows. Where the weight is small beside the places, sums for all taps
 * and rows are made at once, with the rows as vectors and the taps' numbers where they lie in the slab: nothing is
 * gathered. Else they are dot products of lines. Either way parts of the tiles have sums of their own.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "launch/conv/job.h"
#include "launch/copy.h"
#include "launch/reduce/reduce.h"
#include "launch/scratch.h"

typedef struct Correlation {
  const ConvJob *j;
  const ConvPart *p;
  Tiling tiling;
  const char *dy;
  char *sums;                  /* [parts, groups, …] */
  int64_t parts, terms, c_row; /* terms: taps of all channels of a group */
  int64_t slab_bytes, panel_bytes, run_bytes;
  Scratch scratch;
} Correlation;

static int64_t places_of(const ConvPart *p) { return p->size[0] * p->size[1] * p->size[2]; }

/* Where dy of a row of a group is, at a tile's first place in its image i. */
static const char *gradients_at(const Correlation *w, const Tile *t, int64_t i, int64_t group, int64_t row)
{
  const int64_t *size = w->p->size, *begin = t->begin;
  const int64_t first = (begin[0] * size[1] + begin[1]) * size[2] + begin[2];
  return w->dy + ((((t->image + i) * w->j->groups + group) * w->j->rows + row) * places_of(w->p) + first) * w->j->size;
}

/* Where each tap of each channel of a slab begins. */
static void list_taps(const Correlation *w, const ConvSlab *s, int64_t *at)
{
  for (int64_t c = 0; c < w->j->channels; c++)
    for (int64_t i = 0; i < w->p->taps; i++) *at++ = c * s->window.channel + conv_tap(&s->window, w->p, i);
}

/* Sets sizes and makes memory for bodies whose tiles are of such places, with a panel and lists of so many bytes. */
static void prepare(Call *call, Correlation *w, bool phases, int64_t panel_bytes, int64_t list_bytes)
{
  const Tile t = conv_largest_tile(&w->tiling);
  const Window s = conv_window(w->j, w->p, &t, phases);
  w->slab_bytes = conv_slab_bytes(w->j, &t, &s, w->j->channels);
  w->panel_bytes = align_up(panel_bytes + SLAB_SLACK);
  w->run_bytes = conv_slab_runs(&t, &s) * (int64_t)sizeof(ConvRun);
  scratch_init(call, &w->scratch, w->parts * w->j->groups, w->slab_bytes + w->panel_bytes + w->run_bytes + list_bytes);
}

static ConvSlab slab_in(const Correlation *w, bool phases, char *memory)
{
  ConvRun *run = (ConvRun *)(void *)(memory + w->slab_bytes + w->panel_bytes);
  return (ConvSlab){.phases = phases, .channels = w->j->channels, .memory = memory, .run = run};
}

/* The tiles of a part of them all. */
static int64_t first_tile(const Correlation *w, int64_t part) { return conv_tiles(&w->tiling) * part / w->parts; }

/* ------------------------------------------------------------------ rows as vectors */

/* panel[place][row], of rows from `row` on. */
static void turn_gradients(const Correlation *w, const Tile *t, int64_t group, int64_t row, int64_t rows, int64_t width,
                           char *panel)
{
  const int64_t run = places_of_image(t);
  for (int64_t i = 0; i < t->images; i++)
    w->j->k->conv_product->turn(rows, run, gradients_at(w, t, i, group, row), places_of(w->p),
                                panel + i * run * width * w->j->size, width);
}

static void correlate_tile(const Correlation *w, ConvSlab *s, const Tile *t, int64_t group, bool add, char *sums)
{
  const ConvJob *j = w->j;
  char *panel = s->memory + w->slab_bytes;
  int64_t *place_at = (int64_t *)(void *)((char *)s->run + w->run_bytes), *tap_at = place_at + w->tiling.places;
  const bool is_listed = s->p && s->tile.images == t->images && memcmp(s->tile.size, t->size, sizeof t->size) == 0;
  if (conv_slab_set(s, j, w->p, t) && !is_listed) {
    const int64_t plane_step = conv_step(j, &s->window, 0), line_step = conv_step(j, &s->window, 1);
    int64_t n = 0;
    list_taps(w, s, tap_at);
    EACH_LINE(t, i, p, l)
    for (int64_t c = 0; c < t->size[2]; c++)
      place_at[n++] = i * s->image + p * plane_step + l * line_step + c * j->stride[2];
  }
  conv_slab_fill(s, group, 0, j->channels);
  const int64_t vector = j->k->conv_product->vector;
  for (int64_t row = 0; row < j->rows; row += 2 * vector) {
    const int64_t rows = min_i64(2 * vector, j->rows - row), vectors = ceil_div_i64(rows, vector);
    turn_gradients(w, t, group, row, rows, vectors * vector, panel);
    ConvCorrelation c = {w->terms, places_of_tile(t),    (int)vectors, s->memory, tap_at, place_at, panel,
                         add,      sums + row * j->size, w->c_row};
    j->k->conv_product->correlate(&c);
  }
}

static void correlate_units(void *arg, int64_t begin, int64_t end)
{
  Correlation *w = arg;
  char *memory = scratch_take(&w->scratch);
  ConvSlab s = slab_in(w, false, memory);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t part = unit / w->j->groups, group = unit % w->j->groups, first = first_tile(w, part);
    for (int64_t n = first; n < first_tile(w, part + 1); n++) {
      Tile t = conv_tile(w->j, w->p, &w->tiling, n);
      correlate_tile(w, &s, &t, group, n > first, w->sums + unit * w->terms * w->c_row * w->j->size);
    }
  }
  scratch_give(&w->scratch, memory);
}

void conv_correlate_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  Correlation w = {.j = j, .p = j->parts, .dy = tensor_data(dy)};
  const int64_t vector = j->k->conv_product->vector;
  w.tiling = conv_tiling(j, w.p, CONV_DEPTH);
  w.parts = min_i64(CONV_UNITS, conv_tiles(&w.tiling));
  w.terms = j->channels * w.p->taps;
  w.c_row = ceil_div_i64(j->rows, vector) * vector;
  Tensor *sums = new_beside(call, weight, j->dtype, INTS(w.parts, j->groups * w.terms * w.c_row));
  w.sums = tensor_data(sums);
  prepare(call, &w, false, w.tiling.places * 2 * vector * j->size,
          (w.tiling.places + w.terms) * (int64_t)sizeof(int64_t));
  launch_items((Work){w.parts * j->groups, j->images * places_of(w.p) * w.terms * j->rows / w.parts / 8},
               correlate_units, &w);
  Tensor *total = sums;
  if (w.parts > 1) {
    total = new_beside(call, sums, j->dtype, INTS(sums->shape[1]));
    launch_reduce(call, REDUCE_SUM, sums, 1, total, (Finish){0, false});
  }
  for (int64_t g = 0; g < j->groups; g++)
    j->k->conv_product->turn(w.terms, j->rows, (char *)tensor_data(total) + g * w.terms * w.c_row * j->size, w.c_row,
                             (char *)tensor_data(weight) + g * j->rows * w.terms * j->size, w.terms);
}

/* ------------------------------------------------------------------ dot products */

static void dot_tile(const Correlation *w, ConvSlab *s, const Tile *t, int64_t group, char *sums)
{
  const ConvJob *j = w->j;
  const int64_t *size = w->p->size;
  int64_t *tap_at = (int64_t *)(void *)((char *)s->run + w->run_bytes);
  if (conv_slab_set(s, j, w->p, t)) list_taps(w, s, tap_at);
  conv_slab_fill(s, group, 0, j->channels);
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t p = 0; p < t->size[0]; p++) {
      ConvDots k = {.rows = j->rows,
                    .taps = w->terms,
                    .lines = t->size[1],
                    .columns = t->size[2],
                    .dy = gradients_at(w, t, i, group, 0) + p * size[1] * size[2] * j->size,
                    .x = s->memory + (i * s->image + p * conv_step(j, &s->window, 0)) * j->size,
                    .dy_row = places_of(w->p),
                    .dy_line = size[2],
                    .x_line = conv_step(j, &s->window, 1),
                    .at = tap_at,
                    .sums = sums};
      j->k->conv->dots(&k);
    }
}

static void dot_units(void *arg, int64_t begin, int64_t end)
{
  Correlation *w = arg;
  const int64_t bytes = w->j->rows * w->terms * w->j->size;
  char *memory = scratch_take(&w->scratch);
  ConvSlab s = slab_in(w, true, memory);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t part = unit / w->j->groups, group = unit % w->j->groups;
    memset(w->sums + unit * bytes, 0, (size_t)bytes);
    for (int64_t n = first_tile(w, part); n < first_tile(w, part + 1); n++) {
      Tile t = conv_tile(w->j, w->p, &w->tiling, n);
      dot_tile(w, &s, &t, group, w->sums + unit * bytes);
    }
  }
  scratch_give(&w->scratch, memory);
}

void conv_dot_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  Correlation w = {.j = j, .p = j->parts, .dy = tensor_data(dy), .terms = j->channels * j->parts->taps};
  const int64_t places = j->images * places_of(w.p), work = places * j->groups * j->rows * w.terms;
  /* parts for as many tasks as threads may want, but not too many sums */
  w.parts = min_i64(ceil_div_i64(CONV_WEIGHT_TASKS, j->groups), ceil_div_i64(work, CONV_UNIT_WORK));
  w.parts = clamp_i64(w.parts, 1, max_i64(CONV_WEIGHT_BYTES / (weight->numel * j->size), 1));
  w.tiling = conv_tiling(j, w.p,
                         max_i64(min_i64(CONV_SLAB_BYTES / (j->channels * j->size), ceil_div_i64(places, w.parts)), 1));
  w.parts = min_i64(w.parts, conv_tiles(&w.tiling));
  Tensor *sums = new_beside(call, weight, j->dtype, INTS(w.parts, weight->numel));
  w.sums = tensor_data(sums);
  prepare(call, &w, true, 0, w.terms * (int64_t)sizeof(int64_t));
  launch_items((Work){w.parts * j->groups, work / (w.parts * j->groups) / 8}, dot_units, &w);
  Tensor *flat = tensor_view(call, weight, INTS(weight->numel), INTS(1), weight->offset);
  if (w.parts > 1) launch_reduce(call, REDUCE_SUM, sums, 1, flat, (Finish){0, false});
  else launch_copy(call, flat, tensor_view(call, sums, INTS(weight->numel), INTS(1), 0));
}
