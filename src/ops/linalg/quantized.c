/* Products of matrices of bytes: exact ones, and those of floats with weights of a byte each and a scale a row. */
#include "ops/linalg/quantized.h"

#include "launch/linalg/matmul.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_bytes(Call *call, const Tensor *t, const char *name)
{
  const DType d = tensor_dtype(t);
  if (d != DTYPE_i8 && d != DTYPE_u8) raise(call, "%s has dtype %s; int8 or uint8 is wanted", name, dtype_name(d));
}

FORWARD(int_mm)
{
  Tensor *l = a->input, *r = a->mat2;
  check_rank(call, l, "input", 2);
  check_rank(call, r, "mat2", 2);
  check_bytes(call, l, "input");
  check_bytes(call, r, "mat2");
  if (l->shape[1] != r->shape[0])
    raise(call, "shapes %s and %s don't fit: %lld against %lld", shape_text(call, tensor_shape(l)),
          shape_text(call, tensor_shape(r)), (long long)l->shape[1], (long long)r->shape[0]);
  y[0] = result_new(call, DTYPE_i32, device_of(l), INTS(l->shape[0], r->shape[1]));
  launch_bytes_product(call, l, r, y[0]);
}

static void check_int8_linear(Call *call, const Tensor *x, const Tensor *weight, const Tensor *scales)
{
  const DType d = tensor_dtype(x);
  check_rank(call, weight, "mat2", 2);
  check_rank(call, scales, "scales", 1);
  if (!dtype_is_floating(d)) raise(call, "input has dtype %s; floating point is wanted", dtype_name(d));
  if (tensor_dtype(weight) != DTYPE_i8)
    raise(call, "mat2 has dtype %s; int8 is wanted", dtype_name(tensor_dtype(weight)));
  if (!dtype_is_floating(tensor_dtype(scales)))
    raise(call, "scales has dtype %s; floating point is wanted", dtype_name(tensor_dtype(scales)));
  if (scales->shape[0] != weight->shape[0])
    raise(call, "mat2 has %lld rows, but there are %lld scales", (long long)weight->shape[0],
          (long long)scales->shape[0]);
  if (x->ndim == 0 || x->shape[x->ndim - 1] != weight->shape[1])
    raise(call, "input has shape %s; %lld columns of mat2 want as many elements in the last dimension",
          shape_text(call, tensor_shape(x)), (long long)weight->shape[1]);
}

/* input @ mat2^T in float32. */
static Tensor *unscaled(Call *call, Tensor *x, Tensor *weight)
{
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) shape[i] = x->shape[i];
  shape[x->ndim - 1] = weight->shape[0];
  Tensor *y = tensor_new(call, DTYPE_f32, device_of(x), (Ints){shape, x->ndim});
  launch_linear_int8(call, x, weight, y);
  return y;
}

/* mat2 times its scales. */
static Tensor *dequantized(Call *call, Tensor *weight, Tensor *scales, DType dtype)
{
  return op(mul, cast(weight, dtype), op(unsqueeze, cast(scales, dtype), 1));
}

FORWARD(weight_int8pack_mm)
{
  const DType dtype = tensor_dtype(a->input);
  check_int8_linear(call, a->input, a->mat2, a->scales);
  if (dtype == DTYPE_f64) y[0] = op(linear, a->input, dequantized(call, a->mat2, a->scales, dtype), NULL);
  else y[0] = cast(op(mul, unscaled(call, a->input, a->mat2), cast(a->scales, DTYPE_f32)), dtype);
}

BACKWARD(weight_int8pack_mm)
{
  const DType dtype = tensor_dtype(dy[0]);
  if (WANTS(input)) GRAD(input) = op(matmul, dy[0], dequantized(call, a->mat2, a->scales, dtype));
  if (WANTS(scales)) {
    Tensor *plain = op(linear, a->input, cast(a->mat2, dtype), NULL);
    GRAD(scales) = cast(summed_to(op(mul, dy[0], plain), a->scales), tensor_dtype(a->scales));
  }
}
