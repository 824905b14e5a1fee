/* ONNX's operators on quantized numbers. */
#include "ops/onnx/quantizing.h"

#include "launch/nn/byte_lstm.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/quantized.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/rounding.h"
#include "ops/onnx/byte_convolving.h"
#include "ops/onnx/byte_forms.h"
#include "ops/onnx/convolving.h"
#include "ops/onnx/pooling.h"
#include "ops/onnx/spatial.h"
#include "ops/onnx/words.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

/* A scale or zero point as it broadcasts with x: one, one a slice of an axis, or one a block along it. */
static Tensor *spread(Call *call, Tensor *t, const Tensor *x, int64_t axis_given, int64_t block)
{
  if (!t) return NULL;
  if (t->numel == 1 && t->ndim <= 1) return op(reshape, t, (Ints){x->shape, 0});
  const int axis = onnx_axis(call, axis_given, x->ndim);
  if (t->ndim == 1) {
    int64_t shape[MAX_DIMS];
    for (int i = 0; i < x->ndim; i++) shape[i] = i == axis ? t->shape[0] : 1;
    return op(reshape, t, ((Ints){shape, x->ndim}));
  }
  if (block < 1 || t->ndim != x->ndim) raise(call, "a scale of shape %s", shape_text(call, tensor_shape(t)));
  Tensor *each = op(repeat_interleave, t, block, axis, NO_INT);
  return each->shape[axis] > x->shape[axis] ? op(narrow, each, axis, 0, x->shape[axis]) : each;
}

static void range_of_dtype(Call *call, DType dtype, int64_t *low, int64_t *high)
{
  if (dtype == DTYPE_u8) *low = 0, *high = 255;
  else if (dtype_is_integral(dtype) && dtype != DTYPE_b8) {
    const int unused = 64 - 8 * (int)dtype_size(dtype);
    *low = INT64_MIN >> unused, *high = INT64_MAX >> unused;
  } else raise(call, "%s can't be quantized to", dtype_name(dtype));
}

/* Real numbers, which a zero point is added to after they are rounded. */
static Tensor *rounded(Call *call, Tensor *x, Tensor *zero, DType dtype, int64_t low, int64_t high)
{
  Tensor *one = tensor_dtype(x) == DTYPE_f32 ? onnx_filled(call, (Ints){x->shape, 0}, 1, DTYPE_f32) : NULL;
  if (one && is_byte_form(dtype, one, zero)) return op(onnx_to_bytes, x, one, zero, low, high, dtype);
  if (low == 0 && high == 0) range_of_dtype(call, dtype, &low, &high);
  Tensor *y = op(round, x);
  if (zero) y = plus(y, cast(zero, tensor_dtype(y)));
  return cast(op(clamp, y, scalar_int(low), scalar_int(high)), dtype);
}

FORWARD(onnx_quantize)
{
  Tensor *x = a->x;
  const Tensor *like = a->zero ? a->zero : a->like;
  const DType dtype = a->dtype != DTYPE_NONE ? a->dtype : like ? tensor_dtype(like) : DTYPE_u8;
  if (tensor_dtype(x) == DTYPE_f32 && is_byte_form(dtype, a->scale, a->zero)) {
    y[0] = op(onnx_to_bytes, x, a->scale, a->zero, a->low, a->high, dtype);
    return;
  }
  Tensor *scale = spread(call, widened(a->scale), x, a->axis, a->block_size);
  Tensor *wide = dtype_is_floating(tensor_dtype(x)) ? widened(x) : cast(x, DTYPE_f32);
  y[0] = rounded(call, op(div, wide, scale), spread(call, a->zero, x, a->axis, a->block_size), dtype, a->low, a->high);
}

