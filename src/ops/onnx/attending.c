/* ONNX's attention and what belongs to it. */
#include "ops/onnx/attending.h"

#include <math.h>

#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/exponential.h"
#include "ops/math/trigonometric.h"
#include "ops/nn/attention.h"
#include "ops/nn/pad.h"
#include "ops/nn/softmax.h"
#include "ops/onnx/normalizing.h"
#include "ops/onnx/picking.h"
#include "ops/onnx/words.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

typedef struct onnx_attention_args Arguments;

/* [N, L, heads * width] as [N, heads, L, width]. */
static Tensor *heads_apart(Call *call, Tensor *t, int64_t heads)
{
  if (t->ndim == 4) return t;
  if (t->ndim != 3 || heads < 1 || t->shape[2] % heads)
    raise(call, "shape %s does not divide into %lld heads", shape_text(call, tensor_shape(t)), (long long)heads);
  return op(transpose, reshaped(t, t->shape[0], t->shape[1], heads, t->shape[2] / heads), 1, 2);
}

static Tensor *heads_together(Call *call, Tensor *t)
{
  Tensor *turned = op(transpose, t, 1, 2);
  return reshaped(turned, t->shape[0], t->shape[2], t->shape[1] * t->shape[3]);
}

static Tensor *joined(Call *call, Tensor *past, Tensor *t)
{
  if (!past) return t;
  if (past->ndim != 4) raise(call, "past keys or values of shape %s", shape_text(call, tensor_shape(past)));
  return op(cat, both_of(past, t), 2);
}

/* Each head of keys or values for as many heads of queries. */
static Tensor *repeated_heads(Call *call, Tensor *t, int64_t heads)
{
  if (t->shape[1] == heads) return t;
  if (t->shape[1] < 1 || heads % t->shape[1]) raise(call, "%lld heads don't divide", (long long)heads);
  return op(repeat_interleave, t, heads / t->shape[1], 1, NO_INT);
}

/* 0 where a condition holds, and -infinity elsewhere. */
static Tensor *where_allowed(Call *call, Tensor *allowed, DType dtype)
{
  Tensor *zero = op(scalar_tensor, scalar_int(0), dtype, DEVICE_NONE, false);
  return op(where, allowed, zero, op(scalar_tensor, scalar_float(-INFINITY), dtype, DEVICE_NONE, false));
}

static Tensor *plus_if(Call *call, Tensor *sum, Tensor *t) { return sum ? plus(sum, t) : t; }

static Tensor *places(Call *call, int64_t n) { return op(arange, scalar_int(n), DTYPE_i64, DEVICE_NONE, false); }

/* How far a query's place is behind each key's: [L, S], or of each batch [N, 1, L, S] where lengths are given. */
static Tensor *distances(Call *call, const Arguments *a, int64_t l, int64_t s)
{
  Tensor *apart = minus(reshaped(places(call, l), l, 1), reshaped(places(call, s), 1, s));
  if (a->past_key) return plus(apart, whole(a->past_key->shape[2]));
  if (!a->lengths) return apart;
  return plus(apart, minus(reshaped(cast(a->lengths, DTYPE_i64), a->lengths->numel, 1, 1, 1), whole(l)));
}

/* The given mask, as long as the keys, as something to add. */
static Tensor *additive_mask(Call *call, Tensor *mask, int64_t s, DType dtype)
{
  const int64_t more = s - onnx_last_size(call, mask);
  const bool is_bool = mask->dtype == DTYPE_b8;
  if (more > 0) mask = op(constant_pad_nd, mask, INTS(0, more), is_bool ? scalar_int(0) : scalar_float(-INFINITY));
  return is_bool ? where_allowed(call, mask, dtype) : cast(mask, dtype);
}

