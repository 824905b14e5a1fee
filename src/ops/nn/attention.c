/* Attention: softmax(scale q k^T + mask) v, and its gradients. */
#include "ops/nn/attention.h"

#include <math.h>
#include <string.h>

#include "launch/nn/attention.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/nn/softmax.h"
#include "ops/random/random.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

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

/* The batches of all together, and the lengths and widths. */
typedef struct Sizes {
  int64_t l, s, e, ev; /* queries, keys, and the widths of both and of values */
  int nbatch;
  int64_t batch[MAX_DIMS];
} Sizes;

static Sizes sizes_of(Call *call, const struct attention_args *a)
{
  const Tensor *q = a->query, *k = a->key, *v = a->value;
  Sizes z = {
    .l = q->shape[q->ndim - 2], .s = k->shape[k->ndim - 2], .e = q->shape[q->ndim - 1], .ev = v->shape[v->ndim - 1]};
  z.nbatch = add_batch(call, z.batch, 0, q, "query");
  z.nbatch = add_batch(call, z.batch, z.nbatch, k, "key");
  z.nbatch = add_batch(call, z.batch, z.nbatch, v, "value");
  if (a->mask) z.nbatch = add_batch(call, z.batch, z.nbatch, a->mask, "attn_mask");
  return z;
}

static Ints full_shape(Call *call, const Sizes *z, int64_t rows, int64_t cols)
{
  int64_t shape[MAX_DIMS + 2];
  memcpy(shape, z->batch, (size_t)z->nbatch * sizeof *shape);
  shape[z->nbatch] = rows;
  shape[z->nbatch + 1] = cols;
  return arena_ints(call->ctx, shape, z->nbatch + 2);
}

/* Strides of a shape, with heads within rows if they lie so in `like`:
   what follows joins them again, without a copy. */
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

/* ------------------------------------------------------------------ forward */

static AttentionOperands operands_of(const struct attention_args *a)
{
  return (AttentionOperands){a->query, a->key, a->value, a->mask, a->kept, a->causal, a->scale, a->kept_scale};
}

FORWARD(attention)
{
  check_sizes(call, a->query, a->key, a->value);
  Sizes z = sizes_of(call, a);
  DType dtype = tensor_dtype(a->query);
  Ints shape = full_shape(call, &z, z.l, z.ev);
  if (a->ordered_as_query) y[0] = result_ordered(call, dtype, device_of(a->query), shape, &a->query, 1);
  else y[0] = result_new(call, dtype, device_of(a->query), shape);
  y[1] = new_beside(call, a->query, dtype_compute(dtype), full_shape(call, &z, z.l, 2));
  AttentionOperands operands = operands_of(a);
  if (z.s == 0) launch_fill(call, y[0], scalar_int(0));
  else launch_attention(call, &operands, y[0], y[1]);
}

/* ----------------------------------------------------------------- backward */

/* A tensor for a gradient of all batches, laid out as its input. */
static Tensor *gradient_like(Call *call, const Sizes *z, const Tensor *x, int64_t rows, int64_t cols)
{
  Ints shape = full_shape(call, z, rows, cols);
  return tensor_new_strided(call, dtype_compute(tensor_dtype(x)), device_of(x), shape, strides_like(call, x, shape));
}

/* The weights of keys for each query: none where a mask hides all keys. */
static Tensor *weights_of(Call *call, Tensor *scores, const Tensor *mask)
{
  if (!mask || scores->shape[scores->ndim - 1] == 0) return op(softmax, scores, -1, DTYPE_NONE);
  Tensor *zero = tensor_from_number(call, scalar_int(0));
  Tensor *hidden = op(isneginf, op(amax, op(detach, scores), INTS(-1), true));
  return op(masked_fill, op(softmax, op(masked_fill, scores, hidden, zero), -1, DTYPE_NONE), hidden, zero);
}