FORWARD(onnx_dequantize)
{
  const DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(a->scale) : a->dtype, wide = dtype_compute(dtype);
  const bool wants_gradient = call->ctx->grad_enabled && tensor_requires_grad(a->scale);
  if (dtype == DTYPE_f32 && !wants_gradient && is_byte_form(tensor_dtype(a->x), a->scale, a->zero)) {
    y[0] = op(onnx_of_bytes, a->x, a->scale, a->zero);
    return;
  }
  Tensor *x = cast(a->x, dtype_is_inexact(tensor_dtype(a->x)) ? wide : DTYPE_i32);
  Tensor *zero = spread(call, a->zero, x, a->axis, a->block_size);
  if (zero) x = minus(x, cast(zero, tensor_dtype(x)));
  y[0] = cast(op(mul, cast(x, wide), cast(spread(call, a->scale, x, a->axis, a->block_size), wide)), dtype);
}

FORWARD(onnx_dynamic_quantize)
{
  const Device device = device_of(a->x);
  check_floating(call, tensor_dtype(a->x));
  y[0] = result_new(call, DTYPE_u8, device, tensor_shape(a->x));
  y[1] = tensor_new(call, DTYPE_f32, device, (Ints){a->x->shape, 0});
  y[2] = tensor_new(call, DTYPE_u8, device, (Ints){a->x->shape, 0});
  launch_dynamic_quantize(call, a->x, y[0], y[1], y[2]);
}

/* ----------------------------------------------------------------- products */

/* A zero point of rows, [m] or [..., m, 1], or of columns, [n] or [..., 1, n], as it broadcasts; NULL: none. */
static Tensor *zero_of(Call *call, Tensor *zero, int axis)
{
  if (!zero || zero->numel != 1)
    return zero && zero->ndim == 1 && axis == -2 ? reshaped(zero, zero->shape[0], 1) : zero;
  return op(reshape, zero, (Ints){zero->shape, 0});
}

static Tensor *flat_rows(Call *call, Tensor *t)
{
  const int64_t k = t->shape[t->ndim - 1];
  return reshaped(t, k ? t->numel / k : 0, k);
}

/* By the product of bytes: (a - p)(b - q) = a b - p sum(b) - sum(a) q + k p q, with p, q and sum(b) of int32. */
static Tensor *product_of_bytes(Call *call, Tensor *a, Tensor *b, Tensor *p, Tensor *q, Tensor *sums_of_b)
{
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < a->ndim; i++) shape[i] = a->shape[i];
  shape[a->ndim - 1] = b->shape[1];
  Tensor *y = op(reshape, op(int_mm, flat_rows(call, a), b), ((Ints){shape, a->ndim}));
  if (p) y = minus(y, op(mul, p, sums_of_b));
  if (q) y = minus(y, op(mul, op(sum, a, INTS(-1), true, DTYPE_i32), q));
  if (p && q) y = plus(y, op(mul, op(mul, p, q), whole(b->shape[0])));
  return y;
}

static Tensor *sums_of_columns(Call *call, Tensor *b) { return op(sum, b, INTS(-2), true, DTYPE_i32); }

static bool is_bytes(const Tensor *t) { return t->dtype == DTYPE_u8 || t->dtype == DTYPE_i8; }

static Tensor *less_zero(Call *call, Tensor *t, Tensor *zero, DType dtype)
{
  Tensor *wide = cast(t, dtype);
  return zero ? minus(wide, cast(zero, dtype)) : wide;
}

/* A dtype that holds sums of so many products of bytes less their zero points exactly: doubles hold 2^37. */
static DType dtype_of_sums(const Tensor *a, const Tensor *b)
{
  const int64_t most = (1 << 24) / (255 * 255);
  return is_bytes(a) && is_bytes(b) && a->ndim > 0 && a->shape[a->ndim - 1] <= most ? DTYPE_f32 : DTYPE_f64;
}

/* In a dtype that holds it. */
static Tensor *integer_product(Call *call, Tensor *a, Tensor *b, Tensor *a_zero, Tensor *b_zero)
{
  Tensor *p = zero_of(call, a_zero, -2), *q = zero_of(call, b_zero, -1);
  if (b->ndim == 2 && a->ndim >= 2 && is_bytes(a) && is_bytes(b))
    return product_of_bytes(call, a, b, p ? cast(p, DTYPE_i32) : NULL, q ? cast(q, DTYPE_i32) : NULL,
                            p ? sums_of_columns(call, b) : NULL);
  const DType dtype = dtype_of_sums(a, b);
  return op(matmul, less_zero(call, a, p, dtype), less_zero(call, b, q, dtype));
}

