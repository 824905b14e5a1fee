/*
 * Views. Most cut something out of a geometry; the gradient of such a view is embed_view of the
 * same cut of a row-major tensor of the input's shape.
 */
#include "ops/shape/view.h"

#include <string.h>

#include "launch/index/lines.h"
#include "launch/look.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/pointwise.h"

typedef struct Geometry {
  int ndim;
  int64_t offset, shape[MAX_DIMS], strides[MAX_DIMS];
} Geometry;

static void geometry_of(const Tensor *t, Geometry *g)
{
  g->ndim = t->ndim;
  g->offset = t->offset;
  memcpy(g->shape, t->shape, t->ndim * sizeof *g->shape);
  memcpy(g->strides, t->strides, t->ndim * sizeof *g->strides);
}

/* That of a new tensor of the shape. */
static void geometry_new(const Tensor *t, Geometry *g)
{
  geometry_of(t, g);
  g->offset = 0;
  shape_contiguous_strides(tensor_shape(t), g->strides);
}

static Tensor *view_as_geometry(Call *call, const Tensor *t, const Geometry *g)
{
  return result_view(call, t, (Ints){g->shape, g->ndim}, (Ints){g->strides, g->ndim}, g->offset);
}

/* The gradient of a cut, by the geometry that the cut has in a new tensor of the input's shape. */
static Tensor *embed(Call *call, Tensor *dy, const Tensor *input, const Geometry *g)
{
  return op(embed_view, dy, tensor_shape(input), arena_ints(call->ctx, g->strides, g->ndim), g->offset);
}

static void drop_dim(Geometry *g, int dim)
{
  size_t after = (size_t)(--g->ndim - dim) * sizeof *g->shape;
  memmove(g->shape + dim, g->shape + dim + 1, after);
  memmove(g->strides + dim, g->strides + dim + 1, after);
}

static void insert_dim(Geometry *g, int dim, int64_t size, int64_t stride)
{
  size_t after = (size_t)(g->ndim++ - dim) * sizeof *g->shape;
  memmove(g->shape + dim + 1, g->shape + dim, after);
  memmove(g->strides + dim + 1, g->strides + dim, after);
  g->shape[dim] = size;
  g->strides[dim] = stride;
}

/* A cut's forward and backward: both run cut_<row> on a geometry. */
#define CUT(row)                                      \
  FORWARD(row)                                        \
  {                                                   \
    Geometry g;                                       \
    geometry_of(a->input, &g);                        \
    cut_##row(call, a, &g);                           \
    y[0] = view_as_geometry(call, a->input, &g);      \
  }                                                   \
  BACKWARD(row)                                       \
  {                                                   \
    Geometry cut;                                     \
    geometry_new(a->input, &cut);                     \
    cut_##row(call, a, &cut);                         \
    GRAD(input) = embed(call, dy[0], a->input, &cut); \
  }

/* ------------------------------------------------------------------- shapes */

/* Strides that view x as a shape; false if there are none. */
static bool strides_as(const Tensor *x, Ints shape, int64_t *strides)
{
  if (!x->is_contiguous) return shape_view_strides(tensor_shape(x), tensor_strides(x), shape, strides);
  shape_contiguous_strides(shape, strides);
  return true;
}

FORWARD(view)
{
  Tensor *x = a->input;
  Ints size = shape_infer(call, a->size, x->numel);
  int64_t strides[MAX_DIMS];
  shape_numel(call, size);
  if (!strides_as(x, size, strides))
    raise(call, "a tensor of shape %s and strides %s can't be viewed as %s without a copy: use reshape",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_strides(x)), shape_text(call, size));
  y[0] = result_view(call, x, size, (Ints){strides, size.n}, x->offset);
}

BACKWARD(view) { GRAD(input) = op(reshape, dy[0], tensor_shape(a->input)); }

/* The geometry in elements of another size: strides and offset are scaled,
   and the last dimension by the same factor. */
static void rescale(Call *call, const Tensor *x, Geometry *g, int64_t from, int64_t to)
{
  int last = g->ndim - 1;
  if (last < 0) raise(call, "a tensor without dimensions can't be viewed in elements of another size");
  if (g->strides[last] != 1)
    raise(call, "the last dimension must have stride 1, not %lld", (long long)g->strides[last]);
  bool fits = g->shape[last] * from % to == 0 && g->offset * from % to == 0;
  for (int d = 0; d < last; d++) fits &= g->strides[d] * from % to == 0;
  if (!fits) raise(call, "shape %s can't be split into larger elements", shape_text(call, tensor_shape(x)));
  for (int d = 0; d < last; d++) g->strides[d] = g->strides[d] * from / to;
  g->shape[last] = g->shape[last] * from / to;
  g->offset = g->offset * from / to;
}

