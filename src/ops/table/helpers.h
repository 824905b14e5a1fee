/* What the functions of ops share: their headers, and small helpers. */
#ifndef NNLUA_OPS_TABLE_HELPERS_H
#define NNLUA_OPS_TABLE_HELPERS_H

#include "launch/copy.h"
#include "launch/layout.h"
#include "ops/shape/copy.h"
#include "ops/table/ops.h"
#include "ops/table/pointwise.h"
#include "ops/table/words.h"

static inline Device device_of(const Tensor *t) { return (Device)t->device; }

/* Whether a tensor used as an index is one of truth values. */
static inline bool is_mask(const Tensor *t) { return t->dtype == DTYPE_b8 || t->dtype == DTYPE_u8; }

static inline void check_floating(Call *call, DType dtype)
{
  if (!dtype_is_floating(dtype)) raise(call, "%s tensors are not taken", dtype_name(dtype));
}

static inline void check_argument_floating(Call *call, const char *name, const Tensor *t)
{
  if (!dtype_is_floating(tensor_dtype(t)))
    raise(call, "%s is %s; a floating point tensor is wanted", name, dtype_name(tensor_dtype(t)));
}

/* Whether an op must be one that has a derivative: if what is computed from t is recorded, or carried along with it. */
static inline bool wants_derivative(const Call *call, const Tensor *t)
{
  return (call->ctx->grad_enabled && tensor_requires_grad(t)) || tensor_stands_in(t);
}

/* Makes a list the results of the running op. */
static inline void give_list(Call *call, Tensors tensors)
{
  Tensor **list = result_list(call, tensors.n);
  for (int64_t i = 0; i < tensors.n; i++) list[i] = tensors.v[i];
}

/* An input's stand-in for gradients_through: without the hooks that the input may have. May be NULL. */
static inline Tensor *stand_in(Call *call, Tensor *t) { return t && tensor_requires_grad(t) ? op(alias, t) : t; }

#endif
