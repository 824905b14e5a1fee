/* Reductions and normalizations of the elements that a mask keeps: the others are filled with what changes nothing. */
#include "ops/reduce/masked.h"

#include "core/extremes.h"
#include "launch/look.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/composed_activation.h"
#include "ops/nn/softmax.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/quantile.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/view.h"

/* A mask of the input's shape. */
static Tensor *mask_for(Call *call, const Tensor *x, Tensor *mask)
{
  if (mask->ndim > x->ndim) raise(call, "the mask has %d dimensions, the tensor only %d", mask->ndim, x->ndim);
  return op(expand, cast(mask, DTYPE_b8), tensor_shape(x));
}

/* The input where the mask holds, and a number elsewhere. */
static Tensor *filled(Call *call, Tensor *x, Tensor *mask, Scalar value)
{
  return mask ? op(where, mask_for(call, x, mask), x, tensor_from_number(call, value)) : x;
}

/* The same with the number that no element exceeds, or that exceeds none. */
static Tensor *filled_with_extreme(Call *call, Tensor *x, Tensor *mask, bool greatest)
{
  DType dtype = tensor_dtype(x);
  if (!mask) return x;
  if (dtype == DTYPE_b8 || dtype_is_complex(dtype)) raise(call, "%s tensors are not taken", dtype_name(dtype));
  return filled(call, x, mask, extreme_of_dtype(dtype, greatest));
}

static DType or_that_of(DType dtype, const Tensor *x) { return dtype == DTYPE_NONE ? tensor_dtype(x) : dtype; }

/* The dtype of sums and products: integers are kept as int64. */
static DType summed_dtype(DType dtype, const Tensor *x)
{
  return dtype == DTYPE_NONE && !dtype_is_inexact(tensor_dtype(x)) ? DTYPE_i64 : or_that_of(dtype, x);
}

static Tensor *masked_sum_of(Call *call, Tensor *x, Ints dims, bool keepdim, DType dtype, Tensor *mask)
{
  return op(sum, filled(call, x, mask, scalar_int(0)), dims, keepdim, summed_dtype(dtype, x));
}

/* How many elements there are to each sum. */
static Tensor *count_of(Call *call, Tensor *x, Ints dims, bool keepdim, Tensor *mask)
{
  if (mask) return op(sum, mask_for(call, x, mask), dims, keepdim, DTYPE_NONE);
  return tensor_from_number(call, scalar_int(reduced_count(x, shape_dims(call, dims, x->ndim))));
}

FORWARD(masked_sum) { y[0] = masked_sum_of(call, a->input, a->dim, a->keepdim, a->dtype, a->mask); }

FORWARD(masked_prod)
{
  Tensor *x = filled(call, a->input, a->mask, scalar_int(1));
  uint32_t dims = shape_dims(call, a->dim, x->ndim);
  y[0] = cast(x, summed_dtype(a->dtype, x));
  for (int d = x->ndim - 1; d >= 0; d--)
    if (dims >> d & 1) y[0] = op(prod_dim, y[0], d, a->keepdim, DTYPE_NONE);
}

FORWARD(masked_mean)
{
  Tensor *x = a->input;
  DType dtype = or_that_of(a->dtype, x);
  if (!dtype_is_inexact(dtype))
    raise(call, "the result would be %s, and a mean is a floating point number: give a dtype", dtype_name(dtype));
  Tensor *total = masked_sum_of(call, x, a->dim, a->keepdim, dtype, a->mask);
  y[0] = op(div, total, count_of(call, x, a->dim, a->keepdim, a->mask));
}

FORWARD(masked_median)
{
  if (dtype_is_complex(tensor_dtype(a->input))) raise(call, "complex numbers have no order");
  bool floating = dtype_is_floating(tensor_dtype(a->input));
  Tensor *x = floating ? a->input : cast(a->input, DTYPE_f32);
  Tensor *median = op(nanmedian_dim, filled(call, x, a->mask, scalar_float((double)NAN)), a->dim, a->keepdim).v[0];
  if (!floating) check_none_true(call, op(isnan, median), "integers have no value for rows without elements");
  y[0] = cast(median, floating ? tensor_dtype(x) : or_that_of(a->dtype, a->input));
}

/* The four of extremes: elements that aren't meant are filled with the other end of the dtype. */
#define EXTREME(row, by, of_smallest)                                      \
  FORWARD(row)                                                             \
  {                                                                        \
    Tensor *x = filled_with_extreme(call, a->input, a->mask, of_smallest); \
    y[0] = cast(op(by, x, a->dim, a->keepdim), or_that_of(a->dtype, x));   \
  }
