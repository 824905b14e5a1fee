/* Gradients and integrals of points, covariances, and norms of slices bounded. */
#include "ops/math/calculus.h"

#include <string.h>

#include "launch/look.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/math/exponential.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static int checked_dim(Call *call, const Tensor *t, int64_t dim)
{
  if (t->ndim == 0) raise(call, "a tensor without dimensions is not taken");
  return shape_dim(call, dim, t->ndim);
}

/* All but the last, or all but the first, of a dimension's positions. */
static Tensor *without_last(Call *call, Tensor *t, int dim) { return op(narrow, t, dim, 0, t->shape[dim] - 1); }
static Tensor *without_first(Call *call, Tensor *t, int dim) { return op(narrow, t, dim, 1, t->shape[dim] - 1); }

static Tensor *sums_of_neighbours(Call *call, Tensor *y, int dim)
{
  return plus(without_last(call, y, dim), without_first(call, y, dim));
}

/* -------------------------------------------------------------------- integrals */

/* The distances of points, which are one vector for all or broadcast to y. */
static Tensor *distances(Call *call, Tensor *y, Tensor *x, int dim)
{
  int64_t shape[MAX_DIMS];
  bool is_line = x->ndim == 1;
  if (is_line && x->shape[0] != y->shape[dim])
    raise(call, "there are %lld points for dimension %d of size %lld", (long long)x->shape[0], dim + 1,
          (long long)y->shape[dim]);
  if (x->ndim > y->ndim || x->ndim == 0)
    raise(call, "points of shape %s don't fit y of shape %s", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(y)));
  int missing = y->ndim - x->ndim;
  for (int d = 0; d < y->ndim; d++)
    shape[d] = is_line ? (d == dim ? x->shape[0] : 1) : d < missing ? 1 : x->shape[d - missing];
  x = op(reshape, x, (Ints){shape, y->ndim});
  if (x->shape[dim] == 0) raise(call, "there are no points");
  return minus(without_first(call, x, dim), without_last(call, x, dim));
}

/* Nothing to integrate over gives 0. */
static Tensor *empty_integral(Call *call, Tensor *y, int dim) { return op(sum, y, INTS(dim), false, DTYPE_NONE); }

static Tensor *integral_over_points(Call *call, Tensor *y, Tensor *x, int64_t dim_)
{
  int dim = checked_dim(call, y, dim_);
  if (y->shape[dim] == 0) return empty_integral(call, y, dim);
  Tensor *areas = op(mul, sums_of_neighbours(call, y, dim), distances(call, y, x, dim));
  return op(div, op(sum, areas, INTS(dim), false, DTYPE_NONE), number(2));
}

static Tensor *integral(Call *call, Tensor *y, Scalar dx, int64_t dim_)
{
  int dim = checked_dim(call, y, dim_);
  if (y->shape[dim] == 0) return empty_integral(call, y, dim);
  Tensor *ends = plus(op(select, y, dim, 0), op(select, y, dim, -1));
  Tensor *inner = minus(op(sum, y, INTS(dim), false, DTYPE_NONE), op(mul, ends, number(0.5)));
  return op(mul, inner, tensor_from_number(call, dx));
}

FORWARD(trapezoid_points) { y[0] = integral_over_points(call, a->y, a->x, a->dim); }
FORWARD(trapezoid) { y[0] = integral(call, a->y, a->dx, a->dim); }
FORWARD(trapz_points) { y[0] = integral_over_points(call, a->y, a->x, a->dim); }
FORWARD(trapz) { y[0] = integral(call, a->y, a->dx, a->dim); }

FORWARD(cumulative_trapezoid_points)
{
  int dim = checked_dim(call, a->y, a->dim);
  if (a->y->shape[dim] == 0) {
    y[0] = op(clone, a->y);
    return;
  }
  Tensor *areas = op(mul, distances(call, a->y, a->x, dim), sums_of_neighbours(call, a->y, dim));
  y[0] = op(div, op(cumsum, areas, dim, DTYPE_NONE), number(2));
}

FORWARD(cumulative_trapezoid)
{
  int dim = checked_dim(call, a->y, a->dim);
  if (a->y->shape[dim] == 0) {
    y[0] = op(clone, a->y);
    return;
  }
  Tensor *areas = op(mul, sums_of_neighbours(call, a->y, dim), tensor_from_number(call, a->dx));
  y[0] = op(div, op(cumsum, areas, dim, DTYPE_NONE), number(2));
}

