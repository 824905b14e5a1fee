/* Losses of elements and of vectors. */
#include "ops/nn/losses.h"

#include <math.h>
#include <string.h>

#include "launch/look.h"
#include "launch/nn/losses.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/linalg/distance.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/exponential.h"
#include "ops/math/penalty.h"
#include "ops/nn/reduction.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static Tensor *above_zero(Call *call, Tensor *t) { return op(clamp_from, t, scalar_int(0)); }
static Tensor *sum_along(Call *call, Tensor *t, int64_t dim) { return op(sum, t, INTS(dim), false, DTYPE_NONE); }

static Tensor *weighted_losses(Call *call, Tensor *losses, Tensor *weight)
{
  return weight ? op(mul, losses, weight) : losses;
}

static void check_same_shape(Call *call, const Tensor *input, const Tensor *target)
{
  if (!tensor_same_shape(input, target))
    raise(call, "target has shape %s, and input %s: they must be the same", shape_text(call, tensor_shape(target)),
          shape_text(call, tensor_shape(input)));
}

/* ---------------------------------------------------------------- differences */

FORWARD(l1_loss) { y[0] = reduced(call, op(abs, minus(a->input, a->target)), a->reduction); }

FORWARD(mse_loss)
{
  Tensor *pair[2] = {a->input, a->target};
  Reduction reduction = reduction_of(call, a->reduction);
  DType d = promote_operands(call, pair, 2);
  if (!dtype_is_floating(d)) raise(call, "%s tensors are not taken: losses are floating point numbers", dtype_name(d));
  if (reduction == NO_REDUCTION) {
    Tensor *difference = minus(a->input, a->target);
    y[0] = op(mul, difference, difference);
    return;
  }
  Ints shape = broadcast_operands(call, pair, 2);
  y[0] = result_new(call, d, device_of(a->input), (Ints){NULL, 0});
  launch_squared_error(call, expanded_to(call, a->input, shape), expanded_to(call, a->target, shape), reduction, y[0]);
}

BACKWARD(mse_loss)
{
  double factor = 2;
  if (reduction_of(call, a->reduction) == MEAN) {
    Tensor *pair[2] = {a->input, a->target};
    factor /= (double)shape_numel(call, broadcast_operands(call, pair, 2));
  }
  Tensor *difference = minus(a->input, a->target);
  Tensor *d = op(mul, difference, op(mul, dy[0], number(factor)));
  if (WANTS(input)) GRAD(input) = op(sum_to, d, tensor_shape(a->input), tensor_dtype(a->input));
  if (WANTS(target)) GRAD(target) = op(sum_to, op(neg, d), tensor_shape(a->target), tensor_dtype(a->target));
}

FORWARD(smooth_l1_loss)
{
  if (!(a->beta >= 0)) raise(call, "beta must not be negative: %g", a->beta);
  Tensor *losses = a->beta == 0 ? op(abs, minus(a->input, a->target))
                                : op(smooth_l1_penalty, a->input, a->target, scalar_float(a->beta));
  y[0] = reduced(call, losses, a->reduction);
}

FORWARD(huber_loss)
{
  if (!(a->delta > 0)) raise(call, "delta must be positive, not %g", a->delta);
  y[0] = reduced(call, op(huber_penalty, a->input, a->target, scalar_float(a->delta)), a->reduction);
}

/* ---------------------------------------------------------------- likelihoods */

FORWARD(binary_cross_entropy)
{
  check_same_shape(call, a->input, a->target);
  check_none_true(call, op(is_no_share, a->input),
                  "the input has elements that are no probability, from 0 to 1: binary_cross_entropy_with_logits takes "
                  "any number");
  check_none_true(call, op(is_no_share, a->target), "target has elements that are no probability, from 0 to 1");
  y[0] = reduced(call, weighted_losses(call, op(probability_penalty, a->input, a->target), a->weight), a->reduction);
}

FORWARD(binary_cross_entropy_with_logits)
{
  check_same_shape(call, a->input, a->target);
  Tensor *losses = a->pos_weight ? op(weighted_logit_penalty, a->input, a->target, a->pos_weight)
                                 : op(logit_penalty, a->input, a->target);
  y[0] = reduced(call, weighted_losses(call, losses, a->weight), a->reduction);
}

FORWARD(kl_div)
{
  Tensor *losses = a->log_target ? op(log_divergence_penalty, a->input, a->target)
                                 : op(divergence_penalty, a->input, a->target);
  if (strcmp(a->reduction, "batchmean") != 0) {
    y[0] = reduced(call, losses, a->reduction);
    return;
  }
  y[0] = sum_of(widened(losses));
  if (a->input->ndim) y[0] = op(div, y[0], number((double)a->input->shape[0]));
  y[0] = cast(y[0], tensor_dtype(losses));
}

