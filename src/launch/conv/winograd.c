/*
 * Convolutions with kernels of 3x3 by Winograd's F(2, 3) (kernels/conv.h): results are made in blocks of 2x2 places, by
 * 16 products over all blocks of a tile in place of 36. Of kernels with several planes each plane's products are added;
 * what one plane of the input is transformed to serves all of them. Sums are over a few channels at a time, which keeps
 * their error that of direct sums. Units of work are a tile and some rows.
 */
#include "core/arith.h"
#include "core/blocks.h"
#include "launch/conv/job.h"
#include "launch/packed.h"
#include "launch/scratch.h"

/* Weights for a block, at most: those of many channels are written and read again for each tile. */
enum { WINOGRAD_WEIGHTS = 1024 };

typedef struct Plan {
  const ConvJob *j;
  ConvJob blocks;      /* the same with blocks for places, */
  ConvPart part;       /* of which these are */
  const ConvPart *all; /* the places of the job itself */
  Tiling tiling;
  int64_t row_blocks, row_parts, channels; /* channels at a time */
  int64_t planes;                          /* of the kernel */
  int64_t width, input_width; /* of a tile's blocks, and of those that they are made of, in whole vectors */
  int64_t slab_bytes, input_bytes, product_bytes, line_bytes, run_bytes;
  char *packed; /* [group][plane][component], each packed */
  Scratch scratch;
} Plan;

/* What a thread has. */
typedef struct Unit {
  const Plan *plan;
  int64_t group, first_block, last_block, row, rows;
  ConvSlab slab;
  char *input, *products;
  WinogradLine *line, *input_line; /* of the result, and of the slab */
  ConvPlace *places;
  int64_t *at;
  ChainWorker *then; /* what follows, or NULL */
} Unit;

static int64_t input_component(const Plan *w) { return w->channels * w->input_width + w->j->k->conv_product->vector; }

/* The tile with the planes of the slab: those that all planes of the kernel meet. */
static Tile with_planes(const Unit *u)
{
  Tile t = u->slab.tile;
  t.size[0] = u->slab.window.size[0];
  return t;
}

static void list_lines(Unit *u)
{
  const Plan *w = u->plan;
  const Tile *t = &u->slab.tile, input = with_planes(u);
  const ConvJob *j = w->j;
  WinogradLine *to = u->line, *from = u->input_line;
  EACH_LINE(t, i, p, l)
  *to++ = (WinogradLine){0, i * j->y_image + p * j->y_step[0] + 2 * l * j->y_step[1],
                         min_i64(w->all->size[1] - 2 * (t->begin[1] + l), 2)};
  EACH_LINE(&input, i, p, l)
  (from++)->x = i * u->slab.image + p * conv_step(&w->blocks, &u->slab.window, 0)
                + l * conv_step(&w->blocks, &u->slab.window, 1);
  const int64_t vector = j->k->conv_product->vector, blocks = places_of_tile(t);
  for (int64_t c = 0; c < blocks; c += vector) u->places[c / vector] = (ConvPlace){c, c, (int32_t)vector};
  for (int64_t c = 0; c < w->channels; c++) u->at[c] = c * w->input_width;
}

static void transform_input(const Unit *u, int64_t channels)
{
  const Window *s = &u->slab.window;
  const Tile t = with_planes(u);
  WinogradInput in = {.channels = channels,
                      .lines = t.images * t.size[0] * t.size[1],
                      .count = t.size[2],
                      .x = u->slab.memory,
                      .channel_step = s->channel,
                      .line_step = s->size[2],
                      .phase_step = s->size[0] * s->size[1] * s->size[2],
                      .line = u->input_line,
                      .to = u->input,
                      .to_channel = u->plan->input_width,
                      .to_component = input_component(u->plan)};
  u->plan->j->k->winograd->input(&in);
}

