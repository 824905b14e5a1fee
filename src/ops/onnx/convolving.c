/* ONNX's convolutions. */
#include "ops/onnx/convolving.h"

#include <string.h>

#include "ops/linalg/matmul.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/nn/conv.h"
#include "ops/nn/grid.h"
#include "ops/nn/pad.h"
#include "ops/onnx/spatial.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/stack_grid.h"
#include "ops/shape/view.h"

static Ints kernel_of(Call *call, const Tensor *x, const Tensor *w)
{
  if (x->ndim < 3 || w->ndim != x->ndim)
    raise(call, "shapes %s and %s don't fit", shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(w)));
  return (Ints){w->shape + 2, w->ndim - 2};
}

#define LIST_OF(s, member) ((Ints){(s)->member, (s)->n})

FORWARD(onnx_conv)
{
  Tensor *x = a->x;
  Spatial s = spatial_of(call, x, kernel_of(call, x, a->w), a->strides, a->dilations, a->pads, a->auto_pad);
  static const int64_t none[MOST_AXES];
  const bool is_even = spatial_is_even(&s);
  if (!is_even) x = spatial_padded(call, x, s.n, s.before, s.after, scalar_int(0));
  const Ints padding = {is_even ? s.before : none, s.n};
  y[0] = op(convolution, x, a->w, a->b, LIST_OF(&s, stride), padding, LIST_OF(&s, dilation), false, ((Ints){none, s.n}),
            a->group);
}

/* The pads of a transposed convolution: given, or what is left over of output_shape. */
static void cut_of(Call *call, Spatial *s, const struct onnx_conv_transpose_args *a, const int64_t *more)
{
  const bool is_same = strncmp(a->auto_pad, "SAME", 4) == 0, is_upper = strcmp(a->auto_pad, "SAME_UPPER") == 0;
  if (!is_same && a->output_shape.n < 0) return;
  if (a->output_shape.n >= 0 && a->output_shape.n != s->n && a->output_shape.n != s->n + 2)
    raise(call, "output_shape has %lld elements for %d axes", (long long)a->output_shape.n, s->n);
  for (int i = 0; i < s->n; i++) {
    const int64_t wanted = a->output_shape.n < 0 ? s->size[i] * s->stride[i]
                                                 : a->output_shape.v[i + a->output_shape.n - s->n];
    if (wanted < 0 || wanted > INT32_MAX) raise(call, "output_shape has %lld", (long long)wanted);
    const int64_t total = s->stride[i] * (s->size[i] - 1) + more[i] + spatial_extent(s, i) - wanted;
    const int64_t half = (total - (total < 0)) / 2; /* rounded down */
    s->before[i] = is_upper ? half : total - half;
    s->after[i] = total - s->before[i];
  }
}

static Tensor *with_bias(Call *call, Tensor *y, Tensor *bias)
{
  int64_t shape[MAX_DIMS] = {1, bias->numel};
  for (int i = 2; i < y->ndim; i++) shape[i] = 1;
  return plus(y, op(reshape, bias, ((Ints){shape, y->ndim})));
}

FORWARD(onnx_conv_transpose)
{
  Tensor *x = a->x;
  static const int64_t none[MOST_AXES];
  int64_t before[MOST_AXES], after[MOST_AXES];
  Spatial s = spatial_of(call, x, kernel_of(call, x, a->w), a->strides, a->dilations, a->pads, "NOTSET");
  if (a->output_padding.n >= 0 && a->output_padding.n != s.n) raise(call, "output_padding doesn't fit the axes");
  const int64_t *more = a->output_padding.n < 0 ? none : a->output_padding.v;
  for (int i = 0; i < s.n; i++)
    if (more[i] < 0 || more[i] > INT32_MAX) raise(call, "output_padding has %lld", (long long)more[i]);
  cut_of(call, &s, a, more);
  bool is_plain = spatial_is_even(&s);
  for (int i = 0; i < s.n; i++) {
    is_plain = is_plain && more[i] == 0;
    before[i] = -s.before[i], after[i] = more[i] - s.after[i];
  }
  const Ints stride = LIST_OF(&s, stride), dilation = LIST_OF(&s, dilation), zeros = {none, s.n};
  if (is_plain) {
    y[0] = op(convolution, x, a->w, a->b, stride, LIST_OF(&s, before), dilation, true, zeros, a->group);
    return;
  }
  Tensor *all = op(convolution, x, a->w, NULL, stride, zeros, dilation, true, zeros, a->group);
  all = spatial_padded(call, all, s.n, before, after, scalar_int(0));
  y[0] = a->b ? with_bias(call, all, a->b) : all;
}

