/* What ops on matrices share: checks of their arguments, and shapes and order of their results. A tensor of more than
   two dimensions is a batch of matrices. */
#ifndef NNLUA_OPS_LINALG_MATRICES_H
#define NNLUA_OPS_LINALG_MATRICES_H

#include "core/tensor.h"

static inline int64_t rows_of(const Tensor *x) { return x->shape[x->ndim - 2]; }
static inline int64_t cols_of(const Tensor *x) { return x->shape[x->ndim - 1]; }

/* Raise if the argument `name` is no matrix, of a dtype that LAPACK doesn't take, or not square. */
void check_matrices(Call *call, const Tensor *x, const char *name);
void check_square(Call *call, const Tensor *x, const char *name);

/* Raises if an argument has another dtype than `of`. */
void check_same_dtype(Call *call, const Tensor *x, const char *name, const Tensor *of, const char *name_of);

/* A batch's dimensions, then n more; in the arena. */
Ints batch_shape(const Tensor *x);
Ints batch_and(Call *call, Ints batch, Ints rest);

/* The batch's dimensions that two tensors of matrices broadcast to. */
Ints common_batch(Call *call, const Tensor *a, const Tensor *b);

/* x as of this batch: its last `rest` dimensions stay. */
Tensor *of_batch(Call *call, Tensor *x, Ints batch, int rest);

/* A result of matrices that lie column by column, as PyTorch's do. */
Tensor *result_by_columns(Call *call, DType dtype, Ints shape);

/* A result by columns with the elements of x, which broadcasts to it. */
Tensor *copied_by_columns(Call *call, Tensor *x, Ints shape);

void fill_identity(Call *call, Tensor *t);

/* Raises if a matrix has failed, as info (int32) says: which one if there is a batch, then the text, in which %d stands
   for what info has. */
void check_info(Call *call, Tensor *info, const char *text);

/* Words of gradients of matrices. */
#define product_of(a, b) op(matmul, a, b)
#define lower_part(t, k) op(tril, t, k)
#define upper_part(t, k) op(triu, t, k)
#define identity_of(n, like) op(eye, n, NO_INT, tensor_dtype(like), device_behind(like), false)

#endif
