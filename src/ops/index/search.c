/* Searching sorted rows, and finding what is equal. */
#include "ops/index/search.h"

#include <string.h>

#include "launch/index/lines.h"
#include "launch/look.h"
#include "launch/index/search.h"
#include "launch/index/sort.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/index/sort.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"
#include "ops/table/words.h"

/* The dtype in which elements of one are compared: it holds them all. */
static DType compared_as(Call *call, DType d)
{
  if (dtype_is_complex(d)) raise(call, "complex numbers have no order");
  if (d == DTYPE_f64) return d;
  return dtype_is_floating(d) ? DTYPE_f32 : DTYPE_i64;
}

/* ------------------------------------------------------------- in sorted rows */

static bool searches_right(Call *call, bool right, const char *side)
{
  if (!side) return right;
  if (strcmp(side, "left") != 0 && strcmp(side, "right") != 0)
    raise(call, "side is \"left\" or \"right\", not \"%s\"", side);
  if (right && strcmp(side, "left") == 0) raise(call, "side is \"left\", but right is set");
  return strcmp(side, "right") == 0;
}

static void check_search(Call *call, const Tensor *rows, const Tensor *values)
{
  if (rows->ndim == 0) raise(call, "sorted_sequence must have a dimension");
  bool fits = rows->ndim == 1 || rows->ndim == values->ndim;
  for (int d = 0; d < rows->ndim - 1 && fits; d++) fits = rows->shape[d] == values->shape[d];
  if (!fits)
    raise(call, "sorted_sequence of shape %s and values of shape %s must be alike but for the last dimension",
          shape_text(call, tensor_shape(rows)), shape_text(call, tensor_shape(values)));
  if (rows->dtype != values->dtype && !values->is_wrapped_number)
    raise(call, "sorted_sequence is %s, but values are %s", dtype_name(tensor_dtype(rows)),
          dtype_name(tensor_dtype(values)));
}

/* The dtype in which rows and values are compared. */
static DType searched_as(Call *call, Tensor *rows, Tensor *values)
{
  Tensor *both[] = {rows, values};
  return compared_as(call, promote_operands(call, both, 2));
}

FORWARD(searchsorted)
{
  Tensor *rows = a->sorted_sequence, *values = a->values, *order = a->sorter;
  bool right = searches_right(call, a->right, a->side);
  check_search(call, rows, values);
  if (order && !tensor_same_shape(order, rows))
    raise(call, "sorter of shape %s doesn't fit sorted_sequence of shape %s", shape_text(call, tensor_shape(order)),
          shape_text(call, tensor_shape(rows)));
  if (order && order->dtype != DTYPE_i64) raise(call, "sorter must be int64, not %s", dtype_name(tensor_dtype(order)));
  if (order) order = checked_positions(call, order, rows->shape[rows->ndim - 1], rows->ndim - 1, false);
  y[0] = result_new(call, a->out_int32 ? DTYPE_i32 : DTYPE_i64, device_of(rows), tensor_shape(values));
  if (y[0]->numel > 0) launch_search(call, searched_as(call, rows, values), rows, values, order, right, y[0]);
}

FORWARD(bucketize)
{
  if (a->boundaries->ndim != 1)
    raise(call, "boundaries must be a vector, not of shape %s", shape_text(call, tensor_shape(a->boundaries)));
  y[0] = op(searchsorted, a->boundaries, a->input, a->out_int32, a->right, NULL, NULL);
}

