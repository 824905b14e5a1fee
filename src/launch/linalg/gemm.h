/* Products of matrices in memory: how each is computed is chosen by its shape, and large ones are cut for threads. */
#ifndef NNLUA_LAUNCH_GEMM_H
#define NNLUA_LAUNCH_GEMM_H

#include "core/tensor.h"
#include "kernels/matmul.h"

/* A matrix with any strides, in elements. Of elements that are narrower than a product of floats it is one that gemm
   takes as it lies. */
typedef struct Matrix {
  const void *data;
  int64_t rows, cols, row_step, col_step;
  Stored stored;
} Matrix;

static inline Matrix turned(const Matrix *m)
{
  return (Matrix){m->data, m->cols, m->rows, m->col_step, m->row_step, m->stored};
}

/* What is added to a product, times a factor: a matrix with contiguous rows, which may be the result itself, or one row
   for all, with a step of 0. Without data nothing is. */
typedef struct Addend {
  const void *data;
  int64_t row_step;
  double factor;
} Addend;

/* Whether gemm takes the matrix as it lies, without a copy. */
bool gemm_takes(const Matrix *m);

/* c = alpha a b + addend, for any dtype but bool and the halves; c has contiguous rows, c_row elements apart. Integers
   take no factors. Halves and int8 are factors of products in float32; two matrices of bytes, without an addend, of
   one in int32. */
void gemm(Call *call, DType dtype, const Matrix *a, const Matrix *b, double alpha, Addend addend, void *c,
          int64_t c_row);

/* The same into all of a contiguous tensor, the result of a call: pointwise rows that the call is planned with
   (core/planned.h) run on parts of it as they are made. */
void gemm_result(Call *call, const Matrix *a, const Matrix *b, double alpha, Addend addend, Tensor *y);

/* As many products as there are batches, c = alpha a b + beta c, where c isn't read if beta is 0; steps in elements, of
   the product's dtype, from one to the next. */
typedef struct BatchSteps {
  int64_t a, b, c;
} BatchSteps;
void gemm_batch(Call *call, DType dtype, int64_t batches, Matrix a, Matrix b, double alpha, double beta, void *c,
                BatchSteps step);

#endif
