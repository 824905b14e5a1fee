/* Copies, casts and fills. */
#include "ops/shape/copy.h"

#include "launch/look.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

/* ------------------------------------------------------------------ helpers */

Tensor *result_like(Call *call, const Tensor *t, DType dtype, Device device)
{
  Ints order = preserved_order(call, t);
  return order.n < 0 ? result_new(call, dtype, device, tensor_shape(t))
                     : result_strided(call, dtype, device, tensor_shape(t), order);
}

Tensor *result_copy(Call *call, Tensor *t)
{
  Tensor *y = result_like(call, t, tensor_dtype(t), (Device)t->device);
  if (y != t) launch_copy(call, y, t);
  return y;
}

Tensor *result_contiguous_copy(Call *call, Tensor *t)
{
  Tensor *y = result_new(call, tensor_dtype(t), (Device)t->device, tensor_shape(t));
  if (y != t) launch_copy(call, y, t);
  return y;
}

Tensor *zeros_for(Call *call, const Tensor *gradient, Ints shape)
{
  return op(zeros, shape, tensor_dtype(gradient), device_behind(gradient), false);
}

/* ------------------------------------------------------------------- copies */

FORWARD(contiguous) { y[0] = contiguous_as(call, a->input, tensor_dtype(a->input)); }

BACKWARD(contiguous) { GRAD(input) = dy[0]; }

FORWARD(clone) { y[0] = copy_of(call, a->input, tensor_dtype(a->input)); }

BACKWARD(clone) { GRAD(input) = dy[0]; }

FORWARD(copy)
{
  if (!shape_expands(tensor_shape(a->src), tensor_shape(a->input)))
    raise(call, "shape %s doesn't broadcast to %s", shape_text(call, tensor_shape(a->src)),
          shape_text(call, tensor_shape(a->input)));
  y[0] = a->input;
  if (!can_look(a->src) && can_look(a->input)) raise(call, "a meta tensor has no elements to copy");
  launch_copy(call, a->input, a->src);
}

BACKWARD(copy)
{
  if (WANTS(input)) GRAD(input) = zeros_like_of(dy[0]);
  if (WANTS(src)) GRAD(src) = summed_to(dy[0], a->src);
}

FORWARD(detach) { y[0] = tensor_alias(call, a->input); }

FORWARD(alias) { y[0] = tensor_alias(call, a->input); }

BACKWARD(alias) { GRAD(input) = dy[0]; }

/* -------------------------------------------------------------------- casts */

FORWARD(to_dtype)
{
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(a->input) : a->dtype;
  y[0] = dtype == tensor_dtype(a->input) && !a->copy ? a->input : copy_of(call, a->input, dtype);
}

BACKWARD(to_dtype) { GRAD(input) = cast(dy[0], tensor_dtype(a->input)); }

/* The device that Lua was told of a tensor, from which the one that is wanted may come: where only forms are recorded
   it is that of what a form stands for. */
static Device device_told(const Tensor *x)
{
  return x->ctx->recorder && x->storage ? (Device)x->storage->device : device_behind(x);
}

FORWARD(to_device)
{
  Tensor *x = a->input;
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype;
  Device device = a->device == DEVICE_NONE ? device_told(x) : a->device;
  if (device == device_told(x)) {
    y[0] = dtype == tensor_dtype(x) && !a->copy ? x : copy_of(call, x, dtype);
  } else {
    if (!can_look(x)) raise(call, "a meta tensor has no elements to copy");
    y[0] = tensor_new(call, dtype, device, tensor_shape(x));
  }
}

/* Towards the meta device everything is lost; back there is no way. */
BACKWARD(to_device) { GRAD(input) = cast(dy[0], tensor_dtype(a->input)); }

FORWARD(to_other)
{
  y[0] = op(to_device, a->input, device_behind(a->other), tensor_dtype(a->other), a->non_blocking, a->copy);
}

FORWARD(to_cpu) { y[0] = op(to_device, a->input, device_of_numbers(), DTYPE_NONE, false, false); }

FORWARD(type_as) { y[0] = cast(a->input, tensor_dtype(a->other)); }

#define CONVERSION(row, dtype) \
  FORWARD(row) { y[0] = cast(a->input, dtype); }
CONVERSION(to_float, DTYPE_f32)
CONVERSION(to_double, DTYPE_f64)
CONVERSION(to_half, DTYPE_f16)
CONVERSION(to_bfloat16, DTYPE_bf16)
CONVERSION(to_int, DTYPE_i32)
CONVERSION(to_long, DTYPE_i64)
CONVERSION(to_short, DTYPE_i16)
CONVERSION(to_char, DTYPE_i8)
CONVERSION(to_byte, DTYPE_u8)
CONVERSION(to_bool, DTYPE_b8)
CONVERSION(to_cfloat, DTYPE_c64)
CONVERSION(to_cdouble, DTYPE_c128)

FORWARD(conj) { y[0] = dtype_is_complex(tensor_dtype(a->input)) ? op(conjugated, a->input) : a->input; }

BACKWARD(conj) { GRAD(input) = op(conj, dy[0]); }

FORWARD(resolve_conj) { y[0] = a->input; }

/* -------------------------------------------------------------------- fills */

FORWARD(fill)
{
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_fill(call, y[0], a->value);
}

BACKWARD(fill) { GRAD(input) = zeros_like_of(dy[0]); }

FORWARD(fill_tensor)
{
  if (a->value->ndim != 0)
    raise(call, "value must have no dimensions, not shape %s", shape_text(call, tensor_shape(a->value)));
  check_value_fits(call, a->value, tensor_dtype(a->input));
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_copy(call, y[0], a->value);
}

BACKWARD(fill_tensor)
{
  if (WANTS(input)) GRAD(input) = zeros_like_of(dy[0]);
  if (WANTS(value)) GRAD(value) = summed_to(dy[0], a->value);
}

FORWARD(zero)
{
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_fill(call, y[0], scalar_int(0));
}

BACKWARD(zero) { GRAD(input) = zeros_like_of(dy[0]); }

Tensor *stretch(Call *call, const Tensor *t, int dim, int64_t start, int64_t length)
{
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < t->ndim; d++) shape[d] = t->shape[d];
  shape[dim] = length;
  return tensor_view(call, t, (Ints){shape, t->ndim}, tensor_strides(t), t->offset + start * t->strides[dim]);
}
