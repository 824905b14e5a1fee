/* Choices by masks, and indexing by tensors in several dimensions at once. */
#include "ops/index/mask.h"

#include <string.h>

#include "launch/index/lines.h"
#include "launch/look.h"
#include "launch/math/where.h"
#include "ops/index/gather.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_mask(Call *call, const Tensor *mask)
{
  if (mask->dtype != DTYPE_b8)
    raise(call, "a bool tensor is needed as the mask, not %s", dtype_name(tensor_dtype(mask)));
}

/* ----------------------------------------------------- where elements are true */

/* A column of a matrix as a new tensor. */
static Tensor *column(Call *call, const Tensor *rows, int d)
{
  Tensor *view = tensor_view(call, rows, INTS(rows->shape[0]), INTS(rows->shape[1]), rows->offset + d);
  Tensor *copy = new_beside(call, rows, tensor_dtype(rows), INTS(rows->shape[0]));
  launch_copy(call, copy, view);
  return copy;
}

/* The same matrix with its columns one behind the other in memory, as PyTorch has it. */
static Tensor *by_columns(Call *call, const Tensor *rows)
{
  Tensor *y = tensor_new_strided(call, tensor_dtype(rows), (Device)rows->device, tensor_shape(rows),
                                 INTS(1, rows->shape[0]));
  launch_copy(call, y, rows);
  return y;
}

FORWARD(nonzero)
{
  (void)y;
  Tensor *x = a->input;
  if (a->as_tuple && x->ndim == 0) x = tensor_view(call, x, INTS(1), INTS(1), x->offset);
  Tensor *rows = true_positions(call, x);
  Tensor **list = result_list(call, a->as_tuple ? x->ndim : 1);
  if (!a->as_tuple) list[0] = by_columns(call, rows);
  else
    for (int d = 0; d < x->ndim; d++) list[d] = column(call, rows, d);
}

FORWARD(nonzero_static)
{
  if (a->size < 0) raise(call, "size must not be negative: %lld", (long long)a->size);
  Tensor *rows = true_positions(call, a->input);
  int64_t dims = rows->shape[1], n = rows->shape[0] < a->size ? rows->shape[0] : a->size;
  y[0] = result_new(call, DTYPE_i64, device_of(a->input), INTS(a->size, dims));
  launch_fill(call, y[0], scalar_int(a->fill_value));
  Ints shape = INTS(n, dims), strides = INTS(dims, 1);
  launch_copy(call, tensor_view(call, y[0], shape, strides, 0), tensor_view(call, rows, shape, strides, rows->offset));
}

FORWARD(argwhere) { y[0] = by_columns(call, true_positions(call, a->input)); }

FORWARD(where_positions)
{
  (void)y;
  give_list(call, op(nonzero, a->condition, true));
}

/* ------------------------------------------------------------------ choices */

FORWARD(where)
{
  if (!is_mask(a->condition)) /* PyTorch still takes uint8 here */
    raise(call, "a bool tensor is needed as the condition, not %s", dtype_name(tensor_dtype(a->condition)));
  Tensor *operands[] = {a->condition, a->input, a->other};
  bool numbers = a->input->is_wrapped_number && a->other->is_wrapped_number;
  DType dtype = promote_operands(call, operands + 1, 2);
  if (numbers && dtype_is_floating(dtype)) dtype = call->ctx->default_dtype;
  check_value_fits(call, a->input, dtype);
  check_value_fits(call, a->other, dtype);
  Ints shape = broadcast_operands(call, operands, 3);
  y[0] = result_ordered(call, dtype, result_device(call), shape, operands, 3);
  launch_where(call, y[0], a->condition, a->input, a->other);
}

BACKWARD(where)
{
  Tensor *zero = tensor_from_number(call, scalar_int(0));
  if (WANTS(input)) GRAD(input) = summed_to(op(where, a->condition, dy[0], zero), a->input);
  if (WANTS(other)) GRAD(other) = summed_to(op(where, a->condition, zero, dy[0]), a->other);
}

FORWARD(where_self) { y[0] = op(where, a->condition, a->input, a->other); }

