/*
 * Convolutions as products over all images. The places of a result are cut into tiles: whole images, lines or columns
 * of one, as many as make a product whose numbers stay in the cache. What the taps of some channels meet there is
 * packed into a slab and from it into panels, and multiplied with the weights, packed once for all tiles. Units of
 * work are a tile and some rows.
 */
#include "launch/convolve_product.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "launch/reduce.h"
#include "launch/scratch.h"

/* A tile, of the places of a part: [images][lines][columns]. */
typedef struct Tile {
  int64_t image, images, line, lines, column, columns;
} Tile;

/* How a part is cut. */
typedef struct Tiling {
  int64_t images, lines, columns; /* of a tile, at most */
  int64_t tiles[3];               /* along each */
  int64_t places;                 /* of a tile */
  int64_t channels;               /* at a time */
  int64_t vectors, runs;          /* of a tile, at most */
  int64_t row_parts;
  int64_t first_unit;
  bool in_place; /* vectors of columns are read from the slab as they lie there */
} Tiling;

static int64_t even_share(int64_t n, int64_t most)
{
  int64_t parts = max_i64(ceil_div_i64(n, max_i64(most, 1)), 1);
  return max_i64(ceil_div_i64(n, parts), 1);
}

/* Cuts a part into tiles of up to so many places. */
static Tiling tiling_of(const ConvJob *j, const ConvPart *p, int64_t places)
{
  Tiling t = {.images = 1, .lines = 1, .columns = p->size[1]};
  if (p->size[1] > places) {
    t.columns = even_share(p->size[1], places);
  } else if (p->size[0] * p->size[1] > places) {
    t.lines = even_share(p->size[0], places / p->size[1]);
  } else {
    t.lines = p->size[0];
    t.images = even_share(j->images, places / max_i64(p->size[0] * p->size[1], 1));
  }
  t.tiles[0] = ceil_div_i64(j->images, t.images);
  t.tiles[1] = ceil_div_i64(p->size[0], max_i64(t.lines, 1));
  t.tiles[2] = ceil_div_i64(p->size[1], max_i64(t.columns, 1));
  t.places = t.images * t.lines * t.columns;
  return t;
}

static int64_t tiles_of(const Tiling *t) { return t->tiles[0] * t->tiles[1] * t->tiles[2]; }

static Tile tile_at(const ConvJob *j, const ConvPart *p, const Tiling *t, int64_t at)
{
  Tile tile = {.column = at % t->tiles[2] * t->columns,
               .line = at / t->tiles[2] % t->tiles[1] * t->lines,
               .image = at / t->tiles[2] / t->tiles[1] * t->images};
  tile.images = min_i64(t->images, j->images - tile.image);
  tile.lines = min_i64(t->lines, p->size[0] - tile.line);
  tile.columns = min_i64(t->columns, p->size[1] - tile.column);
  return tile;
}

/*
 * What a tile's taps meet, as [images][channels][phases][lines][width]: lines with their padding, cut into phases so
 * that the columns that a tap meets are side by side. Phase q has the columns first_column + q, + q + across…
 */
typedef struct Window {
  int64_t first_line, first_column, lines, width, phases, across;
  int64_t plane; /* of a channel */
} Window;

/* Without `phases` the places of a line are a stride apart. Phases that no tap meets are left out. */
static Window slab_of(const ConvJob *j, const ConvPart *p, const Tile *t, bool phases)
{
  Window s = {.first_line = p->first[0] + t->line * j->stride[0],
              .first_column = p->first[1] + t->column * j->stride[1],
              .lines = max_i64((t->lines - 1) * j->stride[0] + p->reach[0] + 1, 0),
              .across = phases ? j->stride[1] : 1};
  s.phases = min_i64(s.across, p->reach[1] + 1);
  s.width = phases ? t->columns + p->reach[1] / s.across : (t->columns - 1) * j->stride[1] + p->reach[1] + 1;
  s.plane = s.phases * s.lines * max_i64(s.width, 0);
  return s;
}

static int64_t tap_in_slab(const Window *s, int64_t line, int64_t column)
{
  return (column % s->across * s->lines + line) * s->width + column / s->across;
}