/* All that is added to the products of queries and keys; NULL for nothing. */
static Tensor *bias_of(Call *call, const Arguments *a, int64_t l, int64_t s, DType dtype)
{
  Tensor *bias = a->mask ? additive_mask(call, a->mask, s, dtype) : NULL;
  const int64_t left = a->window.n == 2 ? a->window.v[0] : -1, right = a->window.n == 2 ? a->window.v[1] : -1;
  Tensor *apart = a->is_causal || left >= 0 || right >= 0 ? distances(call, a, l, s) : NULL;
  if (a->is_causal) bias = plus_if(call, bias, where_allowed(call, op(ge, apart, whole(0)), dtype));
  if (left >= 0) bias = plus_if(call, bias, where_allowed(call, op(le, apart, whole(left)), dtype));
  if (right >= 0) bias = plus_if(call, bias, where_allowed(call, op(ge, apart, whole(-right)), dtype));
  if (a->lengths) {
    Tensor *length = reshaped(cast(a->lengths, DTYPE_i64), a->lengths->numel, 1, 1, 1);
    bias = plus_if(call, bias, where_allowed(call, op(lt, places(call, s), length), dtype));
  }
  return bias;
}

/* softmax, with zeros for rows in which nothing is allowed. */
static Tensor *shares_of(Call *call, Tensor *scores, Tensor *bias)
{
  Tensor *shares = op(softmax, bias ? plus(scores, bias) : scores, -1, DTYPE_NONE);
  if (!bias) return shares;
  Tensor *nothing = op(isneginf, op(amax, bias, INTS(-1), true));
  return op(masked_fill, shares, nothing, whole(0));
}

typedef struct Attended {
  Tensor *y, *key, *value, *scores;
} Attended;

static Attended attend(Call *call, const Arguments *a, int64_t qk_mode)
{
  const bool is_flat = a->q->ndim == 3;
  Tensor *q = heads_apart(call, a->q, a->q_num_heads), *k = heads_apart(call, a->k, a->kv_num_heads);
  Tensor *v = heads_apart(call, a->v, a->kv_num_heads);
  Attended out = {.key = joined(call, a->past_key, k), .value = joined(call, a->past_value, v)};
  k = repeated_heads(call, out.key, q->shape[1]), v = repeated_heads(call, out.value, q->shape[1]);
  const DType dtype = tensor_dtype(q), wide = dtype_compute(dtype);
  const double scale = a->scale != 0 ? a->scale : 1 / sqrt((double)q->shape[3]);
  Tensor *bias = bias_of(call, a, q->shape[2], k->shape[2], wide);
  if (!bias && a->softcap == 0 && qk_mode < 0)
    out.y = op(scaled_dot_product_attention, q, k, v, NULL, 0, false, scalar_float(scale), false);
  else {
    Tensor *scores = scaled(op(matmul, cast(q, wide), op(transpose, cast(k, wide), -2, -1)), scale);
    if (qk_mode == 0) out.scores = scores;
    if (a->softcap > 0) scores = scaled(op(tanh, scaled(scores, 1 / a->softcap)), a->softcap);
    if (qk_mode == 1) out.scores = scores;
    Tensor *shares = shares_of(call, scores, bias);
    if (qk_mode == 2) out.scores = bias ? plus(scores, bias) : scores;
    if (qk_mode == 3) out.scores = shares;
    if (out.scores) out.scores = cast(out.scores, dtype);
    out.y = op(matmul, cast(shares, tensor_dtype(v)), v);
  }
  if (is_flat) out.y = heads_together(call, out.y);
  return out;
}

FORWARD(onnx_attention) { y[0] = attend(call, a, -1).y; }

FORWARD(onnx_attention_parts)
{
  (void)y;
  const Arguments b = {a->q,          a->k,       a->v,         a->mask,        a->past_key,
                       a->past_value, a->lengths, a->is_causal, a->q_num_heads, a->kv_num_heads,
                       a->window,     a->scale,   a->softcap};
  Attended out = attend(call, &b, a->qk_mode);
  Tensor *all[] = {out.y, out.key, out.value, out.scores};
  give_list(call, (Tensors){all, 4});
}

