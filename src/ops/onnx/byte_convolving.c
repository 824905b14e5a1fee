/* The convolution that those of ONNX on quantized numbers are made of. */
#include "ops/onnx/byte_convolving.h"

#include "launch/conv/bytes.h"
#include "ops/onnx/spatial.h"

static bool is_bytes(const Tensor *t) { return t->dtype == DTYPE_u8 || t->dtype == DTYPE_i8; }

/* A zero point for numbers of a dtype: none, one, or one for each of n. */
static bool is_zero_of(const Tensor *zero, const Tensor *t, int64_t n)
{
  return !zero || (zero->dtype == t->dtype && (zero->numel == 1 || (zero->ndim == 1 && zero->numel == n)));
}

static bool dtypes_fit(const struct onnx_byte_conv_args *a)
{
  const int64_t rows = a->w->shape[0];
  if (!is_bytes(a->x) || !is_bytes(a->w) || !is_zero_of(a->x_zero, a->x, 1) || !is_zero_of(a->w_zero, a->w, rows))
    return false;
  if (a->bias && (a->bias->dtype != DTYPE_i32 || a->bias->ndim != 1 || a->bias->numel != rows)) return false;
  if (!a->scale) return !a->y_zero;
  return a->scale->dtype == DTYPE_f32 && (a->scale->numel == 1 || (a->scale->ndim == 1 && a->scale->numel == rows))
         && a->y_zero && is_bytes(a->y_zero) && a->y_zero->numel == 1;
}

/* Sizes along an axis; false if it isn't taken. A padded image of 2^20 elements a side is much, and no product of its
   sizes overflows. */
static bool axis_of(const Spatial *s, int i, ByteConv *c, int d)
{
  const int64_t most = 1 << 20, padded = s->size[i] + s->before[i] + s->after[i];
  if (s->before[i] < 0 || s->after[i] < 0 || s->size[i] > most || padded > most || spatial_extent(s, i) > padded)
    return false;
  c->size[d] = s->size[i], c->kernel[d] = s->kernel[i], c->stride[d] = s->stride[i];
  c->before[d] = s->before[i], c->dilation[d] = s->dilation[i];
  c->result[d] = (padded - spatial_extent(s, i)) / s->stride[i] + 1;
  return true;
}

static bool conv_of(Call *call, const struct onnx_byte_conv_args *a, ByteConv *c)
{
  const Tensor *x = a->x, *w = a->w;
  if (x->ndim < 3 || x->ndim > 2 + BYTE_AXES || w->ndim != x->ndim || !dtypes_fit(a)) return false;
  const int64_t groups = a->group, channels = w->shape[1];
  if (groups < 1 || groups > INT32_MAX || channels > BYTES_TAPS || x->shape[1] != groups * channels
      || w->shape[0] % groups)
    return false;
  *c = (ByteConv){.images = x->shape[0], .groups = groups, .channels = channels, .rows = w->shape[0] / groups,
                  .size = {1}, .kernel = {1}, .result = {1}, .stride = {1}, .dilation = {1},
                  .x_zero = a->x_zero, .w_zero = a->w_zero, .bias = a->bias, .scale = a->scale, .y_zero = a->y_zero};
  int64_t taps = channels;
  for (int i = 2; i < w->ndim; i++) {
    if (w->shape[i] < 1 || w->shape[i] > BYTES_TAPS) return false;
    taps *= w->shape[i];
  }
  const Spatial s = spatial_of(call, x, (Ints){w->shape + 2, w->ndim - 2}, a->strides, a->dilations, a->pads,
                               a->auto_pad);
  for (int i = 0; i < s.n; i++)
    if (!axis_of(&s, i, c, BYTE_AXES - s.n + i)) return false;
  return taps <= BYTES_TAPS;
}

bool byte_conv_takes(Call *call, const struct onnx_byte_conv_args *a)
{
  ByteConv c;
  return conv_of(call, a, &c);
}

FORWARD(onnx_byte_conv)
{
  ByteConv c;
  if (!conv_of(call, a, &c))
    raise(call, "shapes %s and %s don't fit", shape_text(call, tensor_shape(a->x)),
          shape_text(call, tensor_shape(a->w)));
  int64_t shape[2 + BYTE_AXES] = {c.images, c.groups * c.rows};
  for (int i = 2; i < a->x->ndim; i++) shape[i] = c.result[BYTE_AXES - a->x->ndim + i];
  y[0] = result_new(call, a->scale ? tensor_dtype(a->y_zero) : DTYPE_i32, device_of(a->x), (Ints){shape, a->x->ndim});
  launch_byte_conv(call, &c, a->x, a->w, y[0]);
}
