/* Reductions: sums, extremes and their positions, norms, variances. */
#include "ops/reduction.h"

#include <math.h>
#include <string.h>

#include "ops/complex.h"
#include "ops/helpers.h"

static const Finish AS_IT_IS = {0, false};

/* The input in the dtype asked for, or as it is. */
static Tensor *input_as(Call *call, Tensor *x, DType dtype)
{
  return dtype == DTYPE_NONE || dtype == tensor_dtype(x) ? x : copy_of(call, x, dtype);
}

/* A result, or its gradient, of a reduction with the reduced dimensions back as 1. */
static Tensor *restore_dims(Call *call, Tensor *t, const Tensor *x, uint32_t mask, bool keepdim)
{
  if (keepdim || t->ndim == 0) return t;
  return op(reshape, t, reduced_shape(call, x, mask, true));
}

/* The gradient of a sum: each element's is that of its sum. */
static Tensor *spread(Call *call, Tensor *dy, const Tensor *x, uint32_t mask, bool keepdim)
{
  Tensor *dx = op(expand, restore_dims(call, dy, x, mask, keepdim), tensor_shape(x));
  return dx->dtype == x->dtype ? dx : op(to_dtype, dx, tensor_dtype(x), false, false);
}

static Tensor *reduce_to_new(Call *call, ReduceId id, Tensor *x, uint32_t mask, bool keepdim, DType dtype,
                             Finish finish, double empty)
{
  Tensor *y = result_new(call, dtype, device_of(x), reduced_shape(call, x, mask, keepdim));
  if (x->numel == 0) launch_fill(call, y, scalar_float(empty));
  else launch_reduce(call, id, x, mask, y, finish);
  return y;
}

/* The squares of complex numbers' magnitudes are those of their parts; the sum is real. */
static Tensor *sum_of_squares(Call *call, Tensor *x, uint32_t mask, bool keepdim, DType dtype, Finish finish, double empty)
{
  if (!dtype_is_complex(tensor_dtype(x)))
    return reduce_to_new(call, REDUCE_SUM_SQUARES, x, mask, keepdim, dtype, finish, empty);
  Tensor *y = result_new(call, dtype_to_real(dtype), device_of(x), reduced_shape(call, x, mask, keepdim));
  if (x->numel == 0) launch_fill(call, y, scalar_float(empty));
  else launch_reduce(call, REDUCE_SUM_SQUARES, parts_view(call, x), mask | 1u << x->ndim, y, finish);
  return y;
}

/* ------------------------------------------------------------- sum and mean */

FORWARD(sum)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  DType dtype = a->dtype != DTYPE_NONE || dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  y[0] = reduce_to_new(call, REDUCE_SUM, x, mask, a->keepdim, dtype, AS_IT_IS, 0);
}

BACKWARD(sum)
{
  GRAD(input) = spread(call, dy[0], a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim);
}

FORWARD(cumsum)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  DType dtype = a->dtype;
  if (dtype == DTYPE_NONE) dtype = call->into || dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  if (dtype == DTYPE_b8) raise(call, "sums are not kept as bool: give another dtype");
  if (call->into && dtype != tensor_dtype(x))
    raise(call, "a %s tensor can't hold %s sums in place", dtype_name(tensor_dtype(x)), dtype_name(dtype));
  y[0] = result_new(call, dtype, device_of(x), tensor_shape(x));
  launch_cumsum(call, x, dim, false, y[0]);
}

FORWARD(cumsum_from_end)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  y[0] = result_new(call, tensor_dtype(a->input), device_of(a->input), tensor_shape(a->input));
  launch_cumsum(call, a->input, dim, true, y[0]);
}

BACKWARD(cumsum)
{
  Tensor *dx = op(cumsum_from_end, dy[0], a->dim);
  GRAD(input) = dx->dtype == a->input->dtype ? dx : op(to_dtype, dx, tensor_dtype(a->input), false, false);
}

BACKWARD(cumsum_from_end) { GRAD(input) = op(cumsum, dy[0], a->dim, DTYPE_NONE); }

FORWARD(mean)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  if (!dtype_is_inexact(tensor_dtype(x)))
    raise(call, "the input is %s, and a mean is a floating point number: give a dtype", dtype_name(tensor_dtype(x)));
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  Finish finish = {(double)reduced_count(x, mask), false};
  y[0] = reduce_to_new(call, REDUCE_SUM, x, mask, a->keepdim, tensor_dtype(x), finish, (double)NAN);
}

BACKWARD(mean)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  Tensor *share = op(div, dy[0], number((double)reduced_count(a->input, mask)));
  GRAD(input) = spread(call, share, a->input, mask, a->keepdim);
}