/* What is copied of each channel of the tile's images, whose slabs are `step` apart; not lines that no tap meets. */
static int64_t runs_of_tile(const ConvJob *j, const ConvPart *p, const Tile *t, const Window *s, int64_t step,
                            ConvRun *to)
{
  int64_t n = 0;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t q = 0; q < s->phases; q++)
      for (int64_t l = 0; l < s->lines; l++) {
        int64_t line = s->first_line + l, first = s->first_column + q;
        if (line < 0 || line >= j->x_size[0] || l % j->stride[0] > p->reach[0]) continue;
        int64_t begin = clamp_i64(ceil_div_i64(max_i64(-first, 0), s->across), 0, s->width);
        int64_t end = clamp_i64(ceil_div_i64(max_i64(j->x_size[1] - first, 0), s->across), begin, s->width);
        if (begin == end) continue;
        to[n++] = (ConvRun){i * j->x_image + line * j->x_line + (first + begin * s->across) * j->x_column,
                            i * step + (q * s->lines + l) * s->width + begin, end - begin};
      }
  return n;
}

/* Fills the slab's places within the images; the others stay 0. */
static void fill_slab(const ConvJob *j, const Tile *t, const Window *s, int64_t group, int64_t channel,
                      int64_t channels, const ConvRun *runs, int64_t n, char *slab)
{
  int64_t from = t->image * j->x_image + (group * j->channels + channel) * j->x_channel;
  ConvFill f = {channels, n, j->x + from * j->size, j->x_channel, s->across * j->x_column, runs, slab, s->plane};
  j->k->conv_product->fill(&f);
}

/* What gathering columns costs, in rows. */
enum { GATHER_ROWS = 3 };

/* Gradients of so few rows, of so many places at least, take sums of no more bytes. */
enum { CORRELATED_ROWS = 64, CORRELATED_PLACES = BLOCK_SIZE(512, 20), CORRELATED_BYTES = 1 << 20 };

static int64_t align_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* ------------------------------------------------------------------ forward */

typedef struct Plan {
  const ConvJob *j;
  const ConvProductKernels *k;
  Tiling *tilings;
  char **packed; /* weights of each part, group after group */
  int64_t blocks;
  int64_t slab_bytes, panel_bytes, result_bytes; /* of a piece of scratch memory, at most */
  Scratch scratch;
} Plan;

/* Copies of vectors that make up panels: for each its pieces, by the places of the tile, whose lines are runs. */
static int64_t pieces_of_tile(const Tile *t, int64_t vector, int64_t image_step, int64_t line_step, ConvPiece *to,
                              int64_t *first)
{
  const int64_t width = 2 * vector, places = t->images * t->lines * t->columns;
  int64_t n = 0, at = 0;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < t->lines; l++)
      for (int64_t c = 0; c < t->columns;) {
        if (at % width == 0) first[at / width] = n;
        int64_t count = min_i64(min_i64(t->columns - c, vector), width - at % width);
        to[n++] = (ConvPiece){i * image_step + l * line_step + c, at % width};
        at += count;
        c += count;
      }
  first[ceil_div_i64(places, width)] = n;
  return n;
}

typedef struct Unit {
  const Plan *plan;
  const ConvPart *p;
  const Tiling *tiling;
  Tile tile;
  int64_t part, group, row_part;
  char *slab, *panels, *result;
  ConvPiece *pieces;
  ConvRun *runs;
  ConvPlace *places;
  int64_t *first_piece, *tap_at, *at;
  int64_t row, rows; /* those of the row part */
  char *c;           /* where sums go: the result itself, or memory from which they are spread */
  int64_t c_row, c_image, c_line;
} Unit;

/* Whether the lines of a result follow each other, so that a tile's are one run. */
static bool is_one_run(const ConvJob *j, const Tile *t)
{
  return j->y_column == 1 && (t->lines == 1 || t->columns == j->y_line);
}

/* Lays the columns of some channels side by side, in panels of two vectors. */
static void gather_panels(const Unit *u, const Window *s, int64_t channels)
{
  const Plan *plan = u->plan;
  const int64_t places = u->tile.images * u->tile.lines * u->tile.columns, width = 2 * plan->k->vector;
  const int64_t depth = channels * u->p->taps;
  for (int64_t n = 0; n < ceil_div_i64(places, width); n++) {
    ConvGather g = {.channels = channels,
                    .taps = u->p->taps,
                    .pieces = u->first_piece[n + 1] - u->first_piece[n],
                    .x = u->slab,
                    .channel_step = s->plane,
                    .at = u->tap_at,
                    .piece = u->pieces + u->first_piece[n],
                    .panel = u->panels + n * depth * width * plan->j->size};
    plan->k->gather(&g);
  }
}

/* Vectors of the columns of panels, and their terms; returns how many. */
static int64_t places_of_panels(const Unit *u, int64_t depth)
{
  const int64_t places = u->tile.images * u->tile.lines * u->tile.columns, vector = u->plan->k->vector;
  int64_t n = 0;
  for (int64_t c = 0; c < places; c += vector, n++)
    u->places[n] = (ConvPlace){n / 2 * depth * 2 * vector + n % 2 * vector, c, (int32_t)min_i64(vector, places - c)};
  for (int64_t i = 0; i < depth; i++) u->at[i] = i * 2 * vector;
  return n;
}

