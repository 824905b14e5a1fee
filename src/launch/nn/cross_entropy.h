/* Losses of classes: negative log-likelihoods of log-probabilities, and cross entropies of scores. */
#ifndef NNLUA_LAUNCH_CROSS_ENTROPY_H
#define NNLUA_LAUNCH_CROSS_ENTROPY_H

#include "core/tensor.h"
#include "launch/nn/losses.h"

/* The classes that samples are of, for scores of shape [N, C, ...] or [C]: integers from 1 on, of the scores' shape
   without C; a weight for each class, [C], NULL for weights of 1; and the target of samples that don't count. */
typedef struct ClassTargets {
  Tensor *target, *weight;
  int64_t ignore;
} ClassTargets;

/* All of these raise on a target that is no class. Losses are of target's shape; reduced ones are a single element. */

/* y = the losses -weight[t] x[t], or their sum, or that divided by the sum of weights. */
void launch_nll(Call *call, Tensor *x, const ClassTargets *t, Reduction reduction, Tensor *y);

/* Its gradient, of x's shape. */
void launch_nll_backward(Call *call, Tensor *dy, const ClassTargets *t, Reduction reduction, Tensor *dx);

/* The same of log_softmax(x), whose logarithms of sums, of target's shape, go to lse: for the gradient. */
void launch_cross_entropy(Call *call, Tensor *x, const ClassTargets *t, Reduction reduction, Tensor *y, Tensor *lse);
void launch_cross_entropy_backward(Call *call, Tensor *dy, Tensor *x, Tensor *lse, const ClassTargets *t,
                                   Reduction reduction, Tensor *dx);

/* y, a single element, = the sum of the weights of all targets that count, in classes of which there are n. */
void launch_total_weight(Call *call, const ClassTargets *t, int64_t n, Tensor *y);

#endif
