/* Sums, products and extremes of all elements up to each one. */
#include "ops/reduce/cumulative.h"

#include <math.h>

#include "launch/reduce/cumulate.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/exponential.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

/* Sums or products, into a result of the dtype asked for; of integers it is int64. */
static Tensor *cumulated(Call *call, CumulateId id, Tensor *x, int64_t along, DType dtype)
{
  int dim = shape_dim(call, along, x->ndim);
  if (dtype == DTYPE_NONE) dtype = call->into || dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  if (dtype == DTYPE_b8) raise(call, "the results are not kept as bool: give another dtype");
  if (call->into && dtype != tensor_dtype(x))
    raise(call, "a %s tensor can't hold %s results in place", dtype_name(tensor_dtype(x)), dtype_name(dtype));
  Tensor *y = result_new(call, dtype, device_of(x), tensor_shape(x));
  launch_cumulate(call, id, x, dim, false, y);
  return y;
}

FORWARD(cumsum) { y[0] = cumulated(call, CUMULATE_SUM, a->input, a->dim, a->dtype); }

FORWARD(cumsum_from_end)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  y[0] = result_new(call, tensor_dtype(a->input), device_of(a->input), tensor_shape(a->input));
  launch_cumulate(call, CUMULATE_SUM, a->input, dim, true, y[0]);
}

BACKWARD(cumsum)
{
  Tensor *dx = op(cumsum_from_end, dy[0], a->dim);
  GRAD(input) = cast(dx, tensor_dtype(a->input));
}

BACKWARD(cumsum_from_end) { GRAD(input) = op(cumsum, dy[0], a->dim, DTYPE_NONE); }

FORWARD(cumprod) { y[0] = cumulated(call, CUMULATE_PROD, a->input, a->dim, a->dtype); }

/* With zeros among the factors: the product of those before k, times the sum of dy[i] and the product of those between
   k and i, which a recurrence from the end gives. */
static Tensor *cumprod_gradient_at_zeros(Call *call, Tensor *x, int dim, Tensor *dy)
{
  int64_t n = x->shape[dim];
  Tensor **v = slices_of(call, x, dim), **d = slices_of(call, dy, dim);
  Tensor *before = ones_like_of(v[0]), *sum = NULL;
  for (int64_t k = n - 1; k >= 0; k--) d[k] = sum = sum ? plus(d[k], op(mul, op(conj, v[k + 1]), sum)) : d[k];
  for (int64_t k = 0; k < n; k++) {
    d[k] = op(mul, d[k], op(conj, before));
    before = op(mul, before, v[k]);
  }
  return op(stack, ((Tensors){d, n}), dim);
}

BACKWARD(cumprod)
{
  Tensor *x = a->dtype == DTYPE_NONE ? a->input : cast(a->input, a->dtype), *dx;
  int dim = shape_dim(call, a->dim, x->ndim);
  if (x->numel <= 1) dx = dy[0];
  else if (has_zero(call, x)) dx = cumprod_gradient_at_zeros(call, x, dim, dy[0]);
  else dx = op(div, op(cumsum_from_end, op(mul, dy[0], op(conj, y[0])), dim), op(conj, x));
  GRAD(input) = cast(dx, tensor_dtype(a->input));
}

static void cumulate_extreme(Call *call, PositionOf what, Tensor *x, int64_t along, Tensor **y)
{
  int dim = shape_dim(call, along, x->ndim);
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  y[0] = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  y[1] = result_new(call, DTYPE_i64, device_of(x), tensor_shape(x));
  launch_cumulate_extreme(call, what, x, dim, y[0], y[1]);
}

FORWARD(cummax) { cumulate_extreme(call, POSITION_OF_MAX, a->input, a->dim, y); }
FORWARD(cummin) { cumulate_extreme(call, POSITION_OF_MIN, a->input, a->dim, y); }

static Tensor *add_at_positions(Call *call, const Tensor *x, int64_t dim, Tensor *positions, Tensor *dy)
{
  return op(scatter_add, zeros_for(call, dy, tensor_shape(x)), dim, positions, dy);
}

BACKWARD(cummax)
{
  if (dy[0]) GRAD(input) = add_at_positions(call, a->input, a->dim, y[1], dy[0]);
}
BACKWARD(cummin)
{
  if (dy[0]) GRAD(input) = add_at_positions(call, a->input, a->dim, y[1], dy[0]);
}

FORWARD(logcumsumexp) { y[0] = op(logcumsumexp_of, a->input, a->dim, false); }

FORWARD(logcumsumexp_of)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  if (!dtype_is_inexact(tensor_dtype(x)))
    raise(call, "a floating point or complex tensor is wanted, not %s", dtype_name(tensor_dtype(x)));
  y[0] = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_cumulate(call, CUMULATE_LOG_SUM_EXP, x, dim, a->from_end, y[0]);
}

/* The sums of dy[i] e^(x - y[i]), of positive and of negative dy apart, so that their logarithms can be added up. */
static Tensor *weighted_sums(Call *call, const struct logcumsumexp_of_args *a, Tensor *y, Tensor *dy)
{
  Tensor *log_dy = op(where, op(gt, dy, number(0)), op(log, dy), number(-(double)INFINITY));
  y = op(where, op(isneginf, y), number(0), y); /* so is x there, which makes it 0 */
  Tensor *sums = op(logcumsumexp_of, minus(log_dy, y), a->dim, !a->from_end);
  return op(exp, plus(sums, a->input));
}

/* That of complex numbers, whose logarithms know all directions. */
static Tensor *weighted_complex_sums(Call *call, const struct logcumsumexp_of_args *a, Tensor *y, Tensor *dy)
{
  Tensor *log_dy = op(log, conjugate(dy));
  Tensor *sums = op(logcumsumexp_of, minus(log_dy, y), a->dim, !a->from_end);
  return conjugate(op(exp, plus(sums, a->input)));
}

BACKWARD(logcumsumexp_of)
{
  if (a->input->ndim == 0) GRAD(input) = dy[0];
  else if (dtype_is_complex(tensor_dtype(a->input))) GRAD(input) = weighted_complex_sums(call, a, y[0], dy[0]);
  else GRAD(input) = minus(weighted_sums(call, a, y[0], dy[0]), weighted_sums(call, a, y[0], op(neg, dy[0])));
}

static Tensor *differences_along(Call *call, Tensor *x, int dim)
{
  int64_t n = x->shape[dim] > 0 ? x->shape[dim] - 1 : 0;
  Tensor *next = op(narrow, x, dim, x->shape[dim] - n, n), *last = op(narrow, x, dim, 0, n);
  return x->dtype == DTYPE_b8 ? op(logical_xor, next, last) : minus(next, last);
}

FORWARD(diff)
{
  Tensor *x = a->input, *parts[3];
  int dim = shape_dim(call, a->dim, x->ndim), count = 0;
  if (x->ndim == 0) raise(call, "a tensor without dimensions has no neighbours");
  if (a->n < 0) raise(call, "n must not be negative: %lld", (long long)a->n);
  if (a->n == 0) {
    y[0] = op(alias, x);
    return;
  }
  if (a->prepend) parts[count++] = a->prepend;
  parts[count++] = x;
  if (a->append) parts[count++] = a->append;
  if (count > 1) x = op(cat, ((Tensors){parts, count}), dim);
  for (int64_t i = 0; i < a->n && (i == 0 || x->shape[dim] > 0); i++) x = differences_along(call, x, dim);
  y[0] = x;
}
