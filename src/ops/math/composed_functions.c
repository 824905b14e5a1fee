/* Functions composed of pointwise rows. */
#include "ops/math/composed_functions.h"

#include <math.h>

#include "ops/index/mask.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/math/special.h"
#include "ops/shape/copy.h"
#include "ops/table/helpers.h"

FORWARD(logit)
{
  Tensor *x = a->input;
  if (a->eps.kind != SCALAR_NONE) {
    double eps = scalar_real(a->eps);
    if (!dtype_is_inexact(tensor_dtype(x))) x = cast(x, call->ctx->default_dtype);
    if (eps <= 0.5) x = op(clamp, x, scalar_float(eps), scalar_float(1 - eps));
    else /* the bounds are the wrong way round: what is below eps is raised, and only the rest lowered */
      x = op(where, op(lt, x, number(eps)), number(eps), op(where, op(gt, x, number(1 - eps)), number(1 - eps), x));
  }
  y[0] = op_last(log_odds, x);
}

/* Powers are float32 at least, since those of halves end too early; the result's dtype is the operands'. */
FORWARD(ldexp)
{
  Tensor *operands[] = {a->input, a->other};
  DType dtype = promote_operands(call, operands, 2);
  if (!dtype_is_inexact(dtype)) dtype = call->ctx->default_dtype;
  y[0] = cast(op(mul, a->input, op(pow, number(2), a->other)), dtype);
}

FORWARD(frexp)
{
  check_floating(call, tensor_dtype(a->input));
  y[0] = op(frexp_mantissa, a->input);
  y[1] = cast(op(frexp_exponent, a->input), DTYPE_i32);
}

BACKWARD(frexp) { GRAD(input) = cast(op(div, dy[0], op(exp2, y[1])), tensor_dtype(a->input)); }

static void check_not_both_numbers(Call *call, const Tensor *a, const Tensor *b)
{
  if (a->is_wrapped_number && b->is_wrapped_number) raise(call, "one of both must be a tensor");
}

FORWARD(float_power)
{
  Tensor *operands[] = {a->input, a->exponent};
  check_not_both_numbers(call, a->input, a->exponent);
  DType dtype = dtype_is_complex(promote_operands(call, operands, 2)) ? DTYPE_c128 : DTYPE_f64;
  for (int i = 0; i < 2; i++) operands[i] = cast(operands[i], dtype);
  y[0] = op(pow, operands[0], operands[1]);
}

static Tensor *polygamma(Call *call, Tensor *x, int64_t n)
{
  if (n < 0) raise(call, "n is %lld, but there are no negative derivatives", (long long)n);
  return n == 0 ? op_last(digamma, x) : op_last(polygamma_of, x, scalar_int(n));
}

FORWARD(polygamma) { y[0] = polygamma(call, a->input, a->n); }
FORWARD(polygamma_method) { y[0] = polygamma(call, a->input, a->n); }

FORWARD(zeta)
{
  check_not_both_numbers(call, a->input, a->other);
  y[0] = op(zeta_of, a->input, a->other);
}

BACKWARD(zeta)
{
  if (WANTS(input)) raise(call, "it has a derivative with respect to other only, not to input");
  Tensor *slope = op(mul, a->input, op(zeta, plus(a->input, number(1)), a->other));
  GRAD(other) = summed_to(op(neg, op(mul, dy[0], slope)), a->other);
}

FORWARD(mvlgamma)
{
  enum { MOST = 1 << 16 }; /* so many passes over the input */
  if (a->p < 1 || a->p > MOST) raise(call, "p is %lld; it must be from 1 to %d", (long long)a->p, MOST);
  double p = (double)a->p;
  y[0] = number(p * (p - 1) / 4 * log(3.14159265358979323846));
  for (int64_t i = 0; i < a->p; i++) y[0] = plus(op(lgamma, minus(a->input, number((double)i / 2))), y[0]);
  y[0] = op(contiguous, y[0]);
}
