/* Bytes by one scale and zero point. */
#include "ops/onnx/byte_forms.h"

#include "launch/nn/quantize.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/onnx/quantizing.h"
#include "ops/onnx/words.h"
#include "ops/shape/view.h"
#include "ops/table/pointwise.h"

bool is_byte_form(DType dtype, const Tensor *scale, const Tensor *zero)
{
  return (dtype == DTYPE_u8 || dtype == DTYPE_i8) && scale->numel == 1 && tensor_dtype(scale) == DTYPE_f32
         && (!zero || (zero->numel == 1 && tensor_dtype(zero) == dtype));
}

static void check_form(Call *call, DType dtype, const Tensor *scale, const Tensor *zero)
{
  if (!is_byte_form(dtype, scale, zero))
    raise(call, "one scale of float32 and one zero point of the dtype are wanted, of int8 or uint8");
}

FORWARD(onnx_to_bytes)
{
  check_form(call, a->dtype, a->scale, a->zero);
  if (tensor_dtype(a->x) != DTYPE_f32) raise(call, "x is %s, not float32", dtype_name(tensor_dtype(a->x)));
  y[0] = result_new(call, a->dtype, device_of(a->x), tensor_shape(a->x));
  launch_quantize(call, a->x, (ByteForm){a->scale, a->zero}, a->low, a->high, y[0]);
}

FORWARD(onnx_of_bytes)
{
  check_form(call, tensor_dtype(a->x), a->scale, a->zero);
  y[0] = result_new(call, DTYPE_f32, device_of(a->x), tensor_shape(a->x));
  launch_dequantize(call, a->x, (ByteForm){a->scale, a->zero}, y[0]);
}

FORWARD(onnx_bytes_to_bytes)
{
  const DType dtype = tensor_dtype(a->y_zero ? a->y_zero : a->x);
  check_form(call, tensor_dtype(a->x), a->x_scale, a->x_zero);
  check_form(call, dtype, a->y_scale, a->y_zero);
  y[0] = result_new(call, dtype, device_of(a->x), tensor_shape(a->x));
  launch_requantize(call, a->x, (ByteForm){a->x_scale, a->x_zero}, (ByteForm){a->y_scale, a->y_zero}, y[0]);
}

FORWARD(onnx_requantize)
{
  const DType dtype = tensor_dtype(a->x);
  if (is_byte_form(dtype, a->x_scale, a->x_zero)
      && is_byte_form(a->y_zero ? tensor_dtype(a->y_zero) : dtype, a->y_scale, a->y_zero)) {
    y[0] = op(onnx_bytes_to_bytes, a->x, a->x_scale, a->x_zero, a->y_scale, a->y_zero);
    return;
  }
  Tensor *real = op(onnx_dequantize, a->x, a->x_scale, a->x_zero, 1, 0, DTYPE_NONE);
  y[0] = op(onnx_quantize, real, a->y_scale, a->y_zero, 1, 0, 0, 0, DTYPE_NONE, a->x);
}

/* -------------------------------------------------------------------- pairs */

/* All four rows have the same arguments. */
typedef struct onnx_add_bytes_args Pair;
_Static_assert(sizeof(struct onnx_mul_bytes_args) == sizeof(Pair)
                 && sizeof(struct onnx_qlinear_add_args) == sizeof(Pair)
                 && sizeof(struct onnx_qlinear_mul_args) == sizeof(Pair),
               "the rows of pairs have one list of arguments");

static bool are_bytes(const Pair *a)
{
  const DType dtype = tensor_dtype(a->a);
  return tensor_dtype(a->b) == dtype && is_byte_form(dtype, a->a_scale, a->a_zero)
         && is_byte_form(dtype, a->b_scale, a->b_zero) && is_byte_form(dtype, a->y_scale, a->y_zero);
}

static Tensor *pair_of_bytes(Call *call, BytePairKind kind, const Pair *a)
{
  if (!are_bytes(a) || !tensor_same_shape(a->a, a->b))
    raise(call, "bytes of one shape and dtype are wanted, with one scale of float32 and one zero point each");
  Tensor *y = result_new(call, tensor_dtype(a->a), device_of(a->a), tensor_shape(a->a));
  launch_byte_pair(call, kind, a->a, (ByteForm){a->a_scale, a->a_zero}, a->b, (ByteForm){a->b_scale, a->b_zero},
                   (ByteForm){a->y_scale, a->y_zero}, y);
  return y;
}

FORWARD(onnx_add_bytes) { y[0] = pair_of_bytes(call, BYTES_ADD, a); }

FORWARD(onnx_mul_bytes) { y[0] = pair_of_bytes(call, BYTES_MUL, (const Pair *)a); }

/* Brings a and b to the shape that they broadcast to. */
static void broadcast_pair(Call *call, Tensor **a, Tensor **b)
{
  Tensor *const pair[] = {*a, *b};
  const Ints shape = broadcast_operands(call, pair, 2);
  *a = op(expand, *a, shape);
  *b = op(expand, *b, shape);
}

/* Whether each element of a stands beside several of b in memory. */
static bool is_single_beside(const Tensor *a, const Tensor *b)
{
  for (int i = 1; i <= b->ndim; i++) {
    const int64_t of_a = i <= a->ndim ? a->shape[a->ndim - i] : 1, of_b = b->shape[b->ndim - i];
    if (of_a != 1 || of_b != 1) return of_a == 1;
  }
  return false;
}

static Tensor *real_of(Call *call, Tensor *x, Tensor *scale, Tensor *zero)
{
  return op(onnx_dequantize, x, scale, zero, 1, 0, DTYPE_NONE);
}

/* By reals, for what has other forms. */
static Tensor *pair_of_reals(Call *call, BytePairKind kind, const Pair *a)
{
  Tensor *left = real_of(call, a->a, a->a_scale, a->a_zero), *right = real_of(call, a->b, a->b_scale, a->b_zero);
  Tensor *real = kind == BYTES_ADD ? plus(left, right) : op(mul, left, right);
  return op(onnx_quantize, real, a->y_scale, a->y_zero, 1, 0, 0, 0, DTYPE_NONE, a->a);
}

static Tensor *quantized_pair(Call *call, BytePairKind kind, const Pair *a)
{
  Pair p = *a;
  if (!are_bytes(a)) return pair_of_reals(call, kind, a);
  if (kind == BYTES_ADD && is_single_beside(a->a, a->b)) /* ONNX Runtime adds the second to the zero point first */
    p = (Pair){a->b, a->b_scale, a->b_zero, a->a, a->a_scale, a->a_zero, a->y_scale, a->y_zero};
  broadcast_pair(call, &p.a, &p.b);
  return kind == BYTES_ADD ? op_onnx_add_bytes(call, &p) : op_onnx_mul_bytes(call, (struct onnx_mul_bytes_args *)&p);
}

FORWARD(onnx_qlinear_add) { y[0] = quantized_pair(call, BYTES_ADD, (const Pair *)a); }

FORWARD(onnx_qlinear_mul) { y[0] = quantized_pair(call, BYTES_MUL, (const Pair *)a); }
