/* Variances and standard deviations. */
#include "ops/reduce/variance.h"

#include <math.h>

#include "launch/copy.h"
#include "launch/reduce/reduce.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/sum.h"
#include "ops/table/words.h"

/* What the sum of squares is divided by. */
static double degrees(const Tensor *x, uint32_t mask, bool unbiased, Scalar correction)
{
  double n = (double)reduced_count(x, mask);
  n -= correction.kind != SCALAR_NONE ? scalar_real(correction) : unbiased;
  return n > 0 ? n : 0;
}

/* x less its mean, which the dtype can't hold exactly: what rounding left of it is taken away, too, if it is a number:
   beside an infinity finite elements are infinitely far from the mean. */
static Tensor *deviations(Call *call, Tensor *x, uint32_t mask)
{
  Ints dims = dims_of(call, x, mask);
  x = minus(x, op(mean, x, dims, true, DTYPE_NONE));
  Tensor *rest = op(mean, x, dims, true, DTYPE_NONE);
  return minus(x, op(masked_fill, rest, op(ne, rest, rest), number(0)));
}

static Tensor *variance(Call *call, Tensor *x, uint32_t mask, bool keepdim, double divide, bool root)
{
  DType d = tensor_dtype(x);
  if (!dtype_is_inexact(d)) raise(call, "a floating point or complex tensor is wanted, not %s", dtype_name(d));
  Finish finish = {divide, root};
  Tensor *y;
  if (dtype_is_complex(d)) {
    y = sum_of_squares(call, deviations(call, x, mask), mask, keepdim, d, finish, (double)NAN);
  } else {
    y = result_new(call, d, device_of(x), reduced_shape(call, x, mask, keepdim));
    if (x->numel == 0) launch_fill(call, y, scalar_float((double)NAN));
    else launch_squares_about_mean(call, x, mask, y, finish);
  }
  return divide > 0 ? y : op(div, y, number(0)); /* a Finish takes no 0: it means not to divide */
}

FORWARD(var)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  double divide = degrees(a->input, mask, a->unbiased, a->correction);
  y[0] = variance(call, a->input, mask, a->keepdim, divide, false);
}

FORWARD(std)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  double divide = degrees(a->input, mask, a->unbiased, a->correction);
  y[0] = variance(call, a->input, mask, a->keepdim, divide, true);
}

static Tensor *variance_gradient(Call *call, Tensor *x, uint32_t mask, double divide, Tensor *dy)
{
  Tensor *d = op(mul, deviations(call, widened(x), mask), op(div, number(2), number(divide)));
  return cast(op(mul, d, dy), tensor_dtype(x));
}

BACKWARD(var)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  Tensor *d = restore_dims(call, dy[0], a->input, mask, a->keepdim);
  GRAD(input) = variance_gradient(call, a->input, mask, degrees(a->input, mask, a->unbiased, a->correction), d);
}

BACKWARD(std)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  Tensor *d = zero_where_zero(call, op(div, dy[0], op(mul, y[0], number(2))), y[0]);
  d = restore_dims(call, d, a->input, mask, a->keepdim);
  GRAD(input) = variance_gradient(call, a->input, mask, degrees(a->input, mask, a->unbiased, a->correction), d);
}

FORWARD(var_all) { y[0] = op(var, a->input, NO_INTS, a->unbiased, false, NO_SCALAR); }
FORWARD(std_all) { y[0] = op(std, a->input, NO_INTS, a->unbiased, false, NO_SCALAR); }

FORWARD(var_mean)
{
  y[0] = op(var, a->input, a->dim, a->unbiased, a->keepdim, a->correction);
  y[1] = op(mean, a->input, a->dim, a->keepdim, DTYPE_NONE);
}

FORWARD(var_mean_all)
{
  y[0] = op(var_all, a->input, a->unbiased);
  y[1] = op(mean, a->input, NO_INTS, false, DTYPE_NONE);
}

FORWARD(std_mean)
{
  y[0] = op(std, a->input, a->dim, a->unbiased, a->keepdim, a->correction);
  y[1] = op(mean, a->input, a->dim, a->keepdim, DTYPE_NONE);
}

FORWARD(std_mean_all)
{
  y[0] = op(std_all, a->input, a->unbiased);
  y[1] = op(mean, a->input, NO_INTS, false, DTYPE_NONE);
}
