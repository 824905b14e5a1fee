/*
 * Convolutions of bytes: the places of a result are cut into tiles, of some lines or of a part of one. What a tile
 * meets is copied into a slab with its padding, where a tap is one offset, gathered into panels, and multiplied with
 * all rows, which are packed once. Zero points are taken account of where the sums are: of x they are the same for all
 * places of a row, of the weight they want the sum of what each place meets.
 */
#include "launch/conv/bytes.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/conv_bytes.h"
#include "launch/launch.h"
#include "launch/packed.h"
#include "launch/scratch.h"

enum { X, WEIGHT, X_ZERO, W_ZERO, BIAS, SCALE, Y_ZERO, OPERANDS };

typedef struct Job {
  ByteConv c;
  const ConvBytesKernels *k;
  int64_t taps, words, row_parts, part_rows;
  int64_t tile[BYTE_AXES], tiles[BYTE_AXES]; /* lines and columns, and how many of such parts there are */
  int64_t slab[BYTE_AXES];                   /* of a whole tile; no slab is made if `lies_plain` */
  bool lies_plain, is_apart;
  const int64_t *at; /* [taps] in the slab, or in an image */
  uint8_t x_flip, x_fill;
  const char *weights; /* of each group its rows' words; behind them those of a row of ones */
  const int32_t *offset, *zeros;
  const float *scale;
  float low, high, zero;
  int64_t slab_bytes, line_bytes, panel_bytes; /* of the scratch memory */
  Scratch scratch;
} Job;

/* ------------------------------------------------------------------------ tiles */

static int64_t extent(const ByteConv *c, int d) { return c->dilation[d] * (c->kernel[d] - 1) + 1; }

/* Kernels of one element without strides and pads: an image is one line. */
static void flatten(ByteConv *c)
{
  for (int d = 0; d < BYTE_AXES; d++)
    if (c->kernel[d] != 1 || c->stride[d] != 1 || c->size[d] != c->result[d]) return;
  c->size[1] = c->result[1] = c->size[0] * c->size[1];
  c->size[0] = c->result[0] = 1;
}

static void cut_tiles(Job *j)
{
  ByteConv *c = &j->c;
  const int64_t width = j->k->width;
  int64_t most = BYTES_TILE / max_i64(j->taps, 1) / width * width;
  most = max_i64(min_i64(most, BYTES_PLACES), width);
  const int64_t columns = ceil_div_i64(c->result[1], ceil_div_i64(c->result[1], most));
  j->tile[1] = columns == c->result[1] ? columns : ceil_div_i64(columns, width) * width;
  j->tile[0] = columns == c->result[1] ? max_i64(min_i64(most / columns, c->result[0]), 1) : 1;
  j->lies_plain = true;
  for (int d = 0; d < BYTE_AXES; d++) {
    j->tiles[d] = ceil_div_i64(c->result[d], j->tile[d]);
    j->slab[d] = (j->tile[d] - 1) * c->stride[d] + extent(c, d);
    j->lies_plain = j->lies_plain && c->before[d] == 0
                    && (c->result[d] - 1) * c->stride[d] + extent(c, d) <= c->size[d];
  }
}

/* Where the taps of all channels are. */
static const int64_t *offsets_of_taps(Call *call, const Job *j)
{
  const ByteConv *c = &j->c;
  const int64_t *size = j->lies_plain ? c->size : j->slab;
  int64_t *at = arena_allocate(call->ctx, (size_t)(j->taps + 1) * sizeof *at), *next = at;
  for (int64_t n = 0; n < c->channels; n++)
    for (int64_t i = 0; i < c->kernel[0]; i++)
      for (int64_t k = 0; k < c->kernel[1]; k++)
        *next++ = (n * size[0] + i * c->dilation[0]) * size[1] + k * c->dilation[1];
  return at;
}

typedef struct Tile {
  int64_t image, group, row_part;
  int64_t at[BYTE_AXES], count[BYTE_AXES];
} Tile;

static Tile tile_at(const Job *j, int64_t i)
{
  Tile t;
  t.row_part = i % j->row_parts, i /= j->row_parts;
  for (int d = BYTE_AXES - 1; d >= 0; d--) {
    t.at[d] = i % j->tiles[d] * j->tile[d], i /= j->tiles[d];
    t.count[d] = min_i64(j->tile[d], j->c.result[d] - t.at[d]);
  }
  t.group = i % j->c.groups, t.image = i / j->c.groups;
  return t;
}

/* ------------------------------------------------------------------------- work */

/* The part of an image that begins `first` elements before or behind a slab's begin, along an axis. */
typedef struct Overlap {
  int64_t from, to, count;
} Overlap;

