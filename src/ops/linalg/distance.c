/* Distances of vectors: of pairs, and of all rows to all. */
#include "ops/linalg/distance.h"

#include <math.h>
#include <string.h>

#include "launch/reduce/distance.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* --------------------------------------------------------------------- of pairs */

FORWARD(pairwise_distance)
{
  Tensor *difference = plus(minus(a->x1, a->x2), number(a->eps));
  int64_t last = difference->ndim ? difference->ndim - 1 : 0;
  y[0] = op(norm, difference, scalar_float(a->p), INTS(last), a->keepdim, DTYPE_NONE);
}

/* A vector's norm, no less than eps. */
static Tensor *bounded_norm(Call *call, Tensor *x, int64_t dim, double eps)
{
  return op(clamp_from, op(norm, x, scalar_float(2), INTS(dim), true, DTYPE_NONE), scalar_float(eps));
}

FORWARD(cosine_similarity)
{
  Tensor *pair[2] = {a->x1, a->x2};
  DType dtype = promote_operands(call, pair, 2);
  check_floating(call, dtype);
  Ints shape = broadcast_operands(call, pair, 2);
  int dim = shape_dim(call, a->dim, (int)shape.n);
  Tensor *x[2];
  for (int i = 0; i < 2; i++) x[i] = op(expand, cast(pair[i], dtype), shape);
  Tensor *left = op(div, x[0], bounded_norm(call, x[0], dim, a->eps));
  Tensor *right = op(div, x[1], bounded_norm(call, x[1], dim, a->eps));
  y[0] = op(sum, op(mul, left, right), INTS(dim), false, DTYPE_NONE);
}

/* --------------------------------------------------------------- of rows to rows */

static Tensor *differences_of_rows(Call *call, Tensor *x1, Tensor *x2)
{
  return minus(op(unsqueeze, x1, -2), op(unsqueeze, x2, -3));
}

/* The shape of the distances of each row of x1 to each row of x2. */
static Ints shape_of_pairs(Call *call, const Tensor *x1, const Tensor *x2)
{
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x1->ndim - 2; i++) shape[i] = x1->shape[i];
  int n = shape_broadcast(shape, x1->ndim - 2, (Ints){x2->shape, x2->ndim - 2});
  if (n < 0)
    raise(call, "the batches of shapes %s and %s don't broadcast", shape_text(call, tensor_shape(x1)),
          shape_text(call, tensor_shape(x2)));
  shape[n++] = x1->shape[x1->ndim - 2];
  shape[n++] = x2->shape[x2->ndim - 2];
  return arena_ints(call->ctx, shape, n);
}

/* (x - y)^2 = x^2 - 2xy + y^2 as one product: of [-2x, x^2, 1] and [y, 1, y^2]. The result is made first: rows of
   expanded tensors take memory only here, and a result that there is no room for is told of before they do. */
static Tensor *distances_by_product(Call *call, Tensor *x1, Tensor *x2)
{
  Tensor *y = result_new(call, tensor_dtype(x1), device_of(x1), shape_of_pairs(call, x1, x2));
  Tensor *square1 = op(sum, op(mul, x1, x1), INTS(-1), true, DTYPE_NONE);
  Tensor *square2 = op(sum, op(mul, x2, x2), INTS(-1), true, DTYPE_NONE);
  Tensor *ones1 = ones_like_of(square1);
  Tensor *ones2 = ones_like_of(square2);
  Tensor *left[] = {op(mul, x1, number(-2)), square1, ones1}, *right[] = {x2, ones2, square2};
  Tensor *product = op(matmul, op(cat, ((Tensors){left, 3}), -1),
                       op(transpose, op(cat, ((Tensors){right, 3}), -1), -1, -2));
  launch_copy(call, y, op_(sqrt, op_(clamp_from, product, scalar_int(0))));
  return y;
}

FORWARD(euclidean_distances)
{
  y[0] = a->by_product ? distances_by_product(call, a->x1, a->x2)
                       : op(norm, differences_of_rows(call, a->x1, a->x2), scalar_int(2), INTS(-1), false, DTYPE_NONE);
}