/* ------------------------------------------------------------------- rotary */

/* Angles' cosines or sines for each place: [N, 1, L, half]. */
static Tensor *angles_of(Call *call, Tensor *cache, Tensor *positions, int64_t half)
{
  Tensor *rows = positions ? op(onnx_gather, cache, positions, 0) : cache;
  if (rows->ndim == 2) rows = op(unsqueeze, rows, 0);
  return op(unsqueeze, op(narrow, rows, -1, 0, half), 1);
}

FORWARD(onnx_rotary)
{
  const int64_t cached = onnx_last_size(call, a->cos);
  if (cached < 1) raise(call, "cos_cache has shape %s", shape_text(call, tensor_shape(a->cos)));
  Tensor *x = a->x->ndim == 3 && !a->num_heads ? heads_apart(call, a->x, a->x->shape[2] / cached / 2)
                                               : heads_apart(call, a->x, a->num_heads);
  const int64_t width = x->shape[3], turned = a->rotary_embedding_dim ? a->rotary_embedding_dim : width;
  const int64_t half = turned / 2;
  Tensor *at = a->positions; /* one alone is the first, and the others follow it */
  if (at && at->ndim == 1 && at->numel == 1) at = plus(cast(at, DTYPE_i64), places(call, x->shape[2]));
  if (turned < 2 || turned > width || turned % 2)
    raise(call, "%lld of %lld can't be turned", (long long)turned, (long long)width);
  Tensor *cos = angles_of(call, a->cos, at, half), *sin = angles_of(call, a->sin, at, half);
  Tensor *part = op(narrow, x, 3, 0, turned);
  Tensor *one = a->interleaved ? op(slice, part, 3, 0, NO_INT, 2) : op(narrow, part, 3, 0, half);
  Tensor *two = a->interleaved ? op(slice, part, 3, 1, NO_INT, 2) : op(narrow, part, 3, half, half);
  Tensor *real = minus(op(mul, one, cos), op(mul, two, sin)), *imag = plus(op(mul, one, sin), op(mul, two, cos));
  Tensor *done = a->interleaved ? op(reshape, op(stack, both_of(real, imag), -1), tensor_shape(part))
                                : op(cat, both_of(real, imag), 3);
  if (turned < width) done = op(cat, both_of(done, op(narrow, x, 3, turned, width - turned)), 3);
  y[0] = a->x->ndim == 3 ? heads_together(call, done) : done;
}

/* --------------------------------------------------------- linear attention */

FORWARD(onnx_linear_attention)
{
  const int64_t heads = a->kv_num_heads;
  Tensor *q = widened(heads_apart(call, a->q, a->q_num_heads)), *k = widened(heads_apart(call, a->k, heads));
  Tensor *v = widened(heads_apart(call, a->v, heads));
  Tensor *decay = a->decay ? op(exp, widened(heads_apart(call, a->decay, heads))) : NULL;
  Tensor *beta = a->beta ? widened(heads_apart(call, a->beta, onnx_last_size(call, a->beta))) : NULL;
  const int64_t n = q->shape[0], steps = q->shape[2], dk = k->shape[3], dv = v->shape[3];
  Tensor *state = a->state ? widened(a->state) : onnx_filled(call, INTS(n, heads, dk, dv), 0, tensor_dtype(q));
  const double scale = a->scale != 0 ? a->scale : 1 / sqrt((double)q->shape[3]);
  Tensor **all = onnx_room(call, steps, 1);
  for (int64_t t = 0; t < steps; t++) {
    check_interrupt(call);
    Tensor *key = op(narrow, k, 2, t, 1), *value = op(narrow, v, 2, t, 1);
    if (decay) state = op(mul, state, op(transpose, op(narrow, decay, 2, t, 1), 2, 3));
    if (beta) value = op(mul, op(narrow, beta, 2, t, 1), minus(value, op(matmul, key, state)));
    state = plus(state, op(mul, op(transpose, key, 2, 3), value));
    all[t] = op(matmul, op(narrow, q, 2, t, 1), repeated_heads(call, state, q->shape[1]));
  }
  Tensor *out = steps ? op(cat, ((Tensors){all, steps}), 2)
                      : onnx_filled(call, INTS(n, q->shape[1], 0, dv), 0, tensor_dtype(q));
  y[0] = cast(heads_together(call, scaled(out, scale)), tensor_dtype(a->q));
  y[1] = cast(state, tensor_dtype(a->state ? a->state : a->q));
}

