/* What ops that make tensors from nothing share. */
#ifndef NNLUA_OPS_SHAPE_FACTORY_H
#define NNLUA_OPS_SHAPE_FACTORY_H

#define ROWS "ops/shape/factory.def"
#include "ops/table/declare.h"

/* Makes a new tensor require a gradient or not; raises where its dtype has none. */
void ask_gradient(Call *call, Tensor *t, bool requires_grad);

/* Leaves the elements of a new tensor as they are in memory, but sets truth values to false. */
void leave_unset(Call *call, Tensor *t);

/* An unset result like x, with its order of dimensions in memory; dtype and device are x's unless given. */
Tensor *new_like(Call *call, const Tensor *x, DType dtype, Device device, bool requires_grad);

/* The dtype that was given, or else that of new floating tensors. */
static inline DType dtype_or_default(const Call *call, DType dtype)
{
  return dtype == DTYPE_NONE ? call->ctx->default_dtype : dtype;
}

#endif
