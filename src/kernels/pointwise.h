/* Kernels of the pointwise rows (ops/table/pointwise_families.def lists their families). */
#ifndef NNLUA_KERNELS_POINTWISE_H
#define NNLUA_KERNELS_POINTWISE_H

#include <stdint.h>

#include "core/scalar.h"

/* n elements from contiguous arrays: p[0] is the result, then the operands in order. */
typedef void (*PointwiseKernel)(int64_t n, char *const *p, const Scalar *params);

/* Of one row. What a derivative does not use may be NULL in p, in whose place it gets any pointer. */
typedef struct PointwiseKernels {
  PointwiseKernel forward;     /* operands -> the result, which is bool for comparisons */
  PointwiseKernel backward[3]; /* dy, operands, y -> the gradient of operand i */
  PointwiseKernel both;        /* of two operands: dy, operands, y -> both gradients, the second one in p[5] */
} PointwiseKernels;

#endif
