/* Casts between all dtypes; those of each instruction set give the same numbers. */
#ifndef NNLUA_KERNELS_CAST_H
#define NNLUA_KERNELS_CAST_H

#include "kernels/table.h"

/* Casts n elements, strides in bytes. */
typedef void (*CastKernel)(int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride);

typedef struct CastKernels {
  CastKernel to[DTYPE_COUNT]; /* from the table's dtype */
} CastKernels;

static inline CastKernel cast_kernel(DType from, DType to) { return kernels_of(from)->cast->to[to]; }

#endif
