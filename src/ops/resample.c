/* Interpolation. It is separable: one dimension after another, each place a weighted mean of a few others. */
#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "kernels/pool.h"
#include "ops/extents.h"
#include "ops/helpers.h"

typedef enum Kind { LINEAR, CUBIC, AREA } Kind;

static Kind kind_of(const char *text)
{
  return strcmp(text, "cubic") == 0 ? CUBIC : strcmp(text, "area") == 0 ? AREA : LINEAR;
}

/* For each of n[1] results the terms first[i].. before first[i + 1]: where they are among n[0] places, and their weights. */
typedef struct Terms {
  int64_t n[2], *first, *at;
  void *weights;
} Terms;

/* How far apart the results are in the input, and where the i-th one is; as PyTorch's area_pixel_compute_* have it. */
static double source_step(int64_t in, int64_t out, bool align_corners, double scale)
{
  if (align_corners) return out > 1 ? (double)(in - 1) / (double)(out - 1) : 0;
  return scale > 0 ? 1 / scale : (double)in / (double)out;
}

static double source_of(int64_t i, double step, bool align_corners)
{
  return align_corners ? step * (double)i : step * ((double)i + 0.5) - 0.5;
}

/* Keys' cubic convolution with a = -0.75: the weight of a place at that distance. */
static double cubic_weight(double distance)
{
  const double a = -0.75, d = fabs(distance);
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

static int64_t clamped(int64_t i, int64_t n) { return i < 0 ? 0 : i < n ? i : n - 1; }

/* The terms of one result; returns how many. Writes them if at is given. */
static int64_t terms_of(Kind kind, int64_t i, const int64_t *n, double step, bool align_corners, int64_t *at, double *weight)
{
  if (kind == AREA) {
    int64_t begin = adaptive_first(i, n[0], n[1]), count = adaptive_last(i, n[0], n[1]) - begin;
    for (int64_t k = 0; at && k < count; k++) {
      at[k] = begin + k;
      weight[k] = 1 / (double)count;
    }
    return count;
  }
  if (!at) return kind == CUBIC ? 4 : 2;
  double source = source_of(i, step, align_corners);
  if (kind == CUBIC) {
    double below = floor(source);
    for (int k = 0; k < 4; k++) {
      at[k] = clamped((int64_t)below - 1 + k, n[0]);
      weight[k] = cubic_weight(source - below + 1 - k);
    }
    return 4;
  }
  if (source < 0) source = 0;
  at[0] = clamped((int64_t)source, n[0]);
  at[1] = clamped(at[0] + 1, n[0]);
  double rest = source - (double)at[0];
  weight[1] = rest < 0 ? 0 : rest > 1 ? 1 : rest;
  weight[0] = 1 - weight[1];
  return 2;
}

static void *new_numbers(Call *call, DType dtype, int64_t n) { return tensor_data(tensor_new(call, dtype, DEVICE_CPU, INTS(n))); }

static Terms all_terms(Call *call, DType dtype, Kind kind, int64_t in, int64_t out, bool align_corners, double scale)
{
  Terms s = {.n = {in, out}, .first = new_numbers(call, DTYPE_i64, out + 1)};
  double step = source_step(in, out, align_corners, scale);
  s.first[0] = 0;
  for (int64_t i = 0; i < out; i++) s.first[i + 1] = s.first[i] + terms_of(kind, i, s.n, step, align_corners, NULL, NULL);
  int64_t total = s.first[out];
  double *wide = new_numbers(call, DTYPE_f64, total + 1);
  s.at = new_numbers(call, DTYPE_i64, total + 1);
  for (int64_t i = 0; i < out; i++)
    terms_of(kind, i, s.n, step, align_corners, s.at + s.first[i], wide + s.first[i]);
  s.weights = wide;
  if (dtype == DTYPE_f64) return s;
  s.weights = new_numbers(call, dtype, total + 1);
  cast_kernel(DTYPE_f64, dtype)(total, (const char *)wide, sizeof *wide, s.weights, (int64_t)dtype_size(dtype));
  return s;
}

typedef struct Resample {
  const KernelTable *k;
  Terms terms;
  int64_t inner, size;
  bool backward;
  const char *from;
  char *to;
} Resample;

static void resample_part(void *arg, int64_t begin, int64_t end)
{
  const Resample *r = arg;
  const Terms *s = &r->terms;
  int64_t from = begin * s->n[r->backward ? 1 : 0] * r->inner * r->size;
  int64_t to = begin * s->n[r->backward ? 0 : 1] * r->inner * r->size;
  (r->backward ? r->k->resample_backward : r->k->resample)(end - begin, s->n, r->inner, s->first, s->at, s->weights,
                                                           r->from + from, r->to + to);
}

/* y = x with the sizes in / out along a dimension, or x's gradient from y's. */
static void launch_resample(Call *call, Tensor *x, int dim, Terms terms, bool backward, Tensor *y)
{
  DType d = kernel_dtype(tensor_dtype(y));
  Tensor *to = y->dtype == (uint8_t)d ? y : tensor_new(call, d, DEVICE_CPU, tensor_shape(y));
  Slabs slabs = slabs_of(y, dim);
  Resample r = {kernels_of(d), terms, slabs.inner, (int64_t)dtype_size(d), backward, tensor_data(contiguous_as(call, x, d)),
                tensor_data(to)};
  parallel_for(slabs.outer, grain_of(GRAIN, (terms.n[0] + terms.n[1]) * slabs.inner), resample_part, &r);
  if (to != y) launch_copy(call, y, to);
}

/* The shape of t with another size along a dimension. */
static Ints with_size(Call *call, const Tensor *t, int dim, int64_t size)
{
  int64_t shape[MAX_DIMS];
  memcpy(shape, t->shape, (size_t)t->ndim * sizeof *shape);
  shape[dim] = size;
  return arena_ints(call->ctx, shape, t->ndim);
}

FORWARD(resample)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), with_size(call, x, dim, a->size));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  DType d = kernel_dtype(tensor_dtype(x));
  Terms terms = all_terms(call, d, kind_of(a->kind), x->shape[dim], a->size, a->align_corners, a->scale);
  launch_resample(call, x, dim, terms, false, y[0]);
}

