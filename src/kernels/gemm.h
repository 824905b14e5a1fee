/* Products of matrices in memory: routed to BLAS, or to our own loops where those are faster. */
#ifndef NNLUA_KERNELS_GEMM_H
#define NNLUA_KERNELS_GEMM_H

#include "core/dtype.h"
#include "core/scalar.h"

/* A matrix with any strides, in elements. */
typedef struct Matrix {
  const void *data;
  int64_t rows, cols, row_step, col_step;
} Matrix;

/* Whether gemm takes the matrix as it lies, without a copy. */
bool gemm_takes(const Matrix *m);

/* Whether a product needs BLAS (kernels/cblas.h), to be loaded before; others call it where it is there. */
bool gemm_needs_blas(DType dtype, Scalar alpha, Scalar beta);

/* c = alpha a b + beta c, for any dtype but bool and the halves; c has contiguous rows, c_row elements apart, and is
   not read if beta is 0. Integers take no alpha, and a beta of 0 or 1. Large products run on several threads. */
void gemm(DType dtype, const Matrix *a, const Matrix *b, Scalar alpha, Scalar beta, void *c, int64_t c_row);

/* As many products as there are batches; steps in elements from one to the next. */
void gemm_batch(DType dtype, int64_t batches, Matrix a, int64_t a_step, Matrix b, int64_t b_step, void *c,
                int64_t c_step);

#endif
