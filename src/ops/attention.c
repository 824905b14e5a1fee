/*
 * Attention. Scores are made for a tile of queries at a time and never kept: the backward makes them again, from the
 * queries and keys. All heads run straight from where they lie, with their strides.
 */
#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"

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
  int64_t size;                     /* bytes of an element */
  int64_t l, s, e, ev;              /* queries, keys, and the widths of both and of values */
  int64_t rows, tiles;
  int64_t items, per_group, groups; /* an item: a batch's tile in the forward, a batch in the backward */
  int nbatch;
  int64_t batch[MAX_DIMS];
  bool causal;
  double scale;
  Block q, key, v, mask, factors, y, dy, dq, dk, dv;
  char *scratch;
  int64_t slot;                     /* bytes for each group */
} Attention;

/* ------------------------------------------------------------------- shapes */

static void check_sizes(Call *call, const Tensor *q, const Tensor *k, const Tensor *v)
{
  const Tensor *all[] = {q, k, v};
  const char *const names[] = {"query", "key", "value"};
  for (int i = 0; i < 3; i++) {
    if (all[i]->ndim < 2)
      raise(call, "%s has shape %s; at least [length, width] is wanted", names[i],
            shape_text(call, tensor_shape(all[i])));
    if (!dtype_is_floating(tensor_dtype(all[i])) || all[i]->dtype != q->dtype)
      raise(call, "%s is %s and query %s; floating point tensors of one dtype are wanted", names[i],
            dtype_name(tensor_dtype(all[i])), dtype_name(tensor_dtype(q)));
  }
  if (q->shape[q->ndim - 1] != k->shape[k->ndim - 1])
    raise(call, "query of shape %s and key of shape %s differ in width", shape_text(call, tensor_shape(q)),
          shape_text(call, tensor_shape(k)));
  if (k->shape[k->ndim - 2] != v->shape[v->ndim - 2])
    raise(call, "key of shape %s and value of shape %s differ in length", shape_text(call, tensor_shape(k)),
          shape_text(call, tensor_shape(v)));
}

/* Broadcasts the batches of t, all but its last two dimensions, into shape. */
static int add_batch(Call *call, int64_t *shape, int n, const Tensor *t, const char *name)
{
  if (t->ndim <= 2) return n;
  int wider = shape_broadcast(shape, n, (Ints){t->shape, t->ndim - 2});
  if (wider < 0)
    raise(call, "%s of shape %s doesn't broadcast to the batch of the others, %s", name,
          shape_text(call, tensor_shape(t)), shape_text(call, (Ints){shape, n}));
  return wider;
}

static Attention attention_of(Call *call, const struct attention_args *a)
{
  const Tensor *q = a->query, *k = a->key, *v = a->value;
  Attention at = {.dtype = kernel_dtype(tensor_dtype(q)), .l = q->shape[q->ndim - 2], .s = k->shape[k->ndim - 2],
                  .e = q->shape[q->ndim - 1], .ev = v->shape[v->ndim - 1], .causal = a->causal, .scale = a->scale};
  at.k = kernels_of(at.dtype);
  at.size = (int64_t)dtype_size(at.dtype);
  at.nbatch = add_batch(call, at.batch, 0, q, "query");
  at.nbatch = add_batch(call, at.batch, at.nbatch, k, "key");
  at.nbatch = add_batch(call, at.batch, at.nbatch, v, "value");
  if (a->mask) at.nbatch = add_batch(call, at.batch, at.nbatch, a->mask, "attn_mask");
  at.rows = ATTENTION_TILE / (at.s ? at.s : 1);
  if (at.rows > (at.causal ? ATTENTION_CAUSAL_ROWS : ATTENTION_MOST_ROWS)) at.rows = at.causal ? ATTENTION_CAUSAL_ROWS : ATTENTION_MOST_ROWS;
  if (at.rows < ATTENTION_LEAST_ROWS) at.rows = ATTENTION_LEAST_ROWS;
  if (at.rows > at.l) at.rows = at.l;
  at.tiles = at.rows ? (at.l + at.rows - 1) / at.rows : 0;
  return at;
}

