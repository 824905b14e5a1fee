/* Norms. */
#include "ops/reduce/vector_norm.h"

#include <math.h>
#include <string.h>

#include "ops/index/mask.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

static double order_of(Scalar p) { return p.kind == SCALAR_NONE ? 2 : scalar_real(p); }

static Tensor *general_norm(Call *call, Tensor *x, double p, uint32_t mask, bool keepdim)
{
  Tensor *power = op(pow, op(abs, widened(x)), number(p));
  Tensor *sum = op(sum, power, dims_of(call, x, mask), keepdim, DTYPE_NONE);
  return cast(op(pow, sum, number(1 / p)), tensor_dtype(x));
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

/* 1 where t is 0: powers that are infinite there, and their derivatives, are chosen away, which nan would survive. */
static Tensor *one_where_zero(Call *call, Tensor *t)
{
  return op(masked_fill, t, op(eq, t, number(0)), tensor_from_number(call, scalar_int(1)));
}

static Tensor *norm_gradient(Call *call, double p, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask)
{
  if (p == 2) return op(mul, x, zero_where_zero(call, op(div, dy, one_where_zero(call, y)), y));
  if (p == 1) return op(mul, op(sgn, x), dy);
  if (isinf(p)) { /* piecewise linear in x: its second derivative is zero */
    Tensor *share = share_among_equals(call, op(abs, x), y, dy, mask, true);
    share = op(masked_fill, share, op(isnan, y), tensor_from_number(call, scalar_int(0)));
    return op(zero_link, op(mul, op(sgn, x), share), x);
  }
  Tensor *power = zero_where_zero(call, op(pow, one_where_zero(call, op(abs, x)), number(p - 1)), x);
  Tensor *scale = zero_where_zero(call, op(div, dy, op(pow, one_where_zero(call, y), number(p - 1))), y);
  return op(mul, op(mul, op(sgn, x), power), scale);
}

/* A complex element's direction times the gradient of its magnitude. */
static Tensor *complex_norm_gradient(Call *call, double p, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask)
{
  Tensor *size = op(abs, x), *d = norm_gradient(call, p, size, y, dy, mask);
  return op(mul, x, zero_where_zero(call, op(div, d, one_where_zero(call, size)), size));
}

BACKWARD(norm)
{
  if (order_of(a->p) == 0) return; /* a count has no gradient */
  Tensor *x = a->input;
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  Tensor *wide = widened(cast(x, a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype));
  Tensor *norm = widened(restore_dims(call, y[0], x, mask, a->keepdim));
  Tensor *d = widened(restore_dims(call, dy[0], x, mask, a->keepdim));
  bool is_complex = dtype_is_complex(tensor_dtype(wide));
  Tensor *dx = (is_complex ? complex_norm_gradient : norm_gradient)(call, order_of(a->p), wide, norm, d, mask);
  GRAD(input) = cast(dx, tensor_dtype(x));
}

FORWARD(norm_named)
{
  double p = 2;
  if (strcmp(a->p, "inf") == 0) p = (double)INFINITY;
  else if (strcmp(a->p, "-inf") == 0) p = -(double)INFINITY;
  else if (strcmp(a->p, "nuc") == 0) {
    Tensor *x = a->dtype == DTYPE_NONE ? a->input : cast(a->input, a->dtype);
    y[0] = op(nuclear_norm, x, a->dim, a->keepdim);
    return;
  } else if (strcmp(a->p, "fro") != 0) {
    raise(call, "p is \"%s\"; it is a number, \"fro\" or \"nuc\"", a->p);
  }
  y[0] = op(norm, a->input, scalar_float(p), a->dim, a->keepdim, a->dtype);
}

FORWARD(frobenius_norm)
{
  if (a->dim.n > 2) raise(call, "at most two dimensions are wanted, and dim has %lld", (long long)a->dim.n);
  y[0] = op(norm, a->input, scalar_int(2), a->dim.n > 0 ? a->dim : NO_INTS, a->keepdim, DTYPE_NONE);
}

/* dim -1 is no dimension here, so it is taken as it is written. */
FORWARD(norm_except_dim)
{
  Tensor *v = a->v;
  if (a->dim == 0) raise(call, "dim is 0: dimensions count from 1, and -1 says that there is none");
  Ints others = NO_INTS;
  if (a->dim != -1) {
    int kept = shape_dim(call, a->dim > 0 ? a->dim - 1 : a->dim, v->ndim);
    int64_t dims[MAX_DIMS], n = 0;
    for (int d = 0; d < v->ndim; d++)
      if (d != kept) dims[n++] = d;
    others = arena_ints(call->ctx, dims, n);
  }
  y[0] = op(norm, v, scalar_int(a->pow), others, a->dim != -1, DTYPE_NONE);
}

FORWARD(dist) { y[0] = op(norm, minus(a->input, a->other), a->p, NO_INTS, false, DTYPE_NONE); }

FORWARD(vector_norm) { y[0] = op(norm, a->x, a->ord, a->dim, a->keepdim, a->dtype); }

/* ------------------------------------------------------------------ of matrices */

/* The two dimensions of matrices, not negative. */
static Ints matrix_dims(Call *call, const Tensor *x, Ints dim)
{
  const int64_t last[] = {-2, -1};
  int64_t dims[2];
  if (dim.n < 0) dim = (Ints){last, 2};
  if (dim.n != 2) raise(call, "a matrix has two dimensions, but dim names %lld", (long long)dim.n);
  if (x->ndim < 2) raise(call, "a matrix has two dimensions: the shape is %s", shape_text(call, tensor_shape(x)));
  for (int i = 0; i < 2; i++) dims[i] = shape_dim(call, dim.v[i], x->ndim);
  if (dims[0] == dims[1]) raise(call, "dimension %lld is named twice", (long long)dims[0] + 1);
  return arena_ints(call->ctx, dims, 2);
}

FORWARD(matrix_norm) { y[0] = op(norm_named, a->A, a->ord, matrix_dims(call, a->A, a->dim), a->keepdim, a->dtype); }

/* The largest or smallest one. */
static Tensor *norm_of_singular_values(Call *call, Tensor *x, Ints dims, bool largest, bool keepdim)
{
  int64_t order[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (i != dims.v[0] && i != dims.v[1]) order[n++] = i;
  order[n++] = dims.v[0];
  order[n++] = dims.v[1];
  Tensor *values = op(svdvals, op(permute, x, ((Ints){order, n})));
  Tensor *norm = largest ? op(amax, values, INTS(-1), false) : op(amin, values, INTS(-1), false);
  return op(reshape, norm, reduced_shape(call, x, 1u << dims.v[0] | 1u << dims.v[1], keepdim));
}

FORWARD(matrix_norm_of_order)
{
  Tensor *x = a->dtype == DTYPE_NONE ? a->A : cast(a->A, a->dtype);
  Ints dims = matrix_dims(call, x, a->dim);
  double order = scalar_real(a->ord), size = fabs(order);
  if (!dtype_is_inexact(tensor_dtype(x)))
    raise(call, "a floating point or complex matrix is wanted, not %s", dtype_name(tensor_dtype(x)));
  if (size == 2) {
    y[0] = norm_of_singular_values(call, x, dims, order > 0, a->keepdim);
    return;
  }
  if (size != 1 && !isinf(size)) raise(call, "the order is %g; it is 1, 2 or infinity, or the negative of one", order);
  int64_t summed = dims.v[size != 1], other = dims.v[size == 1];
  Tensor *sums = op(sum, op(abs, x), INTS(summed), true, DTYPE_NONE);
  Tensor *norm = order > 0 ? op(amax, sums, INTS(other), true) : op(amin, sums, INTS(other), true);
  y[0] = a->keepdim ? norm : op(squeeze_dims, norm, dims);
}

FORWARD(linalg_norm)
{
  int64_t dims = a->dim.n >= 0 ? a->dim.n : a->A->ndim;
  if (a->ord.kind != SCALAR_NONE && dims == 2)
    y[0] = op(matrix_norm_of_order, a->A, a->ord, a->dim, a->keepdim, a->dtype);
  else if (a->ord.kind != SCALAR_NONE && dims > 2)
    raise(call, "the shape is %s: an order is that of a vector's or a matrix's norm, so name one or two dimensions",
          shape_text(call, tensor_shape(a->A)));
  else y[0] = op(norm, a->A, a->ord, a->dim, a->keepdim, a->dtype);
}

FORWARD(linalg_norm_named)
{
  if (a->dim.n < 0 && a->A->ndim != 2)
    raise(call, "a matrix is wanted, not a tensor of shape %s", shape_text(call, tensor_shape(a->A)));
  y[0] = op(matrix_norm, a->A, a->ord, a->dim, a->keepdim, a->dtype);
}