BACKWARD(resample)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  GRAD(input) = op(resample_backward, dy[0], a->input, dim, a->kind, a->align_corners, a->scale);
}

FORWARD(resample_backward)
{
  Tensor *d = a->grad;
  int dim = shape_dim(call, a->dim, d->ndim);
  y[0] = result_new(call, tensor_dtype(d), device_of(d), tensor_shape(a->input));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  Terms terms = all_terms(call, kernel_dtype(tensor_dtype(d)), kind_of(a->kind), a->input->shape[dim], d->shape[dim], a->align_corners,
                          a->scale);
  launch_resample(call, d, dim, terms, true, y[0]);
}

BACKWARD(resample_backward)
{
  int dim = shape_dim(call, a->dim, a->grad->ndim);
  if (WANTS(input) && kind_of(a->kind) == AREA) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input)); /* as PyTorch */
  if (WANTS(grad)) GRAD(grad) = op(resample, dy[0], dim, a->grad->shape[dim], a->kind, a->align_corners, a->scale);
}

/* ------------------------------------------------------------------ interpolate */

enum { MOST_SPATIAL = 3 };

/* Which place the i-th result takes, in float32 as PyTorch has it. */
static int64_t nearest_of(int64_t i, int64_t in, int64_t out, bool exact, double scale)
{
  if (!exact && in == out) return i;
  if (!exact && out == 2 * in) return i / 2;
  float step = scale > 0 ? (float)(1 / scale) : (float)in / (float)out;
  return clamped((int64_t)floorf(((float)i + (exact ? 0.5f : 0)) * step), in);
}

static Tensor *nearest(Call *call, Tensor *x, int dim, int64_t size, bool exact, double scale)
{
  Tensor *positions = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(size));
  int64_t *p = tensor_data(positions);
  for (int64_t i = 0; i < size; i++) p[i] = nearest_of(i, x->shape[dim], size, exact, scale) + 1;
  return op(index_select, x, dim, positions);
}

/* The sizes wanted, and the factors that take part in where results lie (0: the sizes' ratio). */
typedef struct Wanted { int64_t size[MOST_SPATIAL]; double scale[MOST_SPATIAL]; } Wanted;