/* Vectors of the columns of each line, as they lie in the slab and in the result. */
static int64_t places_of_slab(const Unit *u, const Window *s, int64_t channels)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->tile;
  const int64_t vector = u->plan->k->vector, step = u->tiling->channels * s->plane;
  int64_t n = 0, terms = 0;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < t->lines; l++)
      for (int64_t c = 0; c < t->columns; c += vector)
        u->places[n++] = (ConvPlace){i * step + l * j->stride[0] * s->width + c, i * u->c_image + l * u->c_line + c,
                                     (int32_t)min_i64(vector, t->columns - c)};
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < u->p->taps; i++) u->at[terms++] = c * s->plane + u->tap_at[i];
  return n;
}

static void multiply_channels(const Unit *u, const Window *s, int64_t channel, int64_t channels)
{
  const Plan *plan = u->plan;
  const ConvJob *j = plan->j;
  const int64_t depth = channels * u->p->taps, all = j->channels * u->p->taps;
  const bool in_place = u->tiling->in_place;
  if (!in_place) gather_panels(u, s, channels);
  ConvProduct p = {.rows = j->rows,
                   .first_block = plan->blocks * u->row_part / u->tiling->row_parts,
                   .last_block = plan->blocks * (u->row_part + 1) / u->tiling->row_parts,
                   .depth = depth,
                   .places = in_place ? places_of_slab(u, s, channels) : places_of_panels(u, depth),
                   .a = plan->packed[u->part] + (u->group * j->rows + u->row) * all * j->size,
                   .a_depth = all,
                   .a_first = channel * u->p->taps,
                   .b = in_place ? u->slab : u->panels,
                   .at = u->at,
                   .place = u->places,
                   .start = channel || !j->bias ? NULL : j->bias + u->group * j->rows * j->size,
                   .add = channel > 0,
                   .c = u->c,
                   .c_row = u->c_row};
  plan->k->multiply(&p);
}

/* Where sums go: to the result if vectors of columns are side by side there, else to memory of the unit. */
static bool choose_target(Unit *u, char *y)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->tile;
  const int64_t vector = u->plan->k->vector, places = t->images * t->lines * t->columns;
  const bool in_place = u->tiling->in_place;
  if (in_place ? j->y_column == 1 : t->images == 1 && is_one_run(j, t)) {
    u->c = y;
    u->c_row = j->y_row;
    u->c_image = j->y_image;
    u->c_line = j->y_line;
    return true;
  }
  u->c = u->result;
  u->c_line = in_place ? ceil_div_i64(t->columns, vector) * vector : t->columns;
  u->c_image = t->lines * u->c_line;
  u->c_row = in_place ? t->images * u->c_image : ceil_div_i64(places, vector) * vector;
  return false;
}

/* Takes the sums to the result. */
static void spread_sums(const Unit *u, char *y)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->tile;
  ConvSpread s = {u->rows,   t->images, t->lines,   t->columns, u->c,      u->c_row,
                  u->c_line, y,         j->y_image, j->y_row,   j->y_line, j->y_column};
  if (is_one_run(j, t) && u->c_line == t->columns) {
    s.columns *= s.lines;
    s.from_line = s.columns;
    s.lines = 1;
  }
  u->plan->k->spread(&s);
}

static void run_unit(Unit *u)
{
  const Plan *plan = u->plan;
  const ConvJob *j = plan->j;
  const Tile *t = &u->tile;
  const Window s = slab_of(j, u->p, t, true);
  const int64_t step = u->tiling->channels * s.plane;
  const int64_t runs = u->p->taps ? runs_of_tile(j, u->p, t, &s, step, u->runs) : 0;
  if (u->p->taps) memset(u->slab, 0, (size_t)(t->images * step * j->size));
  for (int64_t i = 0; i < u->p->taps; i++) u->tap_at[i] = tap_in_slab(&s, u->p->tap_line[i], u->p->tap_column[i]);
  if (!u->tiling->in_place) pieces_of_tile(t, plan->k->vector, step, j->stride[0] * s.width, u->pieces, u->first_piece);
  u->row = j->rows * (plan->blocks * u->row_part / u->tiling->row_parts) / plan->blocks;
  u->rows = j->rows * (plan->blocks * (u->row_part + 1) / u->tiling->row_parts) / plan->blocks - u->row;
  char *y = j->y
            + (t->image * j->y_image + (u->group * j->rows + u->row) * j->y_row + u->p->y + t->line * j->y_line
               + t->column * j->y_column)
                * j->size;
  const bool direct = choose_target(u, y);
  int64_t channel = 0;
  do {
    int64_t channels = min_i64(u->tiling->channels, j->channels - channel);
    if (runs) fill_slab(j, t, &s, u->group, channel, channels, u->runs, runs, u->slab);
    multiply_channels(u, &s, channel, channels);
    channel += u->tiling->channels;
  } while (channel < j->channels && u->p->taps);
  if (!direct) spread_sums(u, y);
}