/* ------------------------------------------------------------ com.microsoft */

/* A mask of 1 for what is seen, or lengths, or ends and behind them starts, as something to add: [N, 1, 1 or L, S]. */
static Tensor *padding_bias(Call *call, Tensor *mask, int64_t n, int64_t s, double masked, DType dtype)
{
  Tensor *seen;
  if (mask->ndim == 1 && (mask->shape[0] == n || mask->shape[0] == 2 * n)) {
    Tensor *at = reshaped(places(call, s), 1, s), *ends = cast(mask, DTYPE_i64);
    seen = op(lt, at, reshaped(op(narrow, ends, 0, 0, n), n, 1));
    if (mask->shape[0] > n) seen = op(logical_and, seen, op(ge, at, reshaped(op(narrow, ends, 0, n, n), n, 1)));
  } else seen = op(ne, mask, whole(0));
  if (seen->ndim < 2 || seen->ndim > 4) raise(call, "a mask of shape %s", shape_text(call, tensor_shape(mask)));
  while (seen->ndim < 4) seen = op(unsqueeze, seen, 1);
  Tensor *zero = op(scalar_tensor, scalar_int(0), dtype, DEVICE_NONE, false);
  return op(where, seen, zero, op(scalar_tensor, scalar_float(masked), dtype, DEVICE_NONE, false));
}

typedef struct Fused {
  Tensor *q, *k, *v, *mask, *bias;
  bool is_causal;
  int64_t past; /* keys that stand before the first query */
  double scale, mask_value;
} Fused;

/* Attention of heads, with com.microsoft's finite masks. */
static Tensor *fused_attention(Call *call, const Fused *f)
{
  const DType dtype = tensor_dtype(f->q);
  const int64_t l = f->q->shape[2], s = f->k->shape[2];
  Tensor *bias = f->bias ? cast(f->bias, dtype) : NULL;
  if (f->mask) bias = plus_if(call, bias, padding_bias(call, f->mask, f->q->shape[0], s, f->mask_value, dtype));
  if (f->is_causal) {
    Tensor *apart = minus(plus(reshaped(places(call, l), l, 1), whole(f->past)), reshaped(places(call, s), 1, s));
    bias = plus_if(call, bias, where_allowed(call, op(ge, apart, whole(0)), dtype));
  }
  const double scale = f->scale != 0 ? f->scale : 1 / sqrt((double)f->q->shape[3]);
  return heads_together(call,
                        op(scaled_dot_product_attention, f->q, f->k, f->v, bias, 0, false, scalar_float(scale), false));
}