FORWARD(isin)
{
  Tensor *both[] = {a->elements, a->test_elements}, *tests = a->test_elements, *x = a->elements;
  DType dtype = promote_operands(call, both, 2);
  (void)compared_as(call, dtype);
  y[0] = result_new(call, DTYPE_b8, result_device(call), tensor_shape(x));
  if (y[0]->numel == 0) return;
  if (tests->numel == 0) {
    launch_fill(call, y[0], scalar_bool(a->invert));
    return;
  }
  tests = op(sort, op(reshape, cast(tests, dtype), INTS(-1)), 0, false, false).v[0];
  x = cast(x, dtype);
  Tensor *places = new_beside(call, y[0], DTYPE_i64, tensor_shape(x)); /* a number has no device */
  launch_search(call, searched_as(call, tests, x), tests, x, NULL, false, places);
  places = op(clamp, places, NO_SCALAR, scalar_int(tests->numel)); /* what is greater than all is not the last one */
  Tensor *found = op(take, tests, places);
  launch_copy(call, y[0], a->invert ? op(ne, found, x) : op(eq, found, x));
}

/* ---------------------------------------------------------------- what is equal */

/* Whether each slice of a first dimension differs from the one before it; the first one does. */
static Tensor *beginnings(Call *call, Tensor *rows)
{
  int64_t n = rows->shape[0];
  Tensor *y = op(ones, INTS(n), DTYPE_b8, device_behind(rows), false);
  if (n < 2) return y;
  Tensor *differs = op(ne, op(narrow, rows, 0, 1, n - 1), op(narrow, rows, 0, 0, n - 1));
  if (rows->ndim > 1) differs = op(any, op(reshape, differs, INTS(n - 1, rows->numel / n)), INTS(1), false);
  launch_copy(call, stretch(call, y, 0, 1, n - 1), differs);
  return y;
}

/* at: where groups of n slices begin */
static Tensor *lengths_of_groups(Call *call, Tensor *at, int64_t n)
{
  Tensor *end = new_beside(call, at, DTYPE_i64, INTS(1));
  launch_fill(call, end, scalar_int(n + 1));
  return op(diff, at, 1, 0, NULL, end);
}

typedef struct Wanted {
  bool inverse, counts;
  int dim;
} Wanted;

/*
 * Gives the first slices of groups of equal ones that lie side by side, and what else is wanted. order: the positions
 * that they had in the input, or NULL.
 */
static void give_groups(Call *call, Tensor *rows, Tensor *order, Wanted w, Ints inverse_shape)
{
  Tensor *begins = beginnings(call, rows), *at = op(reshape, op(argwhere, begins), INTS(-1));
  Tensor *found = op(index_select, rows, 0, at);
  Tensor **list = result_list(call, 1 + w.inverse + w.counts);
  *list++ = w.dim > 0 ? op(movedim, found, INTS(0), INTS(w.dim)) : found;
  if (w.inverse) {
    Tensor *groups = op(cumsum, begins, 0, DTYPE_i64);
    if (order)
      groups = op(scatter, op(zeros, tensor_shape(groups), DTYPE_i64, device_behind(groups), false), 0, order, groups);
    *list++ = op(reshape, groups, inverse_shape);
  }
  if (w.counts) *list++ = lengths_of_groups(call, at, begins->numel);
}

/* The slices of a dimension as the first one, contiguous. */
static Tensor *slices_first(Call *call, Tensor *x, int64_t dim_, int *dim)
{
  *dim = shape_dim(call, dim_, x->ndim);
  if (x->ndim == 0) raise(call, "a tensor without dimensions has no slices");
  for (int d = 0; d < x->ndim; d++)
    if (d != *dim && x->shape[d] == 0)
      raise(call, "slices of a tensor of shape %s have no elements", shape_text(call, tensor_shape(x)));
  return op(contiguous, op(movedim, x, INTS(*dim), INTS(0)));
}

/* ---- of integers that lie close together, by counting ---- */

/* Whether they lie within so few that a table of all takes less time than sorting. */
static bool are_close(Call *call, Tensor *x, PositionRange *range)
{
  if (x->numel == 0) return false;
  *range = range_of(call, x, NO_RANGE);
  uint64_t width = (uint64_t)range->high - (uint64_t)range->low;
  return width < (uint64_t)x->numel * 2;
}

