/* Divisions that round, bounds, and what derivatives with comparisons need. */
#include "ops/math/composed_arithmetic.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "launch/look.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/rounding.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/pointwise.h"
#include "ops/table/words.h"

/* Integers have no infinity to give. */
static void check_divisor(Call *call, Tensor *a, Tensor *b)
{
  Tensor *operands[] = {a, b};
  DType dtype = promote_operands(call, operands, 2);
  if (dtype_is_inexact(dtype) || b->numel == 0) return;
  bool grad = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  Tensor *divisor = cast(b, dtype); /* 256 is 0 among uint8 */
  check_none_true(call, op(eq, divisor, tensor_from_number(call, scalar_int(0))), "division of integers by zero");
  call->ctx->grad_enabled = grad;
}

/* Bools divide as the integers 0 and 1. */
static Tensor *divide_down(Call *call, Tensor *a, Tensor *b, bool to_zero)
{
  check_divisor(call, a, b);
  return to_zero ? op_last(trunc_div, a, b) : op_last(floor_div, a, b);
}

FORWARD(div_mode)
{
  bool to_zero = strcmp(a->rounding_mode, "trunc") == 0;
  if (!to_zero && strcmp(a->rounding_mode, "floor") != 0)
    raise(call, "rounding_mode is \"trunc\", \"floor\" or nil, not \"%s\"", a->rounding_mode);
  y[0] = divide_down(call, a->input, a->other, to_zero);
}

FORWARD(rsub) { y[0] = op(sub, a->other, a->input, a->alpha); }

FORWARD(floor_divide) { y[0] = divide_down(call, a->input, a->other, false); }

static Tensor *rest_of_division(Call *call, Tensor *a, Tensor *b, bool to_zero)
{
  if (a->is_wrapped_number && b->is_wrapped_number) raise(call, "one of both must be a tensor");
  check_divisor(call, a, b);
  return to_zero ? op_last(fmod_of, a, b) : op_last(remainder_of, a, b);
}

FORWARD(remainder) { y[0] = rest_of_division(call, a->input, a->other, false); }
FORWARD(fmod) { y[0] = rest_of_division(call, a->input, a->other, true); }

/* Bools are numbers there. */
FORWARD(square)
{
  bool is_bool = a->input->dtype == DTYPE_b8;
  Tensor *x = is_bool ? cast(a->input, DTYPE_i64) : a->input;
  y[0] = op_last(square_number, x);
}

FORWARD(positive)
{
  if (a->input->dtype == DTYPE_b8) raise(call, "bool tensors have no sign");
  y[0] = a->input;
}

/* -------------------------------------------------------------------- bounds */

static Tensor *keep_between(Call *call, Tensor *x, Tensor *min, Tensor *max)
{
  if (!min && !max) raise(call, "min or max must be given");
  if (min && max) return op_last(clamp_between, x, min, max);
  return min ? op_last(at_least, x, min) : op_last(at_most, x, max);
}

static Tensor *optional_number(Call *call, Scalar s)
{
  return s.kind == SCALAR_NONE ? NULL : tensor_from_number(call, s);
}

/* Whether a number is one of the tensor's kind, so that the result has its dtype. */
static bool is_of_kind(Scalar s, const Tensor *x)
{
  DTypeCategory c = dtype_category(tensor_dtype(x));
  return (s.kind == SCALAR_INT && (c == CATEGORY_FLOATING || c == CATEGORY_INTEGRAL))
         || (s.kind == SCALAR_FLOAT && c == CATEGORY_FLOATING);
}

FORWARD(clamp)
{
  Tensor *x = a->input;
  bool below = is_of_kind(a->min, x), above = is_of_kind(a->max, x);
  if (below && above) y[0] = op_last(clamp_to, x, a->min, a->max);
  else if (below && a->max.kind == SCALAR_NONE) y[0] = op_last(clamp_from, x, a->min);
  else if (above && a->min.kind == SCALAR_NONE) y[0] = op_last(clamp_up_to, x, a->max);
  else y[0] = keep_between(call, x, optional_number(call, a->min), optional_number(call, a->max));
}

