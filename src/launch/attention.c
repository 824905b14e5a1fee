/*
 * Attention. Scores are made for a tile of queries at a time and never kept: the backward makes them again, from the
 * queries and keys. All heads run straight from where they lie, with their strides.
 */
#include "launch/attention.h"

#include <string.h>

#include "core/blocks.h"
#include "kernels/attention.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "kernels/softmax.h"
#include "launch/copy.h"
#include "launch/launch.h"

/* What lines of turned keys have behind them, so that they are no power of two apart. */
enum { APART = 16 };

/* Matrices, one for each batch. Steps are in elements. */
typedef struct Block {
  char *data;
  int64_t row, col;
  int64_t step[MAX_DIMS];
} Block;

typedef struct Attention {
  const KernelTable *k;
  DType dtype;
  int64_t size;        /* bytes of an element */
  int64_t l, s, e, ev; /* queries, keys, and the widths of both and of values */
  int64_t rows, tiles;
  int64_t items, per_group, groups; /* an item: a batch's tile in the forward, a batch in the backward */
  int nbatch;
  int64_t batch[MAX_DIMS];
  bool causal;
  double scale;
  Block q, key, v, mask, factors, y, dy, dq, dk, dv;
  const Tensor *like; /* whose device scratch memory is on */
  char *scratch;
  int64_t slot; /* bytes for each group */
} Attention;

/* y, or dq: all batches of a result as long as the queries. */
static Attention attention_of(const Tensor *q, const Tensor *k, const Tensor *v, bool causal, double scale,
                              const Tensor *y)
{
  Attention at = {.dtype = dtype_compute(tensor_dtype(q)),
                  .l = q->shape[q->ndim - 2],
                  .s = k->shape[k->ndim - 2],
                  .e = q->shape[q->ndim - 1],
                  .ev = v->shape[v->ndim - 1],
                  .nbatch = y->ndim - 2,
                  .causal = causal,
                  .scale = scale,
                  .like = y};
  at.size = (int64_t)dtype_size(at.dtype);
  memcpy(at.batch, y->shape, (size_t)at.nbatch * sizeof *at.batch);
  at.rows = ATTENTION_TILE / (at.s ? at.s : 1);
  if (at.rows > (at.causal ? ATTENTION_CAUSAL_ROWS : ATTENTION_MOST_ROWS))
    at.rows = at.causal ? ATTENTION_CAUSAL_ROWS : ATTENTION_MOST_ROWS;
  if (at.rows < ATTENTION_LEAST_ROWS) at.rows = ATTENTION_LEAST_ROWS;
  if (at.rows > at.l) at.rows = at.l;
  at.tiles = at.rows ? (at.l + at.rows - 1) / at.rows : 0;
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

/* The matrix of one batch, from a row on. */
static char *matrix_at(const Attention *at, const Block *b, int64_t batch, int64_t row)
{
  int64_t offset = row * b->row;
  for (int i = at->nbatch - 1; i >= 0; i--) {
    offset += batch % at->batch[i] * b->step[i];
    batch /= at->batch[i];
  }
  return b->data + offset * at->size;
}

/* Rows of queries of one batch against the keys that they see. */
typedef struct Part {
  int64_t batch, first, rows, n;
  const char *key, *v;        /* of the batch, turned: [width, length] */
  char *q, *scores, *weights; /* queries times the scale; n elements a row */
} Part;

/* Elements from one line of turned keys to the next. */
static int64_t turned_row(const Attention *at) { return at->s + APART; }

/* Keys and, for the backward, values of a batch, turned to the front of a group's memory: once for all its tiles. */
static void turn(const Attention *at, int64_t batch, char *scratch)
{
  int64_t to_row = turned_row(at) * at->size;
  transpose_elements((size_t)at->size, at->s, at->e, matrix_at(at, &at->key, batch, 0), at->key.row * at->size, scratch,
                     to_row);
  if (at->dv.data)
    transpose_elements((size_t)at->size, at->s, at->ev, matrix_at(at, &at->v, batch, 0), at->v.row * at->size,
                       scratch + at->e * to_row, to_row);
}

static Part part_of_tile(const Attention *at, int64_t batch, int64_t tile, char *scratch)
{
  Part p = {.batch = batch, .first = tile * at->rows, .key = scratch};
  p.v = p.key + at->e * turned_row(at) * at->size;
  scratch = (char *)p.v + (at->dv.data ? at->ev * turned_row(at) * at->size : 0);
  p.rows = at->l - p.first < at->rows ? at->l - p.first : at->rows;
  p.n = at->causal && p.first + p.rows < at->s ? p.first + p.rows : at->s;
  p.q = scratch;
  p.scores = p.q + at->rows * at->e * at->size;
  p.weights = p.scores + at->rows * at->s * at->size;
  return p;
}

/* How many keys row i of a part sees. */
static int64_t seen_by(const Attention *at, const Part *p, int64_t i)
{
  return at->causal && p->first + i + 1 < p->n ? p->first + i + 1 : p->n;
}

/* What comes of one row's softmax, its weights and, with dw, its gradient; 0 for the keys that it doesn't see. */
static void softmax_rows(const Attention *at, const Part *p, const char *dw, const char *x, char *y)
{
  if (!at->causal) {
    if (dw) at->k->softmax->backward(p->rows, p->n, 1, false, dw, x, y);
    else at->k->softmax->forward(p->rows, p->n, 1, false, x, y);
    return;
  }
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t n = seen_by(at, p, i), from = i * p->n * at->size;
    if (dw) at->k->softmax->backward(1, n, 1, false, dw + from, x + from, y + from);
    else at->k->softmax->forward(1, n, 1, false, x + from, y + from);
    memset(y + from + n * at->size, 0, (size_t)((p->n - n) * at->size));
  }
}

