/* Divisions that round, and what derivatives with comparisons need. */
#include <string.h>

#include "ops/ops.h"
#include "ops/pointwise.h"

/* Integers have no infinity to give. */
static void check_divisor(Call *call, Tensor *a, Tensor *b)
{
  Tensor *operands[] = {a, b};
  DType dtype = promote_operands(call, operands, 2);
  if (dtype_is_inexact(dtype) || b->device == DEVICE_META || b->numel == 0) return;
  bool grad = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  Tensor *divisor = op(to_dtype, b, dtype, false, false); /* 256 is 0 among uint8 */
  Tensor *zero = op(any, op(eq, divisor, tensor_from_number(call, scalar_int(0))), NONE_DIM, false);
  call->ctx->grad_enabled = grad;
  if (tensor_item(zero).i) raise(call, "division of integers by zero");
}

/* Bools divide as the integers 0 and 1. */
static Tensor *divide_down(Call *call, Tensor *a, Tensor *b, bool to_zero)
{
  check_divisor(call, a, b);
  return to_zero ? op(trunc_divide, a, b) : op(floor_divide_real, a, b);
}

FORWARD(div_mode)
{
  bool to_zero = strcmp(a->rounding_mode, "trunc") == 0;
  if (!to_zero && strcmp(a->rounding_mode, "floor") != 0)
    raise(call, "rounding_mode is \"trunc\", \"floor\" or nil, not \"%s\"", a->rounding_mode);
  y[0] = divide_down(call, a->input, a->other, to_zero);
}

FORWARD(floor_divide) { y[0] = divide_down(call, a->input, a->other, false); }

/* Ties choose for each operand a side of its own, so that gradients of any order are right there, too. */
FORWARD(logaddexp)
{
  Tensor *operands[] = {a->input, a->other};
  DType dtype = promote_operands(call, operands, 2);
  if (!dtype_is_floating(dtype)) raise(call, "%s tensors are not taken", dtype_name(dtype));
  Tensor *p = op(to_dtype, a->input, dtype, false, false), *q = op(to_dtype, a->other, dtype, false, false);
  Tensor *order = op(ge, p, q);
  Tensor *high = op(where, order, p, q), *low = op(where, order, q, p);
  Tensor *apart = op(sub, low, high, scalar_int(1));
  Tensor *sum = op(add, high, op(softplus, apart, scalar_int(1), scalar_int(20)), scalar_int(1));
  Tensor *same_infinity = op(mul, op(eq, p, q), op(ne, apart, apart));
  y[0] = op(where, same_infinity, high, sum);
}

FORWARD(zero_link) { y[0] = result_view(call, a->input, tensor_shape(a->input), tensor_strides(a->input), a->input->offset); }

BACKWARD(zero_link)
{
  if (WANTS(input)) GRAD(input) = dy[0];
  if (WANTS(other))
    GRAD(other) = op(zeros, tensor_shape(a->other), tensor_dtype(a->other), (Device)dy[0]->device, false);
}