static void run_units(void *arg, int64_t from, int64_t to)
{
  Plan *plan = arg;
  const ConvJob *j = plan->j;
  char *memory = scratch_take(&plan->scratch);
  Unit u = {.plan = plan, .slab = memory};
  u.panels = u.slab + plan->slab_bytes;
  u.result = u.panels + plan->panel_bytes;
  char *rest = u.result + plan->result_bytes;
  for (int64_t unit = from; unit < to; unit++) {
    u.part = 0;
    while (u.part + 1 < j->nparts && unit >= plan->tilings[u.part + 1].first_unit) u.part++;
    u.p = &j->parts[u.part];
    u.tiling = &plan->tilings[u.part];
    int64_t at = unit - u.tiling->first_unit;
    u.row_part = at % u.tiling->row_parts;
    u.group = at / u.tiling->row_parts % j->groups;
    u.tile = tile_at(j, u.p, u.tiling, at / u.tiling->row_parts / j->groups);
    u.tap_at = (int64_t *)(void *)rest;
    u.first_piece = u.tap_at + u.p->taps;
    u.pieces = (ConvPiece *)(void *)(u.first_piece + u.tiling->places + 1);
    u.places = (ConvPlace *)(void *)(u.pieces + u.tiling->places);
    u.runs = (ConvRun *)(void *)(u.places + u.tiling->vectors);
    u.at = (int64_t *)(void *)(u.runs + u.tiling->runs);
    run_unit(&u);
  }
  scratch_give(&plan->scratch, memory);
}

/* Cuts a part; returns how many bytes its lists take. */
static int64_t plan_part(Plan *plan, const ConvPart *p, Tiling *t)
{
  const ConvJob *j = plan->j;
  const int64_t width = 2 * plan->k->vector, taps = max_i64(p->taps, 1);
  int64_t channels = even_share(j->channels, CONV_DEPTH / taps), depth = channels * p->taps;
  *t = tiling_of(j, p, max_i64(CONV_TILE_BYTES / (max_i64(depth, 1) * j->size), width));
  t->channels = channels;
  t->row_parts = 1;
  while (tiles_of(t) * j->groups * t->row_parts < CONV_UNITS && plan->blocks / t->row_parts >= 4) t->row_parts *= 2;
  Tile most = {.images = t->images, .lines = t->lines, .columns = t->columns};
  const Window s = slab_of(j, p, &most, true);
  const int64_t rows = ceil_div_i64(plan->blocks, t->row_parts) * plan->k->rows;
  const int64_t lanes = ceil_div_i64(t->columns, plan->k->vector) * plan->k->vector;
  /* what is gathered costs as much as some rows, what is not wastes lanes */
  t->in_place = (lanes - t->columns) * rows <= GATHER_ROWS * t->columns;
  t->vectors = t->images * t->lines * (lanes / plan->k->vector);
  t->runs = t->images * s.phases * s.lines;
  const int64_t places = ceil_div_i64(t->places, width) * width;
  plan->slab_bytes = max_i64(plan->slab_bytes, align_up(t->images * channels * s.plane * j->size + SLAB_SLACK));
  plan->panel_bytes = max_i64(plan->panel_bytes, align_up(places * depth * j->size + SLAB_SLACK));
  plan->result_bytes = max_i64(plan->result_bytes,
                               align_up(max_i64(places, t->images * t->lines * lanes) * rows * j->size));
  return (p->taps + t->places + 1 + depth) * (int64_t)sizeof(int64_t) + t->places * (int64_t)sizeof(ConvPiece)
         + t->vectors * (int64_t)sizeof(ConvPlace) + t->runs * (int64_t)sizeof(ConvRun);
}

typedef struct Packing {
  const Plan *plan;
  ConvWeights w;
} Packing;

