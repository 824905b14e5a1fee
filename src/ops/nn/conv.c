/* Convolutions: checks, and how the public forms come down to the private ones. */
#include "ops/nn/conv.h"

#include <string.h>

#include "launch/conv/convolve.h"
#include "ops/nn/extents.h"
#include "ops/nn/pad.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_conv_dtypes(Call *call, const Tensor *x, const Tensor *w, const Tensor *bias)
{
  if (x->dtype == DTYPE_b8) raise(call, "bool tensors are not taken: convert them");
  if (x->dtype != w->dtype || (bias && bias->dtype != x->dtype))
    raise(call, "input is %s, weight %s%s%s: they must be the same", dtype_name(tensor_dtype(x)),
          dtype_name(tensor_dtype(w)), bias ? ", bias " : "", bias ? dtype_name(tensor_dtype(bias)) : "");
}

static void check_groups(Call *call, int64_t groups) { check_extent(call, "groups", groups, 1); }

/* Steps of at least 1 and paddings that are not negative, small enough to count with. */
static void check_steps(Call *call, const char *name, Ints list, int64_t least)
{
  for (int64_t i = 0; i < list.n; i++) check_extent(call, name, list.v[i], least);
}

/* What a convolution is between an image [N, C, …], a weight [O, C / groups, …] and a result [N, O, …]. */
static Convolution convolution_of(const int64_t *image, const int64_t *weight, const int64_t *result, Ints stride,
                                  Ints padding, Ints dilation, int64_t groups)
{
  Convolution c = {.images = image[0], .groups = groups, .channels = weight[1], .rows = weight[0] / groups};
  for (int i = 0; i < CONV_DIMS; i++) {
    const int64_t from = i - (CONV_DIMS - stride.n);
    const bool is_there = from >= 0;
    c.size[i] = is_there ? image[from + 2] : 1;
    c.kernel[i] = is_there ? weight[from + 2] : 1;
    c.result[i] = is_there ? result[from + 2] : 1;
    c.stride[i] = is_there ? stride.v[from] : 1;
    c.padding[i] = is_there ? padding.v[from] : 0;
    c.dilation[i] = is_there ? dilation.v[from] : 1;
  }
  return c;
}

static int64_t extent_of(int64_t kernel, int64_t dilation) { return dilation * (kernel - 1) + 1; }

/* The result's size along a dimension; raises if the kernel is larger than the padded image. */
static int64_t conv_result_size(Call *call, int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                                int64_t dilation)
{
  int64_t padded = size + 2 * padding, extent = extent_of(kernel, dilation);
  if (kernel < 1) raise(call, "weight has no elements along a dimension");
  if (padded < extent)
    raise(call, "the kernel takes %lld elements, and the padded input has %lld", (long long)extent, (long long)padded);
  return (padded - extent) / stride + 1;
}

/* The sum for each channel of [N, C, …]. */
static Tensor *sum_of_channels(Call *call, Tensor *dy)
{
  const int64_t dims[CONV_DIMS + 1] = {0, 2, 3, 4};
  return op(sum, dy, (Ints){dims, dy->ndim - 1}, false, tensor_dtype(dy));
}

FORWARD(convolve)
{
  Tensor *x = a->input, *w = a->weight;
  int64_t shape[CONV_DIMS + 2] = {x->shape[0], w->shape[0]};
  for (int i = 0; i < a->stride.n; i++)
    shape[i + 2] = conv_result_size(call, x->shape[i + 2], w->shape[i + 2], a->stride.v[i], a->padding.v[i],
                                    a->dilation.v[i]);
  y[0] = result_of_images(call, tensor_dtype(x), (Ints){shape, x->ndim}, has_channels_last(x) ? x : w);
  Convolution c = convolution_of(x->shape, w->shape, shape, a->stride, a->padding, a->dilation, a->groups);
  launch_convolve(call, &c, x, w, a->bias, y[0]);
}

BACKWARD(convolve)
{
  if (WANTS(input))
    GRAD(input) = op(convolve_input, dy[0], conjugate(a->weight), NULL, tensor_shape(a->input), a->stride, a->padding,
                     a->dilation, a->groups);
  if (WANTS(weight))
    GRAD(weight) = op(convolve_weight, dy[0], conjugate(a->input), tensor_shape(a->weight), a->stride, a->padding,
                      a->dilation, a->groups);
  if (a->bias && WANTS(bias)) GRAD(bias) = sum_of_channels(call, dy[0]);
}

FORWARD(convolve_input)
{
  Tensor *w = a->weight, *dy = a->grad;
  y[0] = result_of_images(call, tensor_dtype(dy), a->size, has_channels_last(dy) ? dy : w);
  Convolution c = convolution_of(a->size.v, w->shape, dy->shape, a->stride, a->padding, a->dilation, a->groups);
  launch_convolve_input(call, &c, dy, w, a->bias, y[0]);
}

/* The convolution of an image that output_padding made larger by more than a stride has places too many. */
static Tensor *cut_to(Call *call, Tensor *t, const Tensor *like)
{
  for (int i = 2; i < t->ndim; i++)
    if (t->shape[i] != like->shape[i]) t = op(narrow, t, i, 0, like->shape[i]);
  return t;
}

