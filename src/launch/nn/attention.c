/*
 * Attention. Scores are made for a tile of queries and keys at a time and never kept: a softmax over the keys goes on
 * from tile to tile with the largest score and the sum so far (Milakov and Gimelshein, 2018), and the backward makes
 * the scores again (Dao and others, 2022). All heads run straight from where they lie, with their strides.
 */
#include "launch/nn/attention.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/attention.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/scratch.h"

/* What lines of turned keys and of scores have behind them, so that they are no power of two apart. */
enum { APART = ATTENTION_LANES };

/* Matrices, one for each batch. Steps are in elements. */
typedef struct Block {
  char *data;
  int64_t row, col;
  int64_t step[MAX_DIMS];
} Block;

typedef struct Attention {
  const KernelTable *k;
  int64_t size;             /* bytes of an element */
  int64_t l, s, e, ev;      /* queries, keys, and the widths of both and of values */
  int64_t rows, tiles;      /* of queries */
  int64_t keys, turned_row; /* of a tile; elements from one line of turned keys to the next, or 0: as they lie */
  int64_t items, per_group, groups; /* an item: a batch's tile in the forward, a batch in the backward */
  int nbatch;
  int64_t batch[MAX_DIMS];
  bool causal;
  double scale, kept_scale;
  Block q, key, v, mask, kept, y, sums, dy, dq, dk, dv;
  Scratch *scratch;
} Attention;

/* n cut into equal parts of at most so many, of a multiple of `unit`. */
static int64_t part_of(int64_t n, int64_t most, int64_t unit)
{
  int64_t parts = ceil_div_i64(n, most), each = parts ? ceil_div_i64(n, parts) : 0;
  return min_i64(ceil_div_i64(each, unit) * unit, most);
}

/* y, or dq: all batches of a result as long as the queries. */
static Attention attention_of(const AttentionOperands *a, const Tensor *y)
{
  const Tensor *q = a->q, *k = a->k, *v = a->v;
  Attention at = {.l = q->shape[q->ndim - 2],
                  .s = k->shape[k->ndim - 2],
                  .e = q->shape[q->ndim - 1],
                  .ev = v->shape[v->ndim - 1],
                  .nbatch = y->ndim - 2,
                  .causal = a->causal,
                  .scale = a->scale,
                  .kept_scale = a->kept_scale};
  at.size = (int64_t)dtype_size(dtype_compute(tensor_dtype(q)));
  memcpy(at.batch, y->shape, (size_t)at.nbatch * sizeof *at.batch);
  at.rows = part_of(at.l, ATTENTION_QUERIES, ATTENTION_STRIP);
  at.tiles = at.rows ? ceil_div_i64(at.l, at.rows) : 0;
  at.keys = part_of(at.s, ATTENTION_KEYS, ATTENTION_LANES);
  return at;
}

static int64_t batches_of(const Attention *at)
{
  int64_t n = 1;
  for (int i = 0; i < at->nbatch; i++) n *= at->batch[i];
  return n;
}

/* ------------------------------------------------------------------- blocks */

static Block block_of(const Attention *at, const Tensor *t)
{
  if (!t) return (Block){0};
  int d = t->ndim;
  Block b = {
    .data = tensor_data(t), .row = t->shape[d - 2] == 1 ? 0 : t->strides[d - 2], .col = t->shape[d - 1] == 1 ? 0 : 1};
  for (int i = 0; i < d - 2; i++)
    if (t->shape[i] != 1) b.step[at->nbatch - (d - 2) + i] = t->strides[i];
  return b;
}

/* How many elements a row of a batch's matrix is behind the first one. */
static int64_t offset_of(const Attention *at, const Block *b, int64_t batch, int64_t row)
{
  int64_t offset = row * b->row;
  for (int i = at->nbatch - 1; i >= 0; i--) {
    offset += batch % at->batch[i] * b->step[i];
    batch /= at->batch[i];
  }
  return offset;
}

/* The matrix of one batch, from a row on. */
static char *matrix_at(const Attention *at, const Block *b, int64_t batch, int64_t row)
{
  return b->data + offset_of(at, b, batch, row) * at->size;
}

