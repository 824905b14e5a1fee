/* Interpolation. It is separable: one dimension after another, each place a weighted mean of a few others. */
#include "ops/nn/resample.h"

#include <math.h>
#include <string.h>

#include "launch/math/generate.h"
#include "launch/nn/resample.h"
#include "ops/index/gather.h"
#include "ops/nn/extents.h"
#include "ops/shape/copy.h"
#include "ops/table/helpers.h"

static Resampling resampling_of(const char *kind, bool align_corners, double scale)
{
  static const char *const names[] = {
    [RESAMPLE_LINEAR] = "linear",     [RESAMPLE_CUBIC] = "cubic", [RESAMPLE_AREA] = "area",
    [RESAMPLE_TRIANGLE] = "triangle", [RESAMPLE_KEYS] = "keys",   [RESAMPLE_LANCZOS] = "lanczos"};
  Resampling how = {RESAMPLE_LINEAR, align_corners, scale};
  for (int i = 0; i <= RESAMPLE_LANCZOS; i++)
    if (strcmp(kind, names[i]) == 0) how.kind = (ResampleKind)i;
  return how;
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
  y[0] = result_of_images(call, tensor_dtype(x), with_size(call, x, dim, a->size), x);
  Resampling how = resampling_of(a->kind, a->align_corners, a->scale);
  launch_resample(call, &how, x, dim, y[0]);
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
  y[0] = result_of_images(call, tensor_dtype(d), tensor_shape(a->input), a->input);
  Resampling how = resampling_of(a->kind, a->align_corners, a->scale);
  launch_resample_backward(call, &how, d, dim, y[0]);
}

BACKWARD(resample_backward)
{
  int dim = shape_dim(call, a->dim, a->grad->ndim);
  if (WANTS(input) && strcmp(a->kind, "area") == 0)
    GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input)); /* as PyTorch */
  if (WANTS(grad)) GRAD(grad) = op(resample, dy[0], dim, a->grad->shape[dim], a->kind, a->align_corners, a->scale);
}

/* ------------------------------------------------------------------ interpolate */

/* A dimension that is brought to another size. */
typedef struct Nearest {
  int64_t in, out;
  bool exact;
  double scale;
} Nearest;

/* Which place the i-th result takes, in float32 as PyTorch has it. */
static int64_t nearest_of(const Nearest *how, int64_t i)
{
  if (!how->exact && how->in == how->out) return i;
  if (!how->exact && how->out == 2 * how->in) return i / 2;
  float step = how->scale > 0 ? (float)(1 / how->scale) : (float)how->in / (float)how->out;
  int64_t place = (int64_t)floorf(((float)i + (how->exact ? 0.5f : 0)) * step);
  return place < 0 ? 0 : place < how->in ? place : how->in - 1;
}

static void fill_nearest(const void *params, int64_t *to)
{
  const Nearest *how = params;
  for (int64_t i = 0; i < how->out; i++) to[i] = nearest_of(how, i) + 1;
}

static Tensor *nearest(Call *call, Tensor *x, int dim, int64_t size, bool exact, double scale)
{
  Nearest how = {x->shape[dim], size, exact, scale};
  Tensor *positions = tensor_new(call, DTYPE_i64, device_behind(x), INTS(size));
  launch_positions_of(call, fill_nearest, &how, positions);
  return select_of_images(call, x, dim, positions);
}

/* The sizes wanted, and the factors that take part in where results lie (0: the sizes' ratio). */
typedef struct Wanted {
  int64_t size[MOST_SPATIAL];
  double scale[MOST_SPATIAL];
} Wanted;

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
      if (!(f > 0)) raise(call, "scale_factor is %g; a positive number is wanted", f);
      if (!(result < 1e15)) raise(call, "scale_factor is %g; a size of %g is too large", f, result);
      w.size[i] = (int64_t)result;
      if (!recompute) w.scale[i] = f;
    }
    if (w.size[i] < 1 || x->shape[i + 2] < 1)
      raise(call, "input of shape %s can't be brought to a size of %lld", shape_text(call, tensor_shape(x)),
            (long long)w.size[i]);
  }
  return w;
}