/* dx1 = sum of w (x1 - x2) over the rows of x2, where w = dy / y, or 0 where rows are the same. */
BACKWARD(euclidean_distances)
{
  Tensor *zero = tensor_from_number(call, scalar_int(0)), *same = op(eq, y[0], zero);
  Tensor *w = op(where, same, zero,
                 op(div, dy[0], op(masked_fill, y[0], same, tensor_from_number(call, scalar_int(1)))));
  Tensor *turned = op(transpose, w, -1, -2);
  if (WANTS(x1)) {
    Tensor *own = op(mul, a->x1, op(sum, w, INTS(-1), true, DTYPE_NONE));
    Tensor *dx = minus(own, op(matmul, w, a->x2));
    GRAD(x1) = op(sum_to, dx, tensor_shape(a->x1), tensor_dtype(a->x1));
  }
  if (WANTS(x2)) {
    Tensor *own = op(mul, a->x2, op(sum, turned, INTS(-1), true, DTYPE_NONE));
    Tensor *dx = minus(own, op(matmul, turned, a->x1));
    GRAD(x2) = op(sum_to, dx, tensor_shape(a->x2), tensor_dtype(a->x2));
  }
}

FORWARD(summed_differences) { y[0] = op(norm, a->input, scalar_int(1), INTS(-1), false, DTYPE_NONE); }

/* Unlike that of a norm it is nan where a difference is. */
BACKWARD(summed_differences)
{
  Tensor *x = a->input, *direction = op(where, op(isnan, x), x, op(sgn, x));
  GRAD(input) = op(mul, direction, op(unsqueeze, dy[0], -1));
}

FORWARD(largest_differences) { y[0] = op(norm, a->input, scalar_float((double)INFINITY), INTS(-1), false, DTYPE_NONE); }

BACKWARD(largest_differences)
{
  Tensor *x = a->input, *largest = op(eq, op(abs, x), op(unsqueeze, y[0], -1));
  Tensor *d = op(where, largest, op(unsqueeze, dy[0], -1), tensor_from_number(call, scalar_int(0)));
  GRAD(input) = op(zero_link, op(mul, op(sgn, x), d), x);
}

/* Whether Euclidean distances come from a product, by default where there are many rows. */
static bool is_by_product(Call *call, const char *mode, const Tensor *x1, const Tensor *x2)
{
  enum { FEW = 25 };
  if (strcmp(mode, "use_mm_for_euclid_dist") == 0) return true;
  if (strcmp(mode, "donot_use_mm_for_euclid_dist") == 0) return false;
  if (strcmp(mode, "use_mm_for_euclid_dist_if_necessary") != 0)
    raise(call,
          "compute_mode is \"use_mm_for_euclid_dist_if_necessary\", \"use_mm_for_euclid_dist\" or "
          "\"donot_use_mm_for_euclid_dist\", not \"%s\"",
          mode);
  return x1->shape[x1->ndim - 2] > FEW || x2->shape[x2->ndim - 2] > FEW;
}

/* How many differences are not 0; nan if one is nan. Counts have a gradient of zero. */
static Tensor *count_of_differences(Call *call, Tensor *differences)
{
  Tensor *x = op(detach, differences);
  Tensor *counted = cast(op(ne, x, number(0)), tensor_dtype(x));
  return op(sum, op(where, op(isnan, x), x, counted), INTS(-1), false, DTYPE_NONE);
}

/* The distances of a p that is 1 or 2 by a kernel, which has no gradient: where none is wanted. */
static bool is_plain(const Call *call, double p, const Tensor *x1, const Tensor *x2)
{
  return (p == 1 || p == 2) && !wants_derivative(call, x1) && !wants_derivative(call, x2);
}

static DistanceKind kind_of(double p) { return p == 1 ? DISTANCE_SUM : DISTANCE_EUCLIDEAN; }

