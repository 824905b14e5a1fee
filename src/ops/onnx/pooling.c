/* ONNX's pools: ours, of a padded image where pads aren't even and small; else over windows that are views of one. */
#include "ops/onnx/pooling.h"

#include <math.h>
#include <string.h>

#include "ops/index/gather.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/pool.h"
#include "ops/onnx/spatial.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

#define LIST_OF(s, member) ((Ints){(s)->member, (s)->n})
#define NO_PADS(s) ((Ints){(const int64_t[MOST_AXES]){0}, (s)->n})

/* x with a number in its pads, and as long as its windows reach. */
static Tensor *padded_for_windows(Call *call, Tensor *x, const Spatial *s, bool ceil_mode, Scalar value)
{
  int64_t after[MOST_AXES];
  for (int i = 0; i < s->n; i++) {
    const int64_t n = spatial_windows(call, s, i, ceil_mode);
    after[i] = (n - 1) * s->stride[i] + spatial_extent(s, i) - s->size[i] - s->before[i];
  }
  return spatial_padded(call, x, s->n, s->before, after, value);
}

/* Windows as a view: behind [N, C] the windows of each axis, then the places in a window. value stands in the pads. */
static Tensor *windows_of(Call *call, Tensor *x, const Spatial *s, bool ceil_mode, Scalar value)
{
  x = padded_for_windows(call, x, s, ceil_mode, value);
  for (int i = 0; i < s->n; i++) x = op(unfold, x, i + 2, spatial_extent(s, i), s->stride[i]);
  for (int i = 0; i < s->n; i++) x = op(slice, x, 2 + s->n + i, NO_INT, NO_INT, s->dilation[i]);
  return x;
}

/* Whether our own pools' windows are the same: even pads of at most half a window. */
static bool has_our_windows(const Spatial *s)
{
  if (!spatial_is_even(s)) return false;
  for (int i = 0; i < s->n; i++)
    if (s->before[i] > s->kernel[i] / 2) return false;
  return true;
}

static bool is_ours(const Spatial *s, const Tensor *x)
{
  return dtype_is_floating(tensor_dtype(x)) && has_our_windows(s);
}

static Scalar least_of(DType dtype)
{
  if (dtype_is_floating(dtype)) return scalar_float(-INFINITY);
  return scalar_int(dtype == DTYPE_u8 || dtype == DTYPE_b8 ? 0 : INT64_MIN >> (64 - 8 * (int)dtype_size(dtype)));
}

FORWARD(onnx_max_pool)
{
  const DType dtype = tensor_dtype(a->x);
  const bool is_bytes = dtype == DTYPE_u8 || dtype == DTYPE_i8;
  Spatial s = spatial_of(call, a->x, a->kernel_shape, a->strides, a->dilations, a->pads, a->auto_pad);
  const bool is_plain = has_our_windows(&s) && (is_bytes || dtype_is_floating(dtype));
  Tensor *x = is_bytes && !is_plain ? cast(a->x, DTYPE_f32) : a->x; /* which holds them, and has pads of its own */
  if (is_plain)
    y[0] = op(max_pool, x, a->kernel_shape, LIST_OF(&s, stride), LIST_OF(&s, before), LIST_OF(&s, dilation),
              a->ceil_mode);
  else if (dtype_is_floating(tensor_dtype(x)))
    y[0] = op(max_pool, padded_for_windows(call, x, &s, a->ceil_mode, least_of(dtype)), LIST_OF(&s, kernel),
              LIST_OF(&s, stride), NO_PADS(&s), LIST_OF(&s, dilation), false);
  else
    y[0] = op(amax, windows_of(call, x, &s, a->ceil_mode, least_of(dtype)), onnx_dims_from(call, 2 + s.n, 2 + 2 * s.n),
              false);
  y[0] = cast(y[0], dtype);
}