/* In a tensor that repeats elements, each is set if any of its places is. */
static void fill_repeated(Call *call, Tensor *to, Tensor *mask, Tensor *value)
{
  int64_t shape[MAX_DIMS], repeated[MAX_DIMS], n = 0;
  for (int d = 0; d < to->ndim; d++) {
    shape[d] = to->strides[d] ? to->shape[d] : 1;
    if (to->strides[d] == 0) repeated[n++] = d;
  }
  Tensor *once = tensor_view(call, to, (Ints){shape, to->ndim}, tensor_strides(to), to->offset);
  mask = op(any, op(expand, mask, tensor_shape(to)), (Ints){repeated, n}, true);
  launch_where(call, once, mask, value, once);
}

FORWARD(masked_fill)
{
  check_mask(call, a->mask);
  if (a->value->ndim != 0)
    raise(call, "value must have no dimensions, not shape %s", shape_text(call, tensor_shape(a->value)));
  check_value_fits(call, a->value, tensor_dtype(a->input));
  Tensor *operands[] = {a->input, a->mask};
  Ints shape = broadcast_operands(call, operands, 2);
  y[0] = result_new(call, tensor_dtype(a->input), device_of(a->input), shape);
  if (tensor_is_expanded(y[0])) fill_repeated(call, y[0], a->mask, a->value);
  else launch_where(call, y[0], a->mask, a->value, a->input);
}

BACKWARD(masked_fill)
{
  Tensor *zero = tensor_from_number(call, scalar_int(0));
  if (WANTS(input)) GRAD(input) = summed_to(op(masked_fill, dy[0], a->mask, zero), a->input);
  if (WANTS(value)) GRAD(value) = summed_to(op(where, a->mask, dy[0], zero), a->value);
}

/* Input and mask broadcast to each other. */
static Tensor *masked_operands(Call *call, Tensor *input, Tensor **mask)
{
  check_mask(call, *mask);
  Tensor *operands[] = {input, *mask};
  Ints shape = broadcast_operands(call, operands, 2);
  if (!shape_equal(shape, tensor_shape(*mask))) *mask = op(expand, *mask, shape);
  return shape_equal(shape, tensor_shape(input)) ? input : op(expand, input, shape);
}

FORWARD(masked_select)
{
  Tensor *mask = a->mask, *x = op(contiguous, masked_operands(call, a->input, &mask));
  mask = op(reshape, mask, INTS(-1));
  y[0] = op(index, op(reshape, x, INTS(-1)), (Tensors){&mask, 1});
}

FORWARD(masked_scatter)
{
  Tensor *mask = a->mask, *x = op(contiguous, masked_operands(call, a->input, &mask));
  int64_t n = count_of_true(call, mask);
  if (n > a->source->numel)
    raise(call, "the mask takes %lld elements, but source has %lld", (long long)n, (long long)a->source->numel);
  Tensor *values = op(narrow, op(reshape, a->source, INTS(-1)), 0, 0, n);
  mask = op(reshape, mask, INTS(-1));
  y[0] = op(reshape, op(index_put, op(reshape, x, INTS(-1)), (Tensors){&mask, 1}, values, false), tensor_shape(x));
}

/* ------------------------------------------------- indexing by several tensors */

/* What a list of indices picks from a tensor of a geometry. */
typedef struct Picks {
  int64_t rest_shape[MAX_DIMS], rest_strides[MAX_DIMS]; /* dimensions that are not indexed */
  int rest, before;         /* how many, and how many of them come before the picked ones in the result */
  Tensor *by_dim[MAX_DIMS]; /* the index tensor of each dimension, or NULL */
  int indexed;              /* dimensions that index tensors are given for, or left out between them */
  Ints shape;               /* what the index tensors broadcast to */
  Ints result;              /* the shape of the whole */
  int64_t count;            /* elements of `shape` */
  Tensor *places;           /* for each the place in the tensor's memory, in elements, counted from 1 */
} Picks;

/* The index tensors by dimension, masks replaced by the positions of their true elements. */
static int spread_masks(Call *call, const Tensor *x, Tensors indices, Tensor **by_dim)
{
  int d = 0;
  for (int64_t i = 0; i < indices.n; i++) {
    Tensor *t = indices.v[i];
    int width = t && is_mask(t) ? t->ndim : 1;
    if (width == 0) raise(call, "a mask without dimensions must come first");
    if (d + width > x->ndim)
      raise(call, "too many indices for a tensor of shape %s", shape_text(call, tensor_shape(x)));
    if (!t || !is_mask(t)) {
      by_dim[d++] = t;
      continue;
    }
    if (!shape_equal(tensor_shape(t), (Ints){x->shape + d, width}))
      raise(call, "a mask of shape %s doesn't fit dimensions %d to %d of a tensor of shape %s",
            shape_text(call, tensor_shape(t)), d + 1, d + width, shape_text(call, tensor_shape(x)));
    Tensor *rows = true_positions(call, t);
    for (int k = 0; k < width; k++) by_dim[d++] = column(call, rows, k);
  }
  return d;
}

