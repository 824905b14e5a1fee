/* Many tensors as one, one as many. */
#include "ops/shape/cat_split.h"

#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* A slice of a dimension, which goes away, as a view below the door. */
static Tensor *slice_at(Call *call, const Tensor *t, int dim, int64_t i)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (d == dim) continue;
    shape[n] = t->shape[d];
    strides[n++] = t->strides[d];
  }
  return tensor_view(call, t, (Ints){shape, n}, (Ints){strides, n}, t->offset + i * t->strides[dim]);
}

/* --------------------------------------------------------------------- join */

/* PyTorch's old rule: an empty tensor of one dimension joins anything and adds nothing. */
static bool is_skipped(const Tensor *t) { return t->ndim == 1 && t->shape[0] == 0; }

/* The first tensor that counts. */
static const Tensor *first_counting(Tensors list)
{
  for (int64_t i = 0; i < list.n; i++)
    if (!is_skipped(list.v[i])) return list.v[i];
  return list.v[0];
}

static void check_joins(Call *call, const Tensor *first, const Tensor *t, int dim)
{
  bool fits = t->ndim == first->ndim;
  for (int d = 0; d < first->ndim && fits; d++) fits = d == dim || t->shape[d] == first->shape[d];
  if (!fits)
    raise(call, "shapes %s and %s don't join along dimension %d", shape_text(call, tensor_shape(first)),
          shape_text(call, tensor_shape(t)), dim + 1);
}

/* Whether the channels are last in all that have elements. */
static bool all_have_channels_last(Tensors list)
{
  for (int64_t i = 0; i < list.n; i++)
    if (!is_skipped(list.v[i]) && !has_channels_last(list.v[i])) return false;
  return true;
}

FORWARD(cat)
{
  Tensors list = a->tensors;
  if (list.n == 0) raise(call, "at least one tensor is needed");
  for (int64_t i = 0; i < list.n; i++)
    if (list.v[i]->ndim == 0) raise(call, "tensor %d has no dimension to join along", (int)i + 1);
  const Tensor *first = first_counting(list);
  int dim = shape_dim(call, a->dim, first->ndim);
  int64_t shape[MAX_DIMS], size = 0;
  for (int64_t i = 0; i < list.n; i++) {
    if (is_skipped(list.v[i])) continue;
    check_joins(call, first, list.v[i], dim);
    size += list.v[i]->shape[dim];
  }
  for (int d = 0; d < first->ndim; d++) shape[d] = first->shape[d];
  shape[dim] = size;
  bool images = all_have_channels_last(list);
  Ints size_of = {shape, first->ndim};
  DType dtype = promote_operands(call, list.v, (int)list.n);
  y[0] = images ? result_of_images(call, dtype, size_of, first)
                : result_new(call, dtype, (Device)first->device, size_of);
  int64_t start = 0;
  for (int64_t i = 0; i < list.n; i++) {
    if (is_skipped(list.v[i])) continue;
    launch_copy(call, stretch(call, y[0], dim, start, list.v[i]->shape[dim]), list.v[i]);
    start += list.v[i]->shape[dim];
  }
}

BACKWARD(cat)
{
  Tensors list = a->tensors;
  int dim = shape_dim(call, a->dim, first_counting(list)->ndim);
  int64_t start = 0;
  for (int64_t i = 0; i < list.n; i++) {
    const Tensor *t = list.v[i];
    bool skipped = is_skipped(t);
    int64_t size = skipped ? 0 : t->shape[dim];
    if (WANTS_OF(tensors, i)) {
      Tensor *part = skipped ? zeros_for(call, dy[0], tensor_shape(t)) : op(narrow, dy[0], dim, start, size);
      GRAD_OF(tensors, i) = cast(part, tensor_dtype(t));
    }
    start += size;
  }
}

FORWARD(concat) { y[0] = op(cat, a->tensors, a->dim); }

FORWARD(concatenate) { y[0] = op(cat, a->tensors, a->dim); }

/* Images whose channels are last are stacked as if joined along dim, which is then divided. */
static Ints stacked_order(Call *call, Tensors list, int dim)
{
  const Tensor *first = list.v[0];
  if (dim == first->ndim || !all_have_channels_last(list)) return NO_INTS;
  int64_t shape[MAX_DIMS], strides[MAX_DIMS + 1];
  for (int d = 0; d < first->ndim; d++) shape[d] = first->shape[d];
  shape[dim] *= list.n;
  Ints joined = channels_last_order(call, (Ints){shape, first->ndim});
  for (int d = 0; d <= first->ndim; d++) strides[d] = joined.v[d - (d > dim)];
  strides[dim] *= first->shape[dim];
  return arena_ints(call->ctx, strides, first->ndim + 1);
}