/* Positions (from 0) in windows of [n, c, windows...] as positions among all elements of x. */
static Tensor *among_all(Call *call, Tensor *tap, const Tensor *x, const Spatial *s, bool column_major)
{
  Tensor *place = NULL;
  int64_t scale = 1, plane = 1;
  for (int i = 0; i < s->n; i++) plane *= s->size[i];
  for (int k = 0; k < s->n; k++) {
    const int i = s->n - 1 - k; /* taps are row-major */
    int64_t shape[2 + MOST_AXES] = {1, 1, 1, 1, 1};
    shape[i + 2] = tap->shape[i + 2];
    Tensor *begin = op(arange_start, scalar_int(-s->before[i]),
                       scalar_int(-s->before[i] + tap->shape[i + 2] * s->stride[i]), scalar_int(s->stride[i]),
                       DTYPE_i64, DEVICE_NONE, false);
    Tensor *inside = op(mul, op(remainder, tap, whole(s->kernel[i])), whole(s->dilation[i]));
    Tensor *along = plus(op(reshape, begin, ((Ints){shape, s->n + 2})), inside);
    tap = op(floor_divide, tap, whole(s->kernel[i]));
    int64_t stride = scale;
    if (column_major) {
      stride = 1;
      for (int j = 0; j < i; j++) stride *= s->size[j];
    }
    place = place ? plus(place, op(mul, along, whole(stride))) : op(mul, along, whole(stride));
    scale *= s->size[i];
  }
  Tensor *first = op(arange_start, scalar_int(0), scalar_int(x->shape[0] * x->shape[1] * plane), scalar_int(plane),
                     DTYPE_i64, DEVICE_NONE, false);
  int64_t shape[2 + MOST_AXES] = {x->shape[0], x->shape[1], 1, 1, 1};
  return plus(place, op(reshape, first, ((Ints){shape, s->n + 2})));
}

FORWARD(onnx_max_pool_indices)
{
  Tensor *x = a->x;
  Spatial s = spatial_of(call, x, a->kernel_shape, a->strides, a->dilations, a->pads, a->auto_pad);
  Tensor *all = windows_of(call, x, &s, a->ceil_mode, least_of(tensor_dtype(x)));
  int64_t shape[3 + MOST_AXES], taps = 1;
  for (int i = 0; i < 2 + s.n; i++) shape[i] = all->shape[i];
  for (int i = 0; i < s.n; i++) taps = onnx_product(call, taps, s.kernel[i]);
  shape[2 + s.n] = taps;
  Tensors found = op(max_dim, op(reshape, all, ((Ints){shape, 3 + s.n})), -1, false);
  y[0] = found.v[0];
  y[1] = among_all(call, onnx_from_zero(call, found.v[1]), x, &s, a->column_major);
}

static bool is_dense(const Spatial *s)
{
  for (int i = 0; i < s->n; i++)
    if (s->dilation[i] != 1) return false;
  return true;
}

/* The sum of windows' elements. */
static Tensor *sum_of_windows(Call *call, Tensor *x, const Spatial *s, bool ceil_mode)
{
  if (is_dense(s) && dtype_is_floating(tensor_dtype(x)))
    return op(avg_pool, padded_for_windows(call, x, s, ceil_mode, scalar_int(0)), LIST_OF(s, kernel),
              LIST_OF(s, stride), NO_PADS(s), false, true, 1);
  return op(sum, windows_of(call, x, s, ceil_mode, scalar_int(0)), onnx_dims_from(call, 2 + s->n, 2 + 2 * s->n), false,
            tensor_dtype(x));
}

/* How many elements of each window count: those of the image, and of its pads if they do. */
static Tensor *counts(Call *call, const Tensor *x, const Spatial *s, bool ceil_mode, bool with_pads)
{
  Spatial of = *s;
  int64_t shape[2 + MOST_AXES] = {1, 1};
  for (int i = 0; i < s->n; i++) {
    if (with_pads) of.size[i] += of.before[i] + of.after[i], of.before[i] = of.after[i] = 0;
    shape[i + 2] = of.size[i];
  }
  const int64_t first[MOST_AXES] = {0};
  Tensor *ones = onnx_filled(call, (Ints){shape, 2 + s->n}, 1, tensor_dtype(x));
  if (!with_pads) return sum_of_windows(call, ones, s, ceil_mode);
  /* as many windows as there are of the image with its pads outside */
  int64_t after[MOST_AXES];
  for (int i = 0; i < s->n; i++)
    after[i] = (spatial_windows(call, s, i, ceil_mode) - 1) * s->stride[i] + spatial_extent(s, i) - of.size[i];
  ones = spatial_padded(call, ones, s->n, first, after, scalar_int(0));
  for (int i = 0; i < s->n; i++) of.size[i] = ones->shape[i + 2];
  return sum_of_windows(call, ones, &of, false);
}

