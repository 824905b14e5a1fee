/*
 * Convolutions, and gradients of inputs, of a few images: some columns of a line of the result at a time, by the taps
 * that lie inside of the image with some of them. Planes and lines of padding cost nothing so, and nothing is gathered
 * for lines of fewer columns than a vector. What taps meet is laid out once, with padding and cut to phases, so that
 * the numbers for columns side by side are side by side; rows are the vectors. Units of work are some rows of some
 * lines of a part.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/table.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

/* Narrow register files have few sums for runs of a few columns, as of 7: they take up to 1.3 times as long so. */
enum {
  KERNEL_ROWS = BLOCK_SIZE(12, 2),       /* of blocks that the kernels make, from which on this is done, */
  IMAGES = 3,                            /* up to which this is done, */
  ROWS = BLOCK_SIZE(16, 3),              /* of so many rows at least, */
  TERMS = BLOCK_SIZE(256, 6),            /* of so many terms at least, */
  BYTES = BLOCK_SIZE(8 << 20, 1 << 16),  /* of no more that is laid out */
  VECTORS = 8,                           /* of rows at a time, at most, */
  MOST_VECTORS = 12,                     /* and of a part of the rows */
  SUM_BYTES = BLOCK_SIZE(96 << 10, 256), /* of sums at a time */
  UNITS = 12                             /* parts of the work, where these are large enough */
};

typedef struct PartUnits {
  const ConvPart *p;
  int64_t units;
} PartUnits;

typedef struct Plan {
  const ConvJob *j;
  const ConvProductKernels *k;
  ConvPart whole; /* all that the parts meet, as one place of one tap */
  ConvSlab slab;  /* [group][image][channel][phase][plane][line][column] */
  ConvRowWeights weights;
  int64_t step, steps;     /* of the channels that are laid out at once */
  int64_t part, row_parts; /* vectors of a part of the rows, at most */
  int64_t columns;         /* of a run, at most */
  int64_t lines;           /* of a tile, at most */
  PartUnits *parts;        /* of most taps first, so that the last units are small */
  int64_t sum_bytes, spread_bytes, list_bytes;
  Scratch scratch;
} Plan;

static int64_t lines_of_image(const ConvPart *p) { return p->size[0] * p->size[1]; }
static int64_t all_lines(const Plan *w, const ConvPart *p) { return w->j->images * lines_of_image(p); }
static int64_t runs_of(const Plan *w, const ConvPart *p) { return ceil_div_i64(p->size[2], w->columns); }
static int64_t tiles_of(const Plan *w, const ConvPart *p)
{
  return p->size[2] > 0 ? ceil_div_i64(all_lines(w, p), w->lines) : 0;
}
static int64_t length_of_vector(const Plan *w) { return w->j->channels * w->weights.taps * w->k->vector; }

/* ---- what taps meet ---- */

static void lay_channels(void *arg, int64_t begin, int64_t end)
{
  const Plan *w = arg;
  ConvSlab s = w->slab;
  for (int64_t at = begin; at < end; at++) {
    const int64_t group = at / w->steps, channel = at % w->steps * w->step;
    s.memory = w->slab.memory + (group * w->j->images * s.image + channel * s.window.channel) * w->j->size;
    conv_slab_fill(&s, group, channel, min_i64(w->step, w->j->channels - channel));
  }
}

/* ---- units ---- */

typedef struct Unit {
  const Plan *plan;
  const ConvPart *p;
  int64_t group, vector, vectors, line, lines;
  char *sums, *spread; /* sums: [line][column][row] */
  int64_t *first_tap;
  ConvTap *taps;
  ChainWorker *then; /* what follows, or NULL */
} Unit;

/* Where a tap lies along a dimension for a place, from where the window begins. */
static int64_t met_along(const Unit *u, int d, int64_t place, int64_t tap)
{
  return u->p->first[d] - u->plan->whole.first[d] + place * u->plan->j->stride[d] + u->p->tap[d][tap];
}

/* Whether one of so many places, of which the first has its tap there, is inside of the image. */
static bool is_inside(const Plan *w, int d, int64_t at, int64_t places)
{
  const int64_t first = w->whole.first[d] + at, step = w->j->stride[d], size = w->j->x_size[d];
  if (first >= 0) return first < size;
  const int64_t skipped = ceil_div_i64(-first, step);
  return skipped < places && first + skipped * step < size;
}