/* Kernels take a truth value's byte to be 0 or 1. */
static void check_truth(Call *call, Tensor *x)
{
  Tensor *bytes = op(view_dtype, x, DTYPE_u8);
  check_none_true(call, op(gt, bytes, tensor_from_number(call, scalar_int(1))),
                  "bytes other than 0 and 1 are no truth values: x:ne(0) makes some");
}

FORWARD(view_dtype)
{
  if (a->dtype == DTYPE_NONE) raise(call, "a size or a dtype is needed");
  int64_t from = (int64_t)dtype_size(tensor_dtype(a->input)), to = (int64_t)dtype_size(a->dtype);
  Geometry g;
  geometry_of(a->input, &g);
  if (from != to) rescale(call, a->input, &g, from, to);
  if (a->dtype == DTYPE_b8 && tensor_dtype(a->input) != DTYPE_b8) check_truth(call, a->input);
  y[0] = view_as_geometry(call, a->input, &g);
  y[0]->dtype = (uint8_t)a->dtype;
}

FORWARD(reshape)
{
  Tensor *x = a->input;
  Ints shape = shape_infer(call, a->shape, x->numel);
  int64_t strides[MAX_DIMS];
  shape_numel(call, shape);
  if (!strides_as(x, shape, strides)) {
    x = contiguous_as(call, x, tensor_dtype(x));
    shape_contiguous_strides(shape, strides);
  }
  y[0] = result_view(call, x, shape, (Ints){strides, shape.n}, x->offset);
}

BACKWARD(reshape) { GRAD(input) = op(reshape, dy[0], tensor_shape(a->input)); }

FORWARD(view_as) { y[0] = op(view, a->input, tensor_shape(a->other)); }

FORWARD(reshape_as) { y[0] = op(reshape, a->input, tensor_shape(a->other)); }

FORWARD(flatten)
{
  const Tensor *x = a->input;
  int start = shape_dim(call, a->start_dim, x->ndim), end = shape_dim(call, a->end_dim, x->ndim), n = 0;
  int64_t shape[MAX_DIMS], size = 1;
  if (start > end) raise(call, "start_dim %d lies behind end_dim %d", start + 1, end + 1);
  if (start == end && x->ndim) {
    y[0] = a->input;
    return;
  }
  for (int d = 0; d < start; d++) shape[n++] = x->shape[d];
  for (int d = start; d <= end && d < x->ndim; d++) size *= x->shape[d];
  shape[n++] = size;
  for (int d = end + 1; d < x->ndim; d++) shape[n++] = x->shape[d];
  y[0] = op(reshape, a->input, (Ints){shape, n});
}

FORWARD(unflatten)
{
  const Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  if (x->ndim == 0) raise(call, "a tensor without dimensions can't be unflattened");
  Ints sizes = shape_infer(call, a->sizes, x->shape[dim]);
  int64_t shape[2 * MAX_DIMS], n = 0;
  if (x->ndim + sizes.n - 1 > MAX_DIMS) raise(call, "more than %d dimensions", MAX_DIMS);
  for (int d = 0; d < dim; d++) shape[n++] = x->shape[d];
  for (int64_t i = 0; i < sizes.n; i++) shape[n++] = sizes.v[i];
  for (int d = dim + 1; d < x->ndim; d++) shape[n++] = x->shape[d];
  y[0] = op(view, a->input, (Ints){shape, n});
}

FORWARD(ravel) { y[0] = op(contiguous, op(reshape, a->input, INTS(-1))); }

/* ---------------------------------------------------- orders of dimensions */

static void exchange(Geometry *g, int i, int j)
{
  int64_t size = g->shape[i], stride = g->strides[i];
  g->shape[i] = g->shape[j];
  g->strides[i] = g->strides[j];
  g->shape[j] = size;
  g->strides[j] = stride;
}

FORWARD(transpose)
{
  int i = shape_dim(call, a->dim0, a->input->ndim), j = shape_dim(call, a->dim1, a->input->ndim);
  Geometry g;
  geometry_of(a->input, &g);
  if (i != j) exchange(&g, i, j);
  y[0] = view_as_geometry(call, a->input, &g);
}

