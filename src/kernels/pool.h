/* Pooling: windows over volumes of planes, lines and columns; an image is a volume of one plane. */
#ifndef NNLUA_KERNELS_POOL_H
#define NNLUA_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Triples are planes, lines and columns. A window of a result begins at result * stride - padding. */
typedef struct Pool {
  int64_t size[3], result[3], kernel[3], stride[3], padding[3], dilation[3];
  bool count_padding; /* of averages: what lies in the padding counts as an element */
  int64_t divisor;    /* of averages: if not 0, divides instead of the count */
} Pool;

/* Of contiguous volumes: x and dx [volumes][size…], y, dy and positions [volumes][result…]. Floats, averages of int64
   too. */
typedef struct PoolKernels {
  void (*average)(const Pool *p, int64_t volumes, const void *x, void *y);
  void (*average_backward)(const Pool *p, int64_t volumes, const void *dy, void *dx);
  /* Maxima with their positions (from 1) in the volume, unless NULL; the gradients find them again in x. */
  void (*max)(const Pool *p, int64_t volumes, const void *x, void *y, int64_t *positions);
  void (*max_backward)(const Pool *p, int64_t volumes, const void *x, const void *dy, void *dx);
  /* Maxima of windows of other places: of adaptive ones, or, unless begins is NULL, of those of the kernel's size that
     begin at the planes, lines and columns (from 1) that begins [volumes][planes + lines + columns of results]
     tells. */
  void (*placed_max)(const Pool *p, int64_t volumes, const int64_t *begins, const void *x, void *y, int64_t *positions);
} PoolKernels;

/* The window of an adaptive result along a dimension: from first to before last. */
static inline int64_t adaptive_first(int64_t i, int64_t size, int64_t results) { return i * size / results; }
static inline int64_t adaptive_last(int64_t i, int64_t size, int64_t results)
{
  return ((i + 1) * size + results - 1) / results;
}

#endif