/* Lists the taps of a run of columns of a line; returns how many. */
static int64_t list_run(const Unit *u, int64_t line, int64_t column, int64_t columns, ConvTap *to)
{
  const Plan *w = u->plan;
  const Window *s = &w->slab.window;
  int64_t n = 0;
  for (int64_t t = 0; t < u->p->taps; t++) {
    const int64_t plane = met_along(u, 0, line / u->p->size[1] % u->p->size[0], t);
    const int64_t at = met_along(u, 1, line % u->p->size[1], t);
    const int64_t c = met_along(u, 2, column, t), phase = c % s->across;
    if (!is_inside(w, 0, plane, 1) || !is_inside(w, 1, at, 1) || !is_inside(w, 2, c, columns)) continue;
    const int64_t offset = ((phase * s->size[0] + plane) * s->size[1] + at) * s->size[2] + c / s->across;
    to[n++] = (ConvTap){offset, u->p->weight_at[t] * w->k->vector};
  }
  return n;
}

/* The columns of a run of a line. */
static int64_t first_column(const Unit *u, int64_t run) { return u->p->size[2] * run / runs_of(u->plan, u->p); }

static void list_runs(const Unit *u)
{
  const int64_t runs = runs_of(u->plan, u->p);
  int64_t n = 0, at = 0;
  for (int64_t l = 0; l < u->lines; l++)
    for (int64_t r = 0; r < runs; r++) {
      const int64_t column = first_column(u, r);
      u->first_tap[at++] = n;
      n += list_run(u, u->line + l, column, first_column(u, r + 1) - column, u->taps + n);
    }
  u->first_tap[at] = n;
}

static void sum_channels(const Unit *u, int64_t channel, int64_t channels)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t size = j->size, lanes = w->k->vector, runs = runs_of(w, u->p);
  const int64_t first = u->group * w->weights.vectors + u->vector;
  const int64_t weight = first * length_of_vector(w) + channel * w->weights.taps * lanes;
  ConvPlaceOfImages p = {.vectors = (int)u->vectors,
                         .channels = channels,
                         .w = w->weights.weight + weight * size,
                         .x_channel = w->slab.window.channel,
                         .w_channel = w->weights.taps * lanes,
                         .w_vector = length_of_vector(w),
                         .start = w->weights.bias && channel == 0 ? w->weights.bias + first * lanes * size : NULL,
                         .add = channel > 0};
  for (int64_t l = 0; l < u->lines; l++) {
    const int64_t image = u->group * j->images + (u->line + l) / lines_of_image(u->p);
    p.x = w->slab.memory + (image * w->slab.image + channel * w->slab.window.channel) * size;
    for (int64_t r = 0; r < runs; r++) {
      const int64_t column = first_column(u, r), at = l * runs + r;
      p.images = (int)(first_column(u, r + 1) - column);
      p.tap = u->taps + u->first_tap[at];
      p.taps = u->first_tap[at + 1] - u->first_tap[at];
      p.c = u->sums + (l * u->p->size[2] + column) * u->vectors * lanes * size;
      j->k->conv->place_of_images(&p);
    }
  }
}

/* Turns the sums to places of a result whose lines lie side by side, and runs what follows on them. */
static void take_sums(const Unit *u, int64_t row, int64_t rows)
{
  const ConvJob *j = u->plan->j;
  const int64_t length = u->vectors * u->plan->k->vector, of_image = lines_of_image(u->p), columns = u->p->size[2];
  for (int64_t l = 0, lines; l < u->lines; l += lines) {
    const int64_t image = (u->line + l) / of_image, line = (u->line + l) % of_image;
    lines = min_i64(u->lines - l, of_image - line);
    const int64_t at = image * j->y_image + row * j->y_row + line * columns;
    u->plan->k->turn(lines * columns, rows, u->sums + l * columns * length * j->size, length, j->y + at * j->size,
                     j->y_row);
    for (int64_t r = 0; u->then && r < rows; r++)
      chain_part(u->then, at + r * j->y_row, at + r * j->y_row + lines * columns);
  }
}

