/* ONNX's Resize: axis by axis, each place of the result a weighted sum of places of the image. */
#include "ops/onnx/resizing.h"

#include <math.h>
#include <string.h>

#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/nn/grid.h"
#include "ops/nn/resample.h"
#include "ops/onnx/words.h"
#include "ops/shape/view.h"

typedef const struct onnx_resize_args Arguments;

/* One axis: its sizes, the factor between them, and the part of the image that the result shows. */
typedef struct Axis {
  int64_t n, result;
  double scale, begin, end;
} Axis;

/* Where a place of the result lies in the image, in float32, as ONNX Runtime has it: roundings decide which place is
   nearest. `wide` isn't rounded down to whole places, as ONNX's own cases want it. */
static float place_in_image(Arguments *a, const Axis *x, int64_t i)
{
  const char *mode = a->coordinates;
  const float scale = (float)x->scale, n = (float)x->n, wide = scale * n, at = (float)i, result = (float)x->result;
  const float begin = (float)x->begin, end = (float)x->end;
  const double exact = wide == result ? (double)x->result / (double)x->n : x->scale;
  if (strcmp(mode, "align_corners") == 0) return wide == 1 ? 0 : at * (n - 1) / (wide - 1);
  if (strcmp(mode, "asymmetric") == 0) return (float)((double)i / exact);
  if (strcmp(mode, "tf_crop_and_resize") == 0)
    return wide == 1 ? (begin + end) * (n - 1) / 2 : begin * (n - 1) + at * (end - begin) * (n - 1) / (wide - 1);
  if (strcmp(mode, "tf_half_pixel_for_nn") == 0) return (float)(((double)i + 0.5) / exact);
  if (strcmp(mode, "pytorch_half_pixel") == 0 && x->result <= 1) return 0;
  if (strcmp(mode, "half_pixel_symmetric") == 0)
    return (float)(n / 2 * (1 - result / wide) + ((double)i + 0.5) / scale - 0.5);
  return (at + 0.5f) / scale - 0.5f;
}

/* "outward" is what operator set 10 does: down in an image that grows, up in one that shrinks. */
static double nearest_place(const char *how, double x, double scale)
{
  if (strcmp(how, "outward") == 0) return scale < 1 ? ceil(x) : floor(x);
  if (strcmp(how, "floor") == 0) return floor(x);
  if (strcmp(how, "ceil") == 0) return ceil(x);
  return strcmp(how, "round_prefer_ceil") == 0 ? floor(x + 0.5) : ceil(x - 0.5);
}

static double weight_at(Arguments *a, double distance)
{
  const double d = fabs(distance), c = a->cubic_coeff_a;
  if (a->mode[0] == 'l') return d < 1 ? 1 - d : 0;
  if (d <= 1) return ((c + 2) * d - (c + 3)) * d * d + 1;
  return d < 2 ? ((c * d - 5 * c) * d + 8 * c) * d - 4 * c : 0;
}

/* The place of 0..n-1 that is nearest to a whole number; the first for NaN. */
static int64_t into(double i, int64_t n) { return !(i > 0) ? 0 : i >= (double)n ? n - 1 : (int64_t)i; }

/* x along an axis at positions[taps][result], times weights, summed. */
static Tensor *weighted_sum(Call *call, Tensor *x, int axis, int64_t taps, int64_t result, const int64_t *positions,
                            const double *weights)
{
  int64_t shape[MAX_DIMS];
  Tensor *sum = NULL;
  for (int i = 0; i < x->ndim; i++) shape[i] = i == axis ? result : 1;
  for (int64_t t = 0; t < taps; t++) {
    Tensor *places = onnx_whole_numbers(call, (Ints){positions + t * result, result});
    Tensor *factor = op(reshape, onnx_reals(call, weights + t * result, result), ((Ints){shape, x->ndim}));
    Tensor *part = op(mul, op(index_select, x, axis, places), cast(factor, tensor_dtype(x)));
    sum = sum ? plus(sum, part) : part;
  }
  return sum;
}

static Tensor *resize_nearest(Call *call, Arguments *a, Tensor *x, int axis, const Axis *s)
{
  int64_t *places = onnx_room(call, s->result, 1);
  for (int64_t i = 0; i < s->result; i++)
    places[i] = into(nearest_place(a->nearest, place_in_image(a, s, i), s->scale), s->n) + 1;
  return op(index_select, x, axis, onnx_whole_numbers(call, (Ints){places, s->result}));
}

static Tensor *resize_weighted(Call *call, Arguments *a, Tensor *x, int axis, const Axis *s)
{
  const double stretch = a->antialias && s->scale < 1 ? s->scale : 1;
  const int64_t reach = (int64_t)ceil((a->mode[0] == 'l' ? 1 : 2) / stretch), taps = 2 * reach;
  int64_t *places = onnx_room(call, taps, s->result);
  double *weights = onnx_room(call, taps, s->result);
  for (int64_t i = 0; i < s->result; i++) {
    const double at = place_in_image(a, s, i), first = ceil(at) - (double)reach;
    double sum = 0;
    for (int64_t t = 0; t < taps; t++) {
      const double place = first + (double)t;
      double weight = weight_at(a, (place - at) * stretch);
      if (a->exclude_outside && (place < 0 || place >= (double)s->n)) weight = 0;
      places[t * s->result + i] = into(place, s->n) + 1;
      weights[t * s->result + i] = weight;
      sum += weight;
    }
    for (int64_t t = 0; t < taps; t++)
      if (sum != 0) weights[t * s->result + i] /= sum;
  }
  return weighted_sum(call, x, axis, taps, s->result, places, weights);
}