/* The gradients through matrices of all scores and ops: for gradients of them, and of the mask. */
static void composed_backward(Call *call, const struct attention_args *a, Tensor *dy, struct Gradients *g)
{
  Tensor *scores = op(matmul, op(mul, a->query, number(a->scale)), op(transpose, a->key, -2, -1));
  Tensor *mask = a->mask;
  if (a->causal) {
    Ints size = INTS(scores->shape[scores->ndim - 2], scores->shape[scores->ndim - 1]);
    Tensor *row = op(arange, scalar_int(size.v[0]), DTYPE_i64, device_behind(dy), false);
    Tensor *column = op(arange, scalar_int(size.v[1]), DTYPE_i64, device_behind(dy), false);
    scores = op(masked_fill, scores, op(gt, column, op(unsqueeze, row, 1)), number(-(double)INFINITY));
  }
  if (mask) scores = plus(scores, mask);
  Tensor *weights = weights_of(call, scores, mask);
  Tensor *factors = a->kept ? op(mul, cast(a->kept, tensor_dtype(weights)), number(a->kept_scale)) : NULL;
  Tensor *dropped = factors ? op(mul, weights, factors) : weights;
  if (WANTS(value)) GRAD(value) = summed_to(op(matmul, op(transpose, dropped, -2, -1), dy), a->value);
  Tensor *d = op(matmul, dy, op(transpose, a->value, -2, -1));
  if (factors) d = op(mul, d, factors);
  Tensor *centre = op(sum, op(mul, d, weights), INTS(-1), true, DTYPE_NONE);
  d = op(mul, minus(d, centre), weights);
  if (mask && WANTS(mask)) GRAD(mask) = summed_to(d, mask);
  d = op(mul, d, number(a->scale));
  if (WANTS(query)) GRAD(query) = summed_to(op(matmul, d, a->key), a->query);
  if (WANTS(key)) GRAD(key) = summed_to(op(matmul, op(transpose, d, -2, -1), a->query), a->key);
}

BACKWARD(attention)
{
  if (!dy[0]) return;
  if (call->ctx->grad_enabled || (a->mask && WANTS(mask))) {
    composed_backward(call, a, dy[0], g);
    return;
  }
  Sizes z = sizes_of(call, a);
  Tensor *dq = gradient_like(call, &z, a->query, z.l, z.e), *dk = gradient_like(call, &z, a->key, z.s, z.e);
  Tensor *dv = gradient_like(call, &z, a->value, z.s, z.ev);
  AttentionOperands operands = operands_of(a);
  launch_attention_backward(call, &operands, y[0], y[1], dy[0], dq, dk, dv);
  if (WANTS(query)) GRAD(query) = summed_to(dq, a->query);
  if (WANTS(key)) GRAD(key) = summed_to(dk, a->key);
  if (WANTS(value)) GRAD(value) = summed_to(dv, a->value);
}

/* -------------------------------------------------------------- what is public */