/* Turns the sums, and takes them plane by plane to where the places of a part lie. */
static void spread_sums(const Unit *u, int64_t row, int64_t rows)
{
  const ConvJob *j = u->plan->j;
  const int64_t length = u->vectors * u->plan->k->vector, columns = u->p->size[2], places = u->lines * columns;
  u->plan->k->turn(places, rows, u->sums, length, u->spread, places);
  ConvSpread s = {.rows = rows,
                  .images = 1,
                  .planes = 1,
                  .columns = columns,
                  .from_row = places,
                  .from_line = columns,
                  .y_row = j->y_row,
                  .y_line = j->y_step[1],
                  .y_column = j->y_step[2]};
  for (int64_t l = 0; l < u->lines; l += s.lines) {
    const int64_t plane = (u->line + l) / u->p->size[1], line = (u->line + l) % u->p->size[1];
    s.lines = min_i64(u->lines - l, u->p->size[1] - line);
    s.from = u->spread + l * columns * j->size;
    const int64_t to = plane / u->p->size[0] * j->y_image + plane % u->p->size[0] * j->y_step[0] + line * j->y_step[1];
    s.y = j->y + (row * j->y_row + u->p->y + to) * j->size;
    u->plan->k->spread(&s);
  }
}

/* Sets a unit to what it is of. */
static void set_unit(Unit *u, int64_t unit)
{
  const Plan *w = u->plan;
  const PartUnits *part = w->parts;
  while (unit >= part->units) unit -= part++->units;
  u->p = part->p;
  const int64_t tiles = tiles_of(w, u->p);
  u->line = unit % tiles * w->lines;
  u->lines = min_i64(w->lines, all_lines(w, u->p) - u->line);
  u->vector = unit / tiles % w->row_parts * w->part;
  u->vectors = min_i64(w->part, w->weights.vectors - u->vector);
  u->group = unit / tiles / w->row_parts;
}

static void run_units(void *arg, int64_t begin, int64_t end)
{
  Plan *w = arg;
  const ConvJob *j = w->j;
  ChainWorker then;
  Unit u = {.plan = w, .sums = scratch_take(&w->scratch), .then = j->then ? &then : NULL};
  if (j->then) chain_open(&then, j->then);
  u.spread = u.sums + w->sum_bytes;
  u.first_tap = (int64_t *)(void *)(u.spread + w->spread_bytes);
  u.taps = (ConvTap *)(void *)((char *)u.first_tap + w->list_bytes);
  for (int64_t unit = begin; unit < end; unit++) {
    set_unit(&u, unit);
    list_runs(&u);
    const int64_t channels = even_share(j->channels, CONV_DEPTH / max_i64(u.p->taps, 1));
    for (int64_t c = 0; c < j->channels; c += channels) sum_channels(&u, c, min_i64(channels, j->channels - c));
    const int64_t row = u.vector * w->k->vector, rows = min_i64(u.vectors * w->k->vector, j->rows - row);
    if (j->nparts == 1) take_sums(&u, u.group * j->rows + row, rows);
    else spread_sums(&u, u.group * j->rows + row, rows);
  }
  scratch_give(&w->scratch, u.sums);
}

/* ---- plan ---- */

static int64_t taps_of(const ConvJob *j)
{
  int64_t n = 0;
  for (int64_t i = 0; i < j->nparts; i++) n += j->parts[i].taps;
  return n;
}

/* All that the parts meet. */
static ConvPart whole_of(const ConvJob *j)
{
  ConvPart all = {.taps = 1};
  for (int d = 0; d < CONV_DIMS; d++) {
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (int64_t i = 0; i < j->nparts; i++) {
      const ConvPart *p = &j->parts[i];
      if (p->taps == 0 || p->size[d] == 0) continue;
      first = min_i64(first, p->first[d]);
      last = max_i64(last, p->first[d] + (p->size[d] - 1) * j->stride[d] + p->reach[d]);
    }
    all.first[d] = min_i64(first, last);
    all.reach[d] = max_i64(last, first) - all.first[d];
    all.size[d] = 1;
  }
  return all;
}

/* Whether no part is empty, and there are places and terms enough to repay what is laid out. */
bool conv_is_by_runs(const ConvJob *j)
{
  int64_t places = 0;
  for (int64_t i = 0; i < j->nparts; i++) {
    const ConvPart *p = &j->parts[i];
    if (p->taps == 0 || p->size[0] * p->size[1] * p->size[2] == 0) return false;
    places += j->images * p->size[0] * p->size[1] * p->size[2];
  }
  const int64_t taps = taps_of(j);
  if (!j->k->conv->place_of_images || j->k->conv_product->rows < KERNEL_ROWS) return false;
  if (j->images > IMAGES || j->rows < ROWS) return false;
  if (taps == j->nparts || places <= CONV_LOOSE_PLACES || j->channels * taps / j->nparts < TERMS) return false;
  const ConvPart whole = whole_of(j);
  const Tile place = {.images = j->images, .size = {1, 1, 1}};
  const Window s = conv_window(j, &whole, &place, true);
  return j->images * j->groups * j->channels * s.channel * j->size <= BYTES;
}