/* -------------------------------------------------------------------- gradients */

/* f at three neighbouring places, times a coefficient each. */
static Tensor *weighted_places(Call *call, Tensor *const *f, Tensor *const *weight)
{
  return plus(plus(op(mul, f[0], weight[0]), op(mul, f[1], weight[1])), op(mul, f[2], weight[2]));
}

/* Three places of f along dim. */
static void three_places(Call *call, Tensor *f, int dim, int64_t first, int64_t n, Tensor **place)
{
  for (int i = 0; i < 3; i++) place[i] = op(narrow, f, dim, first + i, n);
}

/*
 * The derivatives at inner points, and at an edge (at = 0 or 2) by a parabola through three, from their distances p and
 * q: Lagrange's formula.
 */
static void weights_at(Call *call, int at, Tensor *p, Tensor *q, Tensor **w)
{
  Tensor *both = plus(p, q), *pb = op(mul, p, both), *pq = op(mul, p, q), *qb = op(mul, q, both);
  if (at == 1) {
    w[0] = op(div, op(neg, q), pb);
    w[1] = op(div, minus(q, p), pq);
    w[2] = op(div, p, qb);
  } else if (at == 0) {
    w[0] = op(div, op(neg, plus(both, p)), pb);
    w[1] = op(div, both, pq);
    w[2] = op(div, op(neg, p), qb);
  } else {
    w[0] = op(div, q, pb);
    w[1] = op(div, op(neg, both), pq);
    w[2] = op(div, plus(both, q), qb);
  }
}

/* The gradient along one dimension. steps: the distances of neighbours, as many dimensions as f, or one number. */
static Tensor *gradient_along(Call *call, Tensor *f, int dim, Tensor *steps, int64_t edge_order)
{
  int64_t n = f->shape[dim];
  if (n < edge_order + 1)
    raise(call, "at least %d points are needed, but dimension %d has size %lld", (int)edge_order + 1, dim + 1,
          (long long)n);
  bool even = steps->ndim == 0;
  if (!dtype_is_inexact(tensor_dtype(f))) f = cast(f, call->ctx->default_dtype);
  Tensor *place[3], *w[3], *parts[3];
  Tensor *p = even ? steps : op(narrow, steps, dim, 0, n - 2), *q = even ? steps : op(narrow, steps, dim, 1, n - 2);
  Tensor *first = even ? steps : op(narrow, steps, dim, 0, 1), *last = even ? steps : op(narrow, steps, dim, n - 2, 1);
  three_places(call, f, dim, 0, n - 2, place);
  if (even) {
    parts[1] = op(div, minus(place[2], place[0]), scaled(steps, 2));
  } else {
    weights_at(call, 1, p, q, w);
    parts[1] = weighted_places(call, place, w);
  }
  if (edge_order == 1) {
    parts[0] = op(div, minus(op(narrow, f, dim, 1, 1), op(narrow, f, dim, 0, 1)), first);
    parts[2] = op(div, minus(op(narrow, f, dim, n - 1, 1), op(narrow, f, dim, n - 2, 1)), last);
  } else {
    weights_at(call, 0, first, even ? steps : op(narrow, steps, dim, 1, 1), w);
    three_places(call, f, dim, 0, 1, place);
    parts[0] = weighted_places(call, place, w);
    weights_at(call, 2, even ? steps : op(narrow, steps, dim, n - 3, 1), last, w);
    three_places(call, f, dim, n - 3, 1, place);
    parts[2] = weighted_places(call, place, w);
  }
  return op(cat, ((Tensors){parts, 3}), dim);
}

typedef struct Axes {
  int v[MAX_DIMS];
  int n;
} Axes;

static Axes gradient_axes(Call *call, const Tensor *x, Ints dims, int64_t edge_order)
{
  Axes axes = {.n = 0};
  (void)shape_dims(call, dims, x->ndim); /* they must not repeat */
  if (edge_order != 1 && edge_order != 2) raise(call, "edge_order is 1 or 2, not %lld", (long long)edge_order);
  if (x->ndim == 0) raise(call, "a tensor without dimensions is not taken");
  if (dims.n <= 0)
    for (int d = 0; d < x->ndim; d++) axes.v[axes.n++] = d;
  else
    for (int64_t i = 0; i < dims.n; i++) axes.v[axes.n++] = shape_dim(call, dims.v[i], x->ndim);
  return axes;
}