BACKWARD(convolve_input)
{
  if (WANTS(grad))
    GRAD(grad) = cut_to(
      call, op(convolve, dy[0], conjugate(a->weight), NULL, a->stride, a->padding, a->dilation, a->groups), a->grad);
  if (WANTS(weight))
    GRAD(weight) = op(convolve_weight, conjugate(a->grad), dy[0], tensor_shape(a->weight), a->stride, a->padding,
                      a->dilation, a->groups);
  if (a->bias && WANTS(bias)) GRAD(bias) = sum_of_channels(call, dy[0]);
}

FORWARD(convolve_weight)
{
  Tensor *x = a->input, *dy = a->grad;
  y[0] = result_new(call, tensor_dtype(dy), device_of(dy), a->size);
  Convolution c = convolution_of(x->shape, a->size.v, dy->shape, a->stride, a->padding, a->dilation, a->groups);
  launch_convolve_weight(call, &c, dy, x, y[0]);
}

BACKWARD(convolve_weight)
{
  if (WANTS(grad))
    GRAD(grad) = cut_to(
      call, op(convolve, conjugate(a->input), dy[0], NULL, a->stride, a->padding, a->dilation, a->groups), a->grad);
  if (WANTS(input))
    GRAD(input) = op(convolve_input, conjugate(a->grad), dy[0], NULL, tensor_shape(a->input), a->stride, a->padding,
                     a->dilation, a->groups);
}

/* ------------------------------------------------------------------ public forms */

/* The arguments of a public form over n dimensions. */
typedef struct Form {
  int n;
  bool single; /* the input had no dimension of images */
  Tensor *x, *w, *bias;
  int64_t groups;
  int64_t stride[CONV_DIMS], padding[CONV_DIMS], dilation[CONV_DIMS], output_padding[CONV_DIMS];
} Form;

static Ints extents_in(const Form *f, const int64_t *v) { return (Ints){v, f->n}; }

static Form conv_form(Call *call, int n, Tensor *x, Tensor *w, Tensor *bias, Ints stride, Ints dilation, int64_t groups)
{
  static const char *const shapes[] = {"[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"};
  Form f = {.n = n, .single = x->ndim == n + 1, .x = x, .w = w, .bias = bias, .groups = groups};
  if (w->ndim != n + 2)
    raise(call, "weight has shape %s; %d dimensions are wanted", shape_text(call, tensor_shape(w)), n + 2);
  if (x->ndim != n + 2 && !f.single)
    raise(call, "input has shape %s; %s or without N is wanted", shape_text(call, tensor_shape(x)), shapes[n - 1]);
  check_groups(call, groups);
  check_conv_dtypes(call, x, w, bias);
  extents_of(call, stride, "stride", n, 1, f.stride);
  extents_of(call, dilation, "dilation", n, 1, f.dilation);
  check_steps(call, "stride", extents_in(&f, f.stride), 1);
  check_steps(call, "dilation", extents_in(&f, f.dilation), 1);
  return f;
}

static void check_conv_channels(Call *call, const Form *f, bool transposed)
{
  const Tensor *x = f->x, *w = f->w;
  int64_t channels = x->shape[f->single ? 0 : 1], wanted = transposed ? w->shape[0] : w->shape[1] * f->groups;
  int64_t out = transposed ? w->shape[1] * f->groups : w->shape[0];
  if (w->shape[0] % f->groups != 0 || w->shape[0] == 0)
    raise(call, "weight has shape %s, whose first dimension must be a multiple of groups, %lld",
          shape_text(call, tensor_shape(w)), (long long)f->groups);
  if (channels != wanted)
    raise(call, "input of shape %s has %lld channels; a weight of shape %s and %lld groups take %lld",
          shape_text(call, tensor_shape(x)), (long long)channels, shape_text(call, tensor_shape(w)),
          (long long)f->groups, (long long)wanted);
  if (f->bias && !(f->bias->ndim == 1 && f->bias->shape[0] == out))
    raise(call, "bias has shape %s, and there are %lld channels of output", shape_text(call, tensor_shape(f->bias)),
          (long long)out);
}

static Tensor *convolved(Call *call, Form *f)
{
  check_steps(call, "padding", extents_in(f, f->padding), 0);
  check_conv_channels(call, f, false);
  Tensor *x = f->single ? op(unsqueeze, f->x, 0) : f->x;
  Tensor *y = op(convolve, x, f->w, f->bias, extents_in(f, f->stride), extents_in(f, f->padding),
                 extents_in(f, f->dilation), f->groups);
  return f->single ? op(squeeze_dims, y, INTS(0)) : y;
}

static Tensor *conv(Call *call, int n, Tensor *x, Tensor *w, Tensor *bias, Ints stride, Ints padding, Ints dilation,
                    int64_t groups)
{
  Form f = conv_form(call, n, x, w, bias, stride, dilation, groups);
  extents_of(call, padding, "padding", n, 0, f.padding);
  return convolved(call, &f);
}