/* The weights of a part, before dropout. */
static void weigh(const Attention *at, const Part *p)
{
  const KernelTable *k = at->k;
  k->attention->scale_rows(p->rows, at->e, at->scale, matrix_at(at, &at->q, p->batch, p->first), at->q.row, p->q,
                           at->e);
  if (at->e)
    k->matmul->product(p->rows, p->n, at->e, p->q, at->e, 1, p->key, turned_row(at), 1, false, p->scores, p->n);
  else memset(p->scores, 0, (size_t)(p->rows * p->n * at->size));
  if (at->mask.data)
    k->attention->add_rows(p->rows, p->n, matrix_at(at, &at->mask, p->batch, p->first), at->mask.row, at->mask.col,
                           p->scores, p->n);
  softmax_rows(at, p, NULL, p->scores, p->weights);
  if (at->mask.data) k->attention->clear_hidden_rows(p->rows, p->n, p->scores, p->weights);
}

/* to = x times the factors of dropout. */
static void drop_weights(const Attention *at, const Part *p, const char *x, char *to)
{
  at->k->attention->multiply_rows(p->rows, p->n, x, p->n, matrix_at(at, &at->factors, p->batch, p->first),
                                  at->factors.row, to, p->n);
}

/* The groups, and memory for each: some matrices of scores beside the queries and the turned keys and values. */
static void plan_groups(Call *call, Attention *at, int64_t items, int64_t matrices, bool with_values)
{
  at->items = items;
  at->groups = items < ATTENTION_GROUPS ? items : ATTENTION_GROUPS;
  at->per_group = (items + at->groups - 1) / at->groups;
  int64_t lines = at->e + (with_values ? at->ev : 0), scratch = 0;
  at->slot = (at->rows * at->e + matrices * at->rows * at->s + lines * turned_row(at)) * at->size;
  if (__builtin_mul_overflow(at->groups, at->slot / at->size, &scratch)) raise(call, "query and key are too long");
  at->scratch = tensor_data(new_beside(call, at->like, at->dtype, INTS(scratch)));
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
  at.factors = block_of(&at, l->x[4]);
  return at;
}

/* ------------------------------------------------------------------ forward */

static void forward_part(const Attention *at, const Part *p)
{
  weigh(at, p);
  if (at->factors.data) drop_weights(at, p, p->weights, p->weights);
  at->k->matmul->product(p->rows, at->ev, p->n, p->weights, p->n, 1, matrix_at(at, &at->v, p->batch, 0), at->v.row, 1,
                         false, matrix_at(at, &at->y, p->batch, p->first), at->y.row);
}

static void forward_groups(const Launch *l, int64_t begin, int64_t end)
{
  Attention with = with_blocks(l);
  const Attention *at = &with;
  with.y = block_of(at, l->y[0]);
  for (int64_t g = begin; g < end; g++) {
    char *scratch = at->scratch + g * at->slot;
    int64_t first = g * at->per_group;
    for (int64_t i = first; i < first + at->per_group && i < at->items; i++) {
      if (i == first || i % at->tiles == 0) turn(at, i / at->tiles, scratch);
      Part p = part_of_tile(at, i / at->tiles, i % at->tiles, scratch);
      forward_part(at, &p);
    }
  }
}

