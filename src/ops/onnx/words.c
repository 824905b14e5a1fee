/* What the operators of ONNX have in common. */
#include "ops/onnx/words.h"

#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/index/mask.h"
#include "ops/onnx/filling.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"

int onnx_axis(Call *call, int64_t axis, int n)
{
  const int64_t most = n > 0 ? n : 1;
  if (axis < -most || axis >= most) raise(call, "axis %lld is out of range for %d axes", (long long)axis, n);
  return (int)(axis < 0 ? axis + most : axis);
}

Tensor *onnx_reshaped(Call *call, Tensor *t, Ints shape) { return op(reshape, t, shape); }

Tensor *onnx_whole_numbers(Call *call, Ints values) { return op(onnx_ints, values); }

Tensor *onnx_reals(Call *call, const double *values, int64_t n) { return op(onnx_floats, ((Numbers){values, n})); }

Tensor *onnx_positions(Call *call, Tensor *index, int64_t size)
{
  Tensor *i = cast(index, DTYPE_i64);
  return plus(op(where, op(lt, i, whole(0)), plus(i, whole(size)), i), whole(1));
}

Tensor *onnx_from_zero(Call *call, Tensor *positions) { return minus(positions, whole(1)); }

Ints onnx_shape_with(Call *call, Ints shape, int dim, int64_t size)
{
  Ints with = arena_ints(call->ctx, shape.v, shape.n);
  ((int64_t *)(uintptr_t)with.v)[dim] = size;
  return with;
}

int64_t onnx_size(const Tensor *t, int axis) { return t->ndim ? t->shape[axis] : 1; }

int64_t onnx_last_size(Call *call, const Tensor *t)
{
  if (t->ndim == 0) raise(call, "a tensor without dimensions is given where a last axis is wanted");
  return t->shape[t->ndim - 1];
}

int64_t onnx_product(Call *call, int64_t a, int64_t b)
{
  int64_t product;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product))
    raise(call, "sizes of %lld and %lld are out of range", (long long)a, (long long)b);
  return product;
}

void *onnx_room(Call *call, int64_t a, int64_t b)
{
  return arena_allocate(call->ctx, (size_t)onnx_product(call, onnx_product(call, a, b), sizeof(int64_t)) + 1);
}

Ints onnx_dims_from(Call *call, int from, int n)
{
  int64_t dims[MAX_DIMS];
  for (int i = from; i < n; i++) dims[i - from] = i;
  return arena_ints(call->ctx, dims, n - from);
}

Tensor *onnx_filled(Call *call, Ints shape, double value, DType dtype)
{
  return op(full, shape, scalar_float(value), dtype, DEVICE_NONE, false);
}