FORWARD(gradient)
{
  (void)y;
  Axes axes = gradient_axes(call, a->input, a->dim, a->edge_order);
  Tensor *steps = tensor_from_number(call, a->spacing), **list = result_list(call, axes.n);
  for (int i = 0; i < axes.n; i++) list[i] = gradient_along(call, a->input, axes.v[i], steps, a->edge_order);
}

FORWARD(gradient_steps)
{
  (void)y;
  Axes axes = gradient_axes(call, a->input, a->dim, a->edge_order);
  if (a->spacing.n != axes.n) raise(call, "there are %lld spacings for %d dimensions", (long long)a->spacing.n, axes.n);
  Tensor **list = result_list(call, axes.n);
  for (int i = 0; i < axes.n; i++)
    list[i] = gradient_along(call, a->input, axes.v[i], number(a->spacing.v[i]), a->edge_order);
}

FORWARD(gradient_points)
{
  (void)y;
  Tensor *x = a->input;
  Axes axes = gradient_axes(call, x, a->dim, a->edge_order);
  if (a->spacing.n != axes.n)
    raise(call, "there are coordinates for %lld dimensions, but there are %d", (long long)a->spacing.n, axes.n);
  Tensor **list = result_list(call, axes.n);
  for (int i = 0; i < axes.n; i++) {
    Tensor *points = a->spacing.v[i];
    int64_t shape[MAX_DIMS], n = x->shape[axes.v[i]];
    if (points->ndim != 1 || points->shape[0] != n)
      raise(call, "coordinates of shape %s don't fit dimension %d of size %lld", shape_text(call, tensor_shape(points)),
            axes.v[i] + 1, (long long)n);
    for (int d = 0; d < x->ndim; d++) shape[d] = d == axes.v[i] ? n : 1;
    Tensor *line = op(reshape, points, (Ints){shape, x->ndim});
    if (n < 2) raise(call, "at least 2 points are needed, but dimension %d has size %lld", axes.v[i] + 1, (long long)n);
    Tensor *steps = minus(without_first(call, line, axes.v[i]), without_last(call, line, axes.v[i]));
    list[i] = gradient_along(call, x, axes.v[i], steps, a->edge_order);
  }
}

/* ------------------------------------------------------------------- covariances */

static void check_weights(Call *call, const Tensor *w, const char *name, int64_t n, bool whole)
{
  if (!w) return;
  if (w->ndim > 1 || w->numel != n)
    raise(call, "%s of shape %s don't fit %lld columns", name, shape_text(call, tensor_shape(w)), (long long)n);
  if (whole ? !dtype_is_integral(tensor_dtype(w)) : !dtype_is_floating(tensor_dtype(w)))
    raise(call, "%s must be %s, not %s", name, whole ? "integers" : "floating", dtype_name(tensor_dtype(w)));
  const char *text = whole ? "fweights must not be negative" : "aweights must not be negative";
  check_none_true(call, op(lt, (Tensor *)(uintptr_t)w, number(0)), text);
}