static Ints full_shape(Call *call, const Attention *at, int64_t rows, int64_t cols)
{
  int64_t shape[MAX_DIMS + 2];
  memcpy(shape, at->batch, (size_t)at->nbatch * sizeof *shape);
  shape[at->nbatch] = rows;
  shape[at->nbatch + 1] = cols;
  return arena_ints(call->ctx, shape, at->nbatch + 2);
}

/* Strides of a shape, with heads within rows if they lie so in `like`: what follows joins them again, without a copy. */
static Ints strides_like(Call *call, const Tensor *like, Ints shape)
{
  int64_t strides[MAX_DIMS + 2], n = shape.n;
  shape_contiguous_strides(shape, strides);
  int d = like->ndim;
  if (n >= 3 && d >= 3 && like->shape[d - 3] > 1 && like->strides[d - 3] < like->strides[d - 2]) {
    strides[n - 3] = shape.v[n - 1];
    strides[n - 2] = shape.v[n - 3] * shape.v[n - 1];
  }
  return arena_ints(call->ctx, strides, n);
}

static int64_t batches_of(const Attention *at)
{
  int64_t n = 1;
  for (int i = 0; i < at->nbatch; i++) n *= at->batch[i];
  return n;
}

/* ------------------------------------------------------------------- blocks */

static Block block_of(Call *call, const Attention *at, Tensor *t)
{
  if (!t) return (Block){0};
  int d = t->ndim;
  if (t->dtype != (uint8_t)at->dtype || (t->strides[d - 1] != 1 && t->shape[d - 1] > 1))
    t = contiguous_as(call, t, at->dtype);
  Block b = {.data = tensor_data(t), .row = t->shape[d - 2] == 1 ? 0 : t->strides[d - 2],
             .col = t->shape[d - 1] == 1 ? 0 : 1};
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
  const char *key, *v;         /* of the batch, turned: [width, length] */
  char *q, *scores, *weights;  /* queries times the scale; n elements a row */
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

static Part part_of(const Attention *at, int64_t batch, int64_t tile, char *scratch)
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
    if (dw) at->k->softmax_backward(p->rows, p->n, 1, false, dw, x, y);
    else at->k->softmax(p->rows, p->n, 1, false, x, y);
    return;
  }
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t n = seen_by(at, p, i), from = i * p->n * at->size;
    if (dw) at->k->softmax_backward(1, n, 1, false, dw + from, x + from, y + from);
    else at->k->softmax(1, n, 1, false, x + from, y + from);
    memset(y + from + n * at->size, 0, (size_t)((p->n - n) * at->size));
  }
}

/* The weights of a part, before dropout. */
static void weigh(const Attention *at, const Part *p)
{
  const KernelTable *k = at->k;
  k->scale_rows(p->rows, at->e, at->scale, matrix_at(at, &at->q, p->batch, p->first), at->q.row, p->q, at->e);
  if (at->e) k->matmul(p->rows, p->n, at->e, p->q, at->e, 1, p->key, turned_row(at), 1, false, p->scores, p->n);
  else memset(p->scores, 0, (size_t)(p->rows * p->n * at->size));
  if (at->mask.data)
    k->add_rows(p->rows, p->n, matrix_at(at, &at->mask, p->batch, p->first), at->mask.row, at->mask.col, p->scores, p->n);
  softmax_rows(at, p, NULL, p->scores, p->weights);
}

/* to = x times the factors of dropout. */
static void drop(const Attention *at, const Part *p, const char *x, char *to)
{
  at->k->multiply_rows(p->rows, p->n, x, p->n, matrix_at(at, &at->factors, p->batch, p->first), at->factors.row, to, p->n);
}

static void run_groups(Call *call, Attention *at, int64_t items, int64_t matrices, ParallelBody body)
{
  at->items = items;
  at->groups = items < ATTENTION_GROUPS ? items : ATTENTION_GROUPS;
  at->per_group = (items + at->groups - 1) / at->groups;
  int64_t lines = at->e + (at->dv.data ? at->ev : 0);
  at->slot = (at->rows * at->e + matrices * at->rows * at->s + lines * turned_row(at)) * at->size;
  int64_t scratch = 0;
  if (__builtin_mul_overflow(at->groups, at->slot / at->size, &scratch)) raise(call, "query and key are too long");
  at->scratch = tensor_data(tensor_new(call, at->dtype, DEVICE_CPU, INTS(scratch)));
  if (batches_of(at) * at->l * at->s * at->e <= ATTENTION_SMALL) body(at, 0, at->groups);
  else parallel_for(at->groups, 1, body, at);
}