/* What is in a piece of scratch memory. */
typedef struct Room {
  char *key, *v;              /* turned: [width, keys] */
  char *q;                    /* queries times the scale: [rows, e] */
  char *scores, *dscores;     /* [rows, score_row] */
  char *largest, *sum, *dots; /* of each query */
} Room;

static int64_t score_row(const Attention *at) { return at->keys + APART; }

/* The number of bytes, and where things are from `memory` on. */
static int64_t lay_out(const Attention *at, bool backward, char *memory, Room *r)
{
  const int64_t queries = backward ? at->l : at->rows;
  const int64_t sizes[] = {at->e * at->turned_row,
                           backward ? at->ev * at->turned_row : 0,
                           at->rows * at->e,
                           at->rows * score_row(at),
                           backward ? at->rows * score_row(at) : 0,
                           queries,
                           queries,
                           backward ? queries : 0};
  char **parts[] = {&r->key, &r->v, &r->q, &r->scores, &r->dscores, &r->largest, &r->sum, &r->dots};
  int64_t bytes = 0;
  for (int i = 0; i < 8; i++) {
    *parts[i] = memory ? memory + bytes : NULL;
    bytes += (sizes[i] * at->size + 63) / 64 * 64;
  }
  return bytes;
}

/* Some queries of a batch against some keys, of which not all need be seen. */
typedef struct Tile {
  int64_t batch, first, rows; /* queries */
  int64_t from, n;            /* keys */
  int64_t seen;               /* of these keys by the first query */
  const char *key, *v;        /* turned */
} Tile;

static Tile tile_of(const Attention *at, int64_t batch, int64_t number, const Room *r)
{
  Tile t = {.batch = batch, .first = number * at->rows, .key = r->key, .v = r->v};
  t.rows = min_i64(at->l - t.first, at->rows);
  return t;
}

/* How many of all keys the queries of a tile see, the last one at least. */
static int64_t seen_by_tile(const Attention *at, const Tile *t)
{
  return at->causal ? min_i64(t->first + t->rows, at->s) : at->s;
}

static void take_keys(const Attention *at, Tile *t, int64_t from)
{
  t->from = from;
  t->n = min_i64(seen_by_tile(at, t) - from, at->keys);
  t->seen = at->causal ? t->first + 1 - from : t->n;
}

/* Lines of a batch's keys or values, turned. */
static void turn(const Attention *at, const Block *b, int64_t batch, int64_t from, int64_t n, int64_t width, char *to)
{
  transpose_elements((size_t)at->size, n, width, matrix_at(at, b, batch, from), b->row * at->size, to,
                     at->turned_row * at->size);
}

static ScoreBlock score_block(const Attention *at, const Tile *t, char *scores)
{
  ScoreBlock b = {.rows = t->rows, .n = t->n, .seen = t->seen, .scores = scores, .row = score_row(at)};
  if (at->mask.data) {
    b.mask_row = at->mask.row, b.mask_col = at->mask.col;
    b.mask = matrix_at(at, &at->mask, t->batch, t->first) + t->from * at->mask.col * at->size;
  }
  if (at->kept.data) {
    b.kept = (uint8_t *)at->kept.data + offset_of(at, &at->kept, t->batch, t->first) + t->from * at->kept.col;
    b.kept_row = at->kept.row, b.kept_scale = at->kept_scale;
  }
  return b;
}

/* ----------------------------------------------------------------- products */

/* A matrix for products: rows so many elements apart. */
typedef struct Rows {
  char *data;
  int64_t row;
} Rows;

static char *shifted(const Attention *at, Rows r, int64_t rows, int64_t cols)
{
  return r.data + (rows * r.row + cols) * at->size;
}

/* How many keys are taken for a strip of queries that ends before row `end`: a little more than they see. */
static int64_t keys_for(const Tile *t, int64_t end)
{
  int64_t seen = t->seen + end - 1;
  if (seen <= 0) return 0;
  return min_i64(ceil_div_i64(seen, ATTENTION_LANES) * ATTENTION_LANES, t->n);
}

#define FOR_STRIPS(i, n, total, whole) \
  for (int64_t i = 0, n; (n = min_i64((total)-i, (whole) ? (total) : ATTENTION_STRIP)) > 0; i += n)