FORWARD(sum_to)
{
  Tensor *x = a->input;
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype;
  if (x->dtype == (uint8_t)dtype && shape_equal(tensor_shape(x), a->shape)) {
    y[0] = x;
    return;
  }
  uint32_t mask = 0;
  int64_t missing = x->ndim - a->shape.n;
  for (int i = 0; i < x->ndim; i++)
    if (i < missing || (a->shape.v[i - missing] == 1 && x->shape[i] != 1)) mask |= 1u << i;
  if (!mask) {
    y[0] = copy_of(call, x, dtype);
    return;
  }
  y[0] = result_new(call, dtype, device_of(x), a->shape);
  if (x->numel == 0) launch_fill(call, y[0], scalar_int(0));
  else launch_reduce(call, REDUCE_SUM, x, mask, y[0], AS_IT_IS);
}

BACKWARD(sum_to)
{
  Tensor *dx = op(expand, dy[0], tensor_shape(a->input));
  GRAD(input) = op(to_dtype, dx, tensor_dtype(a->input), false, false);
}

/* ----------------------------------------------------------------- extremes */

/* Raises if there is nothing to choose from. */
static void check_extreme(Call *call, const Tensor *x, uint32_t mask)
{
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  for (int i = 0; i < x->ndim; i++)
    if ((mask >> i & 1) && x->shape[i] == 0)
      raise(call, "the tensor has shape %s: there is no element to choose", shape_text(call, tensor_shape(x)));
}

static Tensor *extreme(Call *call, ReduceId id, Tensor *x, uint32_t mask, bool keepdim)
{
  check_extreme(call, x, mask);
  return reduce_to_new(call, id, x, mask, keepdim, tensor_dtype(x), AS_IT_IS, 0);
}

/* The gradient of an extreme goes to all elements that are equal to it, in equal shares. */
static Tensor *share_among_equals(Call *call, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask, bool keepdim)
{
  y = restore_dims(call, y, x, mask, keepdim);
  dy = restore_dims(call, dy, x, mask, keepdim);
  Tensor *equal = op(to_dtype, op(eq, x, y), tensor_dtype(dy), false, false);
  int64_t dims[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (mask >> i & 1) dims[n++] = i;
  Tensor *count = op(sum, equal, ((Ints){dims, n}), true, DTYPE_NONE);
  return op(mul, equal, op(div, dy, count));
}

/* The gradient of a chosen element. */
static Tensor *put_back(Call *call, const Tensor *x, int64_t dim, bool keepdim, Tensor *positions, Tensor *dy)
{
  Tensor *zeros = op(zeros, tensor_shape(x), tensor_dtype(dy), device_of(dy), false);
  if (!keepdim && x->ndim > 0) {
    positions = op(unsqueeze, positions, shape_dim(call, dim, x->ndim));
    dy = op(unsqueeze, dy, shape_dim(call, dim, x->ndim));
  }
  return op(scatter, zeros, dim, positions, dy);
}

static void extreme_along(Call *call, PositionOf what, Tensor *x, int64_t dim, bool keepdim, Tensor **y)
{
  int d = shape_dim(call, dim, x->ndim);
  uint32_t mask = x->ndim ? 1u << d : 0;
  check_extreme(call, x, mask);
  Ints shape = reduced_shape(call, x, mask, keepdim);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), shape);
  y[1] = result_new(call, DTYPE_i64, device_of(x), shape);
  launch_positions(call, what, x, d, y[0], y[1]);
}

static uint32_t all_dims(const Tensor *x) { return (1u << x->ndim) - 1; }

FORWARD(max) { y[0] = extreme(call, REDUCE_MAX, a->input, all_dims(a->input), false); }
FORWARD(min) { y[0] = extreme(call, REDUCE_MIN, a->input, all_dims(a->input), false); }

/* As PyTorch's: where the extreme is nan, the elements that are nan share the gradient. */
static Tensor *share_of_all(Call *call, Tensor *x, Tensor *y, Tensor *dy)
{
  Tensor *equal = op(logical_or, op(eq, x, y), op(logical_and, op(isnan, x), op(isnan, y)));
  equal = op(to_dtype, equal, tensor_dtype(dy), false, false);
  return op(mul, equal, op(div, dy, op(sum, equal, NO_INTS, false, DTYPE_NONE)));
}

BACKWARD(max) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }
BACKWARD(min) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }

FORWARD(amax) { y[0] = extreme(call, REDUCE_MAX, a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim); }
FORWARD(amin) { y[0] = extreme(call, REDUCE_MIN, a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim); }

BACKWARD(amax)
{
  GRAD(input) = share_among_equals(call, a->input, y[0], dy[0], shape_dims(call, a->dim, a->input->ndim), a->keepdim);
}

BACKWARD(amin)
{
  GRAD(input) = share_among_equals(call, a->input, y[0], dy[0], shape_dims(call, a->dim, a->input->ndim), a->keepdim);
}