static Overlap overlap(int64_t first, int64_t size, int64_t slab)
{
  const int64_t to = max_i64(-first, 0), from = max_i64(first, 0);
  return (Overlap){from, to, max_i64(min_i64(size - from, slab - to), 0)};
}

/* What of a channel lies in the slab, which has x's zero everywhere else. */
static void fill_plane(const Job *j, const int64_t *first, int64_t lines, const uint8_t *x, uint8_t *slab)
{
  const ByteConv *c = &j->c;
  const Overlap l = overlap(first[0], c->size[0], lines), n = overlap(first[1], c->size[1], j->slab[1]);
  j->k->copy(l.count, n.count, x + l.from * c->size[1] + n.from, c->size[1], slab + l.to * j->slab[1] + n.to,
             j->slab[1]);
}

static void fill_slab(const Job *j, const Tile *t, const uint8_t *x, uint8_t *slab)
{
  const ByteConv *c = &j->c;
  int64_t first[BYTE_AXES];
  for (int d = 0; d < BYTE_AXES; d++) first[d] = t->at[d] * c->stride[d] - c->before[d];
  memset(slab, j->x_fill, (size_t)(c->channels * j->slab[0] * j->slab[1]));
  for (int64_t n = 0; n < c->channels; n++)
    fill_plane(j, first, (t->count[0] - 1) * c->stride[0] + extent(c, 0), x + n * c->size[0] * c->size[1],
               slab + n * j->slab[0] * j->slab[1]);
}

static void run_tile(const Launch *l, const Job *j, const Tile *t, char *memory)
{
  const ByteConv *c = &j->c;
  const int64_t plane = c->size[0] * c->size[1], result = c->result[0] * c->result[1];
  const uint8_t *x = operand_at(l, X, (t->image * c->groups + t->group) * c->channels * plane);
  uint8_t *slab = (uint8_t *)memory, *buffer = slab + j->slab_bytes;
  char *panels = (char *)buffer + j->line_bytes * j->k->terms;
  if (j->lies_plain) x += t->at[0] * c->stride[0] * c->size[1] + t->at[1] * c->stride[1];
  else fill_slab(j, t, x, slab);
  const BytePlaces places = {.taps = j->taps,
                             .lines = t->count[0],
                             .columns = t->count[1],
                             .x = j->lies_plain ? x : slab,
                             .end = j->lies_plain ? operand_at(l, X, l->x[X]->numel) : slab + j->slab_bytes,
                             .at = j->at,
                             .line_step = c->stride[0] * (j->lies_plain ? c->size[1] : j->slab[1]),
                             .step = c->stride[1],
                             .flip = j->x_flip,
                             .buffer = buffer,
                             .buffer_line = j->line_bytes,
                             .panels = panels};
  j->k->gather(&places);
  const int64_t first = t->row_part * j->part_rows, row = t->group * c->rows + first;
  const ByteRows rows = {.rows = min_i64(j->part_rows, c->rows - first),
                         .words = j->words,
                         .places = t->count[0] * t->count[1],
                         .weights = j->weights + row * j->words * 4,
                         .ones = j->weights + c->groups * c->rows * j->words * 4,
                         .panels = panels,
                         .offset = j->offset + row,
                         .zeros = j->zeros ? j->zeros + row : NULL,
                         .totals = (int32_t *)(void *)(panels + j->panel_bytes),
                         .scale = j->scale ? j->scale + row : NULL,
                         .low = j->low,
                         .high = j->high,
                         .zero = j->zero,
                         .y = result_at(l, 0, (t->image * c->groups * c->rows + row) * result
                                              + t->at[0] * c->result[1] + t->at[1]),
                         .y_row = result};
  j->k->rows_of(&rows);
}

static void run_tiles(const Launch *l, int64_t begin, int64_t end)
{
  Job *j = l->params;
  char *memory = scratch_take(&j->scratch);
  for (int64_t i = begin; i < end; i++) {
    const Tile t = tile_at(j, i);
    run_tile(l, j, &t, memory);
  }
  scratch_give(&j->scratch, memory);
}

/* --------------------------------------------------------- one channel, one row */

/* Whether each group has one channel and one row, with a kernel whose columns lie side by side: no panels are made. */
static bool is_apart(const ByteConv *c)
{
  return c->channels == 1 && c->rows == 1 && c->stride[1] <= 2 && c->dilation[1] == 1;
}