BACKWARD(transpose) { GRAD(input) = op(transpose, dy[0], a->dim0, a->dim1); }

FORWARD(swapaxes) { y[0] = op(transpose, a->input, a->axis0, a->axis1); }

FORWARD(swapdims) { y[0] = op(transpose, a->input, a->dim0, a->dim1); }

FORWARD(t)
{
  if (a->input->ndim > 2)
    raise(call, "a tensor of at most 2 dimensions is needed, not of shape %s",
          shape_text(call, tensor_shape(a->input)));
  Geometry g;
  geometry_of(a->input, &g);
  if (g.ndim == 2) exchange(&g, 0, 1);
  y[0] = view_as_geometry(call, a->input, &g);
}

BACKWARD(t) { GRAD(input) = op(t, dy[0]); }

/* Checks a permutation and makes its dimensions positive. */
static void permutation(Call *call, Ints dims, int ndim, int *order)
{
  if (dims.n != ndim && !(dims.n < 0 && ndim == 0))
    raise(call, "%d dimensions are given for a tensor of %d", (int)dims.n, ndim);
  uint32_t seen = 0;
  for (int i = 0; i < ndim; i++) {
    order[i] = shape_dim(call, dims.v[i], ndim);
    if (seen >> order[i] & 1) raise(call, "dimension %d appears twice", order[i] + 1);
    seen |= 1u << order[i];
  }
}

FORWARD(permute)
{
  const Tensor *x = a->input;
  int order[MAX_DIMS];
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  permutation(call, a->dims, x->ndim, order);
  for (int i = 0; i < x->ndim; i++) {
    shape[i] = x->shape[order[i]];
    strides[i] = x->strides[order[i]];
  }
  y[0] = result_view(call, x, (Ints){shape, x->ndim}, (Ints){strides, x->ndim}, x->offset);
}

BACKWARD(permute)
{
  int order[MAX_DIMS], n = a->input->ndim;
  int64_t inverse[MAX_DIMS];
  permutation(call, a->dims, n, order);
  for (int i = 0; i < n; i++) inverse[order[i]] = i;
  GRAD(input) = op(permute, dy[0], arena_ints(call->ctx, inverse, n));
}

/* ---------------------------------------------------------------- expansion */