FORWARD(poisson_nll_loss)
{
  Tensor *x = a->input, *t = a->target;
  Tensor *losses = a->log_input ? minus(op(exp, x), op(mul, t, x))
                                : minus(x, op(mul, t, op(log, plus(x, number(a->eps)))));
  if (a->full) { /* Stirling's formula for the logarithm of the factorial */
    Tensor *term = minus(op(mul, t, op(log, t)), t);
    term = plus(term, op(mul, op(log, op(mul, t, number(2 * M_PI))), number(0.5)));
    losses = plus(losses, op(masked_fill, term, op(le, t, number(1)), number(0)));
  }
  y[0] = reduced(call, losses, a->reduction);
}

/* The variances as they broadcast to the input: one for each element, or one for all along a dimension. */
static Tensor *variances(Call *call, const Tensor *x, Tensor *var)
{
  int n = x->ndim;
  if (tensor_same_shape(x, var)) return var;
  if (n && shape_equal(tensor_shape(var), (Ints){x->shape, n - 1})) return op(unsqueeze, var, n - 1);
  int64_t others = 0; /* the sum of the sizes that differ: 1 if that is one dimension, of size 1 */
  for (int i = 0; i < n && n == var->ndim; i++) others += var->shape[i] == x->shape[i] ? 0 : var->shape[i];
  if (others != 1)
    raise(call, "var of shape %s doesn't fit an input of shape %s", shape_text(call, tensor_shape(var)),
          shape_text(call, tensor_shape(x)));
  return var;
}

FORWARD(gaussian_nll_loss)
{
  Tensor *var = variances(call, a->input, a->var);
  check_none_true(call, op(lt, var, number(0)), "var has negative elements");
  Tensor *plain = op(detach, var), *eps = number(a->eps);
  Tensor *raised = plus(var, minus(eps, plain)); /* the gradient goes past the bound */
  var = op(where, op(lt, plain, eps), raised, var);
  Tensor *difference = minus(a->input, a->target);
  Tensor *losses = plus(op(log, var), op(div, op(mul, difference, difference), var));
  losses = op(mul, losses, number(0.5));
  if (a->full) losses = plus(losses, number(0.5 * log(2 * M_PI)));
  y[0] = reduced(call, losses, a->reduction);
}

/* -------------------------------------------------------------------- margins */

/* t where the target is (or is not) a value, else 0. To a target of uint8, -1 is 255. */
static Tensor *where_target(Call *call, Tensor *target, int64_t value, bool is, Tensor *t)
{
  Tensor *v = tensor_from_number(call, scalar_int(value)), *zero = number(0);
  return op(where, is ? op(eq, target, v) : op(ne, target, v), t, zero);
}

FORWARD(hinge_embedding_loss)
{
  Tensor *below = above_zero(call, minus(number(a->margin), a->input));
  Tensor *losses = plus(where_target(call, a->target, 1, false, below),
                        where_target(call, a->target, -1, false, a->input));
  y[0] = reduced(call, losses, a->reduction);
}

FORWARD(margin_ranking_loss)
{
  Tensor *gap = op(mul, op(neg, a->target), minus(a->input1, a->input2));
  y[0] = reduced(call, above_zero(call, plus(gap, number(a->margin))), a->reduction);
}

FORWARD(cosine_embedding_loss)
{
  const double eps = 1e-12; /* as PyTorch's */
  Tensor *p = a->input1, *q = a->input2;
  int64_t dim = a->target->ndim;
  if (dim > 1 || p->ndim != dim + 1 || q->ndim != dim + 1)
    raise(
      call, "inputs of shapes %s and %s don't fit a target of shape %s: vectors and a number, or matrices and a vector",
      shape_text(call, tensor_shape(p)), shape_text(call, tensor_shape(q)), shape_text(call, tensor_shape(a->target)));
  Tensor *pair[] = {p, q};
  DType d = promote_operands(call, pair, 2);
  p = widened(p);
  q = widened(q);
  Tensor *left = plus(sum_along(call, op(mul, p, p), dim), number(eps));
  Tensor *right = plus(sum_along(call, op(mul, q, q), dim), number(eps));
  Tensor *cosine = op(div, sum_along(call, op(mul, p, q), dim), op(sqrt, op(mul, left, right)));
  Tensor *apart = above_zero(call, minus(cosine, number(a->margin)));
  Tensor *losses = plus(where_target(call, a->target, 1, true, minus(number(1), cosine)),
                        where_target(call, a->target, -1, true, apart));
  Tensor *loss = reduced(call, losses, a->reduction);
  y[0] = dtype_is_floating(d) ? cast(loss, d) : loss;
}

FORWARD(soft_margin_loss)
{
  Tensor *z = op(neg, op(mul, a->target, a->input));
  y[0] = reduced(call, op(softplus, z, scalar_int(1), scalar_int(20)), a->reduction);
}

