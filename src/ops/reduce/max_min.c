/* Extremes and their positions. */
#include "ops/reduce/max_min.h"

#include "ops/math/comparison.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/view.h"

static Tensor *extreme(Call *call, ReduceId id, Tensor *x, uint32_t mask, bool keepdim)
{
  check_extreme(call, x, mask);
  return reduce_to_new(call, id, x, mask, keepdim, tensor_dtype(x), AS_IT_IS, 0);
}

static void extreme_along(Call *call, PositionOf what, Tensor *x, int64_t dim, bool keepdim, Tensor **y)
{
  int d = shape_dim(call, dim, x->ndim);
  uint32_t mask = x->ndim ? 1u << d : 0;
  check_extreme(call, x, mask);
  Ints shape = reduced_shape(call, x, mask, keepdim);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), shape);
  y[1] = result_new(call, DTYPE_i64, device_of(x), shape);
  launch_positions(call, what, x, d, y[0], y[1]);
}

FORWARD(max) { y[0] = extreme(call, REDUCE_MAX, a->input, all_dims(a->input), false); }
FORWARD(min) { y[0] = extreme(call, REDUCE_MIN, a->input, all_dims(a->input), false); }

BACKWARD(max) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }
BACKWARD(min) { GRAD(input) = share_of_all(call, a->input, y[0], dy[0]); }

FORWARD(amax) { y[0] = extreme(call, REDUCE_MAX, a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim); }
FORWARD(amin) { y[0] = extreme(call, REDUCE_MIN, a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim); }

BACKWARD(amax)
{
  GRAD(input) = share_among_equals(call, a->input, y[0], dy[0], shape_dims(call, a->dim, a->input->ndim), a->keepdim);
}

BACKWARD(amin)
{
  GRAD(input) = share_among_equals(call, a->input, y[0], dy[0], shape_dims(call, a->dim, a->input->ndim), a->keepdim);
}

FORWARD(max_dim) { extreme_along(call, POSITION_OF_MAX, a->input, a->dim, a->keepdim, y); }
FORWARD(min_dim) { extreme_along(call, POSITION_OF_MIN, a->input, a->dim, a->keepdim, y); }
BACKWARD(max_dim)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}
BACKWARD(min_dim)
{
  if (dy[0]) GRAD(input) = put_back(call, a->input, a->dim, a->keepdim, y[1], dy[0]);
}

static Tensor *position(Call *call, PositionOf what, Tensor *x, int64_t dim, bool keepdim)
{
  uint32_t mask = all_dims(x);
  int d = 0;
  if (dim != NONE_DIM) {
    d = shape_dim(call, dim, x->ndim);
    mask = x->ndim ? 1u << d : 0;
  }
  check_extreme(call, x, mask);
  Tensor *y = result_new(call, DTYPE_i64, device_of(x), reduced_shape(call, x, mask, keepdim));
  if (dim == NONE_DIM) {
    x = contiguous_as(call, x, tensor_dtype(x));
    x = tensor_view(call, x, INTS(x->numel), INTS(1), x->offset);
  }
  launch_positions(call, what, x, d, NULL, y);
  return y;
}

FORWARD(argmax) { y[0] = position(call, POSITION_OF_MAX, a->input, a->dim, a->keepdim); }
FORWARD(argmin) { y[0] = position(call, POSITION_OF_MIN, a->input, a->dim, a->keepdim); }

/* -------------------------------------------------- the larger one of each two */

FORWARD(max_other) { y[0] = op(maximum, a->input, a->other); }
FORWARD(min_other) { y[0] = op(minimum, a->input, a->other); }

FORWARD(aminmax)
{
  Ints dims = a->dim == NONE_DIM ? NO_INTS : (Ints){&a->dim, 1};
  Tensor *x = a->input;
  y[0] = op(amin, x, dims, a->keepdim);
  y[1] = op(amax, x, dims, a->keepdim);
}