FORWARD(onnx_packed_attention)
{
  Tensor *all = a->weights ? op(matmul, a->input, a->weights) : a->input;
  if (a->bias) all = plus(all, a->bias);
  const int64_t wide = onnx_last_size(call, all);
  Ints widths = a->widths.n == 3 ? a->widths : INTS(wide / 3, wide / 3, wide - 2 * (wide / 3));
  Tensors parts = op(split_sizes, all, widths, -1);
  Fused f = {.q = heads_apart(call, parts.v[0], a->num_heads),
             .k = heads_apart(call, parts.v[1], a->num_heads),
             .v = heads_apart(call, parts.v[2], a->num_heads),
             .mask = a->mask,
             .bias = a->attention_bias,
             .is_causal = a->unidirectional,
             .scale = a->scale,
             .mask_value = a->mask_value};
  const int64_t fresh = f.k->shape[2];
  if (a->past) {
    f.k = joined(call, op(select, a->past, 0, 0), f.k);
    f.v = joined(call, op(select, a->past, 0, 1), f.v);
  }
  f.past = f.k->shape[2] - fresh;
  y[0] = fused_attention(call, &f);
  y[1] = f.k->shape[3] == f.v->shape[3] ? op(stack, both_of(f.k, f.v), 0) : f.k;
}

/* The i-th of the three biases of q, k and v. */
static Tensor *biased(Call *call, Tensor *t, Tensor *bias, int64_t first)
{
  return bias && t->ndim == 3 ? plus(t, op(narrow, bias, 0, first, t->shape[2])) : t;
}

/* The i-th of what is packed as [N, L, heads, 2 or 3, width]: [N, L, heads * width]. */
static Tensor *unpacked(Call *call, Tensor *t, int64_t i)
{
  return reshaped(op(select, t, 3, i), t->shape[0], t->shape[1], t->shape[2] * t->shape[4]);
}

FORWARD(onnx_multi_head_attention)
{
  Tensor *q = a->q, *k = a->k, *v = a->v;
  if (!k && !v && q->ndim == 5 && q->shape[3] == 3) {
    q = unpacked(call, a->q, 0), k = unpacked(call, a->q, 1), v = unpacked(call, a->q, 2);
  } else if (k && !v && k->ndim == 5 && k->shape[3] == 2) k = unpacked(call, a->k, 0), v = unpacked(call, a->k, 1);
  if (!k || !v) raise(call, "keys and values are wanted, or all packed in 5 dimensions");
  if (q->ndim != 3) raise(call, "queries of shape %s", shape_text(call, tensor_shape(q)));
  const int64_t width = q->shape[2];
  Fused f = {.q = heads_apart(call, biased(call, q, a->bias, 0), a->num_heads),
             .k = heads_apart(call, biased(call, k, a->bias, width), a->num_heads),
             .v = heads_apart(call, biased(call, v, a->bias, 2 * width), a->num_heads),
             .mask = a->mask,
             .bias = a->attention_bias,
             .is_causal = a->unidirectional,
             .scale = a->scale,
             .mask_value = a->mask_value};
  const int64_t fresh = f.k->shape[2];
  y[1] = f.k = joined(call, a->past_key, f.k);
  y[2] = f.v = joined(call, a->past_value, f.v);
  f.past = f.k->shape[2] - fresh;
  y[0] = fused_attention(call, &f);
}

/* ---------------------------------------------------------- groups of heads */

typedef struct onnx_group_query_attention_args Grouped;

/* For how many keys there is room in the past. */
static int64_t room_in_past(Call *call, const Grouped *a)
{
  if (a->past.n == 0) return 0;
  for (int64_t i = 0; i < a->past.n; i++)
    if (a->past.n != 2 || a->past.v[i]->ndim != 4)
      raise(call, "past keys or values of shape %s", shape_text(call, tensor_shape(a->past.v[i])));
  return a->past.v[0]->shape[2];
}

/* Where the first query of each batch stands: int64 [N]. */
static Ints first_places(Call *call, const Grouped *a, int64_t batch, int64_t steps, int64_t total)
{
  Ints lengths = whole_numbers_of(call, a->lengths);
  const int64_t room = room_in_past(call, a);
  int64_t *first = onnx_room(call, batch, 1);
  if (lengths.n != batch) raise(call, "seqlens_k has %lld elements", (long long)lengths.n);
  for (int64_t i = 0; i < batch; i++) {
    const int64_t last = lengths.v[i];
    const bool fits = steps == total || (last >= steps - 1 && last < total);
    first[i] = !fits || steps == total ? 0 : last + 1 - steps;
    if (!fits || first[i] > room)
      raise(call, "the last of %lld new keys stands at %lld of %lld, with %lld before", (long long)steps,
            (long long)last, (long long)total, (long long)room);
  }
  return (Ints){first, batch};
}