FORWARD(max_dim) { extreme_along(call, POSITION_OF_MAX, a->input, a->dim, a->keepdim, y); }
FORWARD(min_dim) { extreme_along(call, POSITION_OF_MIN, a->input, a->dim, a->keepdim, y); }
BACKWARD(max_dim) { if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]); }
BACKWARD(min_dim) { if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]); }

static Tensor *position(Call *call, PositionOf what, Tensor *x, int64_t dim, bool keepdim)
{
  uint32_t mask = all_dims(x);
  int d = 0;
  if (dim != NONE_DIM) {
    d = shape_dim(call, dim, x->ndim);
    mask = x->ndim ? 1u << d : 0;
  }
  check_extreme(call, x, mask);
  Tensor *y = result_new(call, DTYPE_i64, device_of(x), reduced_shape(call, x, mask, keepdim));
  if (dim == NONE_DIM) {
    x = contiguous_as(call, x, tensor_dtype(x));
    x = tensor_view(call, x, INTS(x->numel), INTS(1), x->offset);
  }
  launch_positions(call, what, x, d, NULL, y);
  return y;
}

FORWARD(argmax) { y[0] = position(call, POSITION_OF_MAX, a->input, a->dim, a->keepdim); }
FORWARD(argmin) { y[0] = position(call, POSITION_OF_MIN, a->input, a->dim, a->keepdim); }

/* -------------------------------------------------- the larger one of each two */

FORWARD(max_other) { y[0] = op(maximum, a->input, a->other); }
FORWARD(min_other) { y[0] = op(minimum, a->input, a->other); }

/* --------------------------------------------------------------- any and all */

/* Whether at least `enough` elements are not zero (at least all of them if enough < 0). */
static Tensor *count_enough(Call *call, Tensor *x, int64_t dim, bool keepdim, int64_t enough)
{
  uint32_t mask = all_dims(x);
  if (dim != NONE_DIM) mask = x->ndim ? 1u << shape_dim(call, dim, x->ndim) : 0;
  Ints shape = reduced_shape(call, x, mask, keepdim);
  Tensor *y = result_new(call, x->dtype == DTYPE_u8 ? DTYPE_u8 : DTYPE_b8, device_of(x), shape);
  if (y->device == DEVICE_META) return y;
  if (enough < 0) enough = reduced_count(x, mask);
  Tensor *count = tensor_new(call, DTYPE_i64, DEVICE_CPU, shape);
  if (x->numel == 0) launch_fill(call, count, scalar_int(0));
  else launch_reduce(call, REDUCE_COUNT_NONZERO, x, mask, count, AS_IT_IS);
  const int64_t *n = tensor_data(count);
  uint8_t *truth = tensor_data(y);
  for (int64_t i = 0; i < y->numel; i++) truth[i] = n[i] >= enough;
  return y;
}

FORWARD(any) { y[0] = count_enough(call, a->input, a->dim, a->keepdim, 1); }
FORWARD(all) { y[0] = count_enough(call, a->input, a->dim, a->keepdim, -1); }

/* --------------------------------------------------------------------- norms */

static double order_of(Scalar p) { return p.kind == SCALAR_NONE ? 2 : scalar_real(p); }

static Tensor *general_norm(Call *call, Tensor *x, double p, uint32_t mask, bool keepdim)
{
  Tensor *power = op(pow, op(abs, x), number(p));
  Tensor *sum = reduce_to_new(call, REDUCE_SUM, power, mask, keepdim, tensor_dtype(x), AS_IT_IS, 0);
  return op(pow, sum, number(1 / p));
}

FORWARD(norm)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  DType d = tensor_dtype(x);
  double p = order_of(a->p);
  if (a->p.kind == SCALAR_COMPLEX) raise(call, "p is complex; it is a real number, \"fro\" or \"nuc\"");
  if (!dtype_is_inexact(d))
    raise(call, "the input is %s, and a norm is a floating point number: give a dtype", dtype_name(d));
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  if (p == 2) {
    y[0] = sum_of_squares(call, x, mask, a->keepdim, d, (Finish){0, true}, 0);
    return;
  }
  if (dtype_is_complex(d)) x = op(abs, x);
  d = tensor_dtype(x);
  if (isinf(p)) check_extreme(call, x, mask);
  if (p == 1) y[0] = reduce_to_new(call, REDUCE_SUM_ABS, x, mask, a->keepdim, d, AS_IT_IS, 0);
  else if (p == 0) y[0] = reduce_to_new(call, REDUCE_COUNT_NONZERO, x, mask, a->keepdim, d, AS_IT_IS, 0);
  else if (isinf(p))
    y[0] = reduce_to_new(call, p > 0 ? REDUCE_MAX_ABS : REDUCE_MIN_ABS, x, mask, a->keepdim, d, AS_IT_IS, 0);
  else y[0] = general_norm(call, x, p, mask, a->keepdim);
}