/* Padding to the input's size: what is left over when it is odd goes behind the input. */
static Tensor *conv_padded(Call *call, int n, Tensor *x, Tensor *w, Tensor *bias, Ints stride, const char *padding,
                           Ints dilation, int64_t groups)
{
  Form f = conv_form(call, n, x, w, bias, stride, dilation, groups);
  bool same = strcmp(padding, "same") == 0, odd = false;
  int64_t behind[2 * CONV_DIMS] = {0};
  if (!same && strcmp(padding, "valid") != 0)
    raise(call, "padding is \"%s\"; as a text it is \"same\" or \"valid\"", padding);
  for (int i = 0; same && i < n; i++) {
    int64_t total = f.dilation[i] * (w->shape[i + 2] - 1);
    if (f.stride[i] != 1) raise(call, "padding = \"same\" takes a stride of 1 only");
    f.padding[i] = total / 2;
    behind[2 * (n - 1 - i) + 1] = total % 2;
    odd |= total % 2 != 0;
  }
  if (odd) f.x = op(constant_pad_nd, f.x, (Ints){behind, 2 * n}, scalar_int(0));
  return convolved(call, &f);
}

static Tensor *conv_transposed(Call *call, int n, Tensor *x, Tensor *w, Tensor *bias, Ints stride, Ints padding,
                               Ints output_padding, int64_t groups, Ints dilation)
{
  Form f = conv_form(call, n, x, w, bias, stride, dilation, groups);
  extents_of(call, padding, "padding", n, 0, f.padding);
  extents_of(call, output_padding, "output_padding", n, 0, f.output_padding);
  check_steps(call, "padding", extents_in(&f, f.padding), 0);
  check_steps(call, "output_padding", extents_in(&f, f.output_padding), 0);
  check_conv_channels(call, &f, true);
  if (f.single) x = op(unsqueeze, x, 0);
  int64_t size[CONV_DIMS + 2] = {x->shape[0], w->shape[1] * groups};
  for (int i = 0; i < n; i++) {
    if (f.output_padding[i] > 0 && f.output_padding[i] >= f.stride[i] && f.output_padding[i] >= f.dilation[i])
      raise(call, "output_padding is %lld; it must be less than stride or dilation", (long long)f.output_padding[i]);
    size[i + 2] = (x->shape[i + 2] - 1) * f.stride[i] - 2 * f.padding[i] + extent_of(w->shape[i + 2], f.dilation[i])
                  + f.output_padding[i];
    if (x->shape[i + 2] < 1 || size[i + 2] < 1)
      raise(call, "an input of shape %s would give a result without elements", shape_text(call, tensor_shape(f.x)));
  }
  Tensor *y = op(convolve_input, x, w, bias, (Ints){size, n + 2}, extents_in(&f, f.stride), extents_in(&f, f.padding),
                 extents_in(&f, f.dilation), groups);
  return f.single ? op(squeeze_dims, y, INTS(0)) : y;
}

#define CONVOLUTIONS(n)                                                                                                \
  FORWARD(conv##n##d)                                                                                                  \
  {                                                                                                                    \
    y[0] = conv(call, n, a->input, a->weight, a->bias, a->stride, a->padding, a->dilation, a->groups);                 \
  }                                                                                                                    \
  FORWARD(conv##n##d_padding)                                                                                          \
  {                                                                                                                    \
    y[0] = conv_padded(call, n, a->input, a->weight, a->bias, a->stride, a->padding, a->dilation, a->groups);          \
  }                                                                                                                    \
  FORWARD(conv_transpose##n##d)                                                                                        \
  {                                                                                                                    \
    y[0] = conv_transposed(call, n, a->input, a->weight, a->bias, a->stride, a->padding, a->output_padding, a->groups, \
                           a->dilation);                                                                               \
  }
CONVOLUTIONS(1)
CONVOLUTIONS(2)
CONVOLUTIONS(3)

FORWARD(convolution)
{
  Tensor *x = a->input, *w = a->weight;
  const int n = w->ndim - 2;
  if (n < 1 || n > CONV_DIMS)
    raise(call, "weight has shape %s; 3 to %d dimensions are wanted", shape_text(call, tensor_shape(w)), CONV_DIMS + 2);
  y[0] = a->transposed
           ? conv_transposed(call, n, x, w, a->bias, a->stride, a->padding, a->output_padding, a->groups, a->dilation)
           : conv(call, n, x, w, a->bias, a->stride, a->padding, a->dilation, a->groups);
}

FORWARD(conv_tbc)
{
  Tensor *x = a->input, *w = a->weight;
  if (x->ndim != 3 || w->ndim != 3)
    raise(call, "input has shape %s and weight %s; [L, N, C_in] and [K, C_in, C_out] are wanted",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(w)));
  Tensor *steps_last = op(permute, x, INTS(1, 2, 0)), *kernel_last = op(permute, w, INTS(2, 1, 0));
  Tensor *result = conv(call, 1, steps_last, kernel_last, a->bias, INTS(1), INTS(a->pad), INTS(1), 1);
  y[0] = op(contiguous, op(permute, result, INTS(2, 0, 1)));
}