FORWARD(multilabel_soft_margin_loss)
{
  /* both logarithms apart, as PyTorch has them: so an infinite score of a right class has an infinite loss, not nan */
  Tensor *there = op(mul, a->target, op(logsigmoid, a->input));
  Tensor *not_there = op(mul, minus(number(1), a->target), op(logsigmoid, op(neg, a->input)));
  Tensor *losses = weighted_losses(call, op(neg, plus(there, not_there)), a->weight);
  int64_t last = losses->ndim - 1;
  if (last < 0) raise(call, "input has no dimension of classes");
  y[0] = reduced(call, op(mean, losses, INTS(last), false, DTYPE_NONE), a->reduction);
}

/* Scores as [samples, classes]. */
static Tensor *as_samples(Call *call, Tensor *x)
{
  if (x->ndim > 2)
    raise(call, "input has shape %s; [classes] or [samples, classes] is wanted", shape_text(call, tensor_shape(x)));
  return x->ndim == 2 ? x : op(reshape, x, INTS(1, x->ndim ? x->shape[0] : 1));
}

static void check_labels_fit(Call *call, const Tensor *x, const Tensor *target, int64_t wanted)
{
  if (target->numel != wanted || target->dtype != DTYPE_i64)
    raise(call, "target is %s of shape %s, which doesn't fit an input of shape %s", dtype_name(tensor_dtype(target)),
          shape_text(call, tensor_shape(target)), shape_text(call, tensor_shape(x)));
}

FORWARD(multi_margin_loss)
{
  if (a->p != 1 && a->p != 2) raise(call, "p is 1 or 2, not %lld", (long long)a->p);
  Tensor *x = as_samples(call, a->input);
  int64_t samples = x->shape[0], classes = x->shape[1];
  check_labels_fit(call, a->input, a->target, samples);
  Tensor *target = op(reshape, a->target, INTS(samples, 1));
  Tensor *gap = above_zero(call, plus(minus(number(a->margin), op(gather, x, 1, target, false)), x));
  if (a->p == 2) gap = op(mul, gap, gap);
  if (a->weight)
    gap = op(mul, gap, op(unsqueeze, op(index_select, a->weight, 0, op(reshape, target, INTS(samples))), 1));
  Tensor *ones = ones_like_of(op(detach, x));
  gap = op(mul, gap, op(scatter_value, ones, 1, target, scalar_int(0)));
  Tensor *losses = op(div, sum_along(call, gap, 1), number((double)classes));
  if (a->input->ndim < 2) losses = op(reshape, losses, ((Ints){NULL, 0}));
  y[0] = reduced(call, losses, a->reduction);
}

FORWARD(listed_labels)
{
  const Tensor *x = a->input;
  y[0] = new_beside(call, x, DTYPE_i64, tensor_shape(x));
  y[1] = new_beside(call, x, DTYPE_b8, tensor_shape(x));
  y[2] = new_beside(call, x, DTYPE_b8, tensor_shape(x));
  launch_listed_labels(call, a->target, y[0], y[1], y[2]);
}

FORWARD(multilabel_margin_loss)
{
  Tensor *x = as_samples(call, a->input);
  check_labels_fit(call, a->input, a->target, x->numel);
  int64_t samples = x->shape[0], classes = x->shape[1];
  Tensors labels = op(listed_labels, x, op(reshape, a->target, INTS(samples, classes)));
  Tensor *of_target = op(unsqueeze, op(gather, x, 1, labels.v[0], false), 2);
  Tensor *gap = above_zero(call, plus(minus(number(1), of_target), op(unsqueeze, x, 1)));
  Tensor *zero = number(0);
  gap = op(where, op(unsqueeze, labels.v[1], 2), gap, zero);
  gap = op(where, op(unsqueeze, labels.v[2], 1), zero, gap);
  Tensor *losses = op(div, op(sum, gap, INTS(1, 2), false, DTYPE_NONE), number((double)classes));
  if (a->input->ndim < 2) losses = op(reshape, losses, ((Ints){NULL, 0}));
  y[0] = reduced(call, losses, a->reduction);
}

FORWARD(triplet_margin_loss)
{
  if (!(a->margin > 0)) raise(call, "margin must be positive, not %g", a->margin);
  Tensor *to_positive = op(pairwise_distance, a->anchor, a->positive, a->p, a->eps, false);
  Tensor *to_negative = op(pairwise_distance, a->anchor, a->negative, a->p, a->eps, false);
  if (a->swap)
    to_negative = op(minimum, to_negative, op(pairwise_distance, a->positive, a->negative, a->p, a->eps, false));
  Tensor *gap = plus(minus(to_positive, to_negative), number(a->margin));
  y[0] = reduced(call, above_zero(call, gap), a->reduction);
}
