/* The geometry of pooling: windows over planes of lines and columns. */
#ifndef NNLUA_KERNELS_POOL_H
#define NNLUA_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Pairs are lines and columns. A window of a result begins at result * stride - padding. */
typedef struct Pool {
  int64_t size[2], result[2], kernel[2], stride[2], padding[2], dilation[2];
  bool count_padding;  /* of averages: what lies in the padding counts as an element */
  int64_t divisor;     /* of averages: if not 0, divides instead of the count */
} Pool;

/* The window of an adaptive result along a dimension: from first to before last. */
static inline int64_t adaptive_first(int64_t i, int64_t size, int64_t results) { return i * size / results; }
static inline int64_t adaptive_last(int64_t i, int64_t size, int64_t results)
{
  return ((i + 1) * size + results - 1) / results;
}

#endif
