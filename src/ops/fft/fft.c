/* Fourier transforms of one dimension, of two and of several, composed as in PyTorch: cut off or filled up to the sizes
   asked for, then transformed. */
#include "ops/fft/fft.h"

#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "launch/fft/fft.h"
#include "launch/math/generate.h"
#include "ops/fft/transform.h"
#include "ops/nn/pad.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* -------------------------------------------------------------------- arguments */

/* What a transform of n numbers is multiplied by. */
static double scale_of(Call *call, const char *norm, bool forward, double n)
{
  if (strcmp(norm, "ortho") == 0) return 1 / sqrt(n);
  if (strcmp(norm, "forward") == 0) return forward ? 1 / n : 1;
  if (strcmp(norm, "backward") == 0) return forward ? 1 : 1 / n;
  raise(call, "norm is '%s': 'forward', 'backward' or 'ortho' is wanted", norm);
}

/* x in the dtype that it is transformed in. */
static Tensor *promoted(Call *call, Tensor *x, bool complex)
{
  DType d = tensor_dtype(x);
  if (!dtype_is_inexact(d)) d = call->ctx->default_dtype;
  if (!takes_fft(d)) raise(call, "%s tensors are not taken: convert them, as input:float()", dtype_name(d));
  return cast(x, complex ? dtype_to_complex(d) : d);
}

static Tensor *promoted_real(Call *call, Tensor *x)
{
  if (dtype_is_complex(tensor_dtype(x)))
    raise(call, "a real tensor is wanted, not a %s one", dtype_name(tensor_dtype(x)));
  return promoted(call, x, false);
}

/* x cut off to a size along a dimension, or with zeros after it. */
static Tensor *resized(Call *call, Tensor *x, int dim, int64_t n)
{
  if (x->shape[dim] == n) return x;
  if (x->shape[dim] > n) return op(narrow, x, dim, 0, n);
  int64_t pad[2 * MAX_DIMS] = {0}, count = 2 * (x->ndim - dim);
  pad[count - 1] = n - x->shape[dim];
  return op(constant_pad_nd, x, ((Ints){pad, count}), scalar_int(0));
}

static int dim_of(Call *call, const Tensor *x, int64_t dim)
{
  if (x->ndim == 0) raise(call, "a tensor without dimensions has none to be transformed");
  return shape_dim(call, dim, x->ndim);
}

static void check_points(Call *call, int64_t n)
{
  if (n < 1) raise(call, "n is %lld: at least 1 number must be transformed", (long long)n);
}

/* Dimensions to be transformed and their sizes. */
typedef struct Axes {
  int64_t dim[MAX_DIMS], size[MAX_DIMS], n;
} Axes;

static Ints dims_of(const Axes *axes) { return (Ints){axes->dim, axes->n}; }

/* Those of dim, or the last ones that s has sizes for, or all; a size of -1 is the input's. */
static Axes axes_of(Call *call, const Tensor *x, Ints s, Ints dim)
{
  Axes axes = {.n = dim.n >= 0 ? dim.n : s.n >= 0 ? s.n : x->ndim};
  if (dim.n >= 0 && s.n >= 0 && dim.n != s.n)
    raise(call, "s %s and the %lld dimensions of dim differ in length", shape_text(call, s), (long long)dim.n);
  if (axes.n > x->ndim)
    raise(call, "%lld sizes or dimensions for a tensor of %d dimensions", (long long)axes.n, x->ndim);
  uint32_t seen = 0;
  for (int64_t i = 0; i < axes.n; i++) {
    int d = dim_of(call, x, dim.n >= 0 ? dim.v[i] : i - axes.n);
    if (seen >> d & 1) raise(call, "dimension %d is given twice", d + 1);
    seen |= 1u << d;
    axes.dim[i] = d;
    axes.size[i] = s.n >= 0 && s.v[i] != -1 ? s.v[i] : x->shape[d];
  }
  return axes;
}

/* Those of a transform that is the conjugate of itself along the last one. */
static Axes half_axes_of(Call *call, const Tensor *x, Ints s, Ints dim)
{
  Axes axes = axes_of(call, x, s, dim);
  if (axes.n == 0) raise(call, "at least one dimension must be transformed");
  return axes;
}

static Ints two_last(Ints dim)
{
  static const int64_t last[] = {-2, -1};
  return dim.n >= 0 ? dim : (Ints){last, 2};
}

