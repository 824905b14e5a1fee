/* Numbers of distributions whose parameters are tensors, drawn in row-major order. Gradients of gamma and Dirichlet
   draws are implicit: M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization gradients" (2018). */
#include "ops/random/draws.h"

#include "launch/launch.h"
#include "launch/look.h"
#include "launch/random/random.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/gamma.h"
#include "ops/math/rounding.h"
#include "ops/reduce/sum.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"
#include "ops/table/words.h"

static Generator *generator_of(Call *call, Generator *given) { return given ? given : &call->ctx->generator; }

/* Raises where a parameter is negative or nan. */
static void check_not_negative(Call *call, Tensor *x, const char *text)
{
  check_none_true(call, op(logical_not, op(ge, x, number(0))), text);
}

/* The smallest number of full precision, and the largest one below 1: draws that must not be 0 or 1 end there. */
static const struct {
  double smallest, below_one;
} limits[DTYPE_COUNT] = {[DTYPE_f16] = {0x1p-14, 1 - 0x1p-11},
                         [DTYPE_bf16] = {0x1p-126, 1 - 0x1p-8},
                         [DTYPE_f32] = {0x1p-126, 1 - 0x1p-24},
                         [DTYPE_f64] = {0x1p-1022, 1 - 0x1p-53}};

static Tensor *new_draws(Call *call, const Tensor *like, DType dtype)
{
  return result_new(call, dtype, device_of(like), tensor_shape(like));
}

FORWARD(poisson)
{
  check_argument_floating(call, "input", a->input);
  check_not_negative(call, a->input, "a rate must not be negative");
  y[0] = new_draws(call, a->input, tensor_dtype(a->input));
  launch_draws_of(call, generator_of(call, a->generator), draw_poisson, y[0], TENSOR_LIST(a->input));
}

BACKWARD(poisson) { GRAD(input) = zeros_like_of(dy[0]); }

FORWARD(binomial)
{
  check_argument_floating(call, "count", a->count);
  if (tensor_dtype(a->prob) != tensor_dtype(a->count))
    raise(call, "count and prob must have the same dtype, not %s and %s", dtype_name(tensor_dtype(a->count)),
          dtype_name(tensor_dtype(a->prob)));
  Ints shape = broadcast_operands(call, (Tensor *[]){a->count, a->prob}, 2);
  y[0] = result_new(call, tensor_dtype(a->count), device_of(a->count), shape);
  launch_draws_of(call, generator_of(call, a->generator), draw_binomial, y[0], TENSOR_LIST(a->count, a->prob));
}

BACKWARD(binomial)
{
  if (WANTS(count)) GRAD(count) = zeros_for(call, dy[0], tensor_shape(a->count));
  if (WANTS(prob)) GRAD(prob) = zeros_for(call, dy[0], tensor_shape(a->prob));
}

FORWARD(standard_gamma)
{
  check_argument_floating(call, "input", a->input);
  check_not_negative(call, a->input, "a concentration must not be negative");
  DType dtype = tensor_dtype(a->input);
  y[0] = new_draws(call, a->input, dtype);
  launch_draws_of(call, generator_of(call, a->generator), draw_gamma, y[0], TENSOR_LIST(a->input));
  op_(clamp_from, y[0], scalar_float(limits[dtype].smallest));
}

BACKWARD(standard_gamma) { GRAD(input) = op(mul, dy[0], op(draw_slope, a->input, y[0])); }

static _Noreturn void refuse_second(Call *call) { raise(call, "the gradient of a draw has no gradient of its own"); }

FORWARD(draw_slope) { y[0] = op(gamma_slope, a->input, a->output); }

BACKWARD(draw_slope)
{
  (void)g;
  refuse_second(call);
}

static Tensor *sum_of_last(Call *call, Tensor *x) { return op(sum, x, INTS(-1), true, DTYPE_NONE); }

/* Gamma draws over their sum, in float64 until they are rounded. */
FORWARD(sample_dirichlet)
{
  check_argument_floating(call, "input", a->input);
  if (a->input->ndim == 0) raise(call, "the concentrations need a dimension");
  check_not_negative(call, a->input, "a concentration must not be negative");
  DType dtype = tensor_dtype(a->input);
  Tensor *gamma = new_draws(call, a->input, DTYPE_f64);
  launch_draws_of(call, generator_of(call, a->generator), draw_gamma, gamma, TENSOR_LIST(a->input));
  gamma = op(clamp_from, gamma, scalar_float(limits[DTYPE_f64].smallest));
  Tensor *share = op(div, gamma, sum_of_last(call, gamma));
  y[0] = op(clamp_to, cast(share, dtype), scalar_float(limits[dtype].smallest), scalar_float(limits[dtype].below_one));
}

BACKWARD(sample_dirichlet)
{
  Tensor *slope = op(dirichlet_slope, y[0], a->input, sum_of_last(call, a->input));
  GRAD(input) = op(mul, slope, minus(dy[0], sum_of_last(call, op(mul, y[0], dy[0]))));
}

FORWARD(dirichlet_slope) { y[0] = op(beta_slope, a->output, a->input, a->total); }

BACKWARD(dirichlet_slope)
{
  (void)g;
  refuse_second(call);
}
