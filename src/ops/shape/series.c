/* More tensors from numbers: series and windows. */
#include "ops/shape/series.h"

#include <math.h>

#include "core/blocks.h"
#include "launch/math/generate.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

FORWARD(logspace)
{
  DType dtype = dtype_or_default(call, a->dtype), compute = dtype == DTYPE_f32 ? DTYPE_f32 : DTYPE_f64;
  Scalar start = a->start, stop = a->stop;
  if (start.kind == SCALAR_COMPLEX || stop.kind == SCALAR_COMPLEX) raise(call, "complex bounds are not taken");
  if (!dtype_is_inexact(dtype)) { /* of integers the bounds are cut, the steps between them are not */
    start = scalar_int(scalar_integer(start));
    stop = scalar_int(scalar_integer(stop));
  }
  Tensor *exponents = op(linspace, start, stop, a->steps, compute, a->device, false);
  y[0] = cast(op(pow, number(a->base), exponents), dtype);
  ask_gradient(call, y[0], a->requires_grad);
}

FORWARD(range)
{
  double first = scalar_real(a->start), last = scalar_real(a->stop), by = scalar_real(a->step);
  DType dtype = dtype_or_default(call, a->dtype);
  if (a->start.kind == SCALAR_COMPLEX || a->stop.kind == SCALAR_COMPLEX || a->step.kind == SCALAR_COMPLEX)
    raise(call, "a range of complex numbers has no order");
  if (by == 0) raise(call, "step must not be 0");
  if (!isfinite(first) || !isfinite(last)) raise(call, "start and stop must be finite: %g to %g", first, last);
  if ((by > 0 && first > last) || (by < 0 && first < last))
    raise(call, "steps of %g don't lead from %g to %g", by, first, last);
  double length = floor((last - first) / by) + 1;
  if (!(length < 0x1p56)) raise(call, "a range from %g to %g in steps of %g is too long", first, last, by);
  y[0] = result_new(call, dtype, device_or_default(call, a->device), INTS((int64_t)length));
  ask_gradient(call, y[0], a->requires_grad);
  if (!dtype_is_inexact(dtype)) {
    first = trunc(first);
    by = trunc(by);
  }
  launch_range(call, scalar_float(first), scalar_float(by), y[0]);
}

/* A result of the strides, which are checked; its elements are unset. */
static Tensor *unset_strided(Call *call, DType dtype, Device device, Ints size, Ints stride, bool requires_grad)
{
  if (size.n != stride.n)
    raise(call, "size %s and stride %s differ in length", shape_text(call, size), shape_text(call, stride));
  for (int64_t i = 0; i < stride.n; i++)
    if (stride.v[i] < 0) raise(call, "negative stride in %s", shape_text(call, stride));
  shape_numel(call, size);
  Tensor *y = result_strided(call, dtype, device, size, stride);
  ask_gradient(call, y, requires_grad);
  leave_unset(call, y);
  return y;
}

FORWARD(empty_strided)
{
  DType dtype = dtype_or_default(call, a->dtype);
  y[0] = unset_strided(call, dtype, device_or_default(call, a->device), a->size, a->stride, a->requires_grad);
}

FORWARD(new_empty_strided)
{
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(a->input) : a->dtype;
  Device device = a->device == DEVICE_NONE ? (Device)a->input->device : a->device;
  y[0] = unset_strided(call, dtype, device, a->size, a->stride, a->requires_grad);
}

FORWARD(empty_permuted)
{
  Ints size = a->size, layout = a->physical_layout;
  int64_t stride[MAX_DIMS], step = 1;
  if (size.n != layout.n) raise(call, "size %s and physical_layout differ in length", shape_text(call, size));
  if (size.n > MAX_DIMS) raise(call, "%lld dimensions are too many", (long long)size.n);
  shape_numel(call, size);
  if (layout.n) shape_dims(call, layout, (int)size.n);
  for (int64_t i = size.n - 1; i >= 0; i--) {
    int dim = shape_dim(call, layout.v[i], (int)size.n);
    stride[dim] = step;
    step *= size.v[dim] > 1 ? size.v[dim] : 1;
  }
  DType dtype = dtype_or_default(call, a->dtype);
  y[0] = unset_strided(call, dtype, device_or_default(call, a->device), size, (Ints){stride, size.n}, a->requires_grad);
}

/* ---------------------------------------------------------------------- windows */

/* What a window is made of: c0 - c1 cos + c2 cos of twice the angle, or a Kaiser window's beta. */
typedef struct Window {
  ByIndex fill; /* NULL for cosines */
  double c[3];
  int64_t steps;
} Window;

/* The modified Bessel function of order 0, by its series: all terms are positive. */
static double bessel_i0(double x)
{
  double term = 1, sum = 1, quarter = x * x / 4;
  for (int k = 1; term > sum * 1e-17; k++) {
    term *= quarter / ((double)k * k);
    sum += term;
  }
  return sum;
}

static void bartlett(const void *params, int64_t first, int n, double *to)
{
  double steps = (double)((const Window *)params)->steps;
  (void)n;
  for (int i = 0; i < GENERATE_PIECE; i++) {
    double rising = 2 * (((double)first + i) / steps), falling = 2 - rising;
    to[i] = rising < falling ? rising : falling;
  }
}

static void kaiser(const void *params, int64_t first, int n, double *to)
{
  const Window *w = params;
  double most = bessel_i0(w->c[0]);
  for (int i = 0; i < n; i++) {
    double middle = 2 * ((double)first + i) / (double)w->steps - 1;
    to[i] = bessel_i0(w->c[0] * sqrt(fmax(1 - middle * middle, 0))) / most;
  }
}

static Tensor *window(Call *call, int64_t length, bool periodic, Window w, DType dtype, Device device,
                      bool requires_grad)
{
  dtype = dtype_or_default(call, dtype);
  if (!dtype_is_floating(dtype)) raise(call, "a floating dtype is needed, not %s", dtype_name(dtype));
  if (length < 0) raise(call, "window_length must not be negative: %lld", (long long)length);
  Tensor *y = result_new(call, dtype, device_or_default(call, device), INTS(length));
  ask_gradient(call, y, requires_grad);
  w.steps = length + periodic - 1;
  if (length == 1) launch_fill(call, y, scalar_int(1));
  else if (w.fill) launch_by_index(call, w.fill, &w, y);
  else launch_cosines(call, w.c, w.steps, y);
  return y;
}

#define WINDOW(row, ...)                                                                                              \
  FORWARD(row)                                                                                                        \
  {                                                                                                                   \
    y[0] = window(call, a->window_length, a->periodic, (Window){__VA_ARGS__}, a->dtype, a->device, a->requires_grad); \
  }
WINDOW(hann_window, NULL, {0.5, 0.5, 0}, 0)
WINDOW(hamming_window, NULL, {a->alpha, a->beta, 0}, 0)
WINDOW(blackman_window, NULL, {0.42, 0.5, 0.08}, 0)
WINDOW(bartlett_window, bartlett, {0}, 0)
WINDOW(kaiser_window, kaiser, {a->beta}, 0)