/* ------------------------------------------------------------------ columns */

/* The results of windows along an axis. */
static int64_t windows(const Spatial *s, int i)
{
  return (s->size[i] + s->before[i] + s->after[i] - spatial_extent(s, i)) / s->stride[i] + 1;
}

FORWARD(onnx_col2im)
{
  Ints image = whole_numbers_of(call, a->image_shape), block = whole_numbers_of(call, a->block_shape);
  const Tensor *x = a->input;
  if (x->ndim != 3 || image.n < 1 || image.n > MOST_AXES || image.n != block.n)
    raise(call, "shape %s, with %lld axes of images and %lld of blocks", shape_text(call, tensor_shape(x)),
          (long long)image.n, (long long)block.n);
  int64_t taps = 1, c, shape[2 + MOST_AXES], padded[2 + MOST_AXES], count[MOST_AXES];
  for (int64_t i = 0; i < block.n; i++) {
    if (block.v[i] < 1 || block.v[i] > INT32_MAX || image.v[i] < 1 || image.v[i] > INT32_MAX
        || __builtin_mul_overflow(taps, block.v[i], &taps))
      raise(call, "sizes of images and blocks must be positive and small");
    shape[i + 2] = image.v[i];
  }
  c = x->shape[1] / taps;
  shape[0] = x->shape[0], shape[1] = c;
  if (c * taps != x->shape[1]) raise(call, "%lld rows are no multiple of a block", (long long)x->shape[1]);
  /* a transposed convolution of [N, c taps, windows] with one kernel a tap, each of which is one place of the block */
  const Tensor like = {.ndim = (uint8_t)(image.n + 2), .shape = shape};
  Spatial s = spatial_of(call, &like, block, a->strides, a->dilations, a->pads, "NOTSET");
  int64_t columns[2 + MOST_AXES] = {shape[0] * c, taps}, kernel[2 + MOST_AXES] = {taps, 1};
  for (int i = 0; i < s.n; i++) columns[i + 2] = count[i] = windows(&s, i), kernel[i + 2] = block.v[i];
  Tensor *eye = op(reshape, op(eye, taps, NO_INT, tensor_dtype(x), DEVICE_NONE, false), ((Ints){kernel, s.n + 2}));
  static const int64_t none[MOST_AXES];
  Tensor *put = op(convolution, op(reshape, a->input, ((Ints){columns, s.n + 2})), eye, NULL, LIST_OF(&s, stride),
                   ((Ints){none, s.n}), LIST_OF(&s, dilation), true, ((Ints){none, s.n}), 1);
  int64_t before[MOST_AXES], after[MOST_AXES];
  for (int i = 0; i < s.n; i++) {
    padded[i] = (count[i] - 1) * s.stride[i] + spatial_extent(&s, i);
    before[i] = -s.before[i], after[i] = image.v[i] + s.before[i] - padded[i];
  }
  y[0] = op(reshape, spatial_padded(call, put, s.n, before, after, scalar_int(0)), ((Ints){shape, s.n + 2}));
}

/* ------------------------------------------------------------------ deformed */

/* Where the elements of a kernel lie along an axis, as [taps, windows] in elements of the image. */
static Tensor *regular_places(Call *call, const Spatial *s, int axis, Ints count)
{
  const int64_t taps = s->kernel[0] * s->kernel[1], n = count.v[0] * count.v[1];
  double *v = onnx_room(call, taps, n);
  for (int64_t t = 0; t < taps; t++)
    for (int64_t i = 0; i < n; i++) {
      const int64_t tap = axis == 0 ? t / s->kernel[1] : t % s->kernel[1];
      const int64_t window = axis == 0 ? i / count.v[1] : i % count.v[1];
      v[t * n + i] = (double)(window * s->stride[axis] - s->before[axis] + tap * s->dilation[axis]);
    }
  return reshaped(onnx_reals(call, v, taps * n), 1, taps, n);
}

