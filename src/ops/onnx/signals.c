/* ONNX's operators on signals. */
#include "ops/onnx/signals.h"

#include <math.h>

#include "ops/fft/transform.h"
#include "ops/math/arithmetic.h"
#include "ops/math/complex.h"
#include "ops/nn/pad.h"
#include "ops/onnx/words.h"
#include "ops/shape/view.h"

/* [..., 1] or [..., 2] as real or complex numbers without the last axis. */
static Tensor *numbers_from_parts(Call *call, Tensor *t)
{
  const int last = t->ndim - 1;
  if (last < 0 || (t->shape[last] != 1 && t->shape[last] != 2))
    raise(call, "shape %s: the last axis has one part or two", shape_text(call, tensor_shape(t)));
  Tensor *wide = widened(t), *real = op(select, wide, last, 0);
  return t->shape[last] == 1 ? real : op(complex_of, real, op(select, wide, last, 1));
}

/* The axis cut off, or followed by zeros. */
static Tensor *brought_to(Call *call, Tensor *t, int axis, int64_t n)
{
  int64_t pad[2 * MAX_DIMS] = {0};
  if (axis >= t->ndim) raise(call, "shape %s has no axis %d", shape_text(call, tensor_shape(t)), axis);
  const int64_t more = n - t->shape[axis];
  const int at = 2 * (t->ndim - 1 - axis);
  pad[at + 1] = more;
  return more ? op(constant_pad_nd, t, ((Ints){pad, at + 2}), scalar_int(0)) : t;
}

static Tensor *parts_of_numbers(Call *call, Tensor *t) { return op(view_as_real, t); }

static Tensor *as_complex(Call *call, Tensor *t)
{
  return dtype_is_complex(tensor_dtype(t)) ? t : op(complex_of, t, zeros_like_of(t));
}

static int64_t checked_length(Call *call, int64_t n)
{
  if (n < 1 || n > INT32_MAX) raise(call, "a length of %lld", (long long)n);
  return n;
}

FORWARD(onnx_dft)
{
  Tensor *x = numbers_from_parts(call, a->input);
  const int64_t given = a->axis_tensor ? scalar_integer(number_of(call, a->axis_tensor)) : a->axis;
  const int axis = onnx_axis(call, given, a->input->ndim);
  if (axis >= x->ndim) raise(call, "axis %lld is that of the parts", (long long)given);
  const DType dtype = tensor_dtype(a->input);
  const bool to_real = a->inverse && a->onesided;
  int64_t n = a->dft_length ? scalar_integer(number_of(call, a->dft_length))
              : to_real     ? 2 * (x->shape[axis] - 1)
                            : x->shape[axis];
  checked_length(call, n);
  const double scale = a->inverse ? 1.0 / (double)n : 1;
  if (to_real) {
    x = op(fft_c2r, brought_to(call, as_complex(call, x), axis, n / 2 + 1), INTS(axis), scale, n);
    y[0] = cast(op(unsqueeze, x, -1), dtype);
    return;
  }
  x = brought_to(call, x, axis, n);
  if (a->onesided && !dtype_is_complex(tensor_dtype(x))) x = op(fft_r2c, x, INTS(axis), scale, true);
  else x = op(fft_c2c, as_complex(call, x), INTS(axis), scale, !a->inverse);
  if (a->onesided) x = op(narrow, x, axis, 0, n / 2 + 1);
  y[0] = cast(parts_of_numbers(call, x), dtype);
}

FORWARD(onnx_stft)
{
  Tensor *x = a->signal;
  if (x->ndim == 2) x = op(unsqueeze, x, -1);
  x = numbers_from_parts(call, x);
  if (x->ndim != 2) raise(call, "a signal of shape %s", shape_text(call, tensor_shape(a->signal)));
  const int64_t step = checked_length(call, scalar_integer(number_of(call, a->frame_step)));
  const int64_t n = checked_length(call, a->frame_length ? scalar_integer(number_of(call, a->frame_length))
                                         : a->window     ? a->window->numel
                                                         : x->shape[1]);
  Tensor *frames = op(unfold, x, 1, n, step);
  if (a->window) frames = op(mul, frames, brought_to(call, widened(a->window), 0, n));
  Tensor *y0 = a->onesided && !dtype_is_complex(tensor_dtype(frames))
                 ? op(fft_r2c, frames, INTS(2), 1, true)
                 : op(fft_c2c, as_complex(call, frames), INTS(2), 1, true);
  if (a->onesided) y0 = op(narrow, y0, 2, 0, n / 2 + 1);
  y[0] = cast(parts_of_numbers(call, y0), tensor_dtype(a->signal));
}

FORWARD(onnx_mel_weights)
{
  const int64_t bins = scalar_integer(number_of(call, a->bins));
  const int64_t length = checked_length(call, scalar_integer(number_of(call, a->dft_length))), rows = length / 2 + 1;
  const double rate = scalar_real(number_of(call, a->sample_rate));
  const double low = 2595 * log10(1 + scalar_real(number_of(call, a->lower)) / 700);
  const double high = 2595 * log10(1 + scalar_real(number_of(call, a->upper)) / 700);
  if (bins < 1 || bins > INT16_MAX || !(rate > 0)) raise(call, "%lld bins", (long long)bins);
  if (rows * bins > INT32_MAX) raise(call, "%lld bins of %lld rows are too many", (long long)bins, (long long)rows);
  double *v = onnx_room(call, rows, bins);
  for (int64_t i = 0; i < rows * bins; i++) v[i] = 0;
  int64_t *edge = onnx_room(call, bins + 2, 1);
  for (int64_t i = 0; i < bins + 2; i++) {
    const double hertz = 700 * (pow(10, (low + (double)i * (high - low) / (double)(bins + 2)) / 2595) - 1);
    const double row = floor((double)(length + 1) * hertz / rate);
    if (!(row >= 0 && row < (double)rows)) raise(call, "the edges are beyond half of the sample rate");
    edge[i] = (int64_t)row;
  }
  for (int64_t i = 0; i < bins; i++) {
    const int64_t left = edge[i], centre = edge[i + 1], right = edge[i + 2];
    if (left == centre) v[centre * bins + i] = 1;
    else
      for (int64_t j = left; j <= centre; j++) v[j * bins + i] = (double)(j - left) / (double)(centre - left);
    for (int64_t j = centre; j < right; j++) v[j * bins + i] = (double)(right - j) / (double)(right - centre);
  }
  y[0] = reshaped(onnx_reals(call, v, rows * bins), rows, bins);
  if (a->dtype != DTYPE_NONE) y[0] = cast(y[0], a->dtype);
}