/* The products of a plane of the kernel: of the blocks of the input's planes from that one on. */
static void multiply_components(const Unit *u, int64_t plane, int64_t channel, int64_t channels)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const int64_t tap = 9 * plane, first = w->all->tap[0][tap] * u->slab.tile.size[1] * u->slab.tile.size[2];
  ConvProduct p = {.rows = j->rows,
                   .first_block = u->first_block,
                   .last_block = u->last_block,
                   .depth = channels,
                   .places = ceil_div_i64(places_of_tile(&u->slab.tile), j->k->conv_product->vector),
                   .a_depth = j->channels,
                   .a_first = channel,
                   .at = u->at,
                   .place = u->places,
                   .add = channel > 0 || plane > 0,
                   .c_row = w->width};
  for (int64_t n = 0; n < WINOGRAD_PARTS; n++) {
    const int64_t part = (u->group * w->planes + plane) * WINOGRAD_PARTS + n;
    p.a = w->packed + (part * j->rows + u->row) * j->channels * j->size;
    p.b = u->input + (n * input_component(w) + first) * j->size;
    p.c = u->products + n * u->rows * w->width * j->size;
    j->k->conv_product->multiply(&p);
  }
}

static void transform_products(const Unit *u)
{
  const Plan *w = u->plan;
  const ConvJob *j = w->j;
  const Tile *t = &u->slab.tile;
  const int64_t row = u->group * j->rows + u->row;
  const int64_t y = t->image * j->y_image + row * j->y_row + w->all->y + t->begin[0] * j->y_step[0]
                    + 2 * t->begin[1] * j->y_step[1] + 2 * t->begin[2];
  WinogradOutput out = {.rows = u->rows,
                        .lines = t->images * t->size[0] * t->size[1],
                        .count = t->size[2],
                        .columns = min_i64(2 * t->size[2], w->all->size[2] - 2 * t->begin[2]),
                        .products = u->products,
                        .product_row = w->width,
                        .product_component = u->rows * w->width,
                        .line = u->line,
                        .start = j->bias ? j->bias + row * j->size : NULL,
                        .y = j->y + y * j->size,
                        .y_row = j->y_row,
                        .y_line = j->y_step[1]};
  j->k->winograd->output(&out);
  if (!u->then) return;
  const Tile made = {.images = t->images,
                     .size = {t->size[0], min_i64(2 * t->size[1], w->all->size[1] - 2 * t->begin[1]), out.columns}};
  conv_then(u->then, j, &made, out.y, u->rows);
}

static void run_unit(Unit *u, const Tile *t)
{
  const Plan *w = u->plan;
  if (conv_slab_set(&u->slab, &w->blocks, &w->part, t)) list_lines(u);
  for (int64_t c = 0; c < w->j->channels; c += w->channels) {
    const int64_t channels = min_i64(w->channels, w->j->channels - c);
    conv_slab_fill(&u->slab, u->group, c, channels);
    transform_input(u, channels);
    for (int64_t plane = 0; plane < w->planes; plane++) multiply_components(u, plane, c, channels);
  }
  transform_products(u);
}

static int64_t lines_of_tile(const Plan *w)
{
  const Tile t = conv_largest_tile(&w->tiling);
  return t.images * t.size[0] * t.size[1];
}

static void run_units(void *arg, int64_t begin, int64_t end)
{
  Plan *w = arg;
  const ConvJob *j = w->j;
  char *memory = scratch_take(&w->scratch);
  Unit u = {.plan = w, .slab = {.phases = true, .channels = w->channels, .memory = memory}};
  ChainWorker then;
  if (j->then) chain_open(u.then = &then, j->then);
  u.input = memory + w->slab_bytes;
  u.products = u.input + w->input_bytes;
  u.line = (WinogradLine *)(void *)(u.products + w->product_bytes);
  u.input_line = u.line + lines_of_tile(w);
  u.slab.run = (ConvRun *)(void *)((char *)u.line + w->line_bytes);
  u.places = (ConvPlace *)(void *)((char *)u.slab.run + w->run_bytes);
  u.at = (int64_t *)(void *)(u.places + w->width / j->k->conv_product->vector);
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t row_part = unit % w->row_parts;
    u.group = unit / w->row_parts % j->groups;
    u.first_block = w->row_blocks * row_part / w->row_parts;
    u.last_block = w->row_blocks * (row_part + 1) / w->row_parts;
    u.row = j->rows * u.first_block / w->row_blocks;
    u.rows = j->rows * u.last_block / w->row_blocks - u.row;
    Tile t = conv_tile(&w->blocks, &w->part, &w->tiling, unit / w->row_parts / j->groups);
    run_unit(&u, &t);
  }
  scratch_give(&w->scratch, memory);
}