static void run_planes(const Launch *l, int64_t begin, int64_t end)
{
  Job *j = l->params;
  const ByteConv *c = &j->c;
  const int64_t first[BYTE_AXES] = {-c->before[0], -c->before[1]}, result = c->result[0] * c->result[1];
  uint8_t *slab = (uint8_t *)scratch_take(&j->scratch);
  memset(slab, j->x_fill, (size_t)j->slab_bytes);
  for (int64_t i = begin; i < end; i++) {
    const int64_t row = i % c->groups;
    fill_plane(j, first, j->slab[0], operand_at(l, X, i * c->size[0] * c->size[1]), slab);
    const ByteLines lines = {.lines = c->result[0],
                             .columns = c->result[1],
                             .kernel_lines = c->kernel[0],
                             .kernel_columns = c->kernel[1],
                             .x = slab,
                             .line_step = c->stride[0] * j->slab[1],
                             .tap_step = c->dilation[0] * j->slab[1],
                             .step = c->stride[1],
                             .flip = j->x_flip};
    const ByteRows rows = {.weights = j->weights + row * j->words * 4,
                           .ones = j->weights + c->groups * j->words * 4,
                           .offset = j->offset + row,
                           .zeros = j->zeros ? j->zeros + row : NULL,
                           .scale = j->scale ? j->scale + row : NULL,
                           .low = j->low,
                           .high = j->high,
                           .zero = j->zero,
                           .y = result_at(l, 0, i * result)};
    j->k->lines_of(&lines, &rows);
  }
  scratch_give(&j->scratch, (char *)slab);
}

static void launch_apart(Call *call, Job *j, const Driver *driver, Tensors results, Tensors operands)
{
  const ByteConv *c = &j->c;
  j->is_apart = true;
  j->words = c->kernel[0] * ceil_div_i64(c->kernel[1], j->k->terms);
  for (int d = 0; d < BYTE_AXES; d++) {
    j->tile[d] = c->result[d];
    j->slab[d] = (c->result[d] - 1) * c->stride[d] + extent(c, d);
  }
  launch(call, driver, DTYPE_f32, results, operands, (Work){c->images * c->groups, c->result[0] * c->result[1]}, j);
}

/* ------------------------------------------------------------------ what is needed */

/* A zero point of bytes, 0 if there is none. */
static int32_t zero_at(const Launch *l, int operand, bool is_signed)
{
  const uint8_t byte = l->x[operand] ? *(const uint8_t *)operand_at(l, operand, 0) : 0;
  return is_signed ? (int8_t)byte : byte;
}

/* As the kernels take them: line by line where there are no panels. */
static void pack_rows(const Job *j, int64_t rows, const uint8_t *w, uint8_t flip, char *to, int32_t *sums)
{
  const int64_t lines = j->is_apart ? j->c.kernel[0] : 1, taps = j->taps / lines, bytes = j->words / lines * 4;
  if (lines == 1) {
    j->k->pack(rows, taps, w, flip, to, sums);
    return;
  }
  *sums = 0;
  for (int64_t i = 0; i < lines; i++) {
    int32_t sum;
    j->k->pack(1, taps, w + i * taps, flip, to + i * bytes, &sum);
    *sums += sum;
  }
}

/* The weights of all groups, and what each row adds up to. */
static const int32_t *pack_weights(Call *call, const Launch *l, Job *j, uint8_t flip)
{
  const ByteConv *c = &j->c;
  const int64_t all = c->groups * c->rows, bytes = j->words * 4;
  bool is_filled;
  char *memory = packed_memory(call, PACKED_BYTES, (all + 1) * bytes + all * 4, &is_filled);
  int32_t *sums = (int32_t *)(void *)(memory + (all + 1) * bytes);
  j->weights = memory;
  if (is_filled) return sums;
  for (int64_t i = 0; i < all; i += c->rows)
    pack_rows(j, c->rows, operand_at(l, WEIGHT, i * j->taps), flip, memory + i * bytes, sums + i);
  uint8_t *ones = arena_allocate(call->ctx, (size_t)j->taps + 1);
  int32_t sum_of_ones;
  memset(ones, 1, (size_t)j->taps);
  pack_rows(j, 1, ones, 0, memory + all * bytes, &sum_of_ones);
  packed_filled(call);
  return sums;
}

/* (x - p)(w - q) = x w - p sum(w) - q sum(x) + taps p q; all but the third sum is the same for all places of a row.
   Weights are taken as signed, and so is q. */
