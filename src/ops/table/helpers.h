/* What the functions of ops share: their headers, and small helpers. */
#ifndef NNLUA_OPS_TABLE_HELPERS_H
#define NNLUA_OPS_TABLE_HELPERS_H

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "ops/shape/copy.h"
#include "ops/table/ops.h"
#include "ops/table/pointwise.h"

static inline Device device_of(const Tensor *t) { return (Device)t->device; }

/* The dtype that kernels run in for a tensor's: float32 for the halves, which have no kernels of their own. */
static inline DType kernel_dtype(DType d) { return dtype_is_half(d) ? DTYPE_f32 : d; }

/* Whether a tensor used as an index is one of truth values. */
static inline bool is_mask(const Tensor *t) { return t->dtype == DTYPE_b8 || t->dtype == DTYPE_u8; }

/* A tensor seen as [outer, n, inner] around one dimension. */
typedef struct Slabs { int64_t outer, n, inner; } Slabs;

static inline Slabs slabs_of(const Tensor *t, int dim)
{
  Slabs s = {1, t->ndim ? t->shape[dim] : 1, 1};
  for (int i = 0; i < dim; i++) s.outer *= t->shape[i];
  for (int i = dim + 1; i < t->ndim; i++) s.inner *= t->shape[i];
  return s;
}

/* Makes a list the results of the running op. */
static inline void give_list(Call *call, Tensors tensors)
{
  Tensor **list = result_list(call, tensors.n);
  for (int64_t i = 0; i < tensors.n; i++) list[i] = tensors.v[i];
}

/* How many items of so many elements each a thread takes at a time, for `enough` elements. */
static inline int64_t grain_of(int64_t enough, int64_t elements)
{
  return elements < enough ? enough / (elements > 0 ? elements : 1) : 1;
}

/* The tensor itself if it has the dtype, else a copy that has, recorded as any op. */
static inline Tensor *as_dtype(Call *call, Tensor *t, DType dtype)
{
  return tensor_dtype(t) == dtype ? t : op(to_dtype, t, dtype, false, false);
}

/* An input's stand-in for gradients_through: without the hooks that the input may have. May be NULL. */
static inline Tensor *stand_in(Call *call, Tensor *t) { return t && tensor_requires_grad(t) ? op(alias, t) : t; }

#endif
