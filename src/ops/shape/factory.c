/* Tensors from nothing but numbers. */
#include "ops/shape/factory.h"

#include <math.h>

#include "launch/math/generate.h"
#include "ops/math/complex.h"
#include "ops/shape/copy.h"
#include "ops/table/pointwise.h"

/* requires_grad is set on the result itself: factories are leaves. */
void ask_gradient(Call *call, Tensor *t, bool requires_grad)
{
  if (requires_grad && !dtype_is_inexact(tensor_dtype(t)))
    raise(call, "only tensors of floating or complex dtype can require gradients, not %s", dtype_name(tensor_dtype(t)));
  t->requires_grad = requires_grad;
}

static Device device_or(Device device, Device other) { return device == DEVICE_NONE ? other : device; }
static DType dtype_or(DType dtype, DType other) { return dtype == DTYPE_NONE ? other : dtype; }

/* The dtype of a tensor of one value. */
static DType value_dtype(Call *call, Scalar value) { return scalar_dtype(value, call->ctx->default_dtype); }

#define NEW(default_dtype_) \
  result_new(call, dtype_or(a->dtype, default_dtype_), device_or_default(call, a->device), a->size)

#define FROM_SIZE(row, default_dtype_, value)   \
  FORWARD(row)                                  \
  {                                             \
    y[0] = NEW(default_dtype_);                 \
    ask_gradient(call, y[0], a->requires_grad); \
    value                                       \
  }
#define FILLED(value) launch_fill(call, y[0], value);
/* Any bytes do, but for truth values, which kernels take to be 0 or 1: the gaps between elements are set as well. */
void leave_unset(Call *call, Tensor *t)
{
  if (tensor_dtype(t) != DTYPE_b8) return;
  Tensor *all = result_view(call, t, INTS((int64_t)t->storage->bytes), INTS(1), 0);
  launch_fill(call, all, scalar_int(0));
}

#define UNSET leave_unset(call, y[0]);

FROM_SIZE(zeros, call->ctx->default_dtype, FILLED(scalar_int(0)))
FROM_SIZE(ones, call->ctx->default_dtype, FILLED(scalar_int(1)))
FROM_SIZE(empty, call->ctx->default_dtype, UNSET)

FORWARD(full)
{
  y[0] = NEW(value_dtype(call, a->fill_value));
  ask_gradient(call, y[0], a->requires_grad);
  launch_fill(call, y[0], a->fill_value);
}

FORWARD(scalar_tensor)
{
  y[0] = result_new(call, dtype_or(a->dtype, call->ctx->default_dtype), device_or_default(call, a->device),
                    (Ints){NULL, 0});
  ask_gradient(call, y[0], a->requires_grad);
  launch_fill(call, y[0], a->s);
}

Tensor *new_like(Call *call, const Tensor *x, DType dtype, Device device, bool requires_grad)
{
  dtype = dtype_or(dtype, tensor_dtype(x));
  device = device_or(device, (Device)x->device);
  Tensor *t = result_like(call, x, dtype, device);
  if (t != call->into) ask_gradient(call, t, requires_grad);
  return t;
}

#define LIKE(row, value)                                                    \
  FORWARD(row)                                                              \
  {                                                                         \
    y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad); \
    value                                                                   \
  }
LIKE(zeros_like, FILLED(scalar_int(0)))
LIKE(ones_like, FILLED(scalar_int(1)))
LIKE(empty_like, UNSET)
LIKE(full_like, FILLED(a->fill_value))

#define OF(row, value)                                                          \
  FORWARD(row)                                                                  \
  {                                                                             \
    y[0] = result_new(call, dtype_or(a->dtype, tensor_dtype(a->input)),         \
                      device_or(a->device, (Device)a->input->device), a->size); \
    ask_gradient(call, y[0], a->requires_grad);                                 \
    value                                                                       \
  }
OF(new_zeros, FILLED(scalar_int(0)))
OF(new_ones, FILLED(scalar_int(1)))
OF(new_empty, UNSET)
OF(new_full, FILLED(a->fill_value))

/* ------------------------------------------------------------------- ranges */

static bool is_integer(Scalar s) { return s.kind <= SCALAR_INT; }