/* New keys or values behind those of the past that each batch has, and zeros up to a size. */
static Tensor *behind_past(Call *call, Tensor *past, Tensor *t, Ints first, int64_t size)
{
  if (past && past->shape[0] != first.n) raise(call, "a past of %lld batches", (long long)past->shape[0]);
  Tensor **all = onnx_room(call, first.n, 1);
  for (int64_t i = 0; i < first.n; i++) {
    Tensor *fresh = op(select, t, 0, i);
    if (first.v[i] > 0) fresh = op(cat, both_of(op(narrow, op(select, past, 0, i), 1, 0, first.v[i]), fresh), 1);
    all[i] = op(constant_pad_nd, fresh, INTS(0, 0, 0, size - fresh->shape[1]), scalar_int(0));
  }
  return op(stack, ((Tensors){all, first.n}), 0);
}

/* What is added to the products of queries at places [N, S] and keys. */
static Tensor *grouped_bias(Call *call, const Grouped *a, Tensor *at, int64_t size, DType dtype)
{
  Tensor *apart = minus(reshaped(at, at->shape[0], 1, at->shape[1], 1), places(call, size));
  Tensor *bias = where_allowed(call, op(ge, apart, whole(0)), dtype);
  if (a->window > 0) bias = plus(bias, where_allowed(call, op(lt, apart, whole(a->window)), dtype));
  if (!a->bias) return bias;
  Tensor *given = cast(a->bias, dtype);
  return plus(bias, onnx_last_size(call, given) > size ? op(narrow, given, -1, 0, size) : given);
}

/* softmax with one more term in the sum below, e^sink, where sinks are given for each head or are 0. */
static Tensor *shares_with_sinks(Call *call, Tensor *scores, Tensor *sinks)
{
  const int64_t *shape = scores->shape;
  Tensor *sink = sinks ? reshaped(cast(sinks, tensor_dtype(scores)), 1, sinks->numel, 1, 1) : whole(0);
  Tensor *last = op(expand, cast(sink, tensor_dtype(scores)), INTS(shape[0], shape[1], shape[2], 1));
  return op(narrow, op(softmax, op(cat, both_of(scores, last), -1), -1, DTYPE_NONE), -1, 0, shape[3]);
}

typedef struct Heads {
  Tensor *q, *k, *v; /* [N, heads, L, width] */
} Heads;

static Heads grouped_heads(Call *call, const Grouped *a)
{
  const int64_t heads = a->num_heads, groups = a->kv_num_heads;
  if (heads < 1 || groups < 1 || heads > INT32_MAX || groups > INT32_MAX)
    raise(call, "%lld heads of queries and %lld of keys", (long long)heads, (long long)groups);
  if (a->inputs.n != 1 && a->inputs.n != 3) raise(call, "%lld of q, k and v", (long long)a->inputs.n);
  Tensors parts = a->inputs;
  if (parts.n == 1) {
    const int64_t wide = onnx_last_size(call, parts.v[0]), all = heads + 2 * groups, each = wide / all;
    if (each * all != wide) raise(call, "%lld elements don't divide into %lld heads", (long long)wide, (long long)all);
    parts = op(split_sizes, parts.v[0], INTS(heads * each, groups * each, groups * each), -1);
  }
  return (Heads){heads_apart(call, parts.v[0], heads), heads_apart(call, parts.v[1], groups),
                 heads_apart(call, parts.v[2], groups)};
}

