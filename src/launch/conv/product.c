/*
 * Convolutions, and gradients of their inputs, as products over all images. What the taps of some channels meet in a
 * tile of the result is packed into a slab and from it into panels, where that pays, and multiplied with the weights,
 * packed once for all tiles. Units of work are a tile and some rows.
 */

#include "core/arith.h"
#include "core/blocks.h"
#include "launch/conv/job.h"
#include "launch/packed.h"
#include "launch/scratch.h"

/* What gathering columns costs, in rows. */
enum { GATHER_ROWS = 3 };

/* What follows on results is to find these in the second cache, too, unless tiles would have less places than this. */
enum { CONV_THEN_PLACES = BLOCK_SIZE(256, 8) };

/* Rows by channels from which on parts take turns. */
enum { LISTED_TERMS = BLOCK_SIZE(16, 2) };

/* How a part is computed. */
typedef struct PartPlan {
  Tiling tiling;
  int64_t channels;      /* at a time */
  int64_t vectors, runs; /* of a tile, at most */
  int64_t row_parts;
  int64_t units; /* of work: tiles, of all groups and parts of their rows */
  bool in_place; /* vectors of columns are read from the slab as they lie there */
  char *packed;  /* weights, group after group */
} PartPlan;

typedef struct Plan {
  const ConvJob *j;
  const ConvProductKernels *k;
  PartPlan *parts;
  const int64_t *order; /* of the parts */
  bool is_packed;
  int64_t blocks;
  int64_t rounds; /* in which each part takes a share of its units, so that the cache has what others wrote beside it */
  int64_t slab_bytes, panel_bytes, result_bytes; /* of a piece of scratch memory, at most */
  Scratch scratch;
} Plan;

/* What a thread has: the lists are those of the tile that the slab is of, and of tiles that lie alike. */
typedef struct Unit {
  const Plan *plan;
  const ConvPart *p;
  const PartPlan *part;
  int64_t group, row_part;
  ConvSlab slab;
  char *panels, *result, *lists;
  ConvPiece *pieces;
  ConvPlace *places;
  int64_t *first_piece, *tap_at, *at, *a_at;
  int64_t vectors;   /* of the places */
  int64_t row, rows; /* those of the row part */
  ChainWorker *then; /* what follows, or NULL */
  char *c;           /* where sums go: the result itself, or memory from which they are spread */
  int64_t c_row, c_image, c_step[2];
} Unit;

/* Copies of vectors that make up panels: for each its pieces, by the places of the tile. */
static void list_pieces(Unit *u)
{
  const Tile *t = &u->slab.tile;
  const ConvJob *j = u->plan->j;
  const Window *w = &u->slab.window;
  const int64_t vector = u->plan->k->vector, width = 2 * vector;
  const int64_t plane_step = conv_step(j, w, 0), line_step = conv_step(j, w, 1);
  int64_t n = 0, at = 0;
  EACH_LINE(t, i, p, l)
  for (int64_t c = 0; c < t->size[2];) {
    if (at % width == 0) u->first_piece[at / width] = n;
    int64_t count = min_i64(min_i64(t->size[2] - c, vector), width - at % width);
    u->pieces[n++] = (ConvPiece){i * u->slab.image + p * plane_step + l * line_step + c, at % width};
    at += count;
    c += count;
  }
  u->first_piece[ceil_div_i64(at, width)] = n;
}

/* Lays the columns of some channels side by side, in panels of two vectors. */
static void gather_panels(const Unit *u, int64_t channels)
{
  const Plan *plan = u->plan;
  const int64_t width = 2 * plan->k->vector, depth = channels * u->p->taps;
  for (int64_t n = 0; n < ceil_div_i64(places_of_tile(&u->slab.tile), width); n++) {
    ConvGather g = {.channels = channels,
                    .taps = u->p->taps,
                    .pieces = u->first_piece[n + 1] - u->first_piece[n],
                    .x = u->slab.memory,
                    .channel_step = u->slab.window.channel,
                    .at = u->tap_at,
                    .piece = u->pieces + u->first_piece[n],
                    .panel = u->panels + n * depth * width * plan->j->size};
    plan->k->gather(&g);
  }
}

/* Vectors of the columns of panels, and their terms. */
static void list_panels(Unit *u, int64_t depth)
{
  const int64_t places = places_of_tile(&u->slab.tile), vector = u->plan->k->vector;
  u->vectors = 0;
  for (int64_t c = 0; c < places; c += vector, u->vectors++) {
    const int64_t panel = u->vectors / 2 * depth * 2 * vector;
    u->places[u->vectors] = (ConvPlace){panel + u->vectors % 2 * vector, c, (int32_t)min_i64(vector, places - c)};
  }
  for (int64_t i = 0; i < depth; i++) u->at[i] = i * 2 * vector;
}