FORWARD(stack)
{
  Tensors list = a->tensors;
  if (list.n == 0) raise(call, "at least one tensor is needed");
  const Tensor *first = list.v[0];
  if (first->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  int dim = shape_dim(call, a->dim, first->ndim + 1);
  for (int64_t i = 1; i < list.n; i++)
    if (!tensor_same_shape(first, list.v[i]))
      raise(call, "tensors must have one shape, not %s and %s", shape_text(call, tensor_shape(first)),
            shape_text(call, tensor_shape(list.v[i])));
  int64_t shape[MAX_DIMS + 1];
  for (int d = 0; d <= first->ndim; d++) shape[d] = d == dim ? list.n : first->shape[d - (d > dim)];
  Ints size = {shape, first->ndim + 1}, order = stacked_order(call, list, dim);
  DType dtype = promote_operands(call, list.v, (int)list.n);
  y[0] = order.n < 0 ? result_new(call, dtype, (Device)first->device, size)
                     : result_strided(call, dtype, (Device)first->device, size, order);
  for (int64_t i = 0; i < list.n; i++) launch_copy(call, slice_at(call, y[0], dim, i), list.v[i]);
}

BACKWARD(stack)
{
  Tensors list = a->tensors;
  int dim = shape_dim(call, a->dim, list.v[0]->ndim + 1);
  for (int64_t i = 0; i < list.n; i++)
    if (WANTS_OF(tensors, i)) GRAD_OF(tensors, i) = cast(op(select, dy[0], dim, i), tensor_dtype(list.v[i]));
}

/* -------------------------------------------------------------------- split */

int divided_dim(Call *call, const Tensor *t, int64_t dim)
{
  if (t->ndim == 0) raise(call, "a tensor without dimensions can't be divided");
  return shape_dim(call, dim, t->ndim);
}

/* The parts' gradients joined; where none arrived it is zero. */
static Tensor *join_parts(Call *call, Tensor *const *dy, int64_t n, const Tensor *input, int dim, const int64_t *sizes)
{
  Tensors parts = {arena_allocate(call->ctx, (size_t)(n > 0 ? n : 1) * sizeof *parts.v), n};
  const Tensor *some = NULL;
  for (int64_t i = 0; i < n; i++)
    if (dy[i]) some = dy[i];
  for (int64_t i = 0; i < n; i++) {
    Ints shape = arena_ints(call->ctx, input->shape, input->ndim);
    ((int64_t *)shape.v)[dim] = sizes[i];
    parts.v[i] = dy[i] ? dy[i] : zeros_for(call, some, shape);
  }
  return op(cat, parts, dim);
}

static int64_t split_count(int64_t size, int64_t part)
{
  if (size == 0 || part == 0) return 1;
  return size / part + (size % part != 0);
}

FORWARD(split)
{
  (void)y;
  const Tensor *x = a->input;
  int dim = divided_dim(call, x, a->dim);
  int64_t size = x->shape[dim], part = a->split_size;
  if (part < 0) raise(call, "split_size must not be negative: %lld", (long long)part);
  if (part == 0 && size != 0)
    raise(call, "split_size 0 doesn't divide dimension %d of size %lld", dim + 1, (long long)size);
  int64_t n = split_count(size, part);
  Tensor **parts = result_list(call, n);
  for (int64_t i = 0; i < n; i++)
    parts[i] = stretch(call, x, dim, i * part, part < size - i * part ? part : size - i * part);
}

BACKWARD(split)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  int64_t size = a->input->shape[dim], part = a->split_size, n = split_count(size, part);
  int64_t *sizes = arena_allocate(call->ctx, (size_t)n * sizeof *sizes);
  for (int64_t i = 0; i < n; i++) sizes[i] = part < size - i * part ? part : size - i * part;
  GRAD(input) = join_parts(call, dy, n, a->input, dim, sizes);
}

FORWARD(split_sizes)
{
  (void)y;
  const Tensor *x = a->input;
  Ints sizes = a->split_size;
  int dim = divided_dim(call, x, a->dim);
  int64_t sum = 0, start = 0;
  for (int64_t i = 0; i < sizes.n; i++) {
    if (sizes.v[i] < 0) raise(call, "negative size in %s", shape_text(call, sizes));
    if (__builtin_add_overflow(sum, sizes.v[i], &sum)) raise(call, "sizes %s are too large", shape_text(call, sizes));
  }
  if (sum != x->shape[dim])
    raise(call, "sizes %s don't sum to %lld, the size of dimension %d", shape_text(call, sizes),
          (long long)x->shape[dim], dim + 1);
  Tensor **parts = result_list(call, sizes.n);
  for (int64_t i = 0; i < sizes.n; start += sizes.v[i++]) parts[i] = stretch(call, x, dim, start, sizes.v[i]);
}