/* The shape that index tensors broadcast to. */
static Ints common_shape(Call *call, Tensor *const *by_dim, int n)
{
  Tensor *given[MAX_DIMS];
  int count = 0;
  for (int d = 0; d < n; d++)
    if (by_dim[d]) given[count++] = by_dim[d];
  return broadcast_operands(call, given, count);
}

/* Picked dimensions stay where they are if they are adjacent, else they come first. */
static void arrange(Call *call, const Tensor *x, Tensor *const *by_dim, int n, Picks *p)
{
  int first = -1, last = -1, picked = 0;
  for (int d = 0; d < n; d++) {
    if (!by_dim[d]) continue;
    if (first < 0) first = d;
    last = d;
    picked++;
  }
  p->before = last - first + 1 == picked ? first : 0;
  p->rest = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (d < n && by_dim[d]) continue;
    p->rest_shape[p->rest] = x->shape[d];
    p->rest_strides[p->rest++] = x->strides[d];
  }
  int64_t shape[2 * MAX_DIMS];
  int rank = 0;
  for (int i = 0; i < p->before; i++) shape[rank++] = p->rest_shape[i];
  for (int64_t i = 0; i < p->shape.n; i++) shape[rank++] = p->shape.v[i];
  for (int i = p->before; i < p->rest; i++) shape[rank++] = p->rest_shape[i];
  p->result = arena_ints(call->ctx, shape, rank);
  shape_numel(call, p->result);
}

/* Works out what is picked, and checks every position. */
static void pick(Call *call, Tensor *x, Tensors indices, Picks *p)
{
  bool any = false;
  for (int64_t i = 0; i < indices.n; i++) any |= indices.v[i] != NULL;
  if (!any) raise(call, "at least one index tensor is needed");
  int n = p->indexed = spread_masks(call, x, indices, p->by_dim);
  p->shape = common_shape(call, p->by_dim, n);
  arrange(call, x, p->by_dim, n, p);
  p->count = shape_numel(call, p->shape);
  p->places = new_beside(call, x, DTYPE_i64, p->shape);
  launch_fill(call, p->places, scalar_int(1));
  for (int d = 0; d < n; d++) {
    if (!p->by_dim[d]) continue;
    Tensor *positions = checked_positions(call, p->by_dim[d], x->shape[d], d, true);
    launch_add_places(p->places, positions, x->shape[d], x->strides[d]);
  }
}

/* The side of the indexed tensor: its other dimensions, and single elements to step by. */
static Side picked_side(Call *call, const Tensor *x, const Picks *p)
{
  Ints shape = {p->rest_shape, p->rest}, strides = {p->rest_strides, p->rest};
  return (Side){tensor_view(call, x, shape, strides, x->offset), 1};
}

/* The side of a tensor of the result's shape, in which steps go through the picked dimensions. */
static Side result_side(Call *call, const Tensor *t, const Picks *p)
{
  int64_t strides[MAX_DIMS], picked = p->shape.n;
  for (int i = 0; i < p->rest; i++) strides[i] = t->strides[i < p->before ? i : i + picked];
  int64_t step = picked ? t->strides[p->before + picked - 1] : 1;
  return (Side){tensor_view(call, t, (Ints){p->rest_shape, p->rest}, (Ints){strides, p->rest}, t->offset), step};
}

/* Whether one step leads from each picked element of a tensor of the result's shape to the next one. */
static bool steps_evenly(const Tensor *t, const Picks *p)
{
  for (int64_t d = p->before + p->shape.n - 1; d > p->before; d--)
    if (t->strides[d - 1] != t->strides[d] * t->shape[d]) return false;
  return true;
}

/*
 * What is picked lies in memory as PyTorch's TensorIterator would have it: by the order of the tensor's other
 * dimensions, then by that of the index tensors, each along the picked dimensions.
 */
