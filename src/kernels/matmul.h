/* Our own products of matrices; gemm.h decides between them and BLAS. */
#ifndef NNLUA_KERNELS_MATMUL_H
#define NNLUA_KERNELS_MATMUL_H

#include <stdbool.h>
#include <stdint.h>

/* Steps are in elements. */
typedef struct MatmulKernels {
  /* c [m][n], rows c_row apart = a [m][k], any strides, times b [k][n], any strides; plus c if `add`. */
  void (*product)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                  int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row);
  /* Floats only: c [m][n] = a [m][k] times the transpose of b [n][k], all with contiguous rows; m is small. */
  void (*dots)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, const void *b, int64_t b_row, bool add,
               void *c, int64_t c_row);
  int64_t own_product; /* up to so many multiplications `product` is at least as fast as BLAS */
} MatmulKernels;

#endif
