/* How tensors lie in memory, for results that are made and operands that kernels read. Below the door: what is made
   here is not recorded. */
#ifndef NNLUA_LAUNCH_LAYOUT_H
#define NNLUA_LAUNCH_LAYOUT_H

#include "core/tensor.h"

/* A tensor seen as [outer, n, inner] around one dimension. */
typedef struct Slabs {
  int64_t outer, n, inner;
} Slabs;

static inline Slabs slabs_of(const Tensor *t, int dim)
{
  Slabs s = {1, t->ndim ? t->shape[dim] : 1, 1};
  for (int i = 0; i < dim; i++) s.outer *= t->shape[i];
  for (int i = dim + 1; i < t->ndim; i++) s.inner *= t->shape[i];
  return s;
}

/* Whether all elements of both lie in the same order in memory; both have one shape. */
bool lie_alike(const Tensor *a, const Tensor *b);

/* Whether two tensors are the same elements in the same order, as those of the same dtype. */
bool same_place(const Tensor *a, const Tensor *b);

/* Whether they may have memory in common; true in doubt. */
bool may_overlap(const Tensor *a, const Tensor *b);

/*
 * The order in memory of a result: strides, in the arena, for operands that broadcast to its shape. It is the operands'
 * order where they agree, and where they don't the first one's that has one, as in PyTorch's TensorIterator; there are
 * no holes. Not given (n < 0) if that is the plain, row-major order.
 */
Ints result_order(Call *call, Ints shape, Tensor *const *operands, int n);

/* The dimensions of operands that broadcast to a shape, in the order of a TensorIterator: the innermost one first. */
void order_dims(Ints shape, Tensor *const *operands, int n, int *order);

/* The strides of a tensor like t, as of preserve_format: t's own where it has no holes, even where they say nothing;
   else as result_order. Not given (n < 0) if they are the plain ones. */
Ints preserved_order(Call *call, const Tensor *t);

/* A new tensor of the dtype in t's order, of unset elements. */
Tensor *new_ordered_as(Call *call, const Tensor *t, DType dtype);

/*
 * Whether a batch of images or volumes, of 4 or 5 dimensions, lies with its channels last, as far as strides can tell:
 * PyTorch's suggest_memory_format.
 */
bool has_channels_last(const Tensor *t);

/* The strides, in the arena, of such a tensor of a shape. */
Ints channels_last_order(Call *call, Ints shape);

/* The tensor itself if it is contiguous and of the dtype, else a contiguous copy. */
Tensor *contiguous_as(Call *call, Tensor *t, DType dtype);

/* A new tensor of the dtype with the elements of t, in t's order. */
Tensor *copy_of(Call *call, const Tensor *t, DType dtype);

/* A new tensor on the same device, of unset elements. */
static inline Tensor *new_beside(Call *call, const Tensor *t, DType dtype, Ints shape)
{
  return tensor_new(call, dtype, (Device)t->device, shape);
}

/* t as of another shape, from which it broadcasts. */
Tensor *expanded_to(Call *call, const Tensor *t, Ints shape);

/* A source that is not in the way of writes to a destination: itself, or a copy if they may share memory. */
Tensor *apart_from(Call *call, Tensor *source, const Tensor *destination);

#endif