/* Vectors of the columns of each line, as they lie in the slab and in the result, and their terms. Where nothing is
   added later a line's last vector is a whole one that begins earlier: stores of some lanes only take longer. */
static void list_lines(Unit *u)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->slab.tile;
  const Window *w = &u->slab.window;
  const int64_t vector = u->plan->k->vector, plane_step = conv_step(j, w, 0), line_step = conv_step(j, w, 1);
  int64_t n = 0, terms = 0;
  const bool overlaps = j->channels <= u->part->channels && t->size[2] >= vector;
  EACH_LINE(t, i, p, l)
  for (int64_t at = 0; at < t->size[2]; at += vector) {
    const int64_t c = overlaps ? min_i64(at, t->size[2] - vector) : at;
    u->places[n++] = (ConvPlace){i * u->slab.image + p * plane_step + l * line_step + c,
                                 i * u->c_image + p * u->c_step[0] + l * u->c_step[1] + c,
                                 (int32_t)min_i64(vector, t->size[2] - c)};
  }
  for (int64_t c = 0; c < u->part->channels; c++)
    for (int64_t i = 0; i < u->p->taps; i++) u->at[terms++] = c * w->channel + u->tap_at[i];
  u->vectors = n;
}

static void multiply_channels(Unit *u, int64_t channel, int64_t channels)
{
  const Plan *plan = u->plan;
  const ConvJob *j = plan->j;
  const int64_t depth = channels * u->p->taps, all = j->channels * u->p->taps;
  const bool in_place = u->part->in_place;
  if (!in_place) {
    gather_panels(u, channels);
    list_panels(u, depth);
  }
  ConvProduct p = {.rows = j->rows,
                   .first_block = plan->blocks * u->row_part / u->part->row_parts,
                   .last_block = plan->blocks * (u->row_part + 1) / u->part->row_parts,
                   .depth = depth,
                   .places = u->vectors,
                   .b = in_place ? u->slab.memory : u->panels,
                   .at = u->at,
                   .place = u->places,
                   .start = channel || !j->bias ? NULL : j->bias + u->group * j->rows * j->size,
                   .add = channel > 0,
                   .c = u->c,
                   .c_row = u->c_row};
  if (plan->is_packed) {
    p.a = u->part->packed + (u->group * j->rows + u->row) * all * j->size;
    p.a_depth = all;
    p.a_first = channel * u->p->taps;
  } else {
    const int64_t from = u->group * j->weight_group + u->row * j->weight_row + channel * j->weight_channel;
    p.a = (const char *)tensor_data(j->weight) + from * j->size;
    p.a_at = u->a_at;
    p.a_row = j->weight_row;
  }
  plan->k->multiply(&p);
}

/* Where sums go: to the result if vectors of columns are side by side there, else to memory of the unit. */
static bool goes_to_result(const Unit *u)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->slab.tile;
  return u->part->in_place ? j->y_step[2] == 1 : t->images == 1 && conv_is_one_run(j, t);
}

static void choose_target(Unit *u)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->slab.tile;
  const int64_t vector = u->plan->k->vector;
  if (goes_to_result(u)) {
    u->c_row = j->y_row;
    u->c_image = j->y_image;
    u->c_step[0] = j->y_step[0];
    u->c_step[1] = j->y_step[1];
    return;
  }
  const bool in_place = u->part->in_place;
  u->c_step[1] = in_place ? ceil_div_i64(t->size[2], vector) * vector : t->size[2];
  u->c_step[0] = t->size[1] * u->c_step[1];
  u->c_image = t->size[0] * u->c_step[0];
  u->c_row = in_place ? t->images * u->c_image : ceil_div_i64(places_of_tile(t), vector) * vector;
}

/* Takes the sums to the result. */
static void spread_sums(const Unit *u, char *y)
{
  const ConvJob *j = u->plan->j;
  const Tile *t = &u->slab.tile;
  ConvSpread s = {.rows = u->rows,
                  .images = t->images,
                  .planes = t->size[0],
                  .lines = t->size[1],
                  .columns = t->size[2],
                  .from = u->c,
                  .from_row = u->c_row,
                  .from_line = u->c_step[1],
                  .y = y,
                  .y_image = j->y_image,
                  .y_row = j->y_row,
                  .y_plane = j->y_step[0],
                  .y_line = j->y_step[1],
                  .y_column = j->y_step[2]};
  if (conv_is_one_run(j, t) && u->c_step[1] == t->size[2]) {
    s.columns = s.from_line = places_of_image(t);
    s.lines = s.planes = 1;
  }
  u->plan->k->spread(&s);
}