/* ------------------------------------------------------------------ forward */

static void forward_part(const Attention *at, const Part *p)
{
  weigh(at, p);
  if (at->factors.data) drop(at, p, p->weights, p->weights);
  at->k->matmul(p->rows, at->ev, p->n, p->weights, p->n, 1, matrix_at(at, &at->v, p->batch, 0), at->v.row, 1, false,
                matrix_at(at, &at->y, p->batch, p->first), at->y.row);
}

static void forward_groups(void *arg, int64_t begin, int64_t end)
{
  const Attention *at = arg;
  for (int64_t g = begin; g < end; g++) {
    char *scratch = at->scratch + g * at->slot;
    int64_t first = g * at->per_group;
    for (int64_t i = first; i < first + at->per_group && i < at->items; i++) {
      if (i == first || i % at->tiles == 0) turn(at, i / at->tiles, scratch);
      Part p = part_of(at, i / at->tiles, i % at->tiles, scratch);
      forward_part(at, &p);
    }
  }
}

FORWARD(attention)
{
  check_sizes(call, a->query, a->key, a->value);
  Attention at = attention_of(call, a);
  Ints shape = full_shape(call, &at, at.l, at.ev);
  y[0] = result_strided(call, tensor_dtype(a->query), device_of(a->query), shape, strides_like(call, a->query, shape));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  if (at.s == 0) {
    launch_fill(call, y[0], scalar_int(0));
    return;
  }
  Tensor *to = y[0]->dtype == (uint8_t)at.dtype ? y[0] : tensor_new(call, at.dtype, DEVICE_CPU, shape);
  at.q = block_of(call, &at, a->query);
  at.key = block_of(call, &at, a->key);
  at.v = block_of(call, &at, a->value);
  at.mask = block_of(call, &at, a->mask);
  at.factors = block_of(call, &at, a->factors);
  at.y = block_of(call, &at, to);
  run_groups(call, &at, batches_of(&at) * at.tiles, 2, forward_groups);
  if (to != y[0]) launch_copy(call, y[0], to);
}

/* ----------------------------------------------------------------- backward */

static void backward_part(const Attention *at, const Part *p, char *dscores)
{
  const KernelTable *k = at->k;
  const char *dy = matrix_at(at, &at->dy, p->batch, p->first), *key = matrix_at(at, &at->key, p->batch, 0);
  char *dq = matrix_at(at, &at->dq, p->batch, p->first), *dropped = p->weights;
  weigh(at, p);
  if (at->factors.data) drop(at, p, p->weights, dropped = p->scores);
  k->matmul(p->n, at->ev, p->rows, dropped, 1, p->n, dy, at->dy.row, 1, true, matrix_at(at, &at->dv, p->batch, 0),
            at->dv.row);
  k->matmul(p->rows, p->n, at->ev, dy, at->dy.row, 1, p->v, turned_row(at), 1, false, p->scores, p->n);
  if (at->factors.data) drop(at, p, p->scores, p->scores);
  softmax_rows(at, p, p->scores, p->weights, dscores);
  k->matmul(p->rows, at->e, p->n, dscores, p->n, 1, key, at->key.row, 1, false, dq, at->dq.row);
  k->scale_rows(p->rows, at->e, at->scale, dq, at->dq.row, dq, at->dq.row);
  k->matmul(p->n, at->e, p->rows, dscores, 1, p->n, p->q, at->e, 1, true, matrix_at(at, &at->dk, p->batch, 0), at->dk.row);
}

