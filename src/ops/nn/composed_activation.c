/* Activations and their kin that are more than one pointwise row. */
#include "ops/nn/composed_activation.h"

#include <string.h>

#include "core/random.h"
#include "launch/random/random.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/softmax.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

FORWARD(gelu)
{
  bool by_tanh = strcmp(a->approximate, "tanh") == 0;
  if (!by_tanh && strcmp(a->approximate, "none") != 0)
    raise(call, "approximate is \"none\" or \"tanh\", not \"%s\"", a->approximate);
  y[0] = by_tanh ? op(gelu_tanh, a->input) : op(gelu_erf, a->input);
}

FORWARD(softshrink)
{
  if (!(a->lambd >= 0)) raise(call, "lambd must not be negative: %g", a->lambd);
  y[0] = op(shrink_softly, a->input, scalar_float(a->lambd));
}

FORWARD(softsign) { y[0] = op(div, a->input, plus(op(abs, a->input), tensor_from_number(call, scalar_int(1)))); }

FORWARD(softmin) { y[0] = op(softmax, op(neg, a->input), a->dim, a->dtype); }

FORWARD(prelu)
{
  Tensor *x = a->input, *w = a->weight;
  if (w->ndim > 1) raise(call, "weight has shape %s, but one dimension at most", shape_text(call, tensor_shape(w)));
  int64_t channels = x->ndim > 1 ? x->shape[1] : 1, shape[MAX_DIMS];
  if (w->numel != 1 && w->numel != channels)
    raise(call, "there are %lld weights, but %lld channels", (long long)w->numel, (long long)channels);
  for (int i = 0; i < x->ndim; i++) shape[i] = i == 1 ? w->numel : 1;
  if (x->ndim == 1) shape[0] = w->numel;
  y[0] = op(sloped_below_zero, x, op(reshape, w, ((Ints){shape, x->ndim})));
}

FORWARD(glu)
{
  Tensor *x = a->input;
  if (x->ndim == 0) raise(call, "a tensor without dimensions has no halves");
  int dim = shape_dim(call, a->dim, x->ndim);
  int64_t half = x->shape[dim] / 2;
  if (x->shape[dim] % 2)
    raise(call, "the shape is %s: the size of dimension %d must be even", shape_text(call, tensor_shape(x)), dim + 1);
  y[0] = op(mul, op(narrow, x, dim, 0, half), op(sigmoid, op(narrow, x, dim, half, half)));
}

FORWARD(normalize)
{
  Tensor *norm = op(norm, a->input, a->p, INTS(a->dim), true, DTYPE_NONE);
  y[0] = op(div, a->input, op(clamp_from, norm, scalar_float(a->eps)));
}

FORWARD(random_slopes)
{
  y[0] = result_new(call, tensor_dtype(a->input), device_of(a->input), tensor_shape(a->input));
  launch_random_slopes(call, &call->ctx->generator, a->input, a->lower, a->upper, y[0]);
}

FORWARD(rrelu)
{
  if (!(a->lower <= a->upper)) raise(call, "lower is %g, above upper, which is %g", a->lower, a->upper);
  if (!dtype_is_floating(tensor_dtype(a->input)))
    raise(call, "a floating point tensor is wanted, not %s", dtype_name(tensor_dtype(a->input)));
  if (a->training) y[0] = op(mul, op(contiguous, a->input), op(random_slopes, a->input, a->lower, a->upper));
  else y[0] = op(contiguous, op(leaky_relu, a->input, scalar_float((a->lower + a->upper) / 2), false));
}