/* Sets slab and lists to a tile, unless they are those of one that lies alike. */
static void set_tile(Unit *u, const Tile *t)
{
  u->slab.channels = u->part->channels;
  if (!conv_slab_set(&u->slab, u->plan->j, u->p, t)) return;
  const Tiling *tiling = &u->part->tiling;
  u->tap_at = (int64_t *)(void *)u->lists;
  u->first_piece = u->tap_at + u->p->taps;
  u->pieces = (ConvPiece *)(void *)(u->first_piece + tiling->places + 1);
  u->places = (ConvPlace *)(void *)(u->pieces + tiling->places);
  u->at = (int64_t *)(void *)(u->places + u->part->vectors);
  u->a_at = u->at + u->part->channels * u->p->taps;
  int64_t n = 0;
  for (int64_t c = 0; c < u->part->channels; c++)
    for (int64_t i = 0; i < u->p->taps; i++) u->a_at[n++] = c * u->plan->j->weight_channel + u->p->weight_at[i];
  for (int64_t i = 0; i < u->p->taps; i++) u->tap_at[i] = conv_tap(&u->slab.window, u->p, i);
  choose_target(u);
  if (u->part->in_place) list_lines(u);
  else list_pieces(u);
}

static void run_unit(Unit *u, const Tile *t)
{
  const Plan *plan = u->plan;
  const ConvJob *j = plan->j;
  set_tile(u, t);
  u->row = j->rows * (plan->blocks * u->row_part / u->part->row_parts) / plan->blocks;
  u->rows = j->rows * (plan->blocks * (u->row_part + 1) / u->part->row_parts) / plan->blocks - u->row;
  int64_t at = t->image * j->y_image + (u->group * j->rows + u->row) * j->y_row + u->p->y;
  for (int d = 0; d < CONV_DIMS; d++) at += t->begin[d] * j->y_step[d];
  char *y = j->y + at * j->size;
  const bool direct = goes_to_result(u);
  u->c = direct ? y : u->result;
  int64_t channel = 0;
  do {
    int64_t channels = min_i64(u->part->channels, j->channels - channel);
    conv_slab_fill(&u->slab, u->group, channel, channels);
    multiply_channels(u, channel, channels);
    channel += u->part->channels;
  } while (channel < j->channels && u->p->taps);
  if (!direct) spread_sums(u, y);
  if (u->then) conv_then(u->then, j, t, y, u->rows);
}

/* All parts' shares of a round, one after the other. */
static void run_shares(void *arg, int64_t from, int64_t to)
{
  Plan *plan = arg;
  const ConvJob *j = plan->j;
  char *memory = scratch_take(&plan->scratch);
  ChainWorker then;
  Unit u = {.plan = plan, .slab = {.phases = true, .memory = memory}, .then = j->then ? &then : NULL};
  if (j->then) chain_open(&then, j->then);
  u.panels = memory + plan->slab_bytes;
  u.result = u.panels + plan->panel_bytes;
  u.slab.run = (ConvRun *)(void *)(u.result + plan->result_bytes);
  for (int64_t share = from; share < to; share++) {
    const int64_t round = share / j->nparts, part = plan->order[share % j->nparts];
    u.p = &j->parts[part];
    u.part = &plan->parts[part];
    u.lists = (char *)(u.slab.run + u.part->runs);
    const int64_t end = u.part->units * (round + 1) / plan->rounds;
    for (int64_t at = u.part->units * round / plan->rounds; at < end; at++) {
      u.row_part = at % u.part->row_parts;
      u.group = at / u.part->row_parts % j->groups;
      Tile t = conv_tile(j, u.p, &u.part->tiling, at / u.part->row_parts / j->groups);
      run_unit(&u, &t);
    }
  }
  scratch_give(&plan->scratch, memory);
}

static int64_t parts_with_taps(const ConvJob *j)
{
  int64_t n = 0;
  for (int64_t i = 0; i < j->nparts; i++) n += j->parts[i].taps > 0;
  return n;
}