static Tensor *grouped_product(Call *call, const Grouped *a, const Heads *h, Tensor *at)
{
  const double scale = a->scale != 0 ? a->scale : 1 / sqrt((double)h->q->shape[3]);
  const bool is_plain = a->softcap == 0 && !a->sinks && !a->smooth;
  const DType dtype = tensor_dtype(h->q), wide = is_plain ? dtype : dtype_compute(dtype);
  Tensor *bias = grouped_bias(call, a, at, h->k->shape[2], wide);
  if (is_plain) return op(scaled_dot_product_attention, h->q, h->k, h->v, bias, 0, false, scalar_float(scale), false);
  Tensor *scores = scaled(op(matmul, cast(h->q, wide), op(transpose, cast(h->k, wide), -2, -1)), scale);
  if (a->softcap > 0) scores = scaled(op(tanh, scaled(scores, 1 / a->softcap)), a->softcap);
  scores = plus(scores, bias);
  Tensor *shares = a->sinks || a->smooth ? shares_with_sinks(call, scores, a->sinks)
                                         : op(softmax, scores, -1, DTYPE_NONE);
  return op(matmul, cast(shares, dtype), h->v);
}

FORWARD(onnx_group_query_attention)
{
  Heads h = grouped_heads(call, a);
  const int64_t batch = h.q->shape[0], steps = h.q->shape[2];
  if (h.k->shape[2] != steps || h.v->shape[2] != steps)
    raise(call, "%lld new keys and %lld values for %lld queries", (long long)h.k->shape[2], (long long)h.v->shape[2],
          (long long)steps);
  Ints totals = whole_numbers_of(call, a->total);
  if (totals.n != 1) raise(call, "total_sequence_length has %lld elements", (long long)totals.n);
  const int64_t total = totals.v[0], room = room_in_past(call, a), size = total > room ? total : room;
  Ints first = first_places(call, a, batch, steps, total);
  Tensor *at = plus(reshaped(onnx_whole_numbers(call, first), batch, 1), places(call, steps));
  if (a->turns.n == 2) {
    Tensor *cos = a->turns.v[0], *sin = a->turns.v[1], *positions = a->positions ? a->positions : at;
    const int64_t width = onnx_product(call, onnx_last_size(call, cos), 2);
    h.q = op(onnx_rotary, h.q, cos, sin, positions, a->num_heads, width, a->interleaved);
    h.k = op(onnx_rotary, h.k, cos, sin, positions, a->kv_num_heads, width, a->interleaved);
  }
  Tensor *const *past = a->past.n ? a->past.v : (Tensor *[]){NULL, NULL};
  y[1] = behind_past(call, past[0], h.k, first, size), y[2] = behind_past(call, past[1], h.v, first, size);
  h.k = repeated_heads(call, op(narrow, y[1], 2, 0, total), a->num_heads);
  h.v = repeated_heads(call, op(narrow, y[2], 2, 0, total), a->num_heads);
  y[0] = heads_together(call, grouped_product(call, a, &h, at));
}

FORWARD(onnx_embed_layer_norm)
{
  Tensor *ids = a->ids;
  if (ids->ndim != 2) raise(call, "input_ids has shape %s", shape_text(call, tensor_shape(ids)));
  Tensor *sum = op(onnx_gather, a->words, ids, 0);
  sum = plus(sum,
             a->positions ? op(onnx_gather, a->places, a->positions, 0) : op(narrow, a->places, 0, 0, ids->shape[1]));
  if (a->segments && a->kinds) sum = plus(sum, op(onnx_gather, a->kinds, a->segments, 0));
  y[0] = op(onnx_layer_norm, sum, a->gamma, a->beta, -1, a->epsilon);
  y[1] = a->mask ? cast(op(sum, a->mask, INTS(1), false, DTYPE_NONE), DTYPE_i32)
                 : op(zeros, INTS(ids->shape[0]), DTYPE_i32, DEVICE_NONE, false);
  y[2] = sum;
}