static Tensor *covariances(Call *call, Tensor *x, int64_t correction, Tensor *fweights, Tensor *aweights)
{
  if (x->ndim > 2) raise(call, "a matrix or a vector is needed, not shape %s", shape_text(call, tensor_shape(x)));
  if (x->dtype == DTYPE_b8) raise(call, "bool tensors are not taken");
  if (x->ndim < 2) x = op(reshape, x, INTS(1, x->numel));
  x = widened(x);
  int64_t n = x->shape[1];
  check_weights(call, fweights, "fweights", n, true);
  check_weights(call, aweights, "aweights", n, false);
  Tensor *w = fweights;
  if (aweights) w = w ? op(mul, w, aweights) : aweights;
  Tensor *sum_of_weights = w ? sum_of(w) : tensor_from_number(call, scalar_int(n)), *centred = x;
  for (int i = 0; i < 2; i++) { /* the second time takes away what rounding left of the mean */
    Tensor *sum = op(sum, w ? op(mul, centred, w) : centred, INTS(1), true, DTYPE_NONE);
    centred = minus(centred, op(div, sum, sum_of_weights));
  }
  Tensor *norm, *shrink = tensor_from_number(call, scalar_int(correction));
  if (w && aweights && correction != 0) {
    Tensor *both = sum_of(op(mul, w, aweights));
    norm = minus(sum_of_weights, op(div, op(mul, both, shrink), sum_of_weights));
  } else {
    norm = minus(sum_of_weights, shrink);
  }
  norm = op(clamp_from, norm, scalar_int(0));
  Tensor *weighed = w ? op(mul, centred, w) : centred;
  Tensor *other = op(conj, op(t, weighed));
  if (other->dtype != centred->dtype) centred = cast(centred, tensor_dtype(other));
  Tensor *c = op(div, op(mm, centred, other), norm);
  return c->numel == 1 ? op(reshape, c, ((Ints){NULL, 0})) : c;
}

static bool is_half(const Tensor *x) { return dtype_compute(tensor_dtype(x)) != tensor_dtype(x); }

FORWARD(cov)
{
  Tensor *c = covariances(call, a->input, a->correction, a->fweights, a->aweights);
  bool is_narrow = is_half(a->input) && (!a->aweights || is_half(a->aweights)); /* weights may have a wider dtype */
  y[0] = is_narrow ? cast(c, tensor_dtype(a->input)) : c;
}

FORWARD(corrcoef)
{
  Tensor *c = covariances(call, a->input, 1, NULL, NULL);
  if (c->ndim == 0) { /* of one variable with itself */
    c = op(div, c, c);
    y[0] = is_half(a->input) ? cast(c, tensor_dtype(a->input)) : c;
    return;
  }
  Tensor *variance = op(diagonal, c, 0, 0, 1);
  if (dtype_is_complex(tensor_dtype(c))) variance = op(select, op(view_as_real, variance), -1, 0);
  Tensor *deviation = op(sqrt, variance);
  c = op(div, op(div, c, op(unsqueeze, deviation, 1)), op(unsqueeze, deviation, 0));
  if (dtype_is_complex(tensor_dtype(c))) {
    y[0] = c;
    return;
  }
  c = op(clamp_to, c, scalar_int(-1), scalar_int(1));
  y[0] = is_half(a->input) ? cast(c, tensor_dtype(a->input)) : c;
}

FORWARD(renorm)
{
  bool derived = wants_derivative(call, a->input);
  Tensor *x = derived ? op(clone, a->input) : a->input; /* in place the input is overwritten, while gradients need it */
  int64_t dims[MAX_DIMS], n = 0;
  int dim = checked_dim(call, x, a->dim);
  if (x->ndim < 2) raise(call, "at least 2 dimensions are needed, not shape %s", shape_text(call, tensor_shape(x)));
  if (!dtype_is_inexact(tensor_dtype(x))) raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(x)));
  if (a->p.kind == SCALAR_COMPLEX || scalar_real(a->p) <= 0) raise(call, "p must be a positive number");
  if (a->maxnorm.kind == SCALAR_COMPLEX || scalar_real(a->maxnorm) < 0) raise(call, "maxnorm must not be negative");
  for (int d = 0; d < x->ndim; d++)
    if (d != dim) dims[n++] = d;
  x = widened(x);
  /* only slices over the limit have a gradient through their norm, which may be nan elsewhere */
  Tensor *limit = tensor_from_number(call, a->maxnorm);
  Tensor *norm = op(norm, op(detach, x), a->p, (Ints){dims, n}, true, DTYPE_NONE), *over = op(gt, norm, limit);
  if (derived) {
    Tensor *long_slices = op(where, over, x, tensor_from_number(call, scalar_int(0)));
    norm = op(norm, long_slices, a->p, (Ints){dims, n}, true, DTYPE_NONE);
  }
  Tensor *shrink = op(div, limit, plus(norm, number(1e-7)));
  Tensor *factor = op(where, over, shrink, tensor_from_number(call, scalar_int(1)));
  y[0] = op(contiguous, cast(op(mul, x, factor), tensor_dtype(a->input)));
}