/* The mask as what is added to scores: nothing where a mask of bool says that a key takes part. */
static Tensor *added_mask(Call *call, Tensor *mask, const Tensor *q, const Tensor *k)
{
  int64_t l = q->shape[q->ndim - 2], s = k->shape[k->ndim - 2], size[2] = {l, s};
  if (mask->dtype == DTYPE_b8)
    mask = op(where, mask, tensor_from_number(call, scalar_int(0)),
              op(full, ((Ints){NULL, 0}), scalar_float(-(double)INFINITY), tensor_dtype(q), device_behind(q), false));
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

static void check_heads(Call *call, const Tensor *t, const Tensor *q, const char *name)
{
  int n = t->ndim, d = q->ndim;
  int64_t heads = n >= 3 ? t->shape[n - 3] : 1, wanted = d >= 3 ? q->shape[d - 3] : 1;
  if (n < 3 || d < 3 || heads == 0 || wanted % heads != 0)
    raise(call, "enable_gqa: the heads of query, of shape %s, are no multiple of those of %s, of shape %s",
          shape_text(call, tensor_shape(q)), name, shape_text(call, tensor_shape(t)));
}

/* A dimension more: dim -3, the heads, as [heads, rest], of a single one [1, 1]. */
static Tensor *grouped_heads(Call *call, Tensor *t, int64_t heads)
{
  int n = t->ndim;
  int64_t shape[MAX_DIMS + 1];
  memcpy(shape, t->shape, (size_t)(n - 2) * sizeof *shape);
  memcpy(shape + n - 1, t->shape + n - 2, 2 * sizeof *shape);
  shape[n - 3] = t->shape[n - 3] > 1 ? heads : 1;
  shape[n - 2] = t->shape[n - 3] / shape[n - 3];
  return op(view, t, arena_ints(call->ctx, shape, n + 1));
}

/* Heads, dim -3, each repeated for the queries' heads that share it. */
static Tensor *repeated_heads(Call *call, Tensor *t, int64_t wanted)
{
  int n = t->ndim;
  int64_t shape[MAX_DIMS + 1];
  memcpy(shape, t->shape, (size_t)n * sizeof *shape);
  Tensor *wide = grouped_heads(call, t, shape[n - 3]);
  memcpy(shape + n - 1, t->shape + n - 2, 2 * sizeof *shape);
  shape[n - 2] = wanted / shape[n - 3];
  wide = op(expand, wide, arena_ints(call->ctx, shape, n + 1));
  memcpy(shape, t->shape, (size_t)n * sizeof *shape);
  shape[n - 3] = wanted;
  return op(reshape, wide, arena_ints(call->ctx, shape, n));
}

/* Makes queries, keys, values and mask broadcast where heads of queries share those of keys. Returns the queries'
   heads, or 0 if nothing is shared. */
static int64_t share_heads(Call *call, struct attention_args *a)
{
  check_heads(call, a->key, a->query, "key");
  check_heads(call, a->value, a->query, "value");
  int64_t heads = a->query->shape[a->query->ndim - 3], shared = a->key->shape[a->key->ndim - 3];
  if (a->value->shape[a->value->ndim - 3] != shared) a->value = repeated_heads(call, a->value, heads);
  if (shared == heads) return 0;
  a->query = grouped_heads(call, a->query, shared);
  a->key = grouped_heads(call, a->key, shared);
  a->value = grouped_heads(call, a->value, shared);
  if (a->mask && a->mask->ndim > 2) a->mask = grouped_heads(call, a->mask, shared);
  return heads;
}

/* 1 for weights that dropout keeps: what dropout of the weights would draw. */
static Tensor *draw_kept(Call *call, const struct attention_args *a, double p)
{
  Sizes z = sizes_of(call, a);
  Ints shape = full_shape(call, &z, z.l, z.s);
  if (p == 1) return op(zeros, shape, DTYPE_u8, device_behind(a->query), false);
  Tensor *kept = op(empty, shape, DTYPE_u8, device_behind(a->query), false);
  return op_(bernoulli_fill, kept, 1 - p, NULL);
}

/* Whether heads, counted from the last dimension, are as many as the queries', or serve several of them each. */
static bool heads_fit(const Tensor *q, const Tensor *k, const Tensor *v)
{
  if (q->ndim < 3 || q->ndim > 4 || k->ndim != q->ndim || v->ndim != q->ndim) return false;
  int d = q->ndim - 3;
  if (d == 1 && (k->shape[0] != q->shape[0] || v->shape[0] != q->shape[0])) return false;
  return k->shape[d] == v->shape[d] && k->shape[d] > 0 && q->shape[d] % k->shape[d] == 0;
}

/*
 * Whether PyTorch's fused kernel for CPUs would run, whose result lies in memory as query does; that of its composed
 * function is contiguous (sdp_utils_cpp.cpp).
 */
static bool fused_in_pytorch(Call *call, const struct scaled_dot_product_attention_args *a)
{
  const Tensor *all[] = {a->query, a->key, a->value}, *mask = a->attn_mask;
  if (a->dropout_p > 0 || !heads_fit(a->query, a->key, a->value)) return false;
  for (int i = 0; i < 3; i++) {
    int n = all[i]->ndim;
    if (all[i]->strides[n - 1] != 1 || all[i]->shape[n - 2] == 0) return false;
    if (all[i]->shape[n - 1] != all[0]->shape[n - 1]) return false;
  }
  if (!mask) return true;
  bool trained = wants_derivative(call, mask);
  return !trained && (mask->ndim == 2 || mask->ndim == 4 || (mask->ndim == 3 && a->query->ndim == 3));
}

FORWARD(scaled_dot_product_attention)
{
  Tensor *q = a->query, *mask = a->attn_mask;
  double p = a->dropout_p;
  check_sizes(call, q, a->key, a->value);
  if (!(p >= 0 && p <= 1)) raise(call, "dropout_p lies between 0 and 1, not %g", p);
  if (mask && a->is_causal) raise(call, "give an attn_mask or is_causal, not both");
  double scale = a->scale.kind == SCALAR_NONE ? 1 / sqrt((double)q->shape[q->ndim - 1]) : scalar_real(a->scale);
  struct attention_args args = {
    q, a->key, a->value, mask, NULL, p < 1 ? 1 / (1 - p) : 0, a->is_causal, scale, fused_in_pytorch(call, a)};
  if (mask) args.mask = added_mask(call, mask, q, a->key);
  int64_t heads = a->enable_gqa ? share_heads(call, &args) : 0;
  if (p > 0) args.kept = draw_kept(call, &args, p);
  y[0] = op(attention, args.query, args.key, args.value, args.mask, args.kept, args.kept_scale, args.causal, args.scale,
            args.ordered_as_query)
           .v[0];
  if (!heads) return;
  int64_t shape[MAX_DIMS + 2];
  int n = y[0]->ndim - 1;
  memcpy(shape, y[0]->shape, (size_t)n * sizeof *shape);
  shape[n - 3] = heads;
  memcpy(shape + n - 2, y[0]->shape + n - 1, 2 * sizeof *shape);
  y[0] = op(reshape, y[0], arena_ints(call->ctx, shape, n));
}
