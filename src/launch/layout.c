/* How tensors lie in memory: orders of dimensions, what overlaps, copies that lie as wanted. */
#include "launch/layout.h"

#include <string.h>

#include "core/shape.h"
#include "launch/copy.h"

/* ------------------------------------------------------------------- overlap */

bool lie_alike(const Tensor *a, const Tensor *b)
{
  if (a->is_contiguous && b->is_contiguous) return true;
  return memcmp(a->strides, b->strides, a->ndim * sizeof *a->strides) == 0 && tensor_is_dense(a);
}

bool same_place(const Tensor *a, const Tensor *b)
{
  if (a->storage != b->storage || a->offset != b->offset || a->dtype != b->dtype) return false;
  return tensor_same_shape(a, b) && shape_equal(tensor_strides(a), tensor_strides(b));
}

/* The bytes of the storage that elements lie in: from low to before high. */
static void extent_of(const Tensor *t, int64_t *low, int64_t *high)
{
  int64_t size = (int64_t)dtype_size(tensor_dtype(t));
  *low = *high = t->offset;
  for (int d = 0; d < t->ndim; d++) *(t->strides[d] < 0 ? low : high) += (t->shape[d] - 1) * t->strides[d];
  *low *= size;
  *high = (*high + 1) * size;
}

bool may_overlap(const Tensor *a, const Tensor *b)
{
  if (a->storage != b->storage || !a->storage || !a->storage->data || a->numel == 0 || b->numel == 0) return false;
  int64_t a_low, a_high, b_low, b_high;
  extent_of(a, &a_low, &a_high);
  extent_of(b, &b_low, &b_high);
  return a_low < b_high && b_low < a_high;
}

Tensor *apart_from(Call *call, Tensor *source, const Tensor *destination)
{
  return may_overlap(source, destination) ? copy_of(call, source, tensor_dtype(source)) : source;
}

/* -------------------------------------------------------------------- orders */

/* An operand's stride along a dimension of the result; 0 where it broadcasts. */
static int64_t stride_along(const Tensor *t, Ints shape, int d)
{
  int own = d - (int)(shape.n - t->ndim);
  return own < 0 || (t->shape[own] == 1 && shape.v[d] != 1) ? 0 : t->strides[own];
}

/* Whether dimension a lies inside of b (negative) or outside (positive); 0 where no operand tells. */
static int compare_dims(Ints shape, Tensor *const *operands, int n, int a, int b)
{
  for (int k = 0; k < n; k++) {
    int64_t sa = stride_along(operands[k], shape, a), sb = stride_along(operands[k], shape, b);
    if (sa == 0 || sb == 0) continue;
    if (sa != sb) return sa < sb ? -1 : 1;
    if (shape.v[a] > shape.v[b]) return 1;
  }
  return 0;
}

/* An insertion sort that passes over what can't be told apart. */
void order_dims(Ints shape, Tensor *const *operands, int n, int *order)
{
  int ndim = (int)shape.n;
  for (int i = 0; i < ndim; i++) order[i] = ndim - 1 - i;
  for (int i = 1; i < ndim; i++) {
    int moving = i;
    for (int j = i - 1; j >= 0; j--) {
      int comparison = compare_dims(shape, operands, n, order[j], order[moving]);
      if (comparison < 0) break;
      if (comparison == 0) continue;
      int dim = order[j];
      order[j] = order[moving];
      order[moving] = dim;
      moving = j;
    }
  }
}

/* Whether an operand asks for no other order than that of a contiguous tensor: one that is all of one element, such as
   the gradient of a sum, asks for none. */
static bool has_plain_order(const Tensor *t)
{
  if (t->is_contiguous || t->numel <= 1) return true;
  for (int d = 0; d < t->ndim; d++)
    if (t->strides[d] != 0) return false;
  return true;
}

