/* Divisions that round, and what derivatives with comparisons need. */
#include <string.h>

#include "ops/ops.h"
#include "ops/pointwise.h"

/* Integers have no infinity to give. */
static void check_divisor(Call *call, Tensor *a, Tensor *b)
{
  Tensor *operands[] = {a, b};
  if (dtype_is_inexact(promote_operands(call, operands, 2)) || b->device == DEVICE_META || b->numel == 0) return;
  bool grad = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  Tensor *zero = op(any, op(eq, b, tensor_from_number(call, scalar_int(0))), NONE_DIM, false);
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

FORWARD(zero_link) { y[0] = result_view(call, a->input, tensor_shape(a->input), tensor_strides(a->input), a->input->offset); }

BACKWARD(zero_link)
{
  if (WANTS(input)) GRAD(input) = dy[0];
  if (WANTS(other))
    GRAD(other) = op(zeros, tensor_shape(a->other), tensor_dtype(a->other), (Device)dy[0]->device, false);
}