BACKWARD(split_sizes)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  GRAD(input) = join_parts(call, dy, a->split_size.n, a->input, dim, a->split_size.v);
}

FORWARD(chunk)
{
  (void)y;
  Tensors parts;
  int dim = divided_dim(call, a->input, a->dim);
  int64_t size = a->input->shape[dim], n = a->chunks;
  if (n <= 0) raise(call, "chunks must be positive, not %lld", (long long)n);
  if (size == 0 && n > 1 << 26) raise(call, "%lld chunks are too many", (long long)n);
  int64_t part = size / n + (size % n != 0);
  if (part == 0) { /* an empty dimension gives as many empty chunks as were asked for */
    int64_t *zeros = arena_allocate(call->ctx, (size_t)n * sizeof *zeros);
    for (int64_t i = 0; i < n; i++) zeros[i] = 0;
    parts = op(split_sizes, a->input, (Ints){zeros, n}, dim);
  } else {
    parts = op(split, a->input, part, dim);
  }
  give_list(call, parts);
}

FORWARD(unbind)
{
  (void)y;
  const Tensor *x = a->input;
  int dim = divided_dim(call, x, a->dim);
  Tensor **parts = result_list(call, x->shape[dim]);
  for (int64_t i = 0; i < x->shape[dim]; i++) parts[i] = slice_at(call, x, dim, i);
}

BACKWARD(unbind)
{
  int dim = shape_dim(call, a->dim, a->input->ndim), rank = 0;
  int64_t n = a->input->shape[dim], shape[MAX_DIMS];
  Tensors parts = {arena_allocate(call->ctx, (size_t)(n > 0 ? n : 1) * sizeof *parts.v), n};
  Tensor *zeros = NULL, *some = NULL;
  for (int d = 0; d < a->input->ndim; d++)
    if (d != dim) shape[rank++] = a->input->shape[d];
  for (int64_t i = 0; i < n; i++)
    if (dy[i]) some = dy[i];
  for (int64_t i = 0; i < n; i++) {
    if (!dy[i] && !zeros) zeros = zeros_for(call, some, (Ints){shape, rank});
    parts.v[i] = dy[i] ? dy[i] : zeros;
  }
  GRAD(input) = op(stack, parts, dim);
}

/* ------------------------------------------------------------------- repeat */

/* Each repeated dimension is split in two, of which the first is expanded; a copy joins them. */
static Tensor *repeat(Call *call, Tensor *x, Ints repeats)
{
  int64_t split[2 * MAX_DIMS], wide[2 * MAX_DIMS], joined[MAX_DIMS], missing = repeats.n - x->ndim;
  int n = 0;
  if (missing < 0)
    raise(call, "%s has fewer numbers than the tensor of shape %s dimensions", shape_text(call, repeats),
          shape_text(call, tensor_shape(x)));
  if (repeats.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  for (int64_t i = 0; i < repeats.n; i++) {
    int64_t size = i < missing ? 1 : x->shape[i - missing], times = repeats.v[i];
    if (times < 0) raise(call, "negative number in %s", shape_text(call, repeats));
    if (__builtin_mul_overflow(size, times, &joined[i])) raise(call, "%s is too large", shape_text(call, repeats));
    if (times != 1 && size != 1) {
      split[n] = 1;
      wide[n++] = times;
      times = 1;
    }
    split[n] = size;
    wide[n++] = size * times;
  }
  if (n > MAX_DIMS) raise(call, "more than %d dimensions are needed", MAX_DIMS);
  Tensor *y = op(expand, op(reshape, x, (Ints){split, n}), (Ints){wide, n});
  y = y->is_contiguous ? op(clone, y) : op(contiguous, y); /* a reshape alone may be a view of x */
  return op(reshape, y, (Ints){joined, repeats.n});
}

FORWARD(repeat) { y[0] = repeat(call, a->input, a->repeats); }

FORWARD(rep) { y[0] = repeat(call, a->input, a->repeats); }

FORWARD(tile)
{
  int64_t repeats[MAX_DIMS], n = a->dims.n > a->input->ndim ? a->dims.n : a->input->ndim;
  if (n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  for (int64_t i = 0; i < n; i++) repeats[i] = i < n - a->dims.n ? 1 : a->dims.v[i - (n - a->dims.n)];
  y[0] = repeat(call, a->input, (Ints){repeats, n});
}

FORWARD(split_with_sizes)
{
  (void)y;
  give_list(call, op(split_sizes, a->input, a->split_sizes, a->dim));
}