static void pack_groups(void *arg, int64_t begin, int64_t end)
{
  const Packing *p = arg;
  const Plan *plan = p->plan;
  const ConvJob *j = plan->j;
  ConvWeightPart part[CONV_PARTS];
  for (int64_t at = begin; at < end;) {
    int64_t group = at / plan->blocks, first = at % plan->blocks, last = min_i64(plan->blocks, first + end - at);
    ConvWeights w = p->w;
    w.w = (const char *)w.w + group * j->weight_group * j->size;
    for (int64_t from = 0; from < j->nparts; from += CONV_PARTS) {
      w.parts = min_i64(j->nparts - from, CONV_PARTS);
      w.part = part;
      for (int64_t i = 0; i < w.parts; i++) {
        const ConvPart *q = &j->parts[from + i];
        int64_t elements = j->rows * j->channels * q->taps;
        part[i] = (ConvWeightPart){q->taps, q->weight_at, plan->packed[from + i] + group * elements * j->size};
      }
      plan->k->pack_weights(&w, first, last);
    }
    at += last - first;
  }
}

/* Packs the weights of all parts, one behind the other. */
static void pack_weights(Call *call, Plan *plan)
{
  const ConvJob *j = plan->j;
  const int64_t each = j->groups * j->rows * j->channels;
  int64_t area = 0;
  for (int64_t i = 0; i < j->nparts; i++) area += j->parts[i].taps;
  char *packed = tensor_data(new_beside(call, j->weight, j->dtype, INTS(max_i64(each * area, 1))));
  for (int64_t i = 0; i < j->nparts; i++) {
    plan->packed[i] = packed;
    packed += each * j->parts[i].taps * j->size;
  }
  Packing p = {plan, {j->rows, j->channels, area, tensor_data(j->weight), j->weight_row, j->weight_channel, NULL, 0}};
  launch_items((Work){each > 0 && area > 0 ? j->groups * plan->blocks : 0, j->channels * area * plan->k->rows},
               pack_groups, &p);
}

void conv_multiply(Call *call, const ConvJob *j)
{
  Plan plan = {.j = j, .k = j->k->conv_product};
  plan.blocks = ceil_div_i64(j->rows, plan.k->rows);
  plan.tilings = arena_allocate(call->ctx, (size_t)j->nparts * sizeof *plan.tilings);
  plan.packed = arena_allocate(call->ctx, (size_t)j->nparts * sizeof *plan.packed);
  int64_t lists = 0, units = 0, work = 0;
  for (int64_t i = 0; i < j->nparts; i++) {
    const ConvPart *p = &j->parts[i];
    Tiling *t = &plan.tilings[i];
    lists = max_i64(lists, plan_part(&plan, p, t));
    t->first_unit = units;
    units += tiles_of(t) * j->groups * t->row_parts;
    work += p->taps * j->channels * j->rows * j->groups * j->images * p->size[0] * p->size[1];
  }
  if (units == 0) return;
  pack_weights(call, &plan);
  scratch_init(call, &plan.scratch, units, plan.slab_bytes + plan.panel_bytes + plan.result_bytes + lists);
  launch_items((Work){units, work / units / 8}, run_units, &plan);
}

/* ------------------------------------------------------------------ gradient of the weight */

/* A product whose terms are the places of all images, tile by tile; units are some channels and some rows. */
typedef struct WeightPlan {
  const ConvJob *j;
  const ConvProductKernels *k;
  const ConvPart *p;
  Tiling tiling;
  const char *dy;
  char *weight;
  int64_t blocks, channel_parts, row_parts;
  int64_t to_row; /* of patches */
  int64_t slab_bytes, patch_bytes, row_bytes;
  Scratch scratch;
} WeightPlan;

/* Runs of taps of a line that lie side by side, cut to vectors. */
static int64_t pieces_of_taps(const WeightPlan *w, const Window *s, ConvPiece *to)
{
  const ConvPart *p = w->p;
  int64_t n = 0;
  for (int64_t t = 0; t < p->taps; t++) {
    int64_t from = tap_in_slab(s, p->tap_line[t], p->tap_column[t]);
    const ConvPiece *last = n ? &to[n - 1] : NULL;
    if (last && from - last->from == t - last->to && t - last->to < w->k->vector) continue;
    to[n++] = (ConvPiece){from, t};
  }
  return n;
}

/* Lays side by side what the taps of some channels meet at each place of the tile. */
static void lay_patches(const WeightPlan *w, const Tile *t, const Window *s, int64_t channels, const char *slab,
                        int64_t step, char *to, int64_t *at)
{
  ConvPiece *pieces = (ConvPiece *)(void *)(at + w->tiling.places);
  const ConvJob *j = w->j;
  const int64_t line_step = j->stride[0] * s->width, column_step = j->stride[1] / s->across;
  int64_t n = 0;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < t->lines; l++)
      for (int64_t c = 0; c < t->columns; c++) at[n++] = i * step + l * line_step + c * column_step;
  if (w->p->taps > 1) {
    ConvPatches g = {n, channels, w->p->taps, pieces_of_taps(w, s, pieces), slab, s->plane, at, pieces, to, w->to_row};
    w->k->patches(&g);
    return;
  }
  const int64_t run = line_step == t->columns ? t->lines * t->columns : t->columns;
  for (int64_t first = 0; first < n; first += run)
    w->k->turn(channels, run, slab + at[first] * j->size, s->plane, to + first * w->to_row * j->size, w->to_row);
}