/* scores [rows, n] = x [rows, width] y, for what is seen; y: turned [width, n], or as it lies [n, width]. */
static void multiply_scores(const Attention *at, const Tile *t, int64_t width, Rows x, Rows y, Rows scores)
{
  FOR_STRIPS(i, rows, t->rows, t->seen >= t->n)
  {
    int64_t n = keys_for(t, i + rows);
    char *from = shifted(at, x, i, 0), *to = shifted(at, scores, i, 0);
    if (n == 0) continue;
    if (width == 0)
      for (int64_t r = 0; r < rows; r++) memset(shifted(at, scores, i + r, 0), 0, (size_t)(n * at->size));
    else if (!at->turned_row)
      at->k->matmul->dots(&(Product){.m = rows,
                                     .n = n,
                                     .k = width,
                                     .a = from,
                                     .a_row = x.row,
                                     .a_col = 1,
                                     .b = y.data,
                                     .b_row = 1,
                                     .b_col = y.row,
                                     .alpha = 1,
                                     .c = to,
                                     .c_row = scores.row});
    else at->k->matmul->product(rows, n, width, from, x.row, 1, y.data, y.row, 1, false, to, scores.row);
  }
}

/* to [rows, width] (+)= scores x, x: [n, width]. What isn't seen is 0 in scores. */
static void multiply_queries(const Attention *at, const Tile *t, int64_t width, Rows scores, Rows x, bool add, Rows to)
{
  FOR_STRIPS(i, rows, t->rows, t->seen >= t->n)
  {
    int64_t n = keys_for(t, i + rows);
    char *from = shifted(at, scores, i, 0), *sums = shifted(at, to, i, 0);
    if (n == 0 && add) continue;
    if (t->rows == 1)
      at->k->matmul->row_sums(&(Product){.m = 1,
                                         .n = width,
                                         .k = n,
                                         .a = from,
                                         .a_row = scores.row,
                                         .a_col = 1,
                                         .b = x.data,
                                         .b_row = x.row,
                                         .b_col = 1,
                                         .alpha = 1,
                                         .beta = 1,
                                         .addend = add ? sums : NULL,
                                         .addend_row = to.row,
                                         .c = sums,
                                         .c_row = to.row});
    else at->k->matmul->product(rows, width, n, from, scores.row, 1, x.data, x.row, 1, add, sums, to.row);
  }
}

/* to [n, width] += scores^T x, x: [rows, width]. */
static void multiply_keys(const Attention *at, const Tile *t, int64_t width, Rows scores, Rows x, Rows to)
{
  FOR_STRIPS(j, n, t->n, t->seen >= t->n)
  {
    int64_t blind = j + 1 - t->seen; /* the first queries, that don't see key j */
    blind = blind < 0 || t->seen >= t->n ? 0 : min_i64(blind, t->rows);
    at->k->matmul->product(n, width, t->rows - blind, shifted(at, scores, blind, j), 1, scores.row,
                           shifted(at, x, blind, 0), x.row, 1, true, shifted(at, to, j, 0), to.row);
  }
}

/* ------------------------------------------------------------------- groups */

/* The groups, and memory for as many as run at a time. */
static void plan_groups(Call *call, Attention *at, int64_t items, bool backward, Scratch *scratch)
{
  Room r;
  at->items = items;
  at->groups = min_i64(items, ATTENTION_GROUPS);
  at->per_group = ceil_div_i64(items, at->groups);
  scratch_init(call, at->scratch = scratch, at->groups, lay_out(at, backward, NULL, &r));
}

static Work work_of(const Attention *at)
{
  bool small = batches_of(at) * at->l * at->s * at->e <= ATTENTION_SMALL;
  return (Work){at->groups, small ? 1 : EACH_ALONE};
}

/* The operands that forward and backward share, in the order in which they are launched. */
static Attention with_blocks(const Launch *l)
{
  Attention at = *(const Attention *)l->params;
  at.k = l->k;
  at.q = block_of(&at, l->x[0]);
  at.key = block_of(&at, l->x[1]);
  at.v = block_of(&at, l->x[2]);
  at.mask = block_of(&at, l->x[3]);
  at.kept = block_of(&at, l->x[4]);
  return at;
}