static Wanted wanted_sizes(Call *call, const Tensor *x, Ints size, Numbers factor, bool recompute)
{
  Wanted w = {{0}, {0}};
  int n = x->ndim - 2;
  if ((size.n >= 0) == (factor.n >= 0)) raise(call, "give size or scale_factor, one of the two");
  if (size.n >= 0 && recompute) raise(call, "recompute_scale_factor takes a scale_factor, not a size");
  if (size.n >= 0) extents_of(call, size, "size", n, 1, w.size);
  if (factor.n >= 0 && factor.n != 1 && factor.n != n)
    raise(call, "scale_factor has %lld elements; there are %d spatial dimensions", (long long)factor.n, n);
  for (int i = 0; i < n; i++) {
    if (factor.n >= 0) {
      double f = factor.v[factor.n == 1 ? 0 : i], result = floor((double)x->shape[i + 2] * f);
      if (!(f > 0) || !(result < 1e15)) raise(call, "scale_factor is %g; a positive number is wanted", f);
      w.size[i] = (int64_t)result;
      if (!recompute) w.scale[i] = f;
    }
    if (w.size[i] < 1 || x->shape[i + 2] < 1)
      raise(call, "input of shape %s can't be brought to a size of %lld", shape_text(call, tensor_shape(x)), (long long)w.size[i]);
  }
  return w;
}

/* The kind of terms for a mode, and checks that it goes with that many spatial dimensions. */
static const char *kind_of_mode(Call *call, const char *mode, int n)
{
  static const struct { const char *mode, *kind; int n; } known[] = {
    {"linear", "linear", 1}, {"bilinear", "linear", 2}, {"trilinear", "linear", 3}, {"bicubic", "cubic", 2}, {"area", "area", 0}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(mode, known[i].mode) != 0) continue;
    if (known[i].n && known[i].n != n)
      raise(call, "mode \"%s\" takes %d dimensions, and input has %d", mode, known[i].n + 2, n + 2);
    return known[i].kind;
  }
  raise(call, "mode is \"%s\"; it is \"nearest\", \"nearest-exact\", \"linear\", \"bilinear\", \"bicubic\", \"trilinear\" or "
        "\"area\"", mode);
}

static Tensor *interpolated(Call *call, Tensor *x, Ints size, Numbers factor, const char *mode, bool align_corners, bool recompute)
{
  int n = x->ndim - 2;
  if (n < 1 || n > MOST_SPATIAL)
    raise(call, "input has shape %s; 3 to 5 dimensions are wanted", shape_text(call, tensor_shape(x)));
  bool exact = strcmp(mode, "nearest-exact") == 0, takes_nearest = exact || strcmp(mode, "nearest") == 0;
  const char *kind = takes_nearest ? NULL : kind_of_mode(call, mode, n);
  if (align_corners && (!kind || strcmp(kind, "area") == 0)) raise(call, "align_corners doesn't go with mode \"%s\"", mode);
  Wanted w = wanted_sizes(call, x, size, factor, recompute);
  DType dtype = tensor_dtype(x);
  if (kind && !dtype_is_floating(dtype))
    raise(call, "input is %s; mode \"%s\" takes floating point tensors", dtype_name(dtype), mode);
  if (kind) x = op(to_dtype, x, kernel_dtype(dtype), false, false);
  for (int i = 0; i < n; i++) {
    if (kind) x = op(resample, x, i + 2, w.size[i], kind, align_corners, w.scale[i]);
    else x = nearest(call, x, i + 2, w.size[i], exact, w.scale[i]);
  }
  return op(to_dtype, x, dtype, false, false);
}

FORWARD(interpolate)
{
  if (a->antialias) raise(call, "antialias is not there");
  y[0] = interpolated(call, a->input, a->size, a->scale_factor, a->mode, a->align_corners, a->recompute_scale_factor);
}

FORWARD(upsample) { y[0] = interpolated(call, a->input, a->size, a->scale_factor, a->mode, a->align_corners, false); }
FORWARD(upsample_nearest) { y[0] = interpolated(call, a->input, a->size, a->scale_factor, "nearest", false, false); }
FORWARD(upsample_bilinear) { y[0] = interpolated(call, a->input, a->size, a->scale_factor, "bilinear", true, false); }