static void pack_gradients(const WeightPlan *w, const Tile *t, int64_t group, const ConvRows *rows)
{
  const ConvJob *j = w->j;
  const int64_t columns = w->p->size[1], places = w->p->size[0] * columns;
  const int64_t lines = t->columns == columns ? 1 : t->lines,
                run = t->columns == columns ? t->lines * columns : t->columns;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < lines; l++) {
      int64_t at = ((t->image + i) * j->groups + group) * j->rows * places + (t->line + l) * columns + t->column;
      w->k->pack_rows(rows, run, w->dy + at * j->size, (i * lines + l) * run);
    }
}

/* Vectors of the columns of patches, and their terms; returns how many. */
static int64_t places_of_columns(const WeightPlan *w, int64_t columns, int64_t depth, ConvPlace *to, int64_t *at)
{
  const int64_t vector = w->k->vector;
  int64_t n = 0;
  for (int64_t c = 0; c < columns; c += vector) to[n++] = (ConvPlace){c, c, (int32_t)min_i64(vector, columns - c)};
  for (int64_t i = 0; i < depth; i++) at[i] = i * w->to_row;
  return n;
}

static void run_weight_unit(const WeightPlan *w, int64_t unit, char *memory)
{
  const ConvJob *j = w->j;
  const int64_t row_part = unit % w->row_parts, channel_part = unit / w->row_parts % w->channel_parts,
                group = unit / w->row_parts / w->channel_parts;
  const int64_t channel = j->channels * channel_part / w->channel_parts,
                channels = j->channels * (channel_part + 1) / w->channel_parts - channel;
  const int64_t first = w->blocks * row_part / w->row_parts, last = w->blocks * (row_part + 1) / w->row_parts;
  const int64_t row = j->rows * first / w->blocks, all = j->channels * w->p->taps;
  char *slab = memory, *patches = slab + w->slab_bytes, *rows = patches + w->patch_bytes;
  int64_t *at = (int64_t *)(void *)(rows + w->row_bytes);
  ConvRun *runs = (ConvRun *)(void *)(at + w->tiling.places + 2 * w->p->taps);
  ConvPlace *vectors = (ConvPlace *)(void *)(runs + w->tiling.runs);
  for (int64_t n = 0; n < tiles_of(&w->tiling); n++) {
    Tile t = tile_at(j, w->p, &w->tiling, n);
    const Window s = slab_of(j, w->p, &t, w->p->taps == 1);
    const int64_t step = channels * s.plane, places = t.images * t.lines * t.columns;
    const int64_t nruns = runs_of_tile(j, w->p, &t, &s, step, runs);
    memset(slab, 0, (size_t)(t.images * step * j->size));
    fill_slab(j, &t, &s, group, channel, channels, runs, nruns, slab);
    lay_patches(w, &t, &s, channels, slab, step, patches, at);
    ConvRows left = {j->rows, first, last, places, w->p->size[0] * w->p->size[1], rows};
    pack_gradients(w, &t, group, &left);
    ConvProduct p = {.rows = j->rows,
                     .first_block = first,
                     .last_block = last,
                     .depth = places,
                     .places = places_of_columns(w, channels * w->p->taps, places, vectors, at),
                     .a = rows,
                     .a_depth = places,
                     .b = patches,
                     .at = at,
                     .place = vectors,
                     .add = n > 0,
                     .c = w->weight + ((group * j->rows + row) * all + channel * w->p->taps) * j->size,
                     .c_row = all};
    w->k->multiply(&p);
  }
}

static void run_weight_units(void *arg, int64_t begin, int64_t end)
{
  WeightPlan *w = arg;
  char *memory = scratch_take(&w->scratch);
  for (int64_t unit = begin; unit < end; unit++) run_weight_unit(w, unit, memory);
  scratch_give(&w->scratch, memory);
}

/* Cuts channels into so many parts at least, and then channels or rows into more until there are units enough: each
   part of the one packs all of the other again. */