/* x with the batch of a shape as one dimension. */
static Tensor *one_batch(Call *call, Tensor *x, Ints shape)
{
  int64_t wide[MAX_DIMS], batches = 1, rows = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
  for (int64_t i = 0; i < shape.n - 2; i++) batches *= wide[i] = shape.v[i];
  wide[shape.n - 2] = rows;
  wide[shape.n - 1] = n;
  return op(reshape, op(expand, x, (Ints){wide, shape.n}), INTS(batches, rows, n));
}

FORWARD(row_distances)
{
  Ints shape = shape_of_pairs(call, a->x1, a->x2);
  y[0] = result_new(call, tensor_dtype(a->x1), device_of(a->x1), shape);
  Tensor *x1 = one_batch(call, a->x1, shape), *x2 = one_batch(call, a->x2, shape);
  Tensor *flat = tensor_view(call, y[0], INTS(x1->shape[0], x1->shape[1], x2->shape[1]),
                             INTS(x1->shape[1] * x2->shape[1], x2->shape[1], 1), y[0]->offset);
  launch_distances(call, kind_of(a->p), x1, x2, flat);
}

FORWARD(pair_distances)
{
  int64_t rows = a->input->shape[0];
  y[0] = result_new(call, tensor_dtype(a->input), device_of(a->input), INTS(rows > 1 ? rows * (rows - 1) / 2 : 0));
  launch_pair_distances(call, kind_of(a->p), a->input, y[0]);
}

FORWARD(cdist)
{
  Tensor *x1 = a->x1, *x2 = a->x2;
  if (x1->ndim < 2 || x2->ndim < 2 || x1->shape[x1->ndim - 1] != x2->shape[x2->ndim - 1])
    raise(call, "rows of one length are needed, not shapes %s and %s", shape_text(call, tensor_shape(x1)),
          shape_text(call, tensor_shape(x2)));
  if (x1->dtype != x2->dtype || !dtype_is_floating(tensor_dtype(x1)))
    raise(call, "two tensors of one floating dtype are needed, not %s and %s", dtype_name(tensor_dtype(x1)),
          dtype_name(tensor_dtype(x2)));
  if (!(a->p >= 0)) raise(call, "p must not be negative: %g", a->p);
  bool by_product = is_by_product(call, a->compute_mode, x1, x2);
  if (is_plain(call, a->p, x1, x2) && !(a->p == 2 && by_product)) {
    y[0] = op(row_distances, x1, x2, a->p);
    return;
  }
  if (a->p == 2) {
    y[0] = op(euclidean_distances, x1, x2, by_product);
    return;
  }
  Tensor *differences = differences_of_rows(call, x1, x2);
  if (a->p == 0) y[0] = op(zero_link, op(zero_link, count_of_differences(call, differences), x1), x2);
  else if (a->p == 1) y[0] = op(summed_differences, differences);
  else if (isinf(a->p)) y[0] = op(largest_differences, differences);
  else y[0] = op(norm, differences, scalar_float(a->p), INTS(-1), false, DTYPE_NONE);
}

FORWARD(pdist)
{
  Tensor *x = a->input;
  if (x->ndim != 2) raise(call, "input must be a matrix, not of shape %s", shape_text(call, tensor_shape(x)));
  check_argument_floating(call, "input", x);
  if (a->p < 0) raise(call, "p must not be negative, but is %g", a->p);
  if (is_plain(call, a->p, x, x)) {
    y[0] = op(pair_distances, x, a->p);
    return;
  }
  /* row by row with those behind it, which stay in the caches */
  int64_t rows = x->shape[0], n = rows > 1 ? rows - 1 : 0;
  Tensors parts = {arena_allocate(call->ctx, (size_t)(n + 1) * sizeof *parts.v), n + 1};
  for (int64_t i = 0; i < n; i++) {
    Tensor *apart = minus(op(narrow, x, 0, i, 1), op(narrow, x, 0, i + 1, n - i));
    parts.v[i] = op(norm, apart, scalar_float(a->p), INTS(1), false, DTYPE_NONE);
  }
  parts.v[n] = op(norm, op(narrow, x, 0, 0, 0), scalar_float(a->p), INTS(1), false, DTYPE_NONE);
  y[0] = op(cat, parts, 0);
}
