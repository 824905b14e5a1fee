/* Rounding to the numbers of a coarse grid, through which gradients pass. */
#include "ops/math/fake_quantize.h"

#include "launch/look.h"
#include "ops/math/arithmetic.h"
#include "ops/math/bitwise.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/rounding.h"
#include "ops/reduce/max_min.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* Which multiple of scale each element is nearest to, plus the zero point; the scale is float32, as in PyTorch. */
static Tensor *nearest_steps(Call *call, const struct fake_quantize_args *a)
{
  Tensor *per = op(reciprocal, cast(a->scale, DTYPE_f32));
  return plus(op(round, op(mul, widened(a->input), per)), a->zero_point);
}

static void check_zero_points(Call *call, const struct fake_quantize_args *a)
{
  Tensor *zero = a->zero_point;
  if (zero->numel == 0 || !can_look(zero)) return;
  double low = scalar_real(tensor_item(op(min, zero))), high = scalar_real(tensor_item(op(max, zero)));
  if (!(low >= (double)a->quant_min && high <= (double)a->quant_max))
    raise(call, "zero_point must lie from quant_min, %lld, to quant_max, %lld", (long long)a->quant_min,
          (long long)a->quant_max);
}

FORWARD(fake_quantize)
{
  Tensor *x = a->input;
  check_argument_floating(call, "input", x);
  if (a->quant_min > a->quant_max)
    raise(call, "quant_min is %lld, and quant_max less: %lld", (long long)a->quant_min, (long long)a->quant_max);
  check_zero_points(call, a);
  Tensor *steps = op(clamp, nearest_steps(call, a), scalar_int(a->quant_min), scalar_int(a->quant_max));
  y[0] = cast(op(mul, minus(steps, a->zero_point), cast(a->scale, DTYPE_f32)), tensor_dtype(x));
}

BACKWARD(fake_quantize)
{
  Tensor *steps = nearest_steps(call, a);
  Tensor *low = tensor_from_number(call, scalar_int(a->quant_min)),
         *high = tensor_from_number(call, scalar_int(a->quant_max));
  GRAD(input) = op(mul, dy[0], op(bitwise_and, op(ge, steps, low), op(le, steps, high)));
}

FORWARD(fake_quantize_channels)
{
  Tensor *x = a->input;
  int axis = shape_dim(call, a->axis, x->ndim);
  int64_t n = x->ndim ? x->shape[axis] : 1, line[MAX_DIMS];
  if (a->scale->ndim != 1 || a->zero_point->ndim != 1 || a->scale->numel != n || a->zero_point->numel != n)
    raise(call, "scale and zero_point must be vectors of %lld elements, not of shapes %s and %s", (long long)n,
          shape_text(call, tensor_shape(a->scale)), shape_text(call, tensor_shape(a->zero_point)));
  for (int d = 0; d < x->ndim; d++) line[d] = d == axis ? n : 1;
  Ints shape = {line, x->ndim};
  y[0] = op(fake_quantize, x, op(reshape, a->scale, shape), op(reshape, a->zero_point, shape), a->quant_min,
            a->quant_max);
}
