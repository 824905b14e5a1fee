/* Batches of matrices: the last two dimensions of a tensor are a matrix's rows and columns, those before them a
   batch's. Fortran wants them column by column. */
#ifndef NNLUA_LAUNCH_MATRICES_H
#define NNLUA_LAUNCH_MATRICES_H

#include "core/tensor.h"

/* Strides of matrices of this shape that are dense, column by column; in the arena. */
Ints by_columns_order(Call *call, Ints shape);

/* A new tensor of matrices by columns. */
Tensor *new_by_columns(Call *call, const Tensor *beside, DType dtype, Ints shape);

/* x itself if the elements of each column lie side by side and columns apart, else a copy by columns. */
Tensor *by_columns(Call *call, Tensor *x);

/* Whether columns lie as by_columns has them, and how many elements they are apart: LAPACK's lda. */
bool lies_by_columns(const Tensor *x);
int columns_apart(const Tensor *x);

/* Raises if a dimension is beyond LAPACK's integers. */
void check_lapack_sizes(Call *call, const Tensor *x);

/*
 * Runs a step for each item of a batch: of tensors whose first dimensions are all the batch's (strides may be 0 there),
 * at[i] is where the i-th one's item begins, NULL if that tensor is. The tensors are where the caller can write to.
 */
typedef void (*MatrixStep)(const void *params, char *const *at);
void each_matrix(Call *call, Ints batch, Tensors tensors, MatrixStep step, const void *params);

/* LAPACK's room for an answer to a query of work, and the size that it asks for; raises if it is no int. */
typedef union WorkAnswer {
  float single;
  double wide[2];
} WorkAnswer;
int work_asked_for(Call *call, DType dtype, const WorkAnswer *answer);

/* The first of a batch's results (int32) that isn't 0, counted from 0; -1 if there is none, or none that is known. */
int64_t first_failure(const Tensor *info, int *value);

/* Memory until the running call ends: n elements of a dtype, and a few more, since OpenBLAS's gemv of complex numbers
   reads an element beyond what it is given. */
void *scratch_of(Call *call, DType dtype, int64_t n);
Tensor *scratch_by_columns(Call *call, DType dtype, Ints shape);

/* Raises if an element is infinite or nan: there LAPACK may not end. t is dense. */
void check_finite(Call *call, const Tensor *t);

#endif
