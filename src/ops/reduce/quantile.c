/* Elements by their rank, in sorted rows. Nan comes last there. */
#include "ops/reduce/quantile.h"

#include <math.h>
#include <string.h>

#include "launch/index/sort.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/index/sort.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/rounding.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

/* Rows to be ranked: with elements, and with a dimension. */
static Tensor *rows_of(Call *call, Tensor *x, int64_t dim)
{
  int d = shape_dim(call, dim, x->ndim);
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  if (x->ndim == 0) return op(reshape, x, INTS(1));
  if (x->shape[d] == 0)
    raise(call, "the tensor has shape %s: there is no element to choose", shape_text(call, tensor_shape(x)));
  return x;
}

/* The elements, and their positions, at a rank (from 1) of each row in order; x may have had no dimension. */
static void take_ranks(Call *call, const Tensor *x, Tensor *rows, int64_t dim, Tensor *ranks, bool keepdim, Tensor **y)
{
  Ints shape = reduced_shape(call, x, x->ndim ? 1u << shape_dim(call, dim, x->ndim) : 0, keepdim);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), shape);
  y[1] = new_beside(call, x, DTYPE_i64, shape);
  launch_ranked(call, op(movedim, rows, INTS(dim), INTS(-1)), ranks, y[0], y[1]);
}

static Tensor *count_nan(Call *call, Tensor *rows, int64_t dim)
{
  return op(sum, op(isnan, rows), INTS(dim), true, DTYPE_NONE);
}

static Tensor *whole(Call *call, int64_t n) { return tensor_from_number(call, scalar_int(n)); }

/* The first nan where there is one, else the lower middle; without nan the lower middle of the rest, the first if there
   is nothing else. */
static void medians(Call *call, Tensor *x, int64_t dim, bool keepdim, bool without_nan, Tensor **y)
{
  Tensor *rows = rows_of(call, x, dim);
  int64_t n = rows->shape[shape_dim(call, dim, rows->ndim)];
  Tensor *nan = count_nan(call, rows, dim), *rest = minus(whole(call, n), nan), *ranks;
  Tensor *one_more = plus(rest, whole(call, 1));
  if (without_nan) ranks = op(clamp_min, op(floor_divide, one_more, whole(call, 2)), whole(call, 1));
  else ranks = op(where, op(gt, nan, whole(call, 0)), one_more, whole(call, (n + 1) / 2));
  take_ranks(call, x, rows, dim, ranks, keepdim, y);
}

static Tensor *median_of_all(Call *call, Tensor *x, bool without_nan)
{
  Tensor *y[2];
  DType d = tensor_dtype(x);
  if (x->numel == 0 && dtype_is_floating(d))
    return op(full, ((Ints){NULL, 0}), scalar_float((double)NAN), d, device_behind(x), false);
  medians(call, op(reshape, x, INTS(-1)), 0, false, without_nan, y);
  return y[0];
}

FORWARD(median) { y[0] = median_of_all(call, a->input, false); }
FORWARD(nanmedian) { y[0] = median_of_all(call, a->input, true); }
FORWARD(median_dim) { medians(call, a->input, a->dim, a->keepdim, false, y); }
FORWARD(nanmedian_dim) { medians(call, a->input, a->dim, a->keepdim, true, y); }

BACKWARD(median) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }
BACKWARD(nanmedian) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }
BACKWARD(median_dim)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}
BACKWARD(nanmedian_dim)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}

/* One rank for all rows. */
static Tensor *same_ranks(Call *call, const Tensor *rows, int64_t dim, int64_t rank)
{
  Ints shape = reduced_shape(call, rows, 1u << shape_dim(call, dim, rows->ndim), true);
  return op(full, shape, scalar_int(rank), DTYPE_i64, device_behind(rows), false);
}

FORWARD(kthvalue)
{
  Tensor *rows = rows_of(call, a->input, a->dim);
  int64_t n = rows->shape[shape_dim(call, a->dim, rows->ndim)];
  if (a->k < 1 || a->k > n) raise(call, "k is %lld, but there are %lld elements", (long long)a->k, (long long)n);
  take_ranks(call, a->input, rows, a->dim, same_ranks(call, rows, a->dim, a->k), a->keepdim, y);
}

BACKWARD(kthvalue)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}

/* In sorted rows, equals lie together, as nan do: the run that is longest ends where the count of elements since its
   first is largest. */
FORWARD(mode)
{
  Tensor *x = a->input, *rows = rows_of(call, x, a->dim);
  int64_t dim = shape_dim(call, a->dim, rows->ndim), n = rows->shape[dim];
  Tensor *sorted = op(sort, rows, dim, false, true).v[0];
  Tensor *ones = cast(ones_like_of(sorted), DTYPE_i64);
  Tensor *place = op(cumsum, ones, dim, DTYPE_NONE), *first = place;
  if (n > 1) { /* the place where each element's run begins */
    Tensor *last = op(narrow, sorted, dim, 0, n - 1);
    Tensor *begins = op(logical_and, op(ne, op(narrow, sorted, dim, 1, n - 1), last), op(eq, last, last));
    Tensor *begin = op(mul, op(narrow, place, dim, 1, n - 1), begins);
    Tensor *parts[] = {op(narrow, place, dim, 0, 1), begin};
    first = op(cummax, op(cat, ((Tensors){parts, 2}), dim), dim).v[0];
  }
  Tensor *ranks = op(max_dim, minus(place, first), dim, true).v[1];
  take_ranks(call, x, rows, dim, ranks, a->keepdim, y);
}

BACKWARD(mode)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}

/* ------------------------------------------------------------------- quantiles */

typedef enum Between { LINEAR, LOWER, HIGHER, MIDPOINT, NEAREST } Between;