static void backward_groups(void *arg, int64_t begin, int64_t end)
{
  const Attention *at = arg;
  for (int64_t g = begin; g < end; g++) {
    char *scratch = at->scratch + g * at->slot;
    for (int64_t i = g * at->per_group; i < (g + 1) * at->per_group && i < at->items; i++) {
      turn(at, i, scratch);
      for (int64_t tile = 0; tile < at->tiles; tile++) {
        Part p = part_of(at, i, tile, scratch);
        backward_part(at, &p, p.weights + at->rows * at->s * at->size);
      }
    }
  }
}

/* A tensor for a gradient of all batches, laid out as its input. */
static Tensor *gradient_like(Call *call, const Attention *at, const Tensor *x, int64_t rows, int64_t cols)
{
  Ints shape = full_shape(call, at, rows, cols);
  return tensor_new_strided(call, at->dtype, device_of(x), shape, strides_like(call, x, shape));
}

static Tensor *summed_to(Call *call, Tensor *dx, const Tensor *x)
{
  return op(sum_to, dx, tensor_shape(x), tensor_dtype(x));
}

/* The gradients through matrices of all scores and ops: for gradients of them, and of the mask. */
static void composed_backward(Call *call, const struct attention_args *a, Tensor *dy, struct Gradients *g)
{
  Tensor *scores = op(matmul, op(mul, a->query, number(a->scale)), op(transpose, a->key, -2, -1));
  Tensor *mask = a->mask;
  if (a->causal) {
    Ints size = INTS(scores->shape[scores->ndim - 2], scores->shape[scores->ndim - 1]);
    Tensor *row = op(arange, scalar_int(size.v[0]), DTYPE_i64, device_of(dy), false);
    Tensor *column = op(arange, scalar_int(size.v[1]), DTYPE_i64, device_of(dy), false);
    scores = op(masked_fill, scores, op(gt, column, op(unsqueeze, row, 1)), number(-(double)INFINITY));
  }
  if (mask) scores = op(add, scores, mask, scalar_int(1));
  Tensor *weights = op(softmax, scores, -1, DTYPE_NONE);
  Tensor *dropped = a->factors ? op(mul, weights, a->factors) : weights;
  if (WANTS(value)) GRAD(value) = summed_to(call, op(matmul, op(transpose, dropped, -2, -1), dy), a->value);
  Tensor *d = op(matmul, dy, op(transpose, a->value, -2, -1));
  if (a->factors) d = op(mul, d, a->factors);
  Tensor *centre = op(sum, op(mul, d, weights), INTS(-1), true, DTYPE_NONE);
  d = op(mul, op(sub, d, centre, scalar_int(1)), weights);
  if (mask && WANTS(mask)) GRAD(mask) = summed_to(call, d, mask);
  d = op(mul, d, number(a->scale));
  if (WANTS(query)) GRAD(query) = summed_to(call, op(matmul, d, a->key), a->query);
  if (WANTS(key)) GRAD(key) = summed_to(call, op(matmul, op(transpose, d, -2, -1), a->query), a->key);
}

BACKWARD(attention)
{
  if (call->ctx->grad_enabled || (a->mask && WANTS(mask))) {
    composed_backward(call, a, dy[0], g);
    return;
  }
  Attention at = attention_of(call, a);
  Tensor *dq = gradient_like(call, &at, a->query, at.l, at.e), *dk = gradient_like(call, &at, a->key, at.s, at.e);
  Tensor *dv = gradient_like(call, &at, a->value, at.s, at.ev);
  bool runs = dq->device != DEVICE_META && at.l > 0 && at.s > 0 && batches_of(&at) > 0;
  launch_fill(call, dk, scalar_int(0));
  launch_fill(call, dv, scalar_int(0));
  if (!runs) launch_fill(call, dq, scalar_int(0));
  if (runs) {
    at.q = block_of(call, &at, a->query);
    at.key = block_of(call, &at, a->key);
    at.v = block_of(call, &at, a->value);
    at.mask = block_of(call, &at, a->mask);
    at.factors = block_of(call, &at, a->factors);
    at.dy = block_of(call, &at, dy[0]);
    at.dq = block_of(call, &at, dq);
    at.dk = block_of(call, &at, dk);
    at.dv = block_of(call, &at, dv);
    run_groups(call, &at, batches_of(&at), 3, backward_groups);
  }
  if (WANTS(query)) GRAD(query) = summed_to(call, dq, a->query);
  if (WANTS(key)) GRAD(key) = summed_to(call, dk, a->key);
  if (WANTS(value)) GRAD(value) = summed_to(call, dv, a->value);
}