/* The kind of terms for a mode, and checks that it goes with that many spatial dimensions. */
static const char *kind_of_mode(Call *call, const char *mode, int n, bool antialias)
{
  static const struct {
    const char *mode, *kind, *filter;
    int n;
  } known[] = {{"linear", "linear", NULL, 1},   {"bilinear", "linear", "triangle", 2}, {"trilinear", "linear", NULL, 3},
               {"bicubic", "cubic", "keys", 2}, {"lanczos", NULL, "lanczos", 2},       {"area", "area", NULL, 0},
               {"nearest", NULL, NULL, 0},      {"nearest-exact", NULL, NULL, 0}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(mode, known[i].mode) != 0) continue;
    if (known[i].n && known[i].n != n)
      raise(call, "mode \"%s\" takes %d dimensions, and input has %d", mode, known[i].n + 2, n + 2);
    if (antialias && !known[i].filter)
      raise(call, "antialias goes with the modes \"bilinear\", \"bicubic\" and \"lanczos\", not with \"%s\"", mode);
    if (!antialias && known[i].filter && !known[i].kind) raise(call, "mode \"%s\" takes antialias only", mode);
    return antialias ? known[i].filter : known[i].kind;
  }
  raise(call,
        "mode is \"%s\"; it is \"nearest\", \"nearest-exact\", \"linear\", \"bilinear\", \"bicubic\", \"trilinear\", "
        "\"area\" or, with antialias, \"lanczos\"",
        mode);
}

/* A size that doesn't change is copied by PyTorch whatever the factor: with filters and of bytes each one, otherwise
   where no other changes, but for cubic terms. */
static void forget_scales_of_copies(Wanted *w, const Tensor *x, const char *kind, bool antialias)
{
  bool each = antialias || (kind && x->dtype == DTYPE_u8), all = !kind || strcmp(kind, "cubic") != 0;
  for (int i = 0; i < x->ndim - 2; i++) all = all && w->size[i] == x->shape[i + 2];
  for (int i = 0; i < x->ndim - 2; i++)
    if (all || (each && w->size[i] == x->shape[i + 2])) w->scale[i] = 0;
}

/* Bytes have weights for images only. */
static void check_dtype(Call *call, const Tensor *x, const char *mode, const char *kind)
{
  DType dtype = tensor_dtype(x);
  if (!kind || dtype_is_floating(dtype)) return;
  if (dtype != DTYPE_u8) raise(call, "input is %s; mode \"%s\" takes floating point tensors", dtype_name(dtype), mode);
  if (x->ndim != 4 || strcmp(kind, "area") == 0)
    raise(call, "input is %s, which the modes \"bilinear\", \"bicubic\" and \"lanczos\" take, not \"%s\"",
          dtype_name(dtype), mode);
}

static Tensor *interpolated(Call *call, const struct interpolate_args *a)
{
  Tensor *x = a->input;
  int n = x->ndim - 2;
  if (n < 1 || n > MOST_SPATIAL)
    raise(call, "input has shape %s; 3 to 5 dimensions are wanted", shape_text(call, tensor_shape(x)));
  const char *kind = kind_of_mode(call, a->mode, n, a->antialias);
  bool exact = strcmp(a->mode, "nearest-exact") == 0;
  if (a->align_corners && (!kind || strcmp(kind, "area") == 0))
    raise(call, "align_corners doesn't go with mode \"%s\"", a->mode);
  Wanted w = wanted_sizes(call, x, a->size, a->scale_factor, a->recompute_scale_factor);
  forget_scales_of_copies(&w, x, kind, a->antialias);
  DType dtype = tensor_dtype(x);
  check_dtype(call, x, a->mode, kind);
  bool bytes = dtype == DTYPE_u8; /* are rounded after each dimension: lines come first, as in PyTorch */
  if (kind && !bytes) x = widened(x);
  for (int k = 0; k < n; k++) {
    int i = bytes ? n - 1 - k : k;
    if (kind) x = op(resample, x, i + 2, w.size[i], kind, a->align_corners, w.scale[i]);
    else x = nearest(call, x, i + 2, w.size[i], exact, w.scale[i]);
  }
  return cast(x, dtype);
}

FORWARD(interpolate) { y[0] = interpolated(call, a); }

/* interpolate under another name: what is not named is not given. */
#define FORMER(row, ...)                                                                                            \
  FORWARD(row)                                                                                                      \
  {                                                                                                                 \
    y[0] = interpolated(call, &(struct interpolate_args){                                                           \
                                .input = a->input, .size = a->size, .scale_factor = a->scale_factor, __VA_ARGS__}); \
  }
FORMER(upsample, .mode = a->mode, .align_corners = a->align_corners)
FORMER(upsample_nearest, .mode = "nearest")
FORMER(upsample_bilinear, .mode = "bilinear", .align_corners = true)