/* Places in elements as grid_sample's coordinates, with align_corners. */
static Tensor *coordinates(Call *call, Tensor *places, int64_t size)
{
  return size > 1 ? plus(scaled(places, 2.0 / (double)(size - 1)), number(-1)) : plus(scaled(places, 2), number(-1));
}

FORWARD(onnx_deform_conv)
{
  Tensor *x = a->x, *w = a->w;
  if (x->ndim != 4) raise(call, "images [N, C, H, W] are wanted, not shape %s", shape_text(call, tensor_shape(x)));
  Spatial s = spatial_of(call, x, kernel_of(call, x, w), a->strides, a->dilations, a->pads, "NOTSET");
  const int64_t n = x->shape[0], c = x->shape[1], groups = a->offset_group, taps = s.kernel[0] * s.kernel[1];
  const Ints count = INTS(windows(&s, 0), windows(&s, 1));
  const int64_t places = onnx_product(call, count.v[0], count.v[1]);
  if (groups < 1 || groups > INT32_MAX || a->group > INT32_MAX || c % groups || a->group < 1 || c % a->group
      || w->shape[0] % a->group)
    raise(call, "groups don't divide the channels");
  Tensor *offset = reshaped(a->offset, n * groups, taps, 2, places);
  /* an image of one element has one place; a second one of zeros gives it a scale */
  int64_t size[2] = {s.size[0] > 1 ? s.size[0] : 2, s.size[1] > 1 ? s.size[1] : 2};
  Tensor *image = reshaped(x, n * groups, c / groups, s.size[0], s.size[1]);
  static const int64_t none[2];
  image = spatial_padded(call, image, 2, none, (int64_t[]){size[0] - s.size[0], size[1] - s.size[1]}, scalar_int(0));
  Tensor *at[2];
  for (int i = 0; i < 2; i++)
    at[i] = coordinates(call, plus(op(select, offset, 2, i), cast(regular_places(call, &s, i, count), tensor_dtype(x))),
                        size[i]);
  Tensor *grid = op(stack, both_of(at[1], at[0]), -1);
  Tensor *taken = op(grid_sample, image, reshaped(grid, n * groups, taps, places, 2), "bilinear", "zeros", true);
  if (a->mask) taken = op(mul, taken, reshaped(a->mask, n * groups, 1, taps, places));
  const int64_t each = c / a->group * taps, rows = w->shape[0] / a->group;
  Tensor *columns = reshaped(taken, n, a->group, each, places);
  Tensor *product = op(matmul, reshaped(w, 1, a->group, rows, each), columns);
  Tensor *result = reshaped(product, n, w->shape[0], count.v[0], count.v[1]);
  y[0] = a->b ? with_bias(call, result, a->b) : result;
}

FORWARD(onnx_causal_conv)
{
  Tensor *x = a->x;
  if (x->ndim != 3) raise(call, "[N, C, L] is wanted, not shape %s", shape_text(call, tensor_shape(x)));
  const Ints kernel = kernel_of(call, x, a->w);
  const int64_t before = kernel.v[0] - 1, c = x->shape[1];
  Tensor *past = a->past ? a->past : onnx_filled(call, INTS(x->shape[0], c, before), 0, tensor_dtype(x));
  Tensor *all = op(cat, both_of(past, x), 2);
  Tensor *sum = op(convolution, all, a->w, a->b, INTS(1), INTS(0), INTS(1), false, INTS(0), c);
  const bool is_silu = strcmp(a->activation, "silu") == 0 || strcmp(a->activation, "swish") == 0;
  y[0] = is_silu ? op(silu, sum, false) : sum;
  y[1] = op(narrow, all, 2, all->shape[2] - before, before);
}
