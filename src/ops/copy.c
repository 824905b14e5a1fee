/* Copies, casts and fills. */
#include "ops/copy.h"

#include "core/blocks.h"
#include "core/iter.h"
#include "kernels/kernels.h"
#include "ops/ops.h"
#include "ops/pointwise.h"

/* ------------------------------------------------------------------ helpers */

typedef struct Fill { const KernelTable *k; char value[16]; } Fill;

static void fill_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Fill *f = arg;
  f->k->fill(n, f->value, p[0], strides[0]);
}

void check_value_fits(Call *call, DType value, DType dtype)
{
  if (dtype_is_complex(value) && !dtype_is_complex(dtype))
    raise(call, "a complex value doesn't fit a %s tensor", dtype_name(dtype));
}

void launch_fill(Call *call, Tensor *y, Scalar value)
{
  if (value.kind == SCALAR_COMPLEX) check_value_fits(call, DTYPE_c128, tensor_dtype(y));
  if (y->device == DEVICE_META || y->numel == 0) return;
  Fill f = {.k = movers_of(tensor_dtype(y))};
  scalar_store(value, tensor_dtype(y), f.value);
  if (y->is_contiguous && y->numel <= GRAIN) {
    f.k->fill(y->numel, f.value, tensor_data(y), (int64_t)dtype_size(tensor_dtype(y)));
    return;
  }
  Iter it;
  iter_init(&it, tensor_shape(y));
  iter_add(&it, y);
  iter_plan(&it);
  iter_parallel(&it, GRAIN, fill_run, &f);
}

Tensor *contiguous_as(Call *call, Tensor *t, DType dtype)
{
  if (t->is_contiguous && tensor_dtype(t) == dtype) return t;
  Tensor *copy = tensor_new(call, dtype, (Device)t->device, tensor_shape(t));
  launch_copy(call, copy, t);
  return copy;
}

static bool keeps_layout(const Tensor *t) { return !t->is_contiguous && tensor_is_dense(t); }

Tensor *copy_of(Call *call, const Tensor *t, DType dtype)
{
  Device device = (Device)t->device;
  Tensor *copy = keeps_layout(t) ? tensor_new_strided(call, dtype, device, tensor_shape(t), tensor_strides(t))
                                 : tensor_new(call, dtype, device, tensor_shape(t));
  launch_copy(call, copy, t);
  return copy;
}

Tensor *result_like(Call *call, const Tensor *t, DType dtype, Device device)
{
  if (keeps_layout(t)) return result_strided(call, dtype, device, tensor_shape(t), tensor_strides(t));
  return result_new(call, dtype, device, tensor_shape(t));
}

Tensor *result_copy(Call *call, Tensor *t)
{
  Tensor *y = result_like(call, t, tensor_dtype(t), (Device)t->device);
  if (y != t) launch_copy(call, y, t);
  return y;
}

Tensor *zeros_for(Call *call, const Tensor *gradient, Ints shape)
{
  return op(zeros, shape, tensor_dtype(gradient), (Device)gradient->device, false);
}

Tensor *expanded_to(Call *call, const Tensor *t, Ints shape)
{
  if (shape_equal(tensor_shape(t), shape)) return (Tensor *)t;
  int64_t strides[MAX_DIMS], missing = shape.n - t->ndim;
  for (int64_t i = 0; i < shape.n; i++)
    strides[i] = i < missing || (t->shape[i - missing] == 1 && shape.v[i] != 1) ? 0 : t->strides[i - missing];
  return tensor_view(call, t, shape, (Ints){strides, shape.n}, t->offset);
}

Tensor *apart_from(Call *call, Tensor *source, const Tensor *destination)
{
  if (source->storage != destination->storage || source->device == DEVICE_META) return source;
  return copy_of(call, source, tensor_dtype(source));
}

static bool same_place(const Tensor *a, const Tensor *b)
{
  if (a->storage != b->storage || a->offset != b->offset || a->dtype != b->dtype) return false;
  return shape_equal(tensor_shape(a), tensor_shape(b)) && shape_equal(tensor_strides(a), tensor_strides(b));
}

/* ------------------------------------------------------------------- copies */

FORWARD(contiguous)
{
  y[0] = contiguous_as(call, a->input, tensor_dtype(a->input));
}

BACKWARD(contiguous) { GRAD(input) = dy[0]; }

FORWARD(clone) { y[0] = copy_of(call, a->input, tensor_dtype(a->input)); }

BACKWARD(clone) { GRAD(input) = dy[0]; }

FORWARD(copy)
{
  if (!shape_expands(tensor_shape(a->src), tensor_shape(a->input)))
    raise(call, "shape %s doesn't broadcast to %s", shape_text(call, tensor_shape(a->src)),
          shape_text(call, tensor_shape(a->input)));
  y[0] = a->input;
  if (a->src->device == DEVICE_META && a->input->device != DEVICE_META)
    raise(call, "a meta tensor has no elements to copy");
  if (!same_place(a->input, a->src)) launch_copy(call, a->input, apart_from(call, a->src, a->input));
}