static Rows scale_queries(const Attention *at, const Tile *t, const Room *r)
{
  at->k->attention->scale_rows(t->rows, at->e, at->scale, matrix_at(at, &at->q, t->batch, t->first), at->q.row, r->q,
                               at->e);
  return (Rows){r->q, at->e};
}

static Rows rows_of(const Attention *at, const Block *b, int64_t batch, int64_t first)
{
  return (Rows){matrix_at(at, b, batch, first), b->row};
}

/* ------------------------------------------------------------------ forward */

static void forward_tile(const Attention *at, Tile *t, const Room *r)
{
  const AttentionKernels *k = at->k->attention;
  const Rows q = scale_queries(at, t, r), y = rows_of(at, &at->y, t->batch, t->first),
             scores = {r->scores, score_row(at)};
  for (int64_t from = 0; from < seen_by_tile(at, t); from += at->keys) {
    take_keys(at, t, from);
    const Rows key = at->turned_row ? (Rows){(char *)t->key + from * at->size, at->turned_row}
                                    : rows_of(at, &at->key, t->batch, from);
    multiply_scores(at, t, at->e, q, key, scores);
    ScoreBlock b = score_block(at, t, r->scores);
    k->weigh(&b, from == 0, r->largest, r->sum, at->ev, y.data, y.row);
    multiply_queries(at, t, at->ev, scores, rows_of(at, &at->v, t->batch, from), from > 0, y);
  }
  k->divide_rows(t->rows, at->mask.data, r->largest, r->sum, at->ev, y.data, y.row);
  char *sums = matrix_at(at, &at->sums, t->batch, t->first);
  copy_elements((size_t)at->size, t->rows, r->largest, at->size, sums, 2 * at->size);
  copy_elements((size_t)at->size, t->rows, r->sum, at->size, sums + at->size, 2 * at->size);
}

static void forward_groups(const Launch *l, int64_t begin, int64_t end)
{
  Attention with = with_blocks(l);
  const Attention *at = &with;
  with.y = block_of(at, l->y[0]);
  with.sums = block_of(at, l->y[1]);
  char *piece = scratch_take(at->scratch);
  Room r;
  lay_out(at, false, piece, &r);
  for (int64_t g = begin; g < end; g++) {
    int64_t first = g * at->per_group;
    for (int64_t i = first; i < first + at->per_group && i < at->items; i++) {
      int64_t batch = i / at->tiles;
      if (at->turned_row && (i == first || i % at->tiles == 0)) turn(at, &at->key, batch, 0, at->s, at->e, r.key);
      Tile t = tile_of(at, batch, i % at->tiles, &r);
      forward_tile(at, &t, &r);
    }
  }
  scratch_give(at->scratch, piece);
}

void launch_attention(Call *call, const AttentionOperands *a, Tensor *y, Tensor *sums)
{
  static const Driver driver = {.run = forward_groups,
                                .results = {LAST_DENSE, LAST_DENSE},
                                .operands = {LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE | MOVED}};
  if (!launch_runs(y)) return;
  Scratch scratch;
  Attention at = attention_of(a, y);
  at.turned_row = at.l > ATTENTION_FEW ? at.s + APART : 0;
  plan_groups(call, &at, batches_of(&at) * at.tiles, false, &scratch);
  launch(call, &driver, tensor_dtype(a->q), TENSOR_LIST(y, sums), TENSOR_LIST(a->q, a->k, a->v, a->mask, a->kept),
         work_of(&at), &at);
}

/* ----------------------------------------------------------------- backward */

/* What is known of each query of a batch. */
static void look_at_queries(const Attention *at, int64_t batch, const Room *r)
{
  const char *sums = matrix_at(at, &at->sums, batch, 0);
  const Rows y = rows_of(at, &at->y, batch, 0), dy = rows_of(at, &at->dy, batch, 0);
  copy_elements((size_t)at->size, at->l, sums, 2 * at->size, r->largest, at->size);
  copy_elements((size_t)at->size, at->l, sums + at->size, 2 * at->size, r->sum, at->size);
  at->k->attention->row_dots(at->l, at->ev, dy.data, dy.row, y.data, y.row, r->dots);
}

