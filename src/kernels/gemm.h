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

/* Leaves threads to us. Called once, before the first product. */
void gemm_prepare(void);

/* Whether gemm takes the matrix as it lies, without a copy. */
bool gemm_takes(const Matrix *m);

/* c = alpha a b + beta c, for any dtype but bool and the halves; c has contiguous rows, c_row elements apart, and is
   not read if beta is 0. Integers take no alpha, and a beta of 0 or 1. Large products run on several threads. */
void gemm(DType dtype, const Matrix *a, const Matrix *b, Scalar alpha, Scalar beta, void *c, int64_t c_row);

/* As many products as there are batches; steps in elements from one to the next. */
void gemm_batch(DType dtype, int64_t batches, Matrix a, int64_t a_step, Matrix b, int64_t b_step, void *c,
                int64_t c_step);

/* The BLAS: name and version are the first `length` characters; the processor it has chosen its kernels for. */
typedef struct BlasVersion {
  const char *name, *core;
  int length;
} BlasVersion;
BlasVersion kernels_blas(void);

#endif