static Between between(Call *call, const char *name)
{
  static const char *const names[] = {"linear", "lower", "higher", "midpoint", "nearest"};
  for (int i = 0; i < 5; i++)
    if (strcmp(names[i], name) == 0) return (Between)i;
  raise(call, "interpolation is linear, lower, higher, midpoint or nearest, not \"%s\"", name);
}

static Tensor *at_rank(Call *call, Tensor *sorted, Tensor *rank)
{
  return op(gather, sorted, -1, plus(cast(rank, DTYPE_i64), whole(call, 1)), false);
}

/* Of rows along the last dimension and ranks (from 0) of each. */
static Tensor *interpolate(Call *call, Tensor *sorted, Tensor *ranks, Between how)
{
  Tensor *low = op(floor, ranks);
  if (how == NEAREST) return at_rank(call, sorted, op(round, ranks));
  if (how == HIGHER) return at_rank(call, sorted, op(ceil, ranks));
  Tensor *below = at_rank(call, sorted, low);
  if (how == LOWER) return below;
  Tensor *weight = how == MIDPOINT ? number(0.5) : minus(ranks, low);
  return op(lerp, below, at_rank(call, sorted, op(ceil, ranks)), weight);
}

static void check_quantile(Call *call, const Tensor *x, const Tensor *q)
{
  DType d = tensor_dtype(x);
  if (d != DTYPE_f32 && d != DTYPE_f64) raise(call, "a float32 or float64 tensor is wanted, not %s", dtype_name(d));
  if (x->numel == 0) raise(call, "the tensor has no elements");
  if (tensor_dtype(q) != d) raise(call, "q is %s, but the input %s", dtype_name(tensor_dtype(q)), dtype_name(d));
  if (q->ndim > 1) raise(call, "q has shape %s, but one dimension at most", shape_text(call, tensor_shape(q)));
}

/* The ranks of each row's quantiles: of all elements, or of those that are not nan. */
static Tensor *ranks_of(Call *call, Tensor *rows, Tensor *q, bool without_nan)
{
  int64_t n = rows->shape[rows->ndim - 1];
  Tensor *nan = count_nan(call, rows, -1), *last = whole(call, n - 1);
  if (without_nan) return op(mul, q, op(clamp_min, minus(last, nan), whole(call, 0)));
  Tensor *ranks = op(mul, q, last), *of_nan = op(full_like, q, scalar_int(n - 1), DTYPE_NONE, DEVICE_NONE, false);
  return op(where, op(gt, nan, whole(call, 0)), of_nan, ranks);
}

/* The input with the dimension last; all of it in one row for none. */
static Tensor *dim_last(Call *call, Tensor *x, int64_t dim)
{
  if (dim == NONE_DIM || x->ndim == 0) return op(reshape, x, INTS(-1));
  return op(transpose, op(unsqueeze, x, -1), shape_dim(call, dim, x->ndim), -1);
}

static Tensor *quantiles(Call *call, Tensor *x, Tensor *q, int64_t dim, bool keepdim, const char *interpolation,
                         bool without_nan)
{
  Between how = between(call, interpolation);
  check_quantile(call, x, q);
  uint32_t mask = dim == NONE_DIM ? all_dims(x) : x->ndim ? 1u << shape_dim(call, dim, x->ndim) : 0;
  Tensor *rows = dim_last(call, x, dim), *shares = op(reshape, q, INTS(-1));
  int64_t count = shares->numel, shape[MAX_DIMS + 1];
  Ints kept = reduced_shape(call, x, mask, keepdim);
  Tensor *sorted = op(sort, rows, -1, false, true).v[0], *ranks = ranks_of(call, rows, shares, without_nan);
  for (int i = 0; i < rows->ndim - 1; i++) shape[i] = rows->shape[i];
  shape[rows->ndim - 1] = count;
  ranks = op(contiguous, op(expand, ranks, ((Ints){shape, rows->ndim})));
  Tensor *y = interpolate(call, sorted, ranks, how);
  if (q->ndim == 0) return op(reshape, y, kept);
  int64_t order[MAX_DIMS];
  order[0] = y->ndim - 1;
  for (int i = 1; i < y->ndim; i++) order[i] = i - 1;
  shape[0] = count;
  for (int64_t i = 0; i < kept.n; i++) shape[i + 1] = kept.v[i];
  return op(reshape, op(permute, y, ((Ints){order, y->ndim})), ((Ints){shape, kept.n + 1}));
}

static Tensor *share(Call *call, const Tensor *x, double q)
{
  if (!(q >= 0 && q <= 1)) raise(call, "q lies between 0 and 1, not at %g", q);
  return op(full, ((Ints){NULL, 0}), scalar_float(q), tensor_dtype(x), device_behind(x), false);
}

static Tensor *shares(Call *call, Tensor *q)
{
  Tensor *within = op(logical_and, op(ge, q, number(0)), op(le, q, number(1)));
  check_none_true(call, op(logical_not, within), "all of q lie between 0 and 1");
  return q;
}

FORWARD(quantile)
{
  y[0] = quantiles(call, a->input, share(call, a->input, a->q), a->dim, a->keepdim, a->interpolation, false);
}

FORWARD(quantile_tensor)
{
  y[0] = quantiles(call, a->input, shares(call, a->q), a->dim, a->keepdim, a->interpolation, false);
}

FORWARD(nanquantile)
{
  y[0] = quantiles(call, a->input, share(call, a->input, a->q), a->dim, a->keepdim, a->interpolation, true);
}

FORWARD(nanquantile_tensor)
{
  y[0] = quantiles(call, a->input, shares(call, a->q), a->dim, a->keepdim, a->interpolation, true);
}