static void cut_weights(WeightPlan *w, int64_t channel_parts)
{
  const ConvJob *j = w->j;
  w->channel_parts = channel_parts;
  w->row_parts = 1;
  while (j->groups * w->channel_parts * w->row_parts < CONV_UNITS) {
    const bool more_rows = w->blocks >= 4 * w->row_parts;
    const bool more_channels = j->channels * w->p->taps >= 4 * w->channel_parts * w->k->vector
                               && j->channels >= 2 * w->channel_parts;
    if (!more_rows && !more_channels) return;
    if (more_rows && (!more_channels || w->row_parts * j->channels * w->p->taps < w->channel_parts * j->rows))
      w->row_parts *= 2;
    else w->channel_parts *= 2;
  }
}

static void multiply_weight(Call *call, const ConvJob *j, const char *dy, char *weight)
{
  WeightPlan w = {.j = j, .k = j->k->conv_product, .p = j->parts, .dy = dy, .weight = weight};
  const int64_t taps = w.p->taps, width = 2 * w.k->vector;
  w.tiling = tiling_of(j, w.p, CONV_DEPTH);
  w.blocks = ceil_div_i64(j->rows, w.k->rows);
  int64_t most = max_i64(CONV_TILE_BYTES / (w.tiling.places * j->size) / taps, 1);
  cut_weights(&w, ceil_div_i64(j->channels, most));
  const int64_t channels = ceil_div_i64(j->channels, w.channel_parts);
  w.to_row = ceil_div_i64(channels * taps, width) * width;
  if (w.to_row * j->size / 64 % 2 == 0) w.to_row += 64 / j->size; /* rows begin in different sets of the cache */
  Tile largest = {.images = w.tiling.images, .lines = w.tiling.lines, .columns = w.tiling.columns};
  const Window s = slab_of(j, w.p, &largest, taps == 1);
  w.tiling.runs = w.tiling.images * s.phases * s.lines;
  w.slab_bytes = align_up(w.tiling.images * channels * s.plane * j->size + SLAB_SLACK);
  w.patch_bytes = align_up(w.tiling.places * w.to_row * j->size + SLAB_SLACK);
  w.row_bytes = align_up(w.tiling.places * ceil_div_i64(w.blocks, w.row_parts) * w.k->rows * j->size + SLAB_SLACK);
  const int64_t lists = w.tiling.places * (int64_t)sizeof(int64_t) + taps * (int64_t)sizeof(ConvPiece)
                        + w.tiling.runs * (int64_t)sizeof(ConvRun)
                        + w.to_row / w.k->vector * (int64_t)sizeof(ConvPlace);
  const int64_t units = j->groups * w.channel_parts * w.row_parts;
  scratch_init(call, &w.scratch, units, w.slab_bytes + w.patch_bytes + w.row_bytes + lists);
  const int64_t work = j->images * w.p->size[0] * w.p->size[1] * j->rows * channels * taps / w.row_parts;
  launch_items((Work){units, work / 8}, run_weight_units, &w);
}

/* ------------------------------------------------------------------ gradient of the weight of few rows */

/* Sums for all taps and rows at once, with the rows as vectors and the taps' numbers where they lie in the slab:
   nothing is gathered. Parts of the tiles have sums of their own, [taps of all channels][rows], which are small. */
typedef struct Correlation {
  const ConvJob *j;
  const ConvProductKernels *k;
  const ConvPart *p;
  Tiling tiling;
  const char *dy;
  char *sums;
  int64_t parts, terms, c_row; /* terms: taps of all channels of a group */
  int64_t slab_bytes, panel_bytes;
  Scratch scratch;
} Correlation;

/* panel[place][row], of rows from `row` on. */
static void turn_gradients(const Correlation *w, const Tile *t, int64_t group, int64_t row, int64_t rows, int64_t width,
                           char *panel)
{
  const ConvJob *j = w->j;
  const int64_t columns = w->p->size[1], places = w->p->size[0] * columns;
  const int64_t lines = t->columns == columns ? 1 : t->lines,
                run = t->columns == columns ? t->lines * columns : t->columns;
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < lines; l++) {
      int64_t at = (((t->image + i) * j->groups + group) * j->rows + row) * places + (t->line + l) * columns
                   + t->column;
      w->k->turn(rows, run, w->dy + at * j->size, places, panel + (i * lines + l) * run * width * j->size, width);
    }
}