static void give_counted(Call *call, Tensor *x, PositionRange range, Wanted w)
{
  Tensor *table = new_beside(call, x, DTYPE_i64, INTS(range.high - range.low + 1));
  launch_count_values(call, x, range.low, table);
  Tensor *there = op(ne, table, tensor_from_number(call, scalar_int(0))),
         *places = op(reshape, op(argwhere, there), INTS(-1));
  Tensor **list = result_list(call, 1 + w.inverse + w.counts);
  *list++ = cast(plus(places, tensor_from_number(call, scalar_int(range.low - 1))), tensor_dtype(x));
  if (w.inverse) {
    Tensor *inverse = *list++ = new_beside(call, x, DTYPE_i64, tensor_shape(x));
    launch_look_up_values(call, x, range.low, op(cumsum, there, 0, DTYPE_i64), inverse);
  }
  if (w.counts) *list = op(index_select, table, 0, places);
}

FORWARD(unique)
{
  (void)y;
  Tensor *x = a->input;
  Wanted w = {a->return_inverse, a->return_counts, 0};
  check_can_look(call, x);
  if (a->dim == NONE_DIM && dtype_is_integral(tensor_dtype(x))) {
    PositionRange range;
    if (are_close(call, x, &range)) {
      give_counted(call, x, range, w);
      return;
    }
  }
  if (a->dim == NONE_DIM) {
    Tensors sorted = op(sort, op(reshape, x, INTS(-1)), 0, false, false);
    give_groups(call, sorted.v[0], sorted.v[1], w, tensor_shape(x));
    return;
  }
  Tensor *rows = slices_first(call, x, a->dim, &w.dim);
  int64_t n = rows->shape[0];
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  Tensor *order = new_beside(call, x, DTYPE_i64, INTS(n));
  launch_sort_slices(call, rows, order);
  give_groups(call, op(index_select, rows, 0, order), order, w, INTS(n));
}

FORWARD(unique_consecutive)
{
  (void)y;
  Tensor *x = a->input;
  Wanted w = {a->return_inverse, a->return_counts, 0};
  check_can_look(call, x);
  if (a->dim == NONE_DIM) {
    give_groups(call, op(reshape, x, INTS(-1)), NULL, w, tensor_shape(x));
    return;
  }
  Tensor *rows = slices_first(call, x, a->dim, &w.dim);
  give_groups(call, rows, NULL, w, INTS(rows->shape[0]));
}

/* ------------------------------------------------------- positions in all dimensions */

FORWARD(unravel_index)
{
  (void)y;
  Ints shape = a->shape;
  if (!dtype_is_integral(tensor_dtype(a->indices)))
    raise(call, "indices are %s; integers are needed", dtype_name(tensor_dtype(a->indices)));
  if (shape.n > MAX_DIMS) raise(call, "%lld dimensions are too many", (long long)shape.n);
  int64_t count = 1; /* of positions: no memory is needed for them */
  for (int64_t i = 0; i < shape.n; i++)
    if (shape.v[i] < 1) raise(call, "shape %s has a size below 1", shape_text(call, shape));
    else if (__builtin_mul_overflow(count, shape.v[i], &count))
      raise(call, "shape %s is too large", shape_text(call, shape));
  if (shape.n == 0) {
    result_list(call, 0);
    return;
  }
  Tensor *one = tensor_from_number(call, scalar_int(1));
  check_none_true(call, op(lt, a->indices, one), "a position below 1 in indices: they count from 1");
  Tensor *rest = minus(cast(a->indices, DTYPE_i64), one), *parts[MAX_DIMS];
  for (int64_t i = shape.n - 1; i >= 0; i--) {
    Tensor *size = tensor_from_number(call, scalar_int(shape.v[i]));
    parts[i] = plus(op(remainder, rest, size), one);
    if (i) rest = op(floor_divide, rest, size);
  }
  Tensor *all = ordered_as(op(stack, ((Tensors){parts, shape.n}), -1), op(unsqueeze, parts[0], -1));
  give_list(call, op(unbind, all, -1));
}