/* Lays out what taps meet. */
static void lay_numbers(Call *call, Plan *w)
{
  const ConvJob *j = w->j;
  const Tile place = {.images = j->images, .size = {1, 1, 1}};
  w->whole = whole_of(j);
  const Window s = conv_window(j, &w->whole, &place, true);
  const int64_t of_group = j->images * j->channels * s.channel * j->size;
  char *memory = tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(j->groups * of_group + SLAB_SLACK)));
  ConvRun *run = arena_allocate(call->ctx, (size_t)conv_slab_runs(&place, &s) * sizeof *run);
  w->slab = (ConvSlab){.phases = true, .channels = j->channels, .memory = memory, .run = run};
  conv_slab_set(&w->slab, j, &w->whole, &place);
  memset(memory + of_group, 0, (size_t)((j->groups - 1) * of_group)); /* as it did for the first */
  w->step = even_share(j->channels, ceil_div_i64(j->channels, CONV_UNITS));
  w->steps = ceil_div_i64(j->channels, w->step);
  launch_items((Work){j->groups * w->steps, 2 * w->step * j->images * s.channel}, lay_channels, w);
}

/* How many vectors the kernels take at a time of so many columns: their sums fill the registers. */
static int64_t vectors_at_once(const Plan *w, int64_t columns)
{
  return min_i64(2 * w->k->rows / max_i64(columns, 1), VECTORS);
}

/* A whole number of times of the runs of a line, which may be of two lengths. */
static int64_t vectors_of_part(const Plan *w)
{
  const int64_t columns = w->j->parts->size[2], runs = runs_of(w, w->j->parts);
  const int64_t few = vectors_at_once(w, ceil_div_i64(columns, runs)), many = vectors_at_once(w, columns / runs);
  int64_t part = many;
  while (part % few != 0) part += many;
  return min_i64(part > MOST_VECTORS ? few : part, w->weights.vectors);
}

/* Cuts parts into units; returns how many these are. */
static int64_t cut_parts(Call *call, Plan *w, int64_t line_bytes)
{
  const ConvJob *j = w->j;
  int64_t lines = 0, units = 0;
  for (int64_t i = 0; i < j->nparts; i++) lines += all_lines(w, &j->parts[i]);
  const int64_t even = ceil_div_i64(lines * j->groups * w->row_parts, UNITS);
  w->lines = max_i64(min_i64(SUM_BYTES / line_bytes, even), 1);
  w->parts = arena_allocate(call->ctx, (size_t)j->nparts * sizeof *w->parts);
  const int64_t *order = conv_parts_in_order(call, j);
  for (int64_t i = 0; i < j->nparts; i++) {
    const ConvPart *p = &j->parts[order[i]];
    w->parts[i] = (PartUnits){p, tiles_of(w, p) * w->row_parts * j->groups};
    units += w->parts[i].units;
  }
  return units;
}

void conv_by_runs(Call *call, const ConvJob *j)
{
  Plan w = {.j = j, .k = j->k->conv_product};
  lay_numbers(call, &w);
  w.weights = conv_row_weights(call, j, taps_of(j));
  w.columns = w.k->rows;
  w.part = vectors_of_part(&w);
  w.row_parts = ceil_div_i64(w.weights.vectors, w.part);
  int64_t columns = 0, runs = 0, taps = 0, work = 0;
  for (int64_t i = 0; i < j->nparts; i++) {
    const ConvPart *p = &j->parts[i];
    columns = max_i64(columns, p->size[2]);
    runs = max_i64(runs, runs_of(&w, p));
    taps = max_i64(taps, p->taps);
    work += all_lines(&w, p) * p->size[2] * p->taps * j->channels * j->rows * j->groups;
  }
  const int64_t line_bytes = columns * w.part * w.k->vector * j->size;
  const int64_t units = cut_parts(call, &w, line_bytes);
  if (units == 0) return;
  w.sum_bytes = align_up(w.lines * line_bytes);
  w.spread_bytes = j->nparts == 1 ? 0 : w.sum_bytes;
  w.list_bytes = (w.lines * runs + 1) * (int64_t)sizeof(int64_t);
  scratch_init(call, &w.scratch, units,
               w.sum_bytes + w.spread_bytes + w.list_bytes + w.lines * runs * taps * (int64_t)sizeof(ConvTap));
  launch_items((Work){units, work / units / 8}, run_units, &w);
}