/* -------------------------------------------------------------- what is public */

/* The mask as what is added to scores: nothing where a mask of bool says that a key takes part. */
static Tensor *added_mask(Call *call, Tensor *mask, const Tensor *q, const Tensor *k)
{
  int64_t l = q->shape[q->ndim - 2], s = k->shape[k->ndim - 2], size[2] = {l, s};
  if (mask->dtype == DTYPE_b8)
    mask = op(where, mask, tensor_from_number(call, scalar_int(0)),
              op(full, ((Ints){NULL, 0}), scalar_float(-(double)INFINITY), tensor_dtype(q), device_of(q), false));
  else if (mask->dtype != q->dtype)
    raise(call, "attn_mask is %s and query %s: it must be bool or of query's dtype", dtype_name(tensor_dtype(mask)),
          dtype_name(tensor_dtype(q)));
  if (!shape_expands((Ints){mask->shape + (mask->ndim > 2 ? mask->ndim - 2 : 0), mask->ndim > 2 ? 2 : mask->ndim},
                     (Ints){size, 2}))
    raise(call, "attn_mask of shape %s doesn't broadcast to the scores' %s", shape_text(call, tensor_shape(mask)),
          shape_text(call, (Ints){size, 2}));
  while (mask->ndim < 2) mask = op(unsqueeze, mask, 0);
  return mask;
}

/* Heads of keys or values, each repeated for the queries' heads that share it. */
static Tensor *repeated_heads(Call *call, Tensor *t, const Tensor *q, const char *name)
{
  int n = t->ndim, d = q->ndim;
  int64_t heads = n >= 3 ? t->shape[n - 3] : 1, wanted = d >= 3 ? q->shape[d - 3] : 1;
  if (n < 3 || d < 3 || heads == 0 || wanted % heads != 0)
    raise(call, "enable_gqa: the heads of query, of shape %s, are no multiple of those of %s, of shape %s",
          shape_text(call, tensor_shape(q)), name, shape_text(call, tensor_shape(t)));
  if (heads == wanted) return t;
  int64_t shape[MAX_DIMS + 1];
  memcpy(shape, t->shape, (size_t)(n - 2) * sizeof *shape);
  shape[n - 2] = wanted / heads;
  memcpy(shape + n - 1, t->shape + n - 2, 2 * sizeof *shape);
  Tensor *wide = op(expand, op(unsqueeze, t, n - 2), arena_ints(call->ctx, shape, n + 1));
  memcpy(shape, t->shape, (size_t)n * sizeof *shape);
  shape[n - 3] = wanted;
  return op(reshape, wide, arena_ints(call->ctx, shape, n));
}

FORWARD(scaled_dot_product_attention)
{
  Tensor *q = a->query, *k = a->key, *v = a->value, *mask = a->attn_mask, *factors = NULL;
  check_sizes(call, q, k, v);
  if (!(a->dropout_p >= 0 && a->dropout_p <= 1))
    raise(call, "dropout_p lies between 0 and 1, not %g", a->dropout_p);
  if (mask && a->is_causal) raise(call, "give an attn_mask or is_causal, not both");
  if (a->enable_gqa) {
    k = repeated_heads(call, k, q, "key");
    v = repeated_heads(call, v, q, "value");
  }
  double scale = a->scale.kind == SCALAR_NONE ? 1 / sqrt((double)q->shape[q->ndim - 1]) : scalar_real(a->scale);
  if (mask) mask = added_mask(call, mask, q, k);
  if (a->dropout_p > 0) {
    struct attention_args args = {q, k, v, mask, NULL, a->is_causal, scale};
    Attention at = attention_of(call, &args);
    Tensor *ones = op(ones, full_shape(call, &at, at.l, at.s), tensor_dtype(q), device_of(q), false);
    factors = op(functional_dropout, ones, a->dropout_p, true, false);
  }
  y[0] = op(attention, q, k, v, mask, factors, a->is_causal, scale);
}