/* ------------------------------------------------------------------ weights */

typedef struct Packing {
  const Plan *plan;
  const int64_t *tap_at; /* plane by plane */
  ConvWeights w;
} Packing;

static void pack_groups(void *arg, int64_t begin, int64_t end)
{
  const Packing *p = arg;
  const Plan *plan = p->plan;
  const ConvJob *j = plan->j;
  const int64_t elements = WINOGRAD_PARTS * j->rows * j->channels;
  for (int64_t at = begin; at < end; at++) {
    const int64_t block = at % plan->row_blocks, plane = at / plan->row_blocks % plan->planes;
    const int64_t group = at / plan->row_blocks / plan->planes;
    ConvWeightPart part = {9, p->tap_at + 9 * plane,
                           plan->packed + (group * plan->planes + plane) * elements * j->size};
    ConvWeights w = p->w;
    w.w = (const char *)w.w + group * j->weight_group * j->size;
    w.part = &part;
    j->k->winograd->weights(&w, block, block + 1);
  }
}

/* Transforms the weights; the part's taps may come in any order. */
static void pack_weights(Call *call, Plan *plan)
{
  const ConvJob *j = plan->j;
  int64_t *tap_at = arena_allocate(call->ctx, (size_t)plan->all->taps * sizeof *tap_at);
  for (int64_t t = 0; t < plan->all->taps; t++)
    tap_at[t / 9 * 9 + plan->all->tap[1][t] * 3 + plan->all->tap[2][t]] = plan->all->weight_at[t];
  Packing p = {plan,
               tap_at,
               {.rows = j->rows,
                .channels = j->channels,
                .area = 9,
                .parts = 1,
                .w = tensor_data(j->weight),
                .row_step = j->weight_row,
                .channel_step = j->weight_channel}};
  const int64_t elements = j->groups * plan->planes * WINOGRAD_PARTS * j->rows * j->channels;
  bool is_filled;
  plan->packed = packed_memory(call, PACKED_WINOGRAD, elements * j->size, &is_filled);
  if (is_filled) return;
  const int64_t of_block = WINOGRAD_PARTS * j->channels * j->k->conv_product->rows;
  launch_items((Work){j->groups * plan->planes * plan->row_blocks, of_block}, pack_groups, &p);
  packed_filled(call);
}

/* ------------------------------------------------------------------ plan */

/* Whether each plane of the kernel has 3x3 taps side by side. */
static bool has_square_planes(const ConvPart *p)
{
  if (p->taps == 0 || p->taps % 9 != 0 || p->reach[1] != 2 || p->reach[2] != 2) return false;
  for (int64_t plane = 0; plane < p->taps; plane += 9) {
    int64_t met = 0;
    for (int64_t t = plane; t < plane + 9; t++) {
      if (p->tap[0][t] != p->tap[0][plane]) return false;
      met |= 1 << (p->tap[1][t] * 3 + p->tap[2][t]);
    }
    if (met != (1 << 9) - 1) return false;
  }
  return true;
}