static void backward_tile(const Attention *at, const Tile *t, const Room *r)
{
  const int64_t query = t->first * at->size;
  const Rows q = scale_queries(at, t, r), dy = rows_of(at, &at->dy, t->batch, t->first);
  const Rows scores = {r->scores, score_row(at)}, dscores = {r->dscores, score_row(at)};
  multiply_scores(at, t, at->e, q, (Rows){r->key, at->turned_row}, scores);
  multiply_scores(at, t, at->ev, dy, (Rows){r->v, at->turned_row}, dscores);
  ScoreBlock b = score_block(at, t, r->scores);
  at->k->attention->weigh_backward(&b, r->largest + query, r->sum + query, r->dots + query, r->dscores);
  multiply_keys(at, t, at->ev, scores, dy, rows_of(at, &at->dv, t->batch, t->from));
  multiply_queries(at, t, at->e, dscores, rows_of(at, &at->key, t->batch, t->from), t->from > 0,
                   rows_of(at, &at->dq, t->batch, t->first));
  multiply_keys(at, t, at->e, dscores, q, rows_of(at, &at->dk, t->batch, t->from));
}

static void backward_batch(const Attention *at, int64_t batch, const Room *r)
{
  look_at_queries(at, batch, r);
  for (int64_t from = 0; from < at->s; from += at->keys) {
    int64_t n = min_i64(at->s - from, at->keys);
    turn(at, &at->key, batch, from, n, at->e, r->key);
    turn(at, &at->v, batch, from, n, at->ev, r->v);
    for (int64_t i = 0; i < at->tiles; i++) {
      Tile t = tile_of(at, batch, i, r);
      if (from >= seen_by_tile(at, &t)) continue;
      take_keys(at, &t, from);
      backward_tile(at, &t, r);
    }
  }
  const Rows dq = rows_of(at, &at->dq, batch, 0);
  at->k->attention->scale_rows(at->l, at->e, at->scale, dq.data, dq.row, dq.data, dq.row);
}

static void backward_groups(const Launch *l, int64_t begin, int64_t end)
{
  Attention with = with_blocks(l);
  const Attention *at = &with;
  with.y = block_of(at, l->x[5]);
  with.sums = block_of(at, l->x[6]);
  with.dy = block_of(at, l->x[7]);
  with.dq = block_of(at, l->y[0]);
  with.dk = block_of(at, l->y[1]);
  with.dv = block_of(at, l->y[2]);
  char *piece = scratch_take(at->scratch);
  Room r;
  lay_out(at, true, piece, &r);
  for (int64_t i = begin * at->per_group; i < end * at->per_group && i < at->items; i++) backward_batch(at, i, &r);
  scratch_give(at->scratch, piece);
}

void launch_attention_backward(Call *call, const AttentionOperands *a, Tensor *y, Tensor *sums, Tensor *dy, Tensor *dq,
                               Tensor *dk, Tensor *dv)
{
  static const Driver driver = {.run = backward_groups,
                                .results = {LAST_DENSE, LAST_DENSE | UPDATED, LAST_DENSE | UPDATED},
                                .operands = {LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE | MOVED,
                                             LAST_DENSE, LAST_DENSE, LAST_DENSE}};
  Scratch scratch;
  launch_fill(call, dk, scalar_int(0));
  launch_fill(call, dv, scalar_int(0));
  if (dq->device == DEVICE_META) return;
  Attention at = attention_of(a, dq);
  if (at.s == 0 || at.ev == 0) launch_fill(call, dq, scalar_int(0));
  if (at.l == 0 || at.s == 0 || at.ev == 0 || batches_of(&at) == 0) return;
  at.turned_row = at.keys + APART;
  plan_groups(call, &at, batches_of(&at), true, &scratch);
  launch(call, &driver, tensor_dtype(a->q), TENSOR_LIST(dq, dk, dv),
         TENSOR_LIST(a->q, a->k, a->v, a->mask, a->kept, y, sums, dy), work_of(&at), &at);
}
