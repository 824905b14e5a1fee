/* Softmax. */
#include "ops/nn/softmax.h"

#include "launch/nn/softmax.h"
#include "ops/index/gather.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/random/random.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

static Tensor *softmax_of(Call *call, bool log, Tensor *x, int64_t dim, DType dtype)
{
  int d = shape_dim(call, dim, x->ndim);
  x = input_as(call, x, dtype);
  check_argument_floating(call, "input", x);
  Tensor *y = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_softmax(call, log, x, d, y);
  return y;
}

/* Under create_graph: the gradient by ops. */
static Tensor *gradient_by_ops(Call *call, bool log, Tensor *y, Tensor *dy, int64_t dim)
{
  if (log) return minus(dy, op(mul, op(exp, y), op(sum, dy, INTS(dim), true, DTYPE_NONE)));
  Tensor *sum = op(sum, op(mul, dy, y), INTS(dim), true, DTYPE_NONE);
  return op(mul, minus(dy, sum), y);
}

static Tensor *gradient_of(Call *call, bool log, Tensor *y, Tensor *dy, int64_t dim, const Tensor *x)
{
  Tensor *dx;
  if (call->ctx->grad_enabled) {
    dx = gradient_by_ops(call, log, y, dy, dim);
  } else {
    dx = new_beside(call, y, tensor_dtype(y), tensor_shape(y));
    launch_softmax_backward(call, log, dy, y, shape_dim(call, dim, y->ndim), dx);
  }
  return cast(dx, tensor_dtype(x));
}

FORWARD(softmax) { y[0] = softmax_of(call, false, a->input, a->dim, a->dtype); }
FORWARD(log_softmax) { y[0] = softmax_of(call, true, a->input, a->dim, a->dtype); }
BACKWARD(softmax) { GRAD(input) = gradient_of(call, false, y[0], dy[0], a->dim, a->input); }
BACKWARD(log_softmax) { GRAD(input) = gradient_of(call, true, y[0], dy[0], a->dim, a->input); }

/* Where hard, the value is one of ones and zeros and the gradient that of y. */
FORWARD(gumbel_softmax)
{
  Tensor *x = a->logits;
  check_argument_floating(call, "logits", x);
  Tensor *noise = op_(exponential, op(empty_like, op(detach, x), DTYPE_NONE, DEVICE_NONE, false), 1, a->generator);
  noise = op(neg, op(log, noise));
  Tensor *soft = op(softmax, op(div, plus(x, noise), number(a->tau)), a->dim, DTYPE_NONE);
  y[0] = soft;
  if (!a->hard) return;
  Tensors best = op(max_dim, op(detach, soft), a->dim, true);
  Tensor *ones = op(scatter_value, op(zeros_like, op(detach, x), DTYPE_NONE, DEVICE_NONE, false), a->dim, best.v[1],
                    scalar_int(1));
  y[0] = plus(minus(ones, op(detach, soft)), soft);
}