bool conv_is_winograd(const ConvJob *j)
{
  const ConvPart *p = j->parts;
  if (!j->k->winograd->input || j->nparts != 1 || !has_square_planes(p)) return false;
  for (int i = 0; i < CONV_DIMS; i++)
    if (j->stride[i] != 1) return false;
  const int64_t places = j->images * p->size[0] * p->size[1] * p->size[2];
  const int64_t blocks = j->images * p->size[0] * ceil_div_i64(p->size[1], 2) * ceil_div_i64(p->size[2], 2);
  if (j->channels < WINOGRAD_LEAST || j->rows < WINOGRAD_LEAST || 8 * blocks > 3 * places) return false;
  return blocks >= WINOGRAD_BLOCKS && blocks >= j->channels * j->rows / WINOGRAD_WEIGHTS;
}

/* At a time: as many as the cache has products of, but tiles enough for threads. Tiles of some blocks cost nothing but
   that weights are read again; parts of the rows each transform all of the input. */
static int64_t blocks_of_tile(const Plan *w)
{
  const ConvJob *j = w->j;
  const int64_t *size = w->part.size, all = j->groups * j->images * size[0] * size[1] * size[2];
  const int64_t held = min_i64(WINOGRAD_BYTES / (WINOGRAD_PARTS * j->rows * j->size), WINOGRAD_TILE);
  if (w->planes > 1) return min_i64(2 * held, size[0] * size[1] * size[2]); /* planes share what they meet */
  return max_i64(min_i64(held, ceil_div_i64(all, CONV_UNITS)), 2 * j->k->conv_product->vector);
}

void conv_winograd(Call *call, const ConvJob *j)
{
  Plan w = {.j = j, .blocks = *j, .part = *j->parts, .all = j->parts};
  const ConvProductKernels *k = j->k->conv_product;
  for (int i = 1; i < CONV_DIMS; i++) {
    w.blocks.stride[i] = 2;
    w.part.size[i] = ceil_div_i64(w.part.size[i], 2);
    w.part.reach[i] = 3;
  }
  w.channels = even_share(j->channels, WINOGRAD_CHANNELS);
  w.planes = j->parts->taps / 9;
  w.row_blocks = ceil_div_i64(j->rows, k->rows);
  w.tiling = conv_tiling(&w.blocks, &w.part, blocks_of_tile(&w));
  w.width = ceil_div_i64(w.tiling.places, k->vector) * k->vector;
  w.row_parts = 1;
  const int64_t tiles = conv_tiles(&w.tiling) * j->groups;
  const int64_t work = tiles * w.tiling.places * WINOGRAD_PARTS * j->channels * j->rows;
  while (!conv_shares(tiles * w.row_parts, work) && w.row_blocks / w.row_parts >= 4) w.row_parts *= 2;
  const Tile t = conv_largest_tile(&w.tiling);
  const Window s = conv_window(&w.blocks, &w.part, &t, true);
  const int64_t lines = lines_of_tile(&w), input_lines = t.images * s.size[0] * t.size[1];
  const int64_t rows = ceil_div_i64(w.row_blocks, w.row_parts) * k->rows;
  w.input_width = ceil_div_i64(input_lines * t.size[2], k->vector) * k->vector;
  w.slab_bytes = conv_slab_bytes(j, &t, &s, w.channels);
  w.input_bytes = align_up(WINOGRAD_PARTS * input_component(&w) * j->size + SLAB_SLACK);
  w.product_bytes = align_up(WINOGRAD_PARTS * rows * w.width * j->size + SLAB_SLACK);
  w.line_bytes = (lines + input_lines) * (int64_t)sizeof(WinogradLine);
  w.run_bytes = conv_slab_runs(&t, &s) * (int64_t)sizeof(ConvRun);
  const int64_t lists = w.width / k->vector * (int64_t)sizeof(ConvPlace) + w.channels * (int64_t)sizeof(int64_t);
  const int64_t units = conv_tiles(&w.tiling) * j->groups * w.row_parts;
  if (units == 0) return;
  pack_weights(call, &w);
  scratch_init(call, &w.scratch, units,
               w.slab_bytes + w.input_bytes + w.product_bytes + w.line_bytes + w.run_bytes + lists);
  launch_items((Work){units, w.tiling.places * 2 * j->rows * j->channels}, run_units, &w);
}