static void correlate_tile(const Correlation *w, const Tile *t, int64_t group, bool add, char *memory, char *sums)
{
  const ConvJob *j = w->j;
  char *slab = memory, *panel = slab + w->slab_bytes;
  int64_t *place_at = (int64_t *)(void *)(panel + w->panel_bytes), *tap_at = place_at + w->tiling.places;
  ConvRun *runs = (ConvRun *)(void *)(tap_at + w->terms);
  const Window s = slab_of(j, w->p, t, false);
  const int64_t step = j->channels * s.plane, vector = w->k->vector;
  memset(slab, 0, (size_t)(t->images * step * j->size));
  fill_slab(j, t, &s, group, 0, j->channels, runs, runs_of_tile(j, w->p, t, &s, step, runs), slab);
  int64_t terms = 0, places = 0;
  for (int64_t c = 0; c < j->channels; c++)
    for (int64_t i = 0; i < w->p->taps; i++)
      tap_at[terms++] = c * s.plane + tap_in_slab(&s, w->p->tap_line[i], w->p->tap_column[i]);
  for (int64_t i = 0; i < t->images; i++)
    for (int64_t l = 0; l < t->lines; l++)
      for (int64_t c = 0; c < t->columns; c++)
        place_at[places++] = i * step + l * j->stride[0] * s.width + c * j->stride[1];
  for (int64_t row = 0; row < j->rows; row += 2 * vector) {
    const int64_t rows = min_i64(2 * vector, j->rows - row), vectors = ceil_div_i64(rows, vector);
    turn_gradients(w, t, group, row, rows, vectors * vector, panel);
    ConvCorrelation c = {terms, places, (int)vectors,         slab,    tap_at, place_at,
                         panel, add,    sums + row * j->size, w->c_row};
    w->k->correlate(&c);
  }
}

static void correlate_units(void *arg, int64_t begin, int64_t end)
{
  Correlation *w = arg;
  const ConvJob *j = w->j;
  char *memory = scratch_take(&w->scratch);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t part = unit / j->groups, group = unit % j->groups, tiles = tiles_of(&w->tiling);
    const int64_t first = tiles * part / w->parts, last = tiles * (part + 1) / w->parts;
    for (int64_t n = first; n < last; n++) {
      Tile t = tile_at(j, w->p, &w->tiling, n);
      correlate_tile(w, &t, group, n > first, memory, w->sums + unit * w->terms * w->c_row * j->size);
    }
  }
  scratch_give(&w->scratch, memory);
}

/* Whether sums of few rows are small beside the places that they are of. */
static bool correlates(const ConvJob *j, const ConvPart *p)
{
  const int64_t elements = j->channels * p->taps * j->rows;
  return j->rows <= CORRELATED_ROWS && elements * j->size * CONV_UNITS <= CORRELATED_BYTES
         && j->images * p->size[0] * p->size[1] >= CORRELATED_PLACES;
}

static void correlate_weight(Call *call, const ConvJob *j, const char *dy, Tensor *weight)
{
  Correlation w = {.j = j, .k = j->k->conv_product, .p = j->parts, .dy = dy};
  const int64_t vector = w.k->vector;
  w.tiling = tiling_of(j, w.p, CONV_DEPTH);
  w.parts = min_i64(CONV_UNITS, tiles_of(&w.tiling));
  w.terms = j->channels * w.p->taps;
  w.c_row = ceil_div_i64(j->rows, vector) * vector;
  Tensor *sums = new_beside(call, weight, j->dtype, INTS(w.parts, j->groups * w.terms * w.c_row));
  w.sums = tensor_data(sums);
  Tile largest = {.images = w.tiling.images, .lines = w.tiling.lines, .columns = w.tiling.columns};
  const Window s = slab_of(j, w.p, &largest, false);
  w.slab_bytes = align_up(w.tiling.images * j->channels * s.plane * j->size + SLAB_SLACK);
  w.panel_bytes = align_up(w.tiling.places * 2 * vector * j->size + SLAB_SLACK);
  const int64_t lists = (w.tiling.places + w.terms) * (int64_t)sizeof(int64_t)
                        + w.tiling.images * s.lines * (int64_t)sizeof(ConvRun);
  scratch_init(call, &w.scratch, w.parts * j->groups, w.slab_bytes + w.panel_bytes + lists);
  const int64_t work = j->images * w.p->size[0] * w.p->size[1] * w.terms * j->rows / w.parts;
  launch_items((Work){w.parts * j->groups, work / 8}, correlate_units, &w);
  Tensor *total = sums;
  if (w.parts > 1) {
    total = new_beside(call, sums, j->dtype, INTS(sums->shape[1]));
    launch_reduce(call, REDUCE_SUM, sums, 1, total, (Finish){0, false});
  }
  for (int64_t g = 0; g < j->groups; g++)
    w.k->turn(w.terms, j->rows, (char *)tensor_data(total) + g * w.terms * w.c_row * j->size, w.c_row,
              (char *)tensor_data(weight) + g * j->rows * w.terms * j->size, w.terms);
}

void conv_multiply_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  if (correlates(j, j->parts)) correlate_weight(call, j, tensor_data(dy), weight);
  else multiply_weight(call, j, tensor_data(dy), tensor_data(weight));
}