static Tensor *result_of_picks(Call *call, const Tensor *x, const Picks *p)
{
  Tensor *operands[MAX_DIMS + 1];
  int64_t strides[MAX_DIMS] = {0}, n = 0, picked = p->shape.n;
  bool plain = x->is_contiguous;
  for (int i = 0; i < p->rest; i++) strides[i < p->before ? i : i + picked] = p->rest_strides[i];
  operands[n++] = tensor_view(call, x, p->result, (Ints){strides, p->result.n}, x->offset);
  for (int d = 0; d < p->indexed; d++) {
    Tensor *index = p->by_dim[d];
    if (!index) continue;
    plain &= index->is_contiguous;
    int64_t shape[MAX_DIMS], along[MAX_DIMS];
    int rank = 0, behind = p->rest - p->before;
    for (; rank < index->ndim; rank++) {
      shape[rank] = index->shape[rank];
      along[rank] = index->strides[rank];
    }
    for (int i = 0; i < behind; i++, rank++) shape[rank] = along[rank] = 1;
    operands[n++] = tensor_view(call, index, (Ints){shape, rank}, (Ints){along, rank}, index->offset);
  }
  if (plain) return result_new(call, tensor_dtype(x), device_of(x), p->result);
  return result_ordered(call, tensor_dtype(x), device_of(x), p->result, operands, (int)n);
}

static Side places_side(Call *call, const Picks *p)
{
  Ints none = {NULL, 0};
  return (Side){tensor_view(call, p->places, none, none, p->places->offset), 1};
}

/* A mask without dimensions is one more dimension of size 1 with a mask of size [1]. */
static bool is_scalar_mask(Tensors indices)
{
  return indices.n >= 1 && indices.v[0] && is_mask(indices.v[0]) && indices.v[0]->ndim == 0;
}

static Tensor *with_dimension(Call *call, Tensor *x)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  if (x->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  shape[0] = strides[0] = 1;
  memcpy(shape + 1, x->shape, x->ndim * sizeof *shape);
  memcpy(strides + 1, x->strides, x->ndim * sizeof *strides);
  return tensor_view(call, x, (Ints){shape, x->ndim + 1}, (Ints){strides, x->ndim + 1}, x->offset);
}

/* Makes a leading mask without dimensions one of size [1], and gives the tensor a dimension for it. */
static void admit_scalar_mask(Call *call, Tensor **x, Tensors *indices)
{
  if (!is_scalar_mask(*indices)) return;
  Tensors list = {arena_allocate(call->ctx, (size_t)indices->n * sizeof *list.v), indices->n};
  memcpy(list.v, indices->v, (size_t)list.n * sizeof *list.v);
  list.v[0] = with_dimension(call, list.v[0]);
  *x = with_dimension(call, *x);
  *indices = list;
}

FORWARD(index)
{
  Tensor *x = a->input;
  Tensors indices = a->indices;
  Picks p;
  admit_scalar_mask(call, &x, &indices);
  pick(call, x, indices, &p);
  y[0] = result_of_picks(call, x, &p);
  if (y[0]->numel == 0) return;
  Tensor *to = steps_evenly(y[0], &p) ? y[0] : new_beside(call, y[0], tensor_dtype(x), p.result);
  launch_lines(call, GATHER, result_side(call, to, &p), picked_side(call, x, &p), places_side(call, &p), p.count);
  if (to != y[0]) launch_copy(call, y[0], to);
}

BACKWARD(index)
{
  Tensor *zeros = zeros_for(call, dy[0], tensor_shape(a->input));
  GRAD(input) = op(index_put, zeros, a->indices, dy[0], true);
}

/* Puts or adds values of the picks' shape into x. */
static void put(Call *call, Tensor *x, Tensor *values, const Picks *p, bool accumulate)
{
  values = contiguous_as(call, apart_from(call, values, x), tensor_dtype(x));
  if (values->numel == 0) return;
  launch_lines(call, accumulate ? SCATTER_ADD : SCATTER, picked_side(call, x, p), result_side(call, values, p),
               places_side(call, p), p->count);
}

/* Sums of halves are kept in float32: in a copy, whose places differ. */
static void put_as_wide(Call *call, Tensor *x, Tensor *wide, Tensors indices, Tensor *values)
{
  Picks p;
  pick(call, wide, indices, &p);
  put(call, wide, values, &p, true);
  launch_copy(call, x, wide);
}

