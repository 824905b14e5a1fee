/* Factors of matrices and solutions by them, for batches on one thread: small ones by kernels of our own, others by
   LAPACK. Where nothing else is said, tensors lie by columns (launch/linalg/matrices.h), all of one dtype that LAPACK
   takes; info (int32, of the batch's shape) may be NULL. */
#ifndef NNLUA_LAUNCH_FACTOR_H
#define NNLUA_LAUNCH_FACTOR_H

#include "core/tensor.h"

/* Whether there are kernels for a dtype: float32, float64 and complex ones. */
bool takes_factors(DType dtype);

/* a [*, m, n] becomes L and U with a = P L U; pivots (int32, [*, min(m, n)]) say which rows were swapped, from 1; info
   is the place of the first 0 on U's diagonal, from 1, or 0. */
void launch_lu(Call *call, Tensor *a, Tensor *pivots, Tensor *info);

/* b [*, n, k] becomes x with op(A) x = b: A from its factors lu [*, n, n] and pivots [*, n], whose batches may be
   expanded; op transposes and conjugates if it is `adjoint`. */
void launch_lu_solve(Call *call, Tensor *lu, Tensor *pivots, bool adjoint, Tensor *b);

/* det [*] or sign and the logarithm of the magnitude, of the matrices a [*, n, n], in any order, which stay. */
void launch_determinant(Call *call, Tensor *a, Tensor *det);
void launch_log_determinant(Call *call, Tensor *a, Tensor *sign, Tensor *log);

/* One triangle of a [*, n, n] becomes its Cholesky factor, the other one 0; info is the size of the first leading part
   that isn't positive definite, or 0. */
void launch_cholesky(Call *call, Tensor *a, bool upper, Tensor *info);

/* How a triangular matrix is taken. */
typedef struct TriangleForm {
  bool upper, unit;         /* of the matrix as it lies */
  bool transposed, adjoint; /* op: one of them, or none */
  bool right;               /* x op(a) = b, not op(a) x = b */
} TriangleForm;

/* b [*, m, k] becomes x; of a, in any order, its batches may be expanded, only the triangle is read. */
void launch_triangle_solve(Call *call, Tensor *a, TriangleForm form, Tensor *b);

/* a [*, n, n], symmetric or Hermitian, of which the lower triangle is read, becomes L and D with a = L D L^T or
   L D L^H; pivots (int32, [*, n]) are LAPACK's, and so is info. */
void launch_ldl(Call *call, Tensor *a, bool hermitian, Tensor *pivots, Tensor *info);

/* b [*, n, k] becomes x with A x = b, A from its factors, whose batches may be expanded. */
void launch_ldl_solve(Call *call, Tensor *ld, Tensor *pivots, bool hermitian, Tensor *b);

/* The permutation matrices (row-major, [*, m, m]) of pivots [*, k]: a = P L U. */
void launch_row_swaps(Call *call, Tensor *pivots, Tensor *p);

#endif