/* Cuts a part; returns how many bytes its lists take. */
static int64_t plan_part(Plan *plan, const ConvPart *p, PartPlan *q)
{
  const ConvJob *j = plan->j;
  const int64_t vector = plan->k->vector, width = 2 * vector, taps = max_i64(p->taps, 1);
  q->channels = even_share(j->channels, CONV_DEPTH / taps);
  const int64_t depth = q->channels * p->taps;
  int64_t places = CONV_TILE_BYTES / (max_i64(depth, 1) * j->size);
  if (j->then) places = min_i64(places, max_i64(CONV_TILE_BYTES / (j->rows * j->size), CONV_THEN_PLACES));
  q->tiling = conv_tiling(j, p, max_i64(places, width));
  q->row_parts = 1;
  /* what threads share are rows where there are few tiles; each then makes the panels of its own */
  const int64_t units = parts_with_taps(j) * conv_tiles(&q->tiling) * j->groups;
  const int64_t work = units * q->tiling.places * j->channels * p->taps * j->rows;
  while (!conv_shares(units * q->row_parts, work) && plan->blocks / q->row_parts >= 4) q->row_parts *= 2;
  const Tile t = conv_largest_tile(&q->tiling);
  const Window w = conv_window(j, p, &t, true);
  const int64_t rows = ceil_div_i64(plan->blocks, q->row_parts) * plan->k->rows;
  const int64_t lines = t.images * t.size[0] * t.size[1], lanes = ceil_div_i64(t.size[2], vector) * vector;
  /* what is gathered costs as much as some rows, what is not wastes lanes */
  q->in_place = (lanes - t.size[2]) * rows <= GATHER_ROWS * t.size[2];
  q->vectors = lines * (lanes / vector);
  q->runs = conv_slab_runs(&t, &w);
  places = ceil_div_i64(q->tiling.places, width) * width;
  plan->slab_bytes = max_i64(plan->slab_bytes, conv_slab_bytes(j, &t, &w, q->channels));
  plan->panel_bytes = max_i64(plan->panel_bytes, align_up(places * depth * j->size + SLAB_SLACK));
  plan->result_bytes = max_i64(plan->result_bytes, align_up(max_i64(places, lines * lanes) * rows * j->size));
  return (p->taps + q->tiling.places + 1 + 2 * depth) * (int64_t)sizeof(int64_t)
         + q->tiling.places * (int64_t)sizeof(ConvPiece) + q->vectors * (int64_t)sizeof(ConvPlace)
         + q->runs * (int64_t)sizeof(ConvRun);
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
    w.part = part;
    for (int64_t from = 0; from < j->nparts; from += CONV_PARTS) {
      w.area = 0;
      w.parts = min_i64(j->nparts - from, CONV_PARTS);
      for (int64_t i = 0; i < w.parts; i++) {
        const ConvPart *q = &j->parts[from + i];
        int64_t elements = j->rows * j->channels * q->taps;
        part[i] = (ConvWeightPart){q->taps, q->weight_at, plan->parts[from + i].packed + group * elements * j->size};
        w.area += q->taps;
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
  bool is_filled;
  char *packed = packed_memory(call, PACKED_CONVOLUTION, max_i64(each * area, 1) * j->size, &is_filled);
  for (int64_t i = 0; i < j->nparts; i++) {
    plan->parts[i].packed = packed;
    packed += each * j->parts[i].taps * j->size;
  }
  if (is_filled) return;
  Packing p = {plan,
               {.rows = j->rows,
                .channels = j->channels,
                .w = tensor_data(j->weight),
                .row_step = j->weight_row,
                .channel_step = j->weight_channel}};
  launch_items((Work){each > 0 && area > 0 ? j->groups * plan->blocks : 0, j->channels * area * plan->k->rows},
               pack_groups, &p);
  packed_filled(call);
}

/* As many as leave what all parts write in a round in the second cache. Of few terms it takes longer to make the lists
   of a tile anew than to write to memory. */
static int64_t rounds_of(const ConvJob *j, int64_t units, int64_t bytes)
{
  if (j->nparts == 1) return units;
  if (j->rows * j->channels < LISTED_TERMS) return min_i64(units, CONV_UNITS);
  return ceil_div_i64(units, max_i64(CONV_TILE_BYTES / bytes, 1));
}

void conv_multiply(Call *call, const ConvJob *j)
{
  Plan plan = {.j = j, .k = j->k->conv_product};
  plan.blocks = ceil_div_i64(j->rows, plan.k->rows);
  plan.parts = arena_allocate(call->ctx, (size_t)j->nparts * sizeof *plan.parts);
  int64_t lists = 0, units = 0, work = 0, places = 0, bytes = 1;
  for (int64_t i = 0; i < j->nparts; i++) {
    const ConvPart *p = &j->parts[i];
    PartPlan *q = &plan.parts[i];
    const int64_t of_part = j->images * p->size[0] * p->size[1] * p->size[2];
    lists = max_i64(lists, plan_part(&plan, p, q));
    q->units = conv_tiles(&q->tiling) * j->groups * q->row_parts;
    units = max_i64(units, q->units);
    bytes = max_i64(bytes, j->nparts * q->tiling.places * j->rows / q->row_parts * j->size);
    places = max_i64(places, of_part);
    work += p->taps * j->channels * j->rows * j->groups * of_part;
  }
  if (units == 0) return;
  plan.order = conv_parts_in_order(call, j);
  plan.rounds = rounds_of(j, units, bytes);
  plan.is_packed = places > CONV_LOOSE_PLACES || keeps_packed(call);
  if (plan.is_packed) pack_weights(call, &plan);
  const int64_t shares = plan.rounds * j->nparts;
  scratch_init(call, &plan.scratch, shares, plan.slab_bytes + plan.panel_bytes + plan.result_bytes + lists);
  launch_items((Work){shares, work / shares / 8}, run_shares, &plan);
}