Ints result_order(Call *call, Ints shape, Tensor *const *operands, int n)
{
  bool plain = true, alike = true;
  for (int k = 0; k < n && plain; k++) plain = has_plain_order(operands[k]);
  if (plain) return NO_INTS;
  for (int k = 0; k < n && alike; k++)
    alike = shape_equal(tensor_shape(operands[k]), shape) && (k == 0 || lie_alike(operands[0], operands[k]));
  if (alike && tensor_is_dense(operands[0])) return arena_ints(call->ctx, operands[0]->strides, shape.n);
  shape_numel(call, shape);
  int order[MAX_DIMS];
  int64_t strides[MAX_DIMS], step = 1;
  order_dims(shape, operands, n, order);
  for (int i = 0; i < (int)shape.n; i++) {
    strides[order[i]] = step;
    step *= shape.v[order[i]];
  }
  return arena_ints(call->ctx, strides, shape.n);
}

/* ------------------------------------------------------------- channels last */

/* The dimensions from the innermost one out where channels are last. */
static void channels_last_dims(int ndim, int *dims)
{
  dims[0] = 1;
  for (int i = 1; i < ndim - 1; i++) dims[i] = ndim - i;
  dims[ndim - 1] = 0;
}

bool has_channels_last(const Tensor *t)
{
  if ((t->ndim != 4 && t->ndim != 5) || t->strides[1] == 0) return false;
  int dims[MAX_DIMS];
  int64_t least = 0;
  channels_last_dims(t->ndim, dims);
  for (int i = 0; i < t->ndim; i++) {
    int d = dims[i];
    if (t->shape[d] == 0 || t->strides[d] < least) return false;
    if (d == 0 && least == t->strides[1]) return false; /* single values lie both ways */
    least = t->shape[d] > 1 ? t->strides[d] * t->shape[d] : t->strides[d];
  }
  return true;
}

Ints channels_last_order(Call *call, Ints shape)
{
  int dims[MAX_DIMS];
  int64_t strides[MAX_DIMS], step = 1;
  channels_last_dims((int)shape.n, dims);
  for (int i = 0; i < (int)shape.n; i++) {
    strides[dims[i]] = step;
    step *= shape.v[dims[i]] > 1 ? shape.v[dims[i]] : 1;
  }
  return arena_ints(call->ctx, strides, shape.n);
}

/* -------------------------------------------------------------------- copies */

Tensor *contiguous_as(Call *call, Tensor *t, DType dtype)
{
  if (t->is_contiguous && tensor_dtype(t) == dtype) return t;
  Tensor *copy = new_beside(call, t, dtype, tensor_shape(t));
  launch_copy(call, copy, t);
  return copy;
}

/* Whether strides are those of a new tensor, also of dimensions of size 1, where others do as well. */
static bool has_plain_strides(const Tensor *t)
{
  int64_t plain[MAX_DIMS];
  shape_contiguous_strides(tensor_shape(t), plain);
  return shape_equal(tensor_strides(t), (Ints){plain, t->ndim});
}

Ints preserved_order(Call *call, const Tensor *t)
{
  if (t->is_contiguous ? !has_plain_strides(t) : tensor_is_dense(t)) return tensor_strides(t);
  Tensor *operand = (Tensor *)(uintptr_t)t;
  return result_order(call, tensor_shape(t), &operand, 1);
}

Tensor *new_ordered_as(Call *call, const Tensor *t, DType dtype)
{
  Ints order = preserved_order(call, t);
  return order.n < 0 ? new_beside(call, t, dtype, tensor_shape(t))
                     : tensor_new_strided(call, dtype, (Device)t->device, tensor_shape(t), order);
}

Tensor *copy_of(Call *call, const Tensor *t, DType dtype)
{
  Tensor *copy = new_ordered_as(call, t, dtype);
  launch_copy(call, copy, t);
  return copy;
}

Tensor *expanded_to(Call *call, const Tensor *t, Ints shape)
{
  if (shape_equal(tensor_shape(t), shape)) return (Tensor *)(uintptr_t)t;
  int64_t strides[MAX_DIMS];
  for (int d = 0; d < (int)shape.n; d++) strides[d] = stride_along(t, shape, d);
  return tensor_view(call, t, shape, (Ints){strides, shape.n}, t->offset);
}
