/* Losses of classes: negative log likelihood, and cross entropy. */
#ifndef NNLUA_KERNELS_LOSS_H
#define NNLUA_KERNELS_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * x and dx are [outer][n][inner] with n classes; target (1..n, or what is to be ignored), losses, lse and dy
 * [outer][inner]; dy is a single number if dy_is_single. weight [n] may be NULL, and so may losses. Floats only.
 */
typedef struct LossKernels {
  /* loss = -weight[t] * x[o][t][i] for target t, 0 if t is to be ignored. Adds all losses to totals[0] and all weights
     to totals[1]. */
  void (*nll)(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target, const void *weight,
              int64_t ignore, void *losses, double *totals);
  /* dx (zeroed) = the gradient of that: -weight[t] * scale * dy. */
  void (*nll_backward)(int64_t outer, int64_t n, int64_t inner, const void *dy, bool dy_is_single, double scale,
                       const int64_t *target, const void *weight, int64_t ignore, void *dx);
  /* The same of log_softmax(x), whose log(sum(exp(x))) goes to lse. */
  void (*cross_entropy)(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target,
                        const void *weight, int64_t ignore, void *losses, void *lse);
  void (*cross_entropy_backward)(int64_t outer, int64_t n, int64_t inner, const void *x, const void *lse,
                                 const void *dy, bool dy_is_single, double scale, const int64_t *target,
                                 const void *weight, int64_t ignore, void *dx);
} LossKernels;

#endif
