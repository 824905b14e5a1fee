/* The regularized incomplete gamma functions, whose derivative by the second argument is the gamma distribution's
   density. That by the first one has no closed form. */
#include "ops/math/incomplete_gamma.h"

#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/math/gamma.h"
#include "ops/math/special.h"
#include "ops/table/helpers.h"
#include "ops/table/words.h"

FORWARD(igamma) { y[0] = op(igamma_of, a->input, a->other); }
FORWARD(igammac) { y[0] = op(igammac_of, a->input, a->other); }

static void check_no_gradient(Call *call, bool wanted)
{
  if (wanted) raise(call, "there is no gradient of input, only of other: detach input");
}

/* dy x^(a-1) e^-x / Gamma(a) */
static Tensor *by_density(Call *call, Tensor *dy, Tensor *concentration, Tensor *x)
{
  Tensor *exponent = minus(op(mul, minus(concentration, number(1)), op(log, x)), plus(x, op(lgamma, concentration)));
  return op(mul, dy, op(exp, exponent));
}

BACKWARD(igamma)
{
  check_no_gradient(call, WANTS(input));
  GRAD(other) = summed_to(by_density(call, dy[0], a->input, a->other), a->other);
}

BACKWARD(igammac)
{
  check_no_gradient(call, WANTS(input));
  GRAD(other) = summed_to(by_density(call, op(neg, dy[0]), a->input, a->other), a->other);
}
