/* ONNX's operators that reduce axes. */
#include "ops/onnx/reducing.h"

#include <math.h>
#include <string.h>

#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/exponential.h"
#include "ops/nn/softmax.h"
#include "ops/onnx/words.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

/* x with the axes last and as one, and their place in `first`. */
static Tensor *axes_last(Call *call, Tensor *x, Ints axes)
{
  const uint32_t mask = shape_dims(call, axes, x->ndim);
  int64_t order[MAX_DIMS], shape[MAX_DIMS], count = 1;
  int n = 0, kept = 0;
  for (int i = 0; i < x->ndim; i++)
    if (!(mask >> i & 1)) shape[kept++] = x->shape[i], order[n++] = i;
  for (int i = 0; i < x->ndim; i++)
    if (mask >> i & 1) count *= x->shape[i], order[n++] = i;
  shape[kept++] = count;
  return op(reshape, op(permute, x, ((Ints){order, n})), ((Ints){shape, kept}));
}

static Tensor *sum_over(Call *call, Tensor *x, Ints axes, bool keep)
{
  return op(sum, x, axes, keep, dtype_is_inexact(tensor_dtype(x)) ? DTYPE_NONE : DTYPE_i64);
}

/* The shape that is left of x. */
static Ints reduced_shape(Call *call, const Tensor *x, Ints axes, bool keep)
{
  const uint32_t mask = shape_dims(call, axes, x->ndim);
  int64_t shape[MAX_DIMS];
  int n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (!(mask >> i & 1)) shape[n++] = x->shape[i];
    else if (keep) shape[n++] = 1;
  return arena_ints(call->ctx, shape, n);
}

/* The least or the greatest number of a dtype: the extreme of no elements. */
static Scalar end_of(DType dtype, bool is_least)
{
  if (dtype_is_floating(dtype)) return scalar_float(is_least ? -INFINITY : INFINITY);
  if (dtype == DTYPE_b8) return scalar_int(!is_least);
  if (dtype == DTYPE_u8) return scalar_int(is_least ? 0 : 255);
  const int bits = 8 * (int)dtype_size(dtype);
  return scalar_int(is_least ? INT64_MIN >> (64 - bits) : INT64_MAX >> (64 - bits));
}

static Tensor *extreme(Call *call, Tensor *x, Ints axes, bool keep, bool greatest)
{
  if (x->numel) return greatest ? op(amax, x, axes, keep) : op(amin, x, axes, keep);
  return op(full, reduced_shape(call, x, axes, keep), end_of(tensor_dtype(x), greatest), tensor_dtype(x), DEVICE_NONE,
            false);
}

/* As op(logsumexp, …), which wants elements. */
static Tensor *log_sum_exp(Call *call, Tensor *x, Ints axes, bool keep)
{
  if (x->numel == 0) return op(log, op(sum, op(exp, x), axes, keep, DTYPE_NONE));
  return op(logsumexp, x, axes, keep);
}

static Tensor *product(Call *call, Tensor *x, Ints axes, bool keep)
{
  return op(reshape, op(prod_dim, axes_last(call, x, axes), -1, false, DTYPE_NONE), reduced_shape(call, x, axes, keep));
}

static Tensor *reduction(Call *call, const char *kind, Tensor *x, Ints axes, bool keep)
{
#define IS(name) (strcmp(kind, name) == 0)
  if (IS("Sum")) return sum_over(call, x, axes, keep);
  if (IS("Mean")) return op(mean, x, axes, keep, dtype_is_inexact(tensor_dtype(x)) ? DTYPE_NONE : DTYPE_f64);
  if (IS("Max")) return extreme(call, x, axes, keep, true);
  if (IS("Min")) return extreme(call, x, axes, keep, false);
  if (IS("Prod")) return product(call, x, axes, keep);
  if (IS("L1")) return sum_over(call, op(abs, x), axes, keep);
  if (IS("L2")) return op(sqrt, sum_over(call, op(mul, x, x), axes, keep));
  if (IS("LogSum")) return op(log, sum_over(call, x, axes, keep));
  if (IS("LogSumExp")) return log_sum_exp(call, x, axes, keep);
  if (IS("SumSquare")) return sum_over(call, op(mul, x, x), axes, keep);
#undef IS
  raise(call, "kind \"%s\" is unknown", kind);
}