FORWARD(clamp_min)
{
  Scalar min = tensor_number(a->min);
  y[0] = is_of_kind(min, a->input) ? op_last(clamp_from, a->input, min) : op_last(at_least, a->input, a->min);
}

FORWARD(clamp_max)
{
  Scalar max = tensor_number(a->max);
  y[0] = is_of_kind(max, a->input) ? op_last(clamp_up_to, a->input, max) : op_last(at_most, a->input, a->max);
}

FORWARD(clamp_tensors) { y[0] = keep_between(call, a->input, a->min, a->max); }

FORWARD(heaviside)
{
  if (a->input->dtype != a->values->dtype)
    raise(call, "both tensors must have one dtype, not %s and %s", dtype_name(tensor_dtype(a->input)),
          dtype_name(tensor_dtype(a->values)));
  y[0] = op_last(heaviside_step, a->input, a->values);
}

static double largest_of(DType d)
{
  switch (d) {
    case DTYPE_f16: return 65504;
    case DTYPE_bf16: return 0x1.fep127;
    case DTYPE_f32:
    case DTYPE_c64: return (double)FLT_MAX;
    default: return DBL_MAX;
  }
}

FORWARD(nan_to_num)
{
  DType d = tensor_dtype(a->input);
  if (!dtype_is_inexact(d)) {
    y[0] = op(clone, a->input);
    return;
  }
  double most = largest_of(d);
  Scalar nan = a->nan.kind == SCALAR_NONE ? scalar_int(0) : a->nan;
  Scalar high = a->posinf.kind == SCALAR_NONE ? scalar_float(most) : a->posinf;
  Scalar low = a->neginf.kind == SCALAR_NONE ? scalar_float(-most) : a->neginf;
  y[0] = op_last(replace_nonfinite, a->input, nan, high, low);
}

FORWARD(round_decimals)
{
  DType d = tensor_dtype(a->input);
  if (!dtype_is_floating(d)) raise(call, "decimals are of floating point tensors, not of %s", dtype_name(d));
  Scalar scale = scalar_float(pow(10, fabs((double)a->decimals)));
  y[0] = a->decimals == 0  ? op_last(round, a->input)
         : a->decimals > 0 ? op_last(round_scaled, a->input, scale)
                           : op_last(round_divided, a->input, scale);
}

/* |a - b| <= atol + rtol |b| where both are finite; what is equal is close, too. */
FORWARD(isclose)
{
  Tensor *p = a->input, *q = a->other;
  if (p->dtype != q->dtype)
    raise(call, "both tensors must have one dtype, not %s and %s", dtype_name(tensor_dtype(p)),
          dtype_name(tensor_dtype(q)));
  if (a->rtol < 0 || a->atol < 0) raise(call, "rtol and atol can't be negative: %g and %g", a->rtol, a->atol);
  Tensor *close = op(eq, p, q);
  if (dtype_is_inexact(tensor_dtype(p)) && a->equal_nan)
    close = op(logical_or, close, op(logical_and, op(isnan, p), op(isnan, q)));
  if (a->rtol != 0 || a->atol != 0) {
    if (p->dtype == DTYPE_b8) {
      p = cast(p, DTYPE_u8);
      q = cast(q, DTYPE_u8);
    }
    Tensor *apart = op(abs, minus(p, q));
    Tensor *allowed = plus(op(abs, op(mul, q, number(a->rtol))), number(a->atol));
    close = op(logical_or, close, op(logical_and, op(isfinite, apart), op(le, apart, allowed)));
  }
  y[0] = close;
}

/* ------------------------------------------------------------ second derivatives */

FORWARD(zero_link)
{
  y[0] = result_view(call, a->input, tensor_shape(a->input), tensor_strides(a->input), a->input->offset);
}

BACKWARD(zero_link)
{
  if (WANTS(input)) GRAD(input) = dy[0];
  if (WANTS(other))
    GRAD(other) = op(zeros, tensor_shape(a->other), tensor_dtype(a->other), device_behind(dy[0]), false);
}