static Tensor *resized_to(Call *call, Tensor *x, const Axes *axes)
{
  for (int64_t i = 0; i < axes->n; i++) {
    check_points(call, axes->size[i]);
    x = resized(call, x, (int)axes->dim[i], axes->size[i]);
  }
  return x;
}

static double numbers_of(const Axes *axes)
{
  double n = 1;
  for (int64_t i = 0; i < axes->n; i++) n *= (double)axes->size[i];
  return n;
}

/* ------------------------------------------------------------------- transforms */

static Tensor *complex_transform(Call *call, Tensor *x, const Axes *axes, const char *norm, bool forward)
{
  double scale = scale_of(call, norm, forward, numbers_of(axes));
  if (axes->n == 0) return op(clone, promoted(call, x, true));
  if (dtype_is_complex(tensor_dtype(x))) return op(fft_c2c, resized_to(call, x, axes), dims_of(axes), scale, forward);
  Tensor *y = op(fft_r2c, resized_to(call, promoted(call, x, false), axes), dims_of(axes), scale, false);
  return forward ? y : op(conj, y);
}

static Tensor *transform_from_real(Call *call, Tensor *x, const Axes *axes, const char *norm)
{
  x = resized_to(call, promoted_real(call, x), axes);
  return op(fft_r2c, x, dims_of(axes), scale_of(call, norm, true, numbers_of(axes)), true);
}

/* Given the half of a transform; the last size is that of the result. */
static Axes result_axes(Call *call, const Tensor *x, Ints s, Ints dim, int64_t *last_size)
{
  Axes axes = half_axes_of(call, x, s, dim);
  int64_t last = axes.n - 1;
  *last_size = s.n >= 0 && s.v[last] != -1 ? s.v[last] : 2 * (axes.size[last] - 1);
  check_points(call, *last_size);
  axes.size[last] = *last_size / 2 + 1;
  return axes;
}

static Tensor *transform_to_real(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  int64_t last_size;
  Axes axes = result_axes(call, x, s, dim, &last_size);
  x = resized_to(call, promoted(call, x, true), &axes);
  axes.size[axes.n - 1] = last_size;
  return op(fft_c2r, x, dims_of(&axes), scale_of(call, norm, false, numbers_of(&axes)), last_size);
}

/* fft along all axes but the last, and along that one the inverse of the conjugate. */
static Tensor *hermitian_transform(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  int64_t last_size;
  Axes axes = result_axes(call, x, s, dim, &last_size);
  x = resized_to(call, promoted(call, x, true), &axes);
  axes.size[--axes.n] = last_size;
  double scale = scale_of(call, norm, true, numbers_of(&axes));
  if (axes.n > 0) x = op(fft_c2c, x, dims_of(&axes), scale, true);
  return op(fft_c2r, op(conj, x), INTS(axes.dim[axes.n]), scale_of(call, norm, true, (double)last_size), last_size);
}

static Tensor *inverse_hermitian_transform(Call *call, Tensor *x, const Axes *axes, const char *norm)
{
  Axes others = *axes;
  x = resized_to(call, promoted_real(call, x), axes);
  int64_t last = --others.n;
  double scale = scale_of(call, norm, false, (double)axes->size[last]);
  Tensor *y = op(conj, op(fft_r2c, x, INTS(axes->dim[last]), scale, true));
  if (others.n == 0) return y;
  return op(fft_c2c, y, dims_of(&others), scale_of(call, norm, false, numbers_of(&others)), false);
}

/* The one axis of a transform along dim. */
static Axes axis_of(Call *call, const Tensor *x, int64_t n, int64_t dim)
{
  int d = dim_of(call, x, dim);
  return (Axes){.dim = {d}, .size = {n == NO_INT ? x->shape[d] : n}, .n = 1};
}

/* A list of the one number, if it is given. */
#define ONE_SIZE(n) ((n) == NO_INT ? NO_INTS : INTS(n))
#define ONE_DIM(d) INTS(dim_of(call, a->input, d))

FORWARD(fft_fft)
{
  Axes axes = axis_of(call, a->input, a->n, a->dim);
  y[0] = complex_transform(call, a->input, &axes, a->norm, true);
}

FORWARD(fft_ifft)
{
  Axes axes = axis_of(call, a->input, a->n, a->dim);
  y[0] = complex_transform(call, a->input, &axes, a->norm, false);
}

FORWARD(fft_rfft)
{
  Axes axes = axis_of(call, a->input, a->n, a->dim);
  y[0] = transform_from_real(call, a->input, &axes, a->norm);
}