/* t where y is not 0, and 0 where it is: the subgradient at 0. */
static Tensor *zero_where_zero(Call *call, Tensor *t, Tensor *y)
{
  return op(where, op(eq, y, number(0)), op(zeros_like, t, DTYPE_NONE, DEVICE_NONE, false), t);
}

static Tensor *norm_gradient(Call *call, double p, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask)
{
  if (p == 2) return op(mul, x, zero_where_zero(call, op(div, dy, y), y));
  if (p == 1) return op(mul, op(sgn, x), dy);
  if (isinf(p)) /* piecewise linear in x: its second derivative is zero */
    return op(zero_link, op(mul, op(sgn, x), share_among_equals(call, op(abs, x), y, dy, mask, true)), x);
  if (p < 2) { /* |x|^(p - 1) is infinite at 0 for p < 1 */
    Tensor *power = zero_where_zero(call, op(pow, op(abs, x), number(p - 1)), x);
    Tensor *scale = zero_where_zero(call, op(div, dy, op(pow, y, number(p - 1))), y);
    return op(mul, op(mul, op(sgn, x), power), scale);
  }
  Tensor *power = op(mul, x, op(pow, op(abs, x), number(p - 2)));
  return op(mul, power, zero_where_zero(call, op(div, dy, op(pow, y, number(p - 1))), y));
}

/* A complex element's direction times the gradient of its magnitude. */
static Tensor *complex_norm_gradient(Call *call, double p, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask)
{
  Tensor *size = op(abs, x), *d = norm_gradient(call, p, size, y, dy, mask);
  return op(mul, x, zero_where_zero(call, op(div, d, size), size));
}

BACKWARD(norm)
{
  if (order_of(a->p) == 0) return; /* a count has no gradient */
  Tensor *x = a->input;
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  Tensor *wide = op(to_dtype, x, a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype, false, false);
  Tensor *norm = restore_dims(call, y[0], x, mask, a->keepdim), *d = restore_dims(call, dy[0], x, mask, a->keepdim);
  bool is_complex = dtype_is_complex(tensor_dtype(wide));
  Tensor *dx = (is_complex ? complex_norm_gradient : norm_gradient)(call, order_of(a->p), wide, norm, d, mask);
  GRAD(input) = op(to_dtype, dx, tensor_dtype(x), false, false);
}

FORWARD(norm_named)
{
  double p = 2;
  if (strcmp(a->p, "inf") == 0) p = (double)INFINITY;
  else if (strcmp(a->p, "-inf") == 0) p = -(double)INFINITY;
  else if (strcmp(a->p, "nuc") == 0) {
    Tensor *x = a->dtype == DTYPE_NONE ? a->input : op(to_dtype, a->input, a->dtype, false, false);
    y[0] = op(nuclear_norm, x, a->dim, a->keepdim);
    return;
  } else if (strcmp(a->p, "fro") != 0) {
    raise(call, "p is \"%s\"; it is a number, \"fro\" or \"nuc\"", a->p);
  }
  y[0] = op(norm, a->input, scalar_float(p), a->dim, a->keepdim, a->dtype);
}

/* ------------------------------------------------------------------ variances */

/* What the sum of squares is divided by. */
static double degrees(const Tensor *x, uint32_t mask, bool unbiased, int64_t correction)
{
  double n = (double)reduced_count(x, mask) - (correction != NO_INT ? (double)correction : unbiased ? 1 : 0);
  return n > 0 ? n : 0;
}

static Tensor *deviations(Call *call, Tensor *x, uint32_t mask)
{
  int64_t dims[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (mask >> i & 1) dims[n++] = i;
  return op(sub, x, op(mean, x, ((Ints){dims, n}), true, DTYPE_NONE), scalar_int(1));
}

static Tensor *variance(Call *call, Tensor *x, uint32_t mask, bool keepdim, double divide, bool root)
{
  DType d = tensor_dtype(x);
  if (!dtype_is_inexact(d)) raise(call, "a floating point or complex tensor is wanted, not %s", dtype_name(d));
  Tensor *wide = op(to_dtype, x, dtype_is_half(d) ? DTYPE_f32 : d, false, false);
  Tensor *y = sum_of_squares(call, deviations(call, wide, mask), mask, keepdim, d, (Finish){divide, root}, (double)NAN);
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
  return op(mul, op(mul, deviations(call, x, mask), op(div, number(2), number(divide))), dy);
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

FORWARD(var_all) { y[0] = op(var, a->input, NO_INTS, a->unbiased, false, NO_INT); }
FORWARD(std_all) { y[0] = op(std, a->input, NO_INTS, a->unbiased, false, NO_INT); }
