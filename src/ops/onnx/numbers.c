/* ONNX's operators on elements and on matrices. */
#include "ops/onnx/numbers.h"

#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/onnx/words.h"
#include "ops/random/random.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

FORWARD(onnx_div)
{
  const bool is_whole = !dtype_is_inexact(tensor_dtype(a->input));
  y[0] = is_whole ? op(div_mode, a->input, a->other, "trunc") : op(div, a->input, a->other);
}

FORWARD(onnx_mod)
{
  y[0] = a->fmod ? op(fmod, a->input, a->other) : op(remainder, a->input, a->other);
  if (a->fmod || !dtype_is_floating(tensor_dtype(y[0]))) return;
  y[0] = op(where, op(eq, y[0], whole(0)), op(copysign, zeros_like_of(y[0]), a->other), y[0]); /* a zero, too */
}

FORWARD(onnx_pow) { y[0] = cast(op(pow, a->input, a->exponent), tensor_dtype(a->input)); }

FORWARD(onnx_is_inf)
{
  if (a->negative && a->positive) y[0] = op(isinf, a->input);
  else if (a->positive) y[0] = op(isposinf, a->input);
  else if (a->negative) y[0] = op(isneginf, a->input);
  else y[0] = op(ne, a->input, a->input), y[0] = op(logical_xor, y[0], y[0]);
}

FORWARD(onnx_shrink)
{
  Tensor *x = a->input, *zero = zeros_like_of(x);
  const DType dtype = tensor_dtype(x);
  Tensor *nearer = cast(minus(x, number(a->bias)), dtype), *up = cast(plus(x, number(a->bias)), dtype);
  Tensor *high = op(where, op(gt, x, number(a->lambd)), nearer, zero);
  y[0] = op(where, op(lt, x, number(-a->lambd)), up, high);
}

FORWARD(onnx_affine) { y[0] = plus(scaled(a->input, a->alpha), number(a->beta)); }

FORWARD(onnx_selu) { y[0] = scaled(op(elu, a->input, scalar_float(a->alpha), false), a->gamma); }

FORWARD(onnx_prelu)
{
  Tensor *x = a->input;
  y[0] = op(where, op(lt, x, whole(0)), op(mul, x, a->slope), x);
}

static Tensor *turned(Call *call, Tensor *t, bool is_turned) { return is_turned ? op(transpose, t, -2, -1) : t; }

/* The least that promotion makes of a factor: whole numbers stay whole. */
static Tensor *times(Call *call, Tensor *t, double factor)
{
  return factor == 1 ? t : cast(scaled(t, factor), tensor_dtype(t));
}

FORWARD(onnx_gemm)
{
  check_rank(call, a->a, "A", 2);
  check_rank(call, a->b, "B", 2);
  Tensor *left = turned(call, a->a, a->trans_a), *right = turned(call, a->b, a->trans_b), *c = a->c;
  if (c && c->ndim == 1 && a->trans_b && a->alpha == 1 && a->beta == 1 && c->shape[0] == a->b->shape[0])
    y[0] = op(linear, left, a->b, c);
  else {
    Tensor *product = times(call, op(matmul, left, right), a->alpha);
    y[0] = c && a->beta != 0 ? plus(product, times(call, c, a->beta)) : product;
  }
}

/* Batches of matrices [b, ..., m, n] that lie as [m?, ...]: com.microsoft's transBatch, the first axis moved to the
   last but one. */
static Tensor *with_batch_first(Call *call, Tensor *t, bool is_moved)
{
  return is_moved && t->ndim > 2 ? op(movedim, t, INTS(0), INTS(-2)) : t;
}

FORWARD(onnx_fused_matmul)
{
  Tensor *left = turned(call, with_batch_first(call, a->a, a->batch_a), a->trans_a && a->a->ndim > 1);
  Tensor *right = turned(call, with_batch_first(call, a->b, a->batch_b), a->trans_b && a->b->ndim > 1);
  y[0] = times(call, op(matmul, left, right), a->alpha);
}

FORWARD(onnx_bit_cast)
{
  if (dtype_size(a->dtype) != dtype_size(tensor_dtype(a->input))) raise(call, "the types differ in size");
  y[0] = op(view_dtype, a->input, a->dtype);
}

FORWARD(onnx_into_range)
{
  int64_t many;
  if (a->range.n != 2 || a->range.v[0] >= a->range.v[1] || __builtin_sub_overflow(a->range.v[1], a->range.v[0], &many)
      || many == INT64_MAX)
    raise(call, "a range has two ends, fewer than 2^63 apart");
  const int64_t low = a->range.v[0];
  many++;
  Tensor *wide = cast(a->input, DTYPE_i64);
  y[0] = cast(plus(op(remainder, minus(wide, whole(low)), whole(many)), whole(low)), tensor_dtype(a->input));
}

FORWARD(onnx_at_axis)
{
  int64_t shape[2 * MAX_DIMS];
  const int64_t n = a->other->ndim, first = a->axis < 0 ? a->axis + n : a->axis;
  if (first < 0 || first > n - a->input->ndim) raise(call, "axis %lld is out of range", (long long)a->axis);
  for (int64_t i = 0; i < n - first; i++) shape[i] = i < a->input->ndim ? a->input->shape[i] : 1;
  y[0] = op(reshape, a->input, ((Ints){shape, n - first}));
}

FORWARD(onnx_dropout)
{
  const double p = a->ratio ? scalar_real(number_of(call, a->ratio)) : 0.5;
  const bool is_on = a->training && scalar_integer(number_of(call, a->training)) != 0 && p > 0;
  y[0] = a->input, y[1] = cast(ones_like_of(a->input), DTYPE_b8);
  if (!is_on) return;
  Tensor *kept = op(dropout, ones_like_of(a->input), p, true);
  y[0] = op(mul, a->input, kept), y[1] = op(ne, kept, whole(0));
}
