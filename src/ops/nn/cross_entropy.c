/* Losses of classes. */
#include "ops/nn/cross_entropy.h"

#include "launch/nn/cross_entropy.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/nn/reduction.h"
#include "ops/nn/softmax.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_shapes(Call *call, const Tensor *target, const Tensor *weight, Ints size)
{
  int64_t expected[MAX_DIMS], n = 0;
  if (size.n == 0) raise(call, "input has no dimensions; [C] or [N, C, ...] is wanted");
  int dim = size.n > 1 ? 1 : 0;
  for (int i = 0; i < size.n; i++)
    if (i != dim) expected[n++] = size.v[i];
  if (!shape_equal(tensor_shape(target), (Ints){expected, n}))
    raise(call, "target has shape %s; for an input of shape %s it is %s", shape_text(call, tensor_shape(target)),
          shape_text(call, size), shape_text(call, (Ints){expected, n}));
  if (weight && !(weight->ndim == 1 && weight->shape[0] == size.v[dim]))
    raise(call, "weight has shape %s, and there are %lld classes", shape_text(call, tensor_shape(weight)),
          (long long)size.v[dim]);
}

static void check_classes(Call *call, const Tensor *x, const Tensor *target, const Tensor *weight)
{
  check_argument_floating(call, "input", x);
  if (!dtype_is_integral(tensor_dtype(target)))
    raise(call, "target is %s; int64 positions of classes are wanted", dtype_name(tensor_dtype(target)));
  if (weight && weight->dtype != x->dtype)
    raise(call, "weight is %s and input %s", dtype_name(tensor_dtype(weight)), dtype_name(tensor_dtype(x)));
  check_shapes(call, target, weight, tensor_shape(x));
}

/* As in PyTorch: a class's weight is a setting, not something to learn. */
static void refuse_weight(Call *call, bool wanted)
{
  if (wanted) raise(call, "the gradient of weight is not defined: give one that doesn't require gradients");
}

static Tensor *loss_result(Call *call, const Tensor *x, const Tensor *target, Reduction reduction)
{
  Ints single = {NULL, 0};
  return result_new(call, tensor_dtype(x), device_of(x), reduction == NO_REDUCTION ? tensor_shape(target) : single);
}

/* ---------------------------------------------------------------- log-likelihoods */

FORWARD(nll_loss)
{
  Reduction reduction = reduction_of(call, a->reduction);
  check_classes(call, a->input, a->target, a->weight);
  y[0] = loss_result(call, a->input, a->target, reduction);
  launch_nll(call, a->input, &(ClassTargets){a->target, a->weight, a->ignore_index}, reduction, y[0]);
}

BACKWARD(nll_loss)
{
  refuse_weight(call, a->weight && WANTS(weight));
  GRAD(input) = op(nll_loss_backward, dy[0], a->input, a->target, a->weight, a->ignore_index, a->reduction);
}

FORWARD(nll_loss_backward)
{
  y[0] = result_new(call, tensor_dtype(a->dy), device_of(a->dy), tensor_shape(a->input));
  launch_nll_backward(call, a->dy, &(ClassTargets){a->target, a->weight, a->ignore_index},
                      reduction_of(call, a->reduction), y[0]);
}

BACKWARD(nll_loss_backward)
{
  refuse_weight(call, a->weight && WANTS(weight));
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
  if (WANTS(dy)) GRAD(dy) = op(nll_loss, dy[0], a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
}

/* ------------------------------------------------------------------ cross entropy */

FORWARD(cross_entropy_of_classes)
{
  Tensor *x = a->input;
  Reduction reduction = reduction_of(call, a->reduction);
  check_classes(call, x, a->target, a->weight);
  y[0] = loss_result(call, x, a->target, reduction);
  y[1] = new_beside(call, x, tensor_dtype(x), tensor_shape(a->target));
  launch_cross_entropy(call, x, &(ClassTargets){a->target, a->weight, a->ignore_index}, reduction, y[0], y[1]);
}

/* Under create_graph: the gradient by ops. */
static Tensor *gradient_by_ops(Call *call, const struct cross_entropy_of_classes_args *a, Tensor *dy)
{
  int64_t dim = a->input->ndim > 1 ? 1 : 0;
  Tensor *d = op(nll_loss_backward, dy, a->input, a->target, a->weight, a->ignore_index, a->reduction);
  Tensor *sum = op(sum, d, INTS(dim), true, DTYPE_NONE);
  return minus(d, op(mul, op(softmax, a->input, dim, DTYPE_NONE), sum));
}

BACKWARD(cross_entropy_of_classes)
{
  Tensor *x = a->input;
  refuse_weight(call, a->weight && WANTS(weight));
  if (!dy[0]) return;
  if (call->ctx->grad_enabled) {
    GRAD(input) = gradient_by_ops(call, a, dy[0]);
    return;
  }
  Tensor *dx = GRAD(input) = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_cross_entropy_backward(call, dy[0], x, y[1], &(ClassTargets){a->target, a->weight, a->ignore_index},
                                reduction_of(call, a->reduction), dx);
}

/* The weights of classes, shaped to multiply scores. */
static Tensor *class_weights(Call *call, Tensor *weight, const Tensor *x, int dim)
{
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) shape[i] = i == dim ? x->shape[i] : 1;
  return op(reshape, weight, ((Ints){shape, x->ndim}));
}

