/* Softmax, its logarithm, and the sums that they are divided by. */
#ifndef NNLUA_KERNELS_SOFTMAX_H
#define NNLUA_KERNELS_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

/* All arrays are contiguous [outer][n][inner]; the sums go along n. Floats only. */
typedef struct SoftmaxKernels {
  void (*forward)(int64_t outer, int64_t n, int64_t inner, bool log, const void *x, void *y);
  void (*backward)(int64_t outer, int64_t n, int64_t inner, bool log, const void *dy, const void *y, void *dx);
  /* y [outer][inner] = log(sum e^x). */
  void (*logsumexp)(int64_t outer, int64_t n, int64_t inner, const void *x, void *y);
} SoftmaxKernels;

#endif