/* What leaves one element as it is, but for what is done with each: all reductions over no axes. */
static Tensor *without_axes(Call *call, const char *kind, Tensor *x)
{
  const int64_t n = x->ndim;
  Tensor *with_one = op(unsqueeze, x, n);
  return reduction(call, kind, with_one, INTS(n), false);
}

FORWARD(onnx_reduce)
{
  Tensor *x = a->data;
  Ints axes = numbers_in(a->axes);
  if (axes.n <= 0 && a->noop_with_empty_axes) y[0] = without_axes(call, a->kind, x);
  else y[0] = reduction(call, a->kind, x, axes.n <= 0 ? onnx_dims_from(call, 0, x->ndim) : axes, a->keepdims);
  y[0] = cast(y[0], tensor_dtype(x));
}

FORWARD(onnx_arg)
{
  Tensor *x = a->data;
  const int axis = onnx_axis(call, a->axis, x->ndim);
  if (a->last && x->ndim) x = op(flip, x, INTS(axis));
  Tensor *place = a->greatest ? op(argmax, x, axis, a->keepdims) : op(argmin, x, axis, a->keepdims);
  const int64_t n = onnx_size(x, axis);
  y[0] = a->last ? minus(op(mul, place, whole(-1)), whole(-n)) : onnx_from_zero(call, place);
}

FORWARD(onnx_cumulate)
{
  Tensor *x = a->x;
  const int axis = onnx_axis(call, scalar_integer(number_of(call, a->axis)), x->ndim);
  const DType dtype = tensor_dtype(x);
  if (a->reverse) x = op(flip, x, INTS(axis));
  if (a->exclusive && onnx_size(x, axis)) {
    Ints one = onnx_shape_with(call, tensor_shape(x), axis, 1);
    Tensor *first = onnx_filled(call, one, a->product ? 1 : 0, dtype);
    x = op(cat, both_of(first, op(narrow, x, axis, 0, onnx_size(x, axis) - 1)), axis);
  }
  x = a->product ? op(cumprod, x, axis, dtype) : op(cumsum, x, axis, dtype);
  y[0] = a->reverse ? op(flip, x, INTS(axis)) : x;
}

/* ------------------------------------------------------------------ softmax */

static Tensor *hardmax(Call *call, Tensor *x, int axis)
{
  Tensor *greatest = op(argmax, x, axis, true);
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) shape[i] = i == axis ? x->shape[i] : 1;
  Tensor *places = op(arange_start, scalar_int(1), scalar_int(onnx_size(x, axis) + 1), scalar_int(1), DTYPE_i64,
                      DEVICE_NONE, false);
  return cast(op(eq, op(reshape, places, ((Ints){shape, x->ndim})), greatest), tensor_dtype(x));
}

FORWARD(onnx_softmax)
{
  Tensor *x = a->input;
  int axis = onnx_axis(call, a->axis, x->ndim);
  if (a->flat) {
    int64_t rows = 1;
    for (int i = 0; i < axis; i++) rows *= x->shape[i];
    x = reshaped(x, rows, rows ? x->numel / rows : 0), axis = 1;
  }
  if (a->kind[0] == 's') x = op(softmax, x, axis, DTYPE_NONE);
  else if (a->kind[0] == 'l') x = op(log_softmax, x, axis, DTYPE_NONE);
  else x = hardmax(call, x, axis);
  y[0] = a->flat ? op(reshape, x, tensor_shape(a->input)) : x;
}

FORWARD(onnx_lp_normalization)
{
  Tensor *x = a->input;
  const int axis = onnx_axis(call, a->axis, x->ndim);
  Tensor *sum = sum_over(call, a->p == 1 ? op(abs, x) : op(mul, x, x), INTS(axis), true);
  Tensor *norm = a->p == 1 ? sum : op(sqrt, sum);
  Tensor *is_zero = op(eq, norm, whole(0));
  y[0] = op(where, is_zero, zeros_like_of(x), op(div, x, op(where, is_zero, ones_like_of(norm), norm)));
}