BACKWARD(copy)
{
  if (WANTS(input)) GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false);
  if (WANTS(src)) GRAD(src) = op(sum_to, dy[0], tensor_shape(a->src), tensor_dtype(a->src));
}

FORWARD(detach) { y[0] = tensor_alias(call, a->input); }

FORWARD(alias) { y[0] = tensor_alias(call, a->input); }

BACKWARD(alias) { GRAD(input) = dy[0]; }

/* -------------------------------------------------------------------- casts */

FORWARD(to_dtype)
{
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(a->input) : a->dtype;
  y[0] = dtype == tensor_dtype(a->input) && !a->copy ? a->input : copy_of(call, a->input, dtype);
}

BACKWARD(to_dtype) { GRAD(input) = op(to_dtype, dy[0], tensor_dtype(a->input), false, false); }

FORWARD(to_device)
{
  Tensor *x = a->input;
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype;
  Device device = a->device == DEVICE_NONE ? (Device)x->device : a->device;
  if (device == (Device)x->device) {
    y[0] = dtype == tensor_dtype(x) && !a->copy ? x : copy_of(call, x, dtype);
  } else {
    if (x->device == DEVICE_META) raise(call, "a meta tensor has no elements to copy");
    y[0] = tensor_new(call, dtype, device, tensor_shape(x));
  }
}

/* Towards the meta device everything is lost; back there is no way. */
BACKWARD(to_device) { GRAD(input) = op(to_dtype, dy[0], tensor_dtype(a->input), false, false); }

FORWARD(to_other)
{
  y[0] = op(to_device, a->input, (Device)a->other->device, tensor_dtype(a->other), a->non_blocking, a->copy);
}

FORWARD(type_as) { y[0] = op(to_dtype, a->input, tensor_dtype(a->other), false, false); }

#define CONVERSION(row, dtype) \
  FORWARD(row) { y[0] = op(to_dtype, a->input, dtype, false, false); }
CONVERSION(to_float, DTYPE_f32)
CONVERSION(to_double, DTYPE_f64)
CONVERSION(to_half, DTYPE_f16)
CONVERSION(to_bfloat16, DTYPE_bf16)
CONVERSION(to_int, DTYPE_i32)
CONVERSION(to_long, DTYPE_i64)
CONVERSION(to_short, DTYPE_i16)
CONVERSION(to_char, DTYPE_i8)
CONVERSION(to_byte, DTYPE_u8)
CONVERSION(to_bool, DTYPE_b8)
CONVERSION(to_cfloat, DTYPE_c64)
CONVERSION(to_cdouble, DTYPE_c128)

/* Changes the sign of the imaginary parts of a tensor that fills its memory without holes. */
static void conjugate(Tensor *t)
{
  if (t->device == DEVICE_META) return;
  float *single = tensor_data(t);
  double *wide = tensor_data(t);
  if (tensor_dtype(t) == DTYPE_c64)
    for (int64_t i = 0; i < t->numel; i++) single[2 * i + 1] = -single[2 * i + 1];
  else
    for (int64_t i = 0; i < t->numel; i++) wide[2 * i + 1] = -wide[2 * i + 1];
}

FORWARD(conj)
{
  y[0] = a->input;
  if (!dtype_is_complex(tensor_dtype(a->input))) return;
  y[0] = copy_of(call, a->input, tensor_dtype(a->input));
  conjugate(y[0]);
}

BACKWARD(conj) { GRAD(input) = op(conj, dy[0]); }

FORWARD(resolve_conj) { y[0] = a->input; }

/* -------------------------------------------------------------------- fills */

FORWARD(fill)
{
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_fill(call, y[0], a->value);
}

BACKWARD(fill) { GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false); }

FORWARD(fill_tensor)
{
  if (a->value->ndim != 0)
    raise(call, "value must have no dimensions, not shape %s", shape_text(call, tensor_shape(a->value)));
  check_value_fits(call, tensor_dtype(a->value), tensor_dtype(a->input));
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_copy(call, y[0], apart_from(call, a->value, y[0]));
}

BACKWARD(fill_tensor)
{
  if (WANTS(input)) GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false);
  if (WANTS(value)) GRAD(value) = op(sum_to, dy[0], tensor_shape(a->value), tensor_dtype(a->value));
}

FORWARD(zero)
{
  y[0] = result_like(call, a->input, tensor_dtype(a->input), (Device)a->input->device);
  launch_fill(call, y[0], scalar_int(0));
}

BACKWARD(zero) { GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false); }

Tensor *stretch(Call *call, const Tensor *t, int dim, int64_t start, int64_t length)
{
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < t->ndim; d++) shape[d] = t->shape[d];
  shape[dim] = length;
  return tensor_view(call, t, (Ints){shape, t->ndim}, tensor_strides(t), t->offset + start * t->strides[dim]);
}