EXTREME(masked_amax, amax, false)
EXTREME(masked_amin, amin, true)
EXTREME(masked_argmax, argmax, false)
EXTREME(masked_argmin, argmin, true)

FORWARD(masked_logsumexp)
{
  bool of_complex = dtype_is_complex(tensor_dtype(a->input));
  Tensor *x = of_complex ? filled(call, a->input, a->mask, scalar_float(-(double)INFINITY))
                         : filled_with_extreme(call, a->input, a->mask, false);
  Ints dims = dims_of(call, x, shape_dims(call, a->dim, x->ndim));
  y[0] = cast(op(logsumexp, x, dims, a->keepdim), or_that_of(a->dtype, x));
}

FORWARD(masked_logaddexp)
{
  Tensor *p = filled_with_extreme(call, a->input, a->input_mask, false);
  Tensor *q = filled_with_extreme(call, a->other, a->other_mask, false);
  y[0] = cast(op(logaddexp, p, q), or_that_of(a->dtype, a->input));
}

static Tensor *masked_norm_of(Call *call, Tensor *x, Scalar ord, Ints dims, bool keepdim, DType dtype, Tensor *mask)
{
  bool least = scalar_real(ord) == -INFINITY;
  x = filled(call, x, mask, least ? scalar_float(INFINITY) : scalar_int(0));
  return op(vector_norm, x, ord, dims, keepdim, or_that_of(dtype, x));
}

FORWARD(masked_norm) { y[0] = masked_norm_of(call, a->input, a->ord, a->dim, a->keepdim, a->dtype, a->mask); }

FORWARD(masked_normalize)
{
  Tensor *norm = masked_norm_of(call, a->input, a->ord, INTS(a->dim), true, a->dtype, a->mask);
  Tensor *least = cast(number(a->eps), tensor_dtype(norm));
  y[0] = op(div, filled(call, a->input, a->mask, scalar_int(0)), op(maximum, norm, least));
}

/* The mean square of distances from the mean, as of a tensor of the kept elements alone. */
static Tensor *masked_variance(Call *call, Tensor *x, Ints dims, bool unbiased, Scalar given, bool keepdim, DType dtype,
                               Tensor *mask)
{
  double correction = given.kind == SCALAR_NONE ? (double)unbiased : scalar_real(given);
  if (dtype == DTYPE_NONE) dtype = dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_f32;
  DType compute = dtype_is_inexact(dtype) ? dtype : DTYPE_f32;
  Tensor *total = masked_sum_of(call, x, dims, true, dtype, mask);
  Tensor *away = minus(x, op(div, total, count_of(call, x, dims, true, mask)));
  Tensor *squares = masked_sum_of(call, op(mul, away, conjugate(away)), dims, keepdim, compute, mask);
  Tensor *count = count_of(call, x, dims, keepdim, mask);
  if (correction != 0) {
    count = minus(cast(count, dtype_to_real(compute)), number(correction));
    count = op(clamp_min, count, number(0));
  }
  return cast(op(div, squares, count), dtype);
}

FORWARD(masked_var)
{
  y[0] = masked_variance(call, a->input, a->dim, a->unbiased, a->correction, a->keepdim, a->dtype, a->mask);
}

FORWARD(masked_std)
{
  y[0] = op(sqrt, masked_variance(call, a->input, a->dim, a->unbiased, a->correction, a->keepdim, a->dtype, a->mask));
}

/* ------------------------------------------------------------- of the same shape */

FORWARD(masked_cumsum)
{
  DType dtype = or_that_of(a->dtype, a->input);
  y[0] = cast(op(cumsum, filled(call, a->input, a->mask, scalar_int(0)), a->dim, dtype), dtype);
}

FORWARD(masked_cumprod)
{
  DType dtype = or_that_of(a->dtype, a->input);
  y[0] = cast(op(cumprod, filled(call, a->input, a->mask, scalar_int(1)), a->dim, dtype), dtype);
}

FORWARD(masked_softmax) { y[0] = op(softmax, filled_with_extreme(call, a->input, a->mask, false), a->dim, a->dtype); }

FORWARD(masked_log_softmax)
{
  y[0] = op(log_softmax, filled_with_extreme(call, a->input, a->mask, false), a->dim, a->dtype);
}

FORWARD(masked_softmin) { y[0] = op(softmin, filled_with_extreme(call, a->input, a->mask, true), a->dim, a->dtype); }