/* How many numbers a range has: in whole numbers if all are, else in double, as PyTorch. */
static int64_t range_length(Call *call, Scalar start, Scalar stop, Scalar step)
{
  double first = scalar_real(start), last = scalar_real(stop), by = scalar_real(step);
  if (by == 0) raise(call, "step must not be 0");
  if (!isfinite(first) || !isfinite(last)) raise(call, "start and stop must be finite: %g to %g", first, last);
  if ((by > 0 && first > last) || (by < 0 && first < last))
    raise(call, "steps of %g don't lead from %g to %g", by, first, last);
  if (!is_integer(start) || !is_integer(stop) || !is_integer(step)) {
    double length = ceil((last - first) / by);
    if (!(length >= 0 && length < 0x1p62))
      raise(call, "a range from %g to %g in steps of %g is too long", first, last, by);
    return (int64_t)length;
  }
  uint64_t distance = by > 0 ? (uint64_t)stop.i - (uint64_t)start.i : (uint64_t)start.i - (uint64_t)stop.i;
  uint64_t stride = by > 0 ? (uint64_t)step.i : 0 - (uint64_t)step.i;
  uint64_t length = distance / stride + (distance % stride != 0);
  if (length > INT64_MAX / 32) raise(call, "a range from %g to %g in steps of %g is too long", first, last, by);
  return (int64_t)length;
}

static Scalar truncated(Scalar s) { return is_integer(s) ? s : scalar_int(scalar_integer(s)); }

static Tensor *range(Call *call, Scalar start, Scalar stop, Scalar step, DType dtype, Device device)
{
  if (start.kind == SCALAR_COMPLEX || stop.kind == SCALAR_COMPLEX || step.kind == SCALAR_COMPLEX)
    raise(call, "a range of complex numbers has no order");
  bool integer = is_integer(start) && is_integer(stop) && is_integer(step);
  dtype = dtype_or(dtype, integer ? DTYPE_i64 : call->ctx->default_dtype);
  int64_t length = range_length(call, start, stop, step);
  if (!dtype_is_inexact(dtype)) { /* a range of integers steps by integers */
    start = truncated(start);
    step = truncated(step);
  }
  Tensor *y = result_new(call, dtype, device_or_default(call, device), INTS(length));
  launch_range(call, start, step, y);
  return y;
}

FORWARD(arange)
{
  y[0] = range(call, scalar_int(0), a->stop, scalar_int(1), a->dtype, a->device);
  ask_gradient(call, y[0], a->requires_grad);
}

FORWARD(arange_start)
{
  y[0] = range(call, a->start, a->stop, a->step, a->dtype, a->device);
  ask_gradient(call, y[0], a->requires_grad);
}

/* The real or imaginary parts of evenly spaced numbers, for a result of some dtype: in that itself if it fits. */
static Tensor *spaced(Call *call, Tensor *y, double start, double stop)
{
  DType dtype = dtype_to_real(tensor_dtype(y)) == DTYPE_f32 ? DTYPE_f32 : DTYPE_f64;
  Tensor *t = tensor_dtype(y) == dtype ? y : new_beside(call, y, dtype, tensor_shape(y));
  launch_linspace(call, start, stop, t);
  return t;
}

FORWARD(linspace)
{
  bool has_complex = a->start.kind == SCALAR_COMPLEX || a->stop.kind == SCALAR_COMPLEX;
  DType dflt = has_complex ? dtype_to_complex(call->ctx->default_dtype) : call->ctx->default_dtype;
  DType dtype = dtype_or(a->dtype, dflt);
  if (has_complex && !dtype_is_complex(dtype)) raise(call, "complex bounds don't fit %s", dtype_name(dtype));
  if (a->steps < 0) raise(call, "steps must not be negative: %lld", (long long)a->steps);
  y[0] = result_new(call, dtype, device_or_default(call, a->device), INTS(a->steps));
  ask_gradient(call, y[0], a->requires_grad);
  bool whole = !dtype_is_inexact(dtype); /* then the ends are cut to integers first */
  Scalar start = whole ? truncated(a->start) : a->start, stop = whole ? truncated(a->stop) : a->stop;
  Tensor *real = spaced(call, y[0], scalar_real(start), scalar_real(stop));
  Tensor *imag = has_complex ? spaced(call, y[0], start.im, stop.im) : NULL;
  launch_copy(call, y[0], imag ? op(complex_of, real, imag) : real);
}

FORWARD(eye)
{
  int64_t n = a->n, m = a->m == NO_INT ? n : a->m;
  if (n < 0 || m < 0) raise(call, "negative size %lld x %lld", (long long)n, (long long)m);
  y[0] = result_new(call, dtype_or(a->dtype, call->ctx->default_dtype), device_or_default(call, a->device), INTS(n, m));
  ask_gradient(call, y[0], a->requires_grad);
  launch_fill(call, y[0], scalar_int(0));
  launch_fill(call, tensor_view(call, y[0], INTS(n < m ? n : m), INTS(m + 1), 0), scalar_int(1));
}