static void offsets_of_rows(Call *call, const Launch *l, Job *j, const int32_t *sums, int64_t p, uint8_t flip)
{
  const int64_t all = j->c.groups * j->c.rows, step = l->x[W_ZERO] && l->x[W_ZERO]->numel > 1 ? 1 : 0;
  const uint8_t none = 0, *zero = l->x[W_ZERO] ? operand_at(l, W_ZERO, 0) : &none;
  const int32_t *bias = l->x[BIAS] ? operand_at(l, BIAS, 0) : NULL;
  int32_t *offset = arena_allocate(call->ctx, (size_t)(2 * all + 1) * sizeof *offset), *zeros = offset + all;
  int32_t any = 0;
  for (int64_t i = 0; i < all; i++) {
    const int32_t q = (int8_t)(zero[i * step] ^ flip);
    zeros[i] = q;
    offset[i] = (int32_t)(uint32_t)((bias ? bias[i] : 0) - p * sums[i] + j->taps * p * q);
    any |= q;
  }
  j->offset = offset;
  j->zeros = any ? zeros : NULL;
}

static void prepare_results(Call *call, const Launch *l, Job *j)
{
  if (!l->x[SCALE]) return;
  const bool is_signed = tensor_dtype(l->y[0]) == DTYPE_i8;
  const int64_t all = j->c.groups * j->c.rows;
  const float *given = operand_at(l, SCALE, 0);
  j->scale = given;
  if (l->x[SCALE]->numel != all) {
    float *scale = arena_allocate(call->ctx, (size_t)(all + 1) * sizeof *scale);
    for (int64_t i = 0; i < all; i++) scale[i] = given[0];
    j->scale = scale;
  }
  j->zero = (float)zero_at(l, Y_ZERO, is_signed);
  j->low = (is_signed ? -128.0f : 0.0f) - j->zero;
  j->high = j->low + 255;
}

static int64_t rounded_up(int64_t n) { return ceil_div_i64(n, 64) * 64; }

static void prepare(Call *call, const Launch *l)
{
  Job *j = l->params;
  const uint8_t w_flip = tensor_dtype(l->x[WEIGHT]) == DTYPE_u8 ? 0x80 : 0;
  const int64_t places = j->tile[0] * j->tile[1], panels = ceil_div_i64(places, j->k->width);
  j->x_flip = tensor_dtype(l->x[X]) == DTYPE_i8 ? 0x80 : 0;
  j->x_fill = (uint8_t)zero_at(l, X_ZERO, false);
  offsets_of_rows(call, l, j, pack_weights(call, l, j, w_flip), j->x_fill ^ j->x_flip, w_flip);
  prepare_results(call, l, j);
  j->slab_bytes = j->lies_plain ? 0 : rounded_up(j->c.channels * j->slab[0] * j->slab[1] + BYTES_SLACK);
  if (j->is_apart) {
    scratch_init(call, &j->scratch, INT64_MAX, j->slab_bytes);
    return;
  }
  j->at = offsets_of_taps(call, j);
  j->line_bytes = rounded_up(places + BYTES_SLACK);
  j->panel_bytes = panels * j->words * j->k->width * 4;
  scratch_init(call, &j->scratch, INT64_MAX,
               j->slab_bytes + j->line_bytes * j->k->terms + j->panel_bytes + panels * j->k->width * 4);
}

/* Few tiles are shared out by their rows too. */
static Work share_out(Job *j)
{
  const ByteConv *c = &j->c;
  const int64_t tiles = c->images * c->groups * j->tiles[0] * j->tiles[1];
  const int64_t row_parts = parallel_threads() > 1 ? max_i64(BYTES_ITEMS / tiles, 1) : 1;
  j->part_rows = ceil_div_i64(ceil_div_i64(c->rows, row_parts), j->k->rows) * j->k->rows;
  j->row_parts = ceil_div_i64(c->rows, j->part_rows);
  return (Work){tiles * j->row_parts, j->tile[0] * j->tile[1] * (j->taps * j->part_rows / 16 + j->taps)};
}

#define WANTS {MOVED, MOVED, MOVED, MOVED, MOVED, DENSE, MOVED}

void launch_byte_conv(Call *call, const ByteConv *c, Tensor *x, Tensor *weight, Tensor *y)
{
  static const Driver tiles = {.run = run_tiles, .before = prepare, .results = {MOVED}, .operands = WANTS};
  static const Driver planes = {.run = run_planes, .before = prepare, .results = {MOVED}, .operands = WANTS};
  const Tensors results = TENSOR_LIST(y),
                operands = TENSOR_LIST(x, weight, c->x_zero, c->w_zero, c->bias, c->scale, c->y_zero);
  if (!launch_runs(y)) return;
  Job j = {.c = *c, .k = kernels_for(y, DTYPE_i32)->conv_bytes};
  j.taps = c->channels * c->kernel[0] * c->kernel[1];
  if (is_apart(c)) {
    launch_apart(call, &j, &planes, results, operands);
    return;
  }
  flatten(&j.c);
  j.words = ceil_div_i64(j.taps, j.k->terms);
  cut_tiles(&j);
  launch(call, &tiles, DTYPE_f32, results, operands, share_out(&j), &j);
}