FORWARD(expand)
{
  const Tensor *x = a->input;
  int64_t shape[MAX_DIMS], strides[MAX_DIMS], missing = a->size.n - x->ndim;
  if (a->size.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  if (missing < 0)
    raise(call, "%s has fewer dimensions than the tensor of shape %s", shape_text(call, a->size),
          shape_text(call, tensor_shape(x)));
  for (int64_t i = 0; i < a->size.n; i++) {
    int64_t old = i < missing ? 1 : x->shape[i - missing], size = a->size.v[i];
    shape[i] = size == -1 && i >= missing ? old : size;
    strides[i] = i < missing ? 0 : x->strides[i - missing];
    if (shape[i] == old && i >= missing) continue;
    if (old != 1 || shape[i] < 0)
      raise(call, "a tensor of shape %s doesn't expand to %s", shape_text(call, tensor_shape(x)),
            shape_text(call, a->size));
    strides[i] = 0;
  }
  shape_numel(call, (Ints){shape, a->size.n});
  y[0] = result_view(call, x, (Ints){shape, a->size.n}, (Ints){strides, a->size.n}, x->offset);
}

BACKWARD(expand) { GRAD(input) = op(sum_to, dy[0], tensor_shape(a->input), tensor_dtype(dy[0])); }

FORWARD(expand_as) { y[0] = op(expand, a->input, tensor_shape(a->other)); }

FORWARD(broadcast_to) { y[0] = op(expand, a->input, a->size); }

FORWARD(unsqueeze)
{
  Geometry g;
  geometry_of(a->input, &g);
  if (g.ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  int dim = shape_dim(call, a->dim, g.ndim + 1);
  insert_dim(&g, dim, 1, dim < g.ndim ? g.shape[dim] * g.strides[dim] : 1);
  y[0] = view_as_geometry(call, a->input, &g);
}

BACKWARD(unsqueeze) { GRAD(input) = op(reshape, dy[0], tensor_shape(a->input)); }

static void squeeze_geometry(Geometry *g, uint32_t mask)
{
  for (int d = g->ndim - 1; d >= 0; d--)
    if (mask >> d & 1 && g->shape[d] == 1) drop_dim(g, d);
}

FORWARD(squeeze)
{
  Geometry g;
  geometry_of(a->input, &g);
  squeeze_geometry(&g, UINT32_MAX);
  y[0] = view_as_geometry(call, a->input, &g);
}

BACKWARD(squeeze) { GRAD(input) = op(reshape, dy[0], tensor_shape(a->input)); }

FORWARD(squeeze_dims)
{
  Geometry g;
  geometry_of(a->input, &g);
  squeeze_geometry(&g, a->dim.n == 0 ? 0 : shape_dims(call, a->dim, g.ndim));
  y[0] = view_as_geometry(call, a->input, &g);
}

BACKWARD(squeeze_dims) { GRAD(input) = op(reshape, dy[0], tensor_shape(a->input)); }

/* --------------------------------------------------------------------- cuts */

/* A position from -size..size-1 as 0..size-1. */
static int64_t checked_position(Call *call, int64_t i, int64_t size, int dim)
{
  if (i >= 0 ? i >= size : i < -size)
    raise(call, "index %lld is out of range for dimension %d of size %lld", (long long)(i >= 0 ? i + 1 : i), dim + 1,
          (long long)size);
  return i < 0 ? i + size : i;
}

static void cut_select(Call *call, const struct select_args *a, Geometry *g)
{
  if (g->ndim == 0) raise(call, "a tensor without dimensions can't be indexed");
  int dim = shape_dim(call, a->dim, g->ndim);
  g->offset += checked_position(call, a->index, g->shape[dim], dim) * g->strides[dim];
  drop_dim(g, dim);
}
CUT(select)

static void cut_narrow(Call *call, const struct narrow_args *a, Geometry *g)
{
  if (g->ndim == 0) raise(call, "a tensor without dimensions can't be narrowed");
  int dim = shape_dim(call, a->dim, g->ndim);
  int64_t size = g->shape[dim], start = a->start;
  if (a->length < 0) raise(call, "length must not be negative: %lld", (long long)a->length);
  if (start != size) start = checked_position(call, start, size, dim); /* one beyond the end may begin nothing */
  if (a->length > size - start)
    raise(call, "%lld positions from %lld on don't fit dimension %d of size %lld", (long long)a->length,
          (long long)start + 1, dim + 1, (long long)size);
  g->offset += start * g->strides[dim];
  g->shape[dim] = a->length;
}
CUT(narrow)

FORWARD(narrow_tensor)
{
  const Tensor *start = a->start;
  if (!can_look(start)) raise(call, "start is a meta tensor, which has no position");
  if (start->numel != 1 || !dtype_is_integral(tensor_dtype(start)))
    raise(call, "start must be one integer, not a %s tensor of shape %s", dtype_name(tensor_dtype(start)),
          shape_text(call, tensor_shape(start)));
  int64_t position = tensor_item(start).i;
  if (position == 0) raise(call, "start 0 is out of range: positions count from 1");
  y[0] = op(narrow, a->input, a->dim, position > 0 ? position - 1 : position, a->length);
}

static int64_t clamped(int64_t i, int64_t size)
{
  if (i < 0) i += size;
  return i < 0 ? 0 : i > size ? size : i;
}

static void cut_slice(Call *call, const struct slice_args *a, Geometry *g)
{
  if (g->ndim == 0) raise(call, "a tensor without dimensions can't be sliced");
  int dim = shape_dim(call, a->dim, g->ndim);
  int64_t size = g->shape[dim];
  if (a->step <= 0) raise(call, "the step of a range must be positive, not %lld", (long long)a->step);
  int64_t start = a->start == NO_INT ? 0 : clamped(a->start, size);
  int64_t stop = a->stop == NO_INT ? size : clamped(a->stop, size);
  int64_t length = stop > start ? stop - start : 0;
  g->offset += start * g->strides[dim];
  g->shape[dim] = length / a->step + (length % a->step != 0);
  g->strides[dim] *= a->step < size ? a->step : size; /* no longer steps are taken; the product can't overflow */
}
CUT(slice)

static void cut_diagonal(Call *call, const struct diagonal_args *a, Geometry *g)
{
  if (g->ndim < 2) raise(call, "at least 2 dimensions are needed");
  int i = shape_dim(call, a->dim1, g->ndim), j = shape_dim(call, a->dim2, g->ndim);
  if (i == j) raise(call, "dim1 and dim2 are both %d", i + 1);
  int64_t rows = g->shape[i], columns = g->shape[j], offset = a->offset, stride = g->strides[i] + g->strides[j];
  int64_t length = 0;
  if (offset >= 0 && offset < columns) length = rows < columns - offset ? rows : columns - offset;
  if (offset < 0 && offset > -rows) length = columns < rows + offset ? columns : rows + offset;
  if (length > 0) g->offset += offset >= 0 ? offset * g->strides[j] : -offset * g->strides[i];
  drop_dim(g, i > j ? i : j);
  drop_dim(g, i > j ? j : i);
  insert_dim(g, g->ndim, length, stride);
}
CUT(diagonal)

static void cut_unfold(Call *call, const struct unfold_args *a, Geometry *g)
{
  int dim = shape_dim(call, a->dimension, g->ndim);
  int64_t length = g->ndim ? g->shape[dim] : 1, stride = g->ndim ? g->strides[dim] : 1;
  if (g->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  if (a->size < 0 || a->size > length)
    raise(call, "windows of %lld don't fit dimension %d of size %lld", (long long)a->size, dim + 1, (long long)length);
  if (a->step <= 0) raise(call, "step must be positive, not %lld", (long long)a->step);
  if (g->ndim) {
    g->shape[dim] = (length - a->size) / a->step + 1;
    g->strides[dim] *= g->shape[dim] > 1 ? a->step : 1;
  }
  insert_dim(g, g->ndim, a->size, stride);
}
CUT(unfold)

/* ------------------------------------------------------------ any geometry */

FORWARD(as_strided)
{
  const Tensor *x = a->input;
  int64_t offset = a->storage_offset == NO_INT ? x->offset : a->storage_offset;
  if (a->size.n != a->stride.n)
    raise(call, "size %s and stride %s differ in length", shape_text(call, a->size), shape_text(call, a->stride));
  shape_numel(call, a->size);
  for (int64_t i = 0; i < a->stride.n; i++)
    if (a->stride.v[i] < 0) raise(call, "negative stride in %s", shape_text(call, a->stride));
  if (offset < 0) raise(call, "negative storage_offset %lld", (long long)offset);
  int64_t elements = shape_extent(call, a->size, a->stride);
  size_t room = x->storage ? x->storage->bytes / dtype_size(tensor_dtype(x)) : 0;
  if (elements > 0 && (offset > INT64_MAX - elements || (size_t)(offset + elements) > room))
    raise(call, "size %s with stride %s and offset %lld leaves the memory of %lld elements", shape_text(call, a->size),
          shape_text(call, a->stride), (long long)offset, (long long)room);
  y[0] = result_view(call, x, a->size, a->stride, offset);
}

/*
 * The gradient goes to the memory that the result saw, and the input reads it from there. Where
 * several elements of the input share a place, each gets its part.
 */
BACKWARD(as_strided)
{
  const Tensor *x = a->input;
  int64_t out_offset = a->storage_offset == NO_INT ? x->offset : a->storage_offset;
  int64_t first = out_offset < x->offset ? out_offset : x->offset;
  int64_t out_end = out_offset + shape_extent(call, a->size, a->stride) - first;
  int64_t in_end = x->offset + shape_extent(call, tensor_shape(x), tensor_strides(x)) - first;
  Ints memory = arena_ints(call->ctx, (int64_t[]){out_end > in_end ? out_end : in_end}, 1);
  Tensor *sum = op(embed_view, dy[0], memory, a->stride, out_offset - first);
  if (tensor_overlaps_itself(x)) {
    Tensor *ones = op(ones, tensor_shape(x), tensor_dtype(dy[0]), device_behind(dy[0]), false);
    Tensor *count = op(embed_view, ones, memory, tensor_strides(x), x->offset - first);
    sum = op(div, sum, op(where, op(eq, count, number(0)), number(1), count));
  }
  GRAD(input) = op(as_strided, sum, tensor_shape(x), tensor_strides(x), x->offset - first);
}

FORWARD(embed_view)
{
  y[0] = result_new(call, tensor_dtype(a->grad), (Device)a->grad->device, a->size);
  launch_fill(call, y[0], scalar_int(0));
  if (a->grad->numel == 0) return;
  Tensor *view = tensor_view(call, y[0], tensor_shape(a->grad), a->stride, a->offset);
  if (tensor_overlaps_itself(view)) launch_add_at_view(call, y[0], view, a->grad);
  else launch_copy(call, view, a->grad);
}

BACKWARD(embed_view)
{
  Tensor *whole = op(contiguous, dy[0]);
  GRAD(grad) = op(as_strided, whole, tensor_shape(a->grad), a->stride, whole->offset + a->offset);
}