typedef struct cross_entropy_args CrossEntropyArgs;

/* -sum over classes of weight * target * log softmax, unreduced. */
static Tensor *weighted_scores(Call *call, const CrossEntropyArgs *a, Tensor *scores, int dim)
{
  if (a->weight) scores = op(mul, scores, class_weights(call, a->weight, a->input, dim));
  return op(neg, op(sum, scores, INTS(dim), false, DTYPE_NONE));
}

static Tensor *of_probabilities(Call *call, const CrossEntropyArgs *a, int dim)
{
  Tensor *x = a->input, *target = a->target;
  if (!tensor_same_shape(x, target))
    raise(call, "a %s target of shape %s: probabilities have the shape of input, %s; labels are int64 (target:long())",
          dtype_name(tensor_dtype(target)), shape_text(call, tensor_shape(target)), shape_text(call, tensor_shape(x)));
  double classes = (double)x->shape[dim], smoothing = a->label_smoothing;
  if (smoothing > 0) target = plus(op(mul, target, number(1 - smoothing)), number(smoothing / classes));
  Tensor *losses = weighted_scores(call, a, op(mul, op(log_softmax, x, dim, DTYPE_NONE), target), dim);
  if (reduction_of(call, a->reduction) != MEAN) return reduced(call, losses, a->reduction);
  Tensor *mean = op(div, sum_of(widened(losses)), number((double)x->numel / classes));
  return cast(mean, tensor_dtype(losses));
}

FORWARD(total_weight)
{
  y[0] = result_new(call, a->dtype, device_of(a->target), (Ints){NULL, 0});
  launch_total_weight(call, &(ClassTargets){a->target, a->weight, a->ignore_index}, a->classes, y[0]);
}

/* The sum of losses divided by that of the targets' weights, which rounds once at the end. */
static Tensor *weighted_mean(Call *call, const CrossEntropyArgs *a, Tensor *losses, int dim)
{
  Tensor *sum = sum_of(widened(losses));
  Tensor *total = op(total_weight, a->target, a->weight, a->ignore_index, a->input->shape[dim], tensor_dtype(sum));
  return cast(op(div, sum, total), tensor_dtype(losses));
}

static Tensor *smoothed(Call *call, const CrossEntropyArgs *a, int dim)
{
  Tensor *x = a->input, *log_p = op(log_softmax, x, dim, DTYPE_NONE);
  Tensor *nll = op(nll_loss, log_p, a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
  Tensor *smooth = weighted_scores(call, a, widened(log_p), dim);
  Tensor *ignored = op(eq, a->target, tensor_from_number(call, scalar_int(a->ignore_index)));
  smooth = op(where, ignored, zeros_like_of(smooth), smooth);
  smooth = reduction_of(call, a->reduction) == MEAN ? weighted_mean(call, a, smooth, dim)
                                                    : reduced(call, smooth, a->reduction);
  double share = a->label_smoothing;
  Tensor *loss = plus(op(mul, nll, number(1 - share)), op(mul, smooth, number(share / (double)x->shape[dim])));
  return cast(loss, tensor_dtype(log_p));
}

/* The halves round in between, as PyTorch's. */
static Tensor *in_steps(Call *call, const CrossEntropyArgs *a, int dim)
{
  check_classes(call, a->input, a->target, a->weight);
  Tensor *log_p = op(log_softmax, a->input, dim, DTYPE_NONE);
  return op(nll_loss, log_p, a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
}

FORWARD(cross_entropy)
{
  int dim = a->input->ndim > 1 ? 1 : 0;
  if (a->label_smoothing < 0 || a->label_smoothing > 1)
    raise(call, "label_smoothing is %g; it is between 0 and 1", a->label_smoothing);
  if (dtype_is_floating(tensor_dtype(a->target))) y[0] = of_probabilities(call, a, dim);
  else if (a->label_smoothing > 0) y[0] = smoothed(call, a, dim);
  else if (dtype_compute(tensor_dtype(a->input)) != tensor_dtype(a->input)) y[0] = in_steps(call, a, dim);
  else y[0] = op(cross_entropy_of_classes, a->input, a->target, a->weight, a->ignore_index, a->reduction).v[0];
}