FORWARD(index_put)
{
  Tensor *x = a->input, *values = a->values;
  Tensors indices = a->indices;
  Picks p;
  if (values->dtype != x->dtype && !values->is_wrapped_number)
    raise(call, "values are %s, but the tensor is %s", dtype_name(tensor_dtype(values)), dtype_name(tensor_dtype(x)));
  check_value_fits(call, values, tensor_dtype(x));
  admit_scalar_mask(call, &x, &indices);
  pick(call, x, indices, &p);
  if (!shape_expands(tensor_shape(values), p.result))
    raise(call, "values of shape %s don't broadcast to the shape %s that the indices pick",
          shape_text(call, tensor_shape(values)), shape_text(call, p.result));
  y[0] = result_copy(call, a->input);
  values = expanded_to(call, values, p.result);
  Tensor *to = is_scalar_mask(a->indices) ? with_dimension(call, y[0]) : y[0];
  Tensor *wide = a->accumulate ? widened(to) : to;
  if (wide != to) {
    put_as_wide(call, to, wide, indices, values);
    return;
  }
  bool same_layout = memcmp(to->strides, x->strides, x->ndim * sizeof *x->strides) == 0;
  if (!same_layout) pick(call, to, indices, &p);
  put(call, to, values, &p, a->accumulate);
}

BACKWARD(index_put)
{
  Tensor *zero = tensor_from_number(call, scalar_int(0));
  if (WANTS(input)) GRAD(input) = a->accumulate ? dy[0] : op(index_put, dy[0], a->indices, zero, false);
  if (WANTS(values)) GRAD(values) = summed_to(op(index, dy[0], a->indices), a->values);
}

/* -------------------------------------------------------------------- others */

FORWARD(take)
{
  Tensor *x = a->input, *index = a->index;
  if (x->numel == 0 && index->numel != 0) raise(call, "nothing can be taken from a tensor without elements");
  Tensor *flat = contiguous_as(call, x, tensor_dtype(x));
  flat = tensor_view(call, flat, INTS(x->numel), INTS(1), flat->offset);
  Tensor *positions = checked_positions(call, index, x->numel, 0, true);
  y[0] = result_new(call, tensor_dtype(x), (Device)x->device, tensor_shape(index));
  if (index->numel == 0) return;
  Picks p;
  pick(call, flat, (Tensors){&positions, 1}, &p);
  launch_lines(call, GATHER, result_side(call, y[0], &p), picked_side(call, flat, &p), places_side(call, &p), p.count);
}

BACKWARD(take)
{
  Tensor *index = a->index, *zeros = zeros_for(call, dy[0], INTS(a->input->numel));
  Tensor *sum = op(index_put, zeros, ((Tensors){&index, 1}), dy[0], true);
  GRAD(input) = op(reshape, sum, tensor_shape(a->input));
}

FORWARD(one_hot)
{
  Tensor *labels = a->input;
  int64_t shape[MAX_DIMS], classes = a->num_classes;
  if (labels->dtype != DTYPE_i64) raise(call, "labels must be int64, not %s", dtype_name(tensor_dtype(labels)));
  if (labels->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  if (classes == -1) {
    check_can_look(call, labels);
    if (labels->numel == 0) raise(call, "the number of classes can't be known from no labels");
    classes = range_of(call, labels, NO_RANGE).high;
  }
  if (classes < 1) raise(call, "num_classes must be positive, not %lld", (long long)classes);
  memcpy(shape, labels->shape, labels->ndim * sizeof *shape);
  shape[labels->ndim] = classes;
  shape_numel(call, (Ints){shape, labels->ndim + 1}); /* before expanded labels take memory */
  Tensor *positions = checked_positions(call, labels, classes, labels->ndim, false);
  y[0] = result_new(call, DTYPE_i64, device_of(labels), (Ints){shape, labels->ndim + 1});
  launch_fill(call, y[0], scalar_int(0));
  shape[labels->ndim] = 1;
  Tensor *index = op(reshape, positions, (Ints){shape, labels->ndim + 1});
  pair_along(call, SCATTER, y[0], value_like(call, number(1), DTYPE_i64, index), index, labels->ndim);
}