FORWARD(onnx_average_pool)
{
  Tensor *x = a->x;
  Spatial s = spatial_of(call, x, a->kernel_shape, a->strides, a->dilations, a->pads, a->auto_pad);
  if (is_dense(&s) && is_ours(&s, x))
    y[0] = op(avg_pool, x, a->kernel_shape, LIST_OF(&s, stride), LIST_OF(&s, before), a->ceil_mode,
              a->count_include_pad, NO_INT);
  else
    y[0] = op(div, sum_of_windows(call, x, &s, a->ceil_mode), counts(call, x, &s, a->ceil_mode, a->count_include_pad));
}

static Tensor *power_sum(Call *call, Tensor *x, Ints dims, int64_t p, bool keep)
{
  Tensor *powers = p == 1 ? op(abs, x) : p == 2 ? op(mul, x, x) : op(pow, op(abs, x), whole(p));
  Tensor *sum = op(sum, powers, dims, keep, tensor_dtype(x));
  return p == 1 ? sum : op(pow, sum, number(1.0 / (double)p));
}

FORWARD(onnx_lp_pool)
{
  Spatial s = spatial_of(call, a->x, a->kernel_shape, a->strides, a->dilations, a->pads, a->auto_pad);
  y[0] = power_sum(call, windows_of(call, a->x, &s, a->ceil_mode, scalar_int(0)),
                   onnx_dims_from(call, 2 + s.n, 2 + 2 * s.n), a->p, false);
}

FORWARD(onnx_global_pool)
{
  Tensor *x = a->x;
  if (x->ndim < 3) raise(call, "[N, C, ...] is wanted, not shape %s", shape_text(call, tensor_shape(x)));
  Ints dims = onnx_dims_from(call, 2, x->ndim);
  if (a->kind[0] == 'a') y[0] = op(mean, x, dims, true, DTYPE_NONE);
  else y[0] = a->kind[0] == 'm' ? op(amax, x, dims, true) : power_sum(call, x, dims, a->p, true);
}

FORWARD(onnx_max_unpool)
{
  Tensor *x = a->x;
  Spatial s = spatial_of(call, x, a->kernel_shape, a->strides, NO_INTS, a->pads, "NOTSET");
  int64_t shape[2 + MOST_AXES] = {x->shape[0], x->shape[1]}, plain = onnx_product(call, x->shape[0], x->shape[1]);
  for (int i = 0; i < s.n; i++) {
    shape[i + 2] = (s.size[i] - 1) * s.stride[i] + s.kernel[i] - s.before[i] - s.after[i];
    plain = onnx_product(call, plain, shape[i + 2]);
  }
  const Ints sizes = {shape, s.n + 2};
  Ints wanted = a->output_shape ? whole_numbers_of(call, a->output_shape) : sizes;
  if (wanted.n != sizes.n) raise(call, "output_shape doesn't fit the axes");
  Tensor *flat = op(full, INTS(plain), scalar_int(0), tensor_dtype(x), DEVICE_NONE, false);
  Tensor *index = plus(reshaped(a->indices, a->indices->numel), whole(1));
  flat = op(scatter, flat, 0, index, reshaped(x, x->numel));
  y[0] = op(reshape, flat, sizes);
  int64_t before[MOST_AXES] = {0}, after[MOST_AXES];
  for (int i = 0; i < s.n; i++) {
    if (wanted.v[i + 2] < 0 || wanted.v[i + 2] > INT32_MAX)
      raise(call, "output_shape has %lld", (long long)wanted.v[i + 2]);
    after[i] = wanted.v[i + 2] - shape[i + 2];
  }
  y[0] = spatial_padded(call, y[0], s.n, before, after, scalar_int(0));
}