/* Whether the result's place is outside of the image, which then has extrapolation_value. */
static Tensor *with_outside(Call *call, Arguments *a, Tensor *y, int axis, const Axis *s)
{
  int64_t shape[MAX_DIMS];
  double *is_outside = onnx_room(call, s->result, 1);
  for (int64_t i = 0; i < s->result; i++) {
    const double at = place_in_image(a, s, i);
    is_outside[i] = at < 0 || at > (double)(s->n - 1);
  }
  for (int i = 0; i < y->ndim; i++) shape[i] = i == axis ? s->result : 1;
  Tensor *mask = op(reshape, cast(onnx_reals(call, is_outside, s->result), DTYPE_b8), ((Ints){shape, y->ndim}));
  return op(masked_fill, y, mask, number(a->extrapolation_value));
}

/* Our own kernel for what it does the same: two or four neighbours, edges repeated. */
static bool is_ours(Arguments *a, const Tensor *x, const Axis *s)
{
  const bool is_half = strcmp(a->coordinates, "half_pixel") == 0
                       || (strcmp(a->coordinates, "pytorch_half_pixel") == 0 && s->result > 1);
  const bool is_plain = a->mode[0] == 'l' || a->cubic_coeff_a == -0.75;
  return is_half && is_plain && !a->exclude_outside && !a->antialias && dtype_is_floating(tensor_dtype(x));
}

static Tensor *resize_axis(Call *call, Arguments *a, Tensor *x, int axis, const Axis *s)
{
  const bool is_cropped = strcmp(a->coordinates, "tf_crop_and_resize") == 0;
  if (s->result == s->n && s->scale == 1 && !is_cropped) return x;
  /* what has a place has a scale of at least 1 / (2 n), which bounds the taps of resize_weighted */
  if (s->result == 0) return op(narrow, x, axis, 0, 0);
  if (s->n == 0) raise(call, "axis %d has no elements", axis);
  Tensor *y;
  if (a->mode[0] == 'n') y = resize_nearest(call, a, x, axis, s);
  else if (is_ours(a, x, s))
    y = op(resample, x, axis, s->result, a->mode[0] == 'l' ? "linear" : "cubic", false, s->scale);
  else {
    const DType dtype = tensor_dtype(x), wide = dtype_is_floating(dtype) ? dtype_compute(dtype) : DTYPE_f32;
    y = cast(resize_weighted(call, a, cast(x, wide), axis, s), dtype);
  }
  return is_cropped ? with_outside(call, a, y, axis, s) : y;
}

static double *reals_of(Call *call, Tensor *t)
{
  check_can_look(call, t);
  double *v = onnx_room(call, t->numel, 1);
  Tensor *plain = contiguous_as(call, t, DTYPE_f64);
  if (t->numel) memcpy(v, tensor_data(plain), (size_t)t->numel * sizeof *v);
  return v;
}

/* The one factor that keeps the axes' proportions. */
static double common_scale(const char *aspect, Ints sizes, const Axis *s)
{
  double scale = (double)sizes.v[0] / (double)s[0].n;
  for (int64_t i = 1; i < sizes.n; i++) {
    const double other = (double)sizes.v[i] / (double)s[i].n;
    if (strcmp(aspect, "not_larger") == 0 ? other < scale : other > scale) scale = other;
  }
  return scale;
}

FORWARD(onnx_resize)
{
  Tensor *x = a->x;
  if (x->ndim == 0) raise(call, "a tensor without dimensions can't be resized");
  const bool by_scale = a->scales && a->scales->numel;
  if (!by_scale && !(a->sizes && a->sizes->numel)) raise(call, "neither scales nor sizes are given");
  const int64_t n = a->axes.n < 0 ? x->ndim : a->axes.n;
  const double *scales = by_scale ? reals_of(call, a->scales) : NULL;
  const double *roi = a->roi && a->roi->numel == 2 * n ? reals_of(call, a->roi) : NULL;
  Ints sizes = by_scale ? NO_INTS : whole_numbers_of(call, a->sizes);
  if ((by_scale ? a->scales->numel : sizes.n) != n || n > MAX_DIMS)
    raise(call, "scales or sizes don't fit %lld axes", (long long)n);
  Axis axes[MAX_DIMS];
  int dims[MAX_DIMS];
  for (int64_t i = 0; i < n; i++) {
    dims[i] = onnx_axis(call, a->axes.n < 0 ? i : a->axes.v[i], x->ndim);
    axes[i] = (Axis){.n = x->shape[dims[i]], .begin = roi ? roi[i] : 0, .end = roi ? roi[n + i] : 1};
  }
  const bool keeps = !by_scale && n && strcmp(a->aspect, "stretch") != 0;
  const double common = keeps ? common_scale(a->aspect, sizes, axes) : 0;
  for (int64_t i = 0; i < n; i++) {
    Axis *s = &axes[i];
    s->scale = keeps ? common : by_scale ? scales[i] : (double)sizes.v[i] / (double)s->n;
    const double wanted = keeps      ? floor(common * (double)s->n + 0.5)
                          : by_scale ? floorf((float)s->n * (float)scales[i]) /* in float32, as shapes are inferred */
                                     : (double)sizes.v[i];
    if (!(s->scale > 0) || !(wanted <= INT32_MAX)) raise(call, "axis %d can't have size %g", dims[i], wanted);
    s->result = (int64_t)wanted;
  }
  for (int64_t i = 0; i < n; i++) {
    const int64_t k = a->mode[0] == 'n' ? n - 1 - i : i; /* whole lines are copied once their elements are there */
    x = resize_axis(call, a, x, dims[k], &axes[k]);
  }
  y[0] = x;
}

FORWARD(onnx_affine_grid) { y[0] = op(affine_grid, a->theta, whole_numbers_of(call, a->size), a->align_corners); }