void launch_attention(Call *call, Tensor *q, Tensor *k, Tensor *v, Tensor *mask, Tensor *factors, bool causal,
                      double scale, Tensor *y)
{
  static const Driver driver = {.run = forward_groups,
                                .results = {LAST_DENSE},
                                .operands = {LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE}};
  if (!launch_runs(y)) return;
  Attention at = attention_of(q, k, v, causal, scale, y);
  plan_groups(call, &at, batches_of(&at) * at.tiles, 2, false);
  launch(call, &driver, tensor_dtype(q), TENSOR_LIST(y), TENSOR_LIST(q, k, v, mask, factors), work_of(&at), &at);
}

/* ----------------------------------------------------------------- backward */

static void backward_part(const Attention *at, const Part *p, char *dscores)
{
  const KernelTable *k = at->k;
  const char *dy = matrix_at(at, &at->dy, p->batch, p->first), *key = matrix_at(at, &at->key, p->batch, 0);
  char *dq = matrix_at(at, &at->dq, p->batch, p->first), *dropped = p->weights;
  weigh(at, p);
  if (at->factors.data) drop_weights(at, p, p->weights, dropped = p->scores);
  k->matmul->product(p->n, at->ev, p->rows, dropped, 1, p->n, dy, at->dy.row, 1, true,
                     matrix_at(at, &at->dv, p->batch, 0), at->dv.row);
  k->matmul->product(p->rows, p->n, at->ev, dy, at->dy.row, 1, p->v, turned_row(at), 1, false, p->scores, p->n);
  if (at->factors.data) drop_weights(at, p, p->scores, p->scores);
  softmax_rows(at, p, p->scores, p->weights, dscores);
  k->matmul->product(p->rows, at->e, p->n, dscores, p->n, 1, key, at->key.row, 1, false, dq, at->dq.row);
  k->attention->scale_rows(p->rows, at->e, at->scale, dq, at->dq.row, dq, at->dq.row);
  k->matmul->product(p->n, at->e, p->rows, dscores, 1, p->n, p->q, at->e, 1, true, matrix_at(at, &at->dk, p->batch, 0),
                     at->dk.row);
}

static void backward_groups(const Launch *l, int64_t begin, int64_t end)
{
  Attention with = with_blocks(l);
  const Attention *at = &with;
  with.dy = block_of(at, l->x[5]);
  with.dq = block_of(at, l->y[0]);
  with.dk = block_of(at, l->y[1]);
  with.dv = block_of(at, l->y[2]);
  for (int64_t g = begin; g < end; g++) {
    char *scratch = at->scratch + g * at->slot;
    for (int64_t i = g * at->per_group; i < (g + 1) * at->per_group && i < at->items; i++) {
      turn(at, i, scratch);
      for (int64_t tile = 0; tile < at->tiles; tile++) {
        Part p = part_of_tile(at, i, tile, scratch);
        backward_part(at, &p, p.weights + at->rows * at->s * at->size);
      }
    }
  }
}

void launch_attention_backward(Call *call, Tensor *q, Tensor *k, Tensor *v, Tensor *mask, Tensor *factors, bool causal,
                               double scale, Tensor *dy, Tensor *dq, Tensor *dk, Tensor *dv)
{
  static const Driver driver = {.run = backward_groups,
                                .results = {LAST_DENSE, LAST_DENSE | UPDATED, LAST_DENSE | UPDATED},
                                .operands = {LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE, LAST_DENSE}};
  launch_fill(call, dk, scalar_int(0));
  launch_fill(call, dv, scalar_int(0));
  if (k->shape[k->ndim - 2] == 0) launch_fill(call, dq, scalar_int(0));
  if (dq->device == DEVICE_META) return;
  Attention at = attention_of(q, k, v, causal, scale, dq);
  if (at.l == 0 || at.s == 0 || batches_of(&at) == 0) return;
  plan_groups(call, &at, batches_of(&at), 3, true);
  launch(call, &driver, tensor_dtype(q), TENSOR_LIST(dq, dk, dv), TENSOR_LIST(q, k, v, mask, factors, dy), work_of(&at),
         &at);
}
