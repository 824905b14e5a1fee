/* What the functions of reductions share. */
#include "ops/reduce/reduce.h"

#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/reduce/sum.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

Ints dims_of(Call *call, const Tensor *x, uint32_t mask)
{
  int64_t dims[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (mask >> i & 1) dims[n++] = i;
  return arena_ints(call->ctx, dims, n);
}

Tensor *input_as(Call *call, Tensor *x, DType dtype)
{
  return dtype == DTYPE_NONE || dtype == tensor_dtype(x) ? x : copy_of(call, x, dtype);
}

Tensor *restore_dims(Call *call, Tensor *t, const Tensor *x, uint32_t mask, bool keepdim)
{
  if (keepdim || t->ndim == 0) return t;
  return op(reshape, t, reduced_shape(call, x, mask, true));
}

Tensor *spread(Call *call, Tensor *dy, const Tensor *x, uint32_t mask, bool keepdim)
{
  Tensor *dx = op(expand, restore_dims(call, dy, x, mask, keepdim), tensor_shape(x));
  return cast(dx, tensor_dtype(x));
}

Tensor *reduce_to_new(Call *call, ReduceId id, Tensor *x, uint32_t mask, bool keepdim, DType dtype, Finish finish,
                      double empty)
{
  Tensor *y = result_new(call, dtype, device_of(x), reduced_shape(call, x, mask, keepdim));
  if (x->numel == 0) launch_fill(call, y, scalar_float(empty));
  else launch_reduce(call, id, x, mask, y, finish);
  return y;
}

Tensor *sum_of_squares(Call *call, Tensor *x, uint32_t mask, bool keepdim, DType dtype, Finish finish, double empty)
{
  if (!dtype_is_complex(tensor_dtype(x)))
    return reduce_to_new(call, REDUCE_SUM_SQUARES, x, mask, keepdim, dtype, finish, empty);
  Tensor *y = result_new(call, dtype_to_real(dtype), device_of(x), reduced_shape(call, x, mask, keepdim));
  if (x->numel == 0) launch_fill(call, y, scalar_float(empty));
  else launch_reduce(call, REDUCE_SUM_SQUARES, parts_view(call, x), mask | 1u << x->ndim, y, finish);
  return y;
}

void check_extreme(Call *call, const Tensor *x, uint32_t mask)
{
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  for (int i = 0; i < x->ndim; i++)
    if ((mask >> i & 1) && x->shape[i] == 0)
      raise(call, "the tensor has shape %s: there is no element to choose", shape_text(call, tensor_shape(x)));
}

/* dy among the elements where a mask is true, counted in a dtype that holds any count. */
static Tensor *equal_shares(Call *call, Tensor *mask, Ints dims, Tensor *dy)
{
  Tensor *wide = widened(dy), *equal = cast(mask, tensor_dtype(wide));
  Tensor *count = op(sum, equal, dims, dims.n > 0, DTYPE_NONE);
  return cast(op(mul, equal, op(div, wide, count)), tensor_dtype(dy));
}

Tensor *share_among_equals(Call *call, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask, bool keepdim)
{
  y = restore_dims(call, y, x, mask, keepdim);
  dy = restore_dims(call, dy, x, mask, keepdim);
  return equal_shares(call, op(eq, x, y), dims_of(call, x, mask), dy);
}

Tensor *share_of_all(Call *call, Tensor *x, Tensor *y, Tensor *dy)
{
  Tensor *equal = op(logical_or, op(eq, x, y), op(logical_and, op(isnan, x), op(isnan, y)));
  return equal_shares(call, equal, NO_INTS, dy);
}

Tensor *zero_where_zero(Call *call, Tensor *t, Tensor *y)
{
  return op(where, op(eq, y, number(0)), zeros_like_of(t), t);
}

Tensor *put_back(Call *call, const Tensor *x, int64_t dim, bool keepdim, Tensor *positions, Tensor *dy)
{
  Tensor *zeros = op(zeros, tensor_shape(x), tensor_dtype(dy), device_behind(dy), false);
  if (!keepdim && x->ndim > 0) {
    positions = op(unsqueeze, positions, shape_dim(call, dim, x->ndim));
    dy = op(unsqueeze, dy, shape_dim(call, dim, x->ndim));
  }
  return op(scatter, zeros, dim, positions, dy);
}

bool has_zero(Call *call, Tensor *x)
{
  bool grad = call->ctx->grad_enabled;
  if (!can_look(x) || x->numel == 0) return false;
  call->ctx->grad_enabled = false;
  Tensor *zero = op(any, op(eq, x, tensor_from_number(call, scalar_int(0))), NO_INTS, false);
  call->ctx->grad_enabled = grad;
  return tensor_item(zero).i != 0;
}

Tensor **slices_of(Call *call, Tensor *x, int dim)
{
  int64_t n = x->shape[dim];
  Tensor **v = arena_allocate(call->ctx, (size_t)(n + 1) * sizeof *v);
  for (int64_t k = 0; k < n; k++) v[k] = op(select, x, dim, k);
  return v;
}