FORWARD(fft_irfft) { y[0] = transform_to_real(call, a->input, ONE_SIZE(a->n), ONE_DIM(a->dim), a->norm); }

FORWARD(fft_hfft) { y[0] = hermitian_transform(call, a->input, ONE_SIZE(a->n), ONE_DIM(a->dim), a->norm); }

FORWARD(fft_ihfft)
{
  Axes axes = axis_of(call, a->input, a->n, a->dim);
  y[0] = inverse_hermitian_transform(call, a->input, &axes, a->norm);
}

/* Of several dimensions, and of two. */
#define SEVERAL(row)                                                             \
  FORWARD(row##n) { y[0] = row##_along(call, a->input, a->s, a->dim, a->norm); } \
  FORWARD(row##2) { y[0] = row##_along(call, a->input, a->s, two_last(a->dim), a->norm); }

static Tensor *fft_fft_along(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  Axes axes = axes_of(call, x, s, dim);
  return complex_transform(call, x, &axes, norm, true);
}

static Tensor *fft_ifft_along(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  Axes axes = axes_of(call, x, s, dim);
  return complex_transform(call, x, &axes, norm, false);
}

static Tensor *fft_rfft_along(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  Axes axes = half_axes_of(call, x, s, dim);
  return transform_from_real(call, x, &axes, norm);
}

static Tensor *fft_ihfft_along(Call *call, Tensor *x, Ints s, Ints dim, const char *norm)
{
  Axes axes = half_axes_of(call, x, s, dim);
  return inverse_hermitian_transform(call, x, &axes, norm);
}

#define fft_irfft_along transform_to_real
#define fft_hfft_along hermitian_transform

SEVERAL(fft_fft)
SEVERAL(fft_ifft)
SEVERAL(fft_rfft)
SEVERAL(fft_irfft)
SEVERAL(fft_hfft)
SEVERAL(fft_ihfft)

/* ------------------------------------------------------------------ frequencies */

typedef struct Frequencies {
  int64_t n, positive; /* from so many on they are negative */
  double scale;
} Frequencies;

static void frequencies_at(const void *params, int64_t first, int n, double *to)
{
  const Frequencies *f = params;
  double place = (double)(first < f->positive ? first : first - f->n), scale = f->scale;
  for (int i = 0; i < GENERATE_PIECE; i++) to[i] = (place + i) * scale;
  if (first < f->positive)
    for (int64_t i = f->positive - first; i < n; i++) to[i] = (double)(first + i - f->n) * f->scale;
}

static Tensor *frequencies(Call *call, int64_t count, Frequencies f, DType dtype, Device device, bool requires_grad)
{
  dtype = dtype_or_default(call, dtype);
  if (!dtype_is_inexact(dtype)) raise(call, "a floating or complex dtype is needed, not %s", dtype_name(dtype));
  if (f.n < 0) raise(call, "n must not be negative: %lld", (long long)f.n);
  Tensor *y = result_new(call, dtype, device_or_default(call, device), INTS(count));
  ask_gradient(call, y, requires_grad);
  launch_by_index(call, frequencies_at, &f, y);
  return y;
}

FORWARD(fft_fftfreq)
{
  Frequencies f = {a->n, (a->n + 1) / 2, 1 / ((double)a->n * a->d)};
  y[0] = frequencies(call, a->n, f, a->dtype, a->device, a->requires_grad);
}

FORWARD(fft_rfftfreq)
{
  Frequencies f = {a->n, a->n / 2 + 1, 1 / ((double)a->n * a->d)};
  y[0] = frequencies(call, a->n / 2 + 1, f, a->dtype, a->device, a->requires_grad);
}

/* Rolled by half of each size, rounded down or up. */
static Tensor *shifted(Call *call, Tensor *x, Ints given, bool up)
{
  int64_t dims[MAX_DIMS], shifts[MAX_DIMS], n = given.n >= 0 ? given.n : x->ndim;
  if (n > MAX_DIMS) raise(call, "dimensions are given twice");
  for (int64_t i = 0; i < n; i++) {
    dims[i] = given.n >= 0 ? dim_of(call, x, given.v[i]) : i;
    shifts[i] = (x->shape[dims[i]] + up) / 2;
  }
  if (n == 0) return op(clone, x);
  return op(roll_dims, x, ((Ints){shifts, n}), ((Ints){dims, n}));
}

FORWARD(fft_fftshift) { y[0] = shifted(call, a->input, a->dim, false); }
FORWARD(fft_ifftshift) { y[0] = shifted(call, a->input, a->dim, true); }