FORWARD(onnx_matmul_integer)
{
  y[0] = cast(integer_product(call, a->a, a->b, a->a_zero, a->b_zero), DTYPE_i32);
}

ByteFactor byte_factor(Call *call, Tensor *b, Tensor *scale, Tensor *zero)
{
  if (b->ndim != 2 || !is_bytes(b))
    raise(call, "a %s weight of shape %s", dtype_name(tensor_dtype(b)), shape_text(call, tensor_shape(b)));
  return (ByteFactor){b, scale, zero ? cast(zero, DTYPE_i32) : NULL, sums_of_columns(call, b)};
}

Tensor *dynamic_product(Call *call, Tensor *x, const ByteFactor *f)
{
  Tensors as = op(onnx_dynamic_quantize, x);
  Tensor *whole_sums = product_of_bytes(call, as.v[0], f->b, cast(as.v[2], DTYPE_i32), f->zero, f->sums);
  return op(mul, cast(whole_sums, tensor_dtype(x)), op(mul, as.v[1], f->scale));
}

FORWARD(onnx_qlinear_matmul)
{
  Tensor *sum = integer_product(call, a->a, a->b, a->a_zero, a->b_zero);
  Tensor *scale = op(mul, zero_of(call, widened(a->a_scale), -2), zero_of(call, widened(a->b_scale), -1));
  scale = op(div, scale, zero_of(call, widened(a->y_scale), -2));
  Tensor *real = op(mul, cast(sum, tensor_dtype(scale)), scale);
  y[0] = rounded(call, real, zero_of(call, a->y_zero, -2), tensor_dtype(a->y_zero), 0, 0);
}

/* The sum, which is exact, is multiplied once, and rounded before the zero point is added. */
FORWARD(onnx_qlinear_global_pool)
{
  Tensor *x = a->x;
  if (x->ndim < 3) raise(call, "[N, C, ...] is wanted, not shape %s", shape_text(call, tensor_shape(x)));
  int64_t n = 1;
  for (int i = 2; i < x->ndim; i++) n = onnx_product(call, n, x->shape[i]);
  Tensor *sum = op(sum, x, onnx_dims_from(call, 2, x->ndim), true, DTYPE_i32);
  if (a->x_zero) sum = minus(sum, op(mul, cast(zero_of(call, a->x_zero, -1), DTYPE_i32), whole(n)));
  Tensor *all = op(mul, zero_of(call, cast(a->y_scale, DTYPE_f32), -1), number((double)n));
  Tensor *scale = op(div, zero_of(call, cast(a->x_scale, DTYPE_f32), -1), all);
  y[0] = rounded(call, op(mul, cast(sum, DTYPE_f32), scale), zero_of(call, a->y_zero, -1),
                 tensor_dtype(a->y_zero ? a->y_zero : x), 0, 0);
}

/* The pads with which all windows lie within the image, also those that ceil_mode adds. */
static Ints pads_of_windows(Call *call, const Spatial *s)
{
  int64_t *pads = arena_allocate(call->ctx, 2 * (size_t)s->n * sizeof *pads);
  for (int i = 0; i < s->n; i++) {
    const int64_t windows = spatial_windows(call, s, i, true);
    pads[i] = s->before[i];
    pads[s->n + i] = (windows - 1) * s->stride[i] + spatial_extent(s, i) - s->size[i] - s->before[i];
  }
  return (Ints){pads, 2 * s->n};
}

/* ONNX Runtime rounds these means together with the zero point, unless a window is the whole image. Where pads count,
   so does all of a window that hangs over the end. */
