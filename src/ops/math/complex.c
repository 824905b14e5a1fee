/* Complex tensors and their parts. */
#include "ops/math/complex.h"

#include <math.h>

#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/trigonometric.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/pointwise.h"
#include "ops/table/words.h"

static Tensor *view_with(Call *call, const Tensor *t, DType dtype, Ints shape, Ints strides, int64_t offset)
{
  Tensor *view = result_view(call, t, shape, strides, offset);
  view->dtype = (uint8_t)dtype;
  return view;
}

Tensor *parts_view(Call *call, const Tensor *x)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  if (x->ndim == MAX_DIMS) raise(call, "there is no room for one more dimension than %d", MAX_DIMS);
  for (int d = 0; d < x->ndim; d++) {
    shape[d] = x->shape[d];
    strides[d] = 2 * x->strides[d];
  }
  shape[x->ndim] = 2;
  strides[x->ndim] = 1;
  int ndim = x->ndim + 1;
  return view_with(call, x, dtype_to_real(tensor_dtype(x)), (Ints){shape, ndim}, (Ints){strides, ndim}, 2 * x->offset);
}

FORWARD(view_as_real)
{
  if (!dtype_is_complex(tensor_dtype(a->input)))
    raise(call, "a complex tensor expected, not %s", dtype_name(tensor_dtype(a->input)));
  y[0] = parts_view(call, a->input);
}

BACKWARD(view_as_real) { GRAD(input) = op(view_as_complex, op(contiguous, dy[0])); }

FORWARD(view_as_complex)
{
  const Tensor *x = a->input;
  int64_t strides[MAX_DIMS];
  int last = x->ndim - 1;
  if (tensor_dtype(x) != DTYPE_f32 && tensor_dtype(x) != DTYPE_f64)
    raise(call, "a float32 or float64 tensor expected, not %s", dtype_name(tensor_dtype(x)));
  if (last < 0 || x->shape[last] != 2)
    raise(call, "the last dimension must have size 2: the shape is %s", shape_text(call, tensor_shape(x)));
  bool fits = x->strides[last] == 1 && x->offset % 2 == 0;
  for (int d = 0; d < last; d++) {
    fits &= x->strides[d] % 2 == 0;
    strides[d] = x->strides[d] / 2;
  }
  if (!fits)
    raise(call, "the parts of a number must lie together, at an even place: strides %s and offset %lld don't fit",
          shape_text(call, tensor_strides(x)), (long long)x->offset);
  y[0] = view_with(call, x, dtype_to_complex(tensor_dtype(x)), (Ints){x->shape, last}, (Ints){strides, last},
                   x->offset / 2);
}

BACKWARD(view_as_complex) { GRAD(input) = op(view_as_real, dy[0]); }

/* The dtype of both parts; one that is a number takes that of the other. */
static DType dtype_of_parts(Call *call, Tensor *real, Tensor *imag)
{
  if (real->is_wrapped_number && imag->is_wrapped_number) return DTYPE_f64;
  if (!real->is_wrapped_number && !imag->is_wrapped_number && real->dtype != imag->dtype)
    raise(call, "both parts must have one dtype, not %s and %s", dtype_name(tensor_dtype(real)),
          dtype_name(tensor_dtype(imag)));
  DType d = tensor_dtype(real->is_wrapped_number ? imag : real);
  if (d != DTYPE_f32 && d != DTYPE_f64) raise(call, "the parts must be float32 or float64, not %s", dtype_name(d));
  return d;
}

FORWARD(complex_of)
{
  Tensor *parts[] = {a->real, a->imag};
  DType dtype = dtype_of_parts(call, parts[0], parts[1]);
  for (int i = 0; i < 2; i++)
    if (dtype_is_complex(tensor_dtype(parts[i]))) raise(call, "the parts must be real numbers");
  Ints shape = broadcast_operands(call, parts, 2);
  y[0] = result_ordered(call, dtype_to_complex(dtype), result_device(call), shape, parts, 2);
  y[0]->is_wrapped_number = parts[0]->is_wrapped_number && parts[1]->is_wrapped_number;
  if (launch_pairs(y[0], parts[0], parts[1])) return;
  int64_t strides[MAX_DIMS];
  for (int64_t d = 0; d < shape.n; d++) strides[d] = 2 * y[0]->strides[d];
  for (int i = 0; i < 2; i++)
    launch_copy(call, view_with(call, y[0], dtype, shape, (Ints){strides, shape.n}, 2 * y[0]->offset + i), parts[i]);
}

static Tensor *part_gradient(Call *call, Tensor *dy, int64_t part, const Tensor *operand)
{
  return summed_to(op(select, op(view_as_real, dy), -1, part), operand);
}

BACKWARD(complex_of)
{
  if (WANTS(real)) GRAD(real) = part_gradient(call, dy[0], 0, a->real);
  if (WANTS(imag)) GRAD(imag) = part_gradient(call, dy[0], 1, a->imag);
}

/* ------------------------------------------------------------ parts and angles */

static Tensor *part_of(Call *call, Tensor *x, int64_t part) { return op(select, op(view_as_real, x), -1, part); }

FORWARD(real) { y[0] = dtype_is_complex(tensor_dtype(a->input)) ? part_of(call, a->input, 0) : a->input; }

FORWARD(imag)
{
  DType d = tensor_dtype(a->input);
  if (!dtype_is_complex(d)) raise(call, "%s tensors are not taken: they have no imaginary part", dtype_name(d));
  y[0] = part_of(call, a->input, 1);
}

static Tensor *angle_of_real(Call *call, Tensor *x)
{
  DType d = tensor_dtype(x);
  if (!dtype_is_inexact(d)) x = cast(x, call->ctx->default_dtype);
  return op(angle_of_sign, x);
}

FORWARD(angle)
{
  Tensor *x = a->input;
  if (!dtype_is_complex(tensor_dtype(x))) {
    y[0] = angle_of_real(call, x);
    return;
  }
  x = op(contiguous, x); /* whatever the order in memory, in PyTorch too */
  y[0] = op(atan2, part_of(call, x, 1), part_of(call, x, 0));
}

/* i x / |x|^2; 0 at 0, and for real numbers. */
BACKWARD(angle)
{
  Tensor *x = a->input;
  if (!dtype_is_complex(tensor_dtype(x))) {
    GRAD(input) = zeros_for(call, dy[0], tensor_shape(x));
    return;
  }
  Tensor *size = op(abs, x), *divisor = op(where, op(eq, size, number(0)), number(1), size);
  Tensor *across = op(mul, op(sgn, x), tensor_from_number(call, scalar_complex(0, 1)));
  GRAD(input) = op(mul, op(div, across, divisor), dy[0]);
}

FORWARD(polar)
{
  Tensor *parts[] = {a->abs, a->angle};
  dtype_of_parts(call, parts[0], parts[1]);
  y[0] = op(complex_of, op(mul, a->abs, op(cos, a->angle)), op(mul, a->abs, op(sin, a->angle)));
}

/* conj gives a real tensor itself, this always a new one. */
FORWARD(conj_physical) { y[0] = dtype_is_complex(tensor_dtype(a->input)) ? op(conj, a->input) : op(clone, a->input); }

FORWARD(resolve_neg) { y[0] = a->input; }