FORWARD(onnx_qlinear_average_pool)
{
  const Spatial s = spatial_of(call, a->x, a->kernel_shape, a->strides, a->dilations, a->pads, a->auto_pad);
  bool is_global = true;
  for (int i = 0; i < s.n; i++)
    is_global = is_global && s.kernel[i] == s.size[i] && s.before[i] == 0 && s.after[i] == 0;
  if (is_global) {
    y[0] = op(onnx_qlinear_global_pool, a->x, a->x_scale, a->x_zero, a->y_scale, a->y_zero);
    return;
  }
  Tensor *real = op(onnx_dequantize, a->x, a->x_scale, a->x_zero, 1, 0, DTYPE_NONE);
  const bool is_whole = a->ceil_mode && a->count_include_pad;
  Tensor *mean = op(onnx_average_pool, real, a->kernel_shape, is_whole ? "NOTSET" : a->auto_pad,
                    a->ceil_mode && !is_whole, a->count_include_pad, a->dilations,
                    is_whole ? pads_of_windows(call, &s) : a->pads, a->strides);
  Tensor *all = op(div, mean, zero_of(call, a->y_scale, -1));
  if (a->y_zero) all = plus(all, cast(zero_of(call, a->y_zero, -1), tensor_dtype(all)));
  y[0] = rounded(call, all, NULL, tensor_dtype(a->y_zero ? a->y_zero : a->x), 0, 0);
}

/* ----------------------------------------------------------------- convolutions */

FORWARD(onnx_conv_integer)
{
  struct onnx_byte_conv_args bytes = {.x = a->x,
                                      .w = a->w,
                                      .x_zero = a->x_zero,
                                      .w_zero = a->w_zero,
                                      .auto_pad = a->auto_pad,
                                      .dilations = a->dilations,
                                      .group = a->group,
                                      .pads = a->pads,
                                      .strides = a->strides};
  if (byte_conv_takes(call, &bytes)) {
    y[0] = op_onnx_byte_conv(call, &bytes);
    return;
  }
  Tensor *x = less_zero(call, a->x, zero_of(call, a->x_zero, -1), DTYPE_f64),
         *w = less_zero(call, a->w, spread(call, a->w_zero, a->w, 0, 0), DTYPE_f64);
  y[0] = cast(op(onnx_conv, x, w, NULL, a->auto_pad, a->dilations, a->group, a->pads, a->strides), DTYPE_i32);
}

/* What sums of products are multiplied with to be bytes. */
static Tensor *scale_of_sums(Call *call, const struct onnx_qlinear_conv_args *a)
{
  return op(div, op(mul, cast(a->x_scale, DTYPE_f32), cast(a->w_scale, DTYPE_f32)), cast(a->y_scale, DTYPE_f32));
}

FORWARD(onnx_qlinear_conv)
{
  Tensor *scale = scale_of_sums(call, a);
  struct onnx_byte_conv_args bytes = {.x = a->x,
                                      .w = a->w,
                                      .x_zero = a->x_zero,
                                      .w_zero = a->w_zero,
                                      .bias = a->b,
                                      .scale = scale,
                                      .y_zero = a->y_zero,
                                      .auto_pad = a->auto_pad,
                                      .dilations = a->dilations,
                                      .group = a->group,
                                      .pads = a->pads,
                                      .strides = a->strides};
  if (byte_conv_takes(call, &bytes)) {
    y[0] = op_onnx_byte_conv(call, &bytes);
    return;
  }
  Tensor *x = less_zero(call, a->x, spread(call, a->x_zero, a->x, 1, 0), DTYPE_f64);
  Tensor *w = less_zero(call, a->w, spread(call, a->w_zero, a->w, 0, 0), DTYPE_f64);
  Tensor *b = a->b ? cast(a->b, DTYPE_f64) : NULL;
  Tensor *sum = op(onnx_conv, x, w, b, a->auto_pad, a->dilations, a->group, a->pads, a->strides);
  Tensor *real = op(mul, cast(sum, DTYPE_f32), spread(call, scale, sum, 1, 0));
  y[0] = rounded(call, real, spread(call, a->y_zero, sum, 1, 0), tensor_dtype(a->y_zero), 0, 0);
}
