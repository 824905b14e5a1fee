/* Singular value decompositions by LAPACK. Matrices are row-major and dense; what they hold is overwritten. The library
   is to be loaded before any of the functions is called. */
#ifndef NNLUA_KERNELS_LAPACK_SVD_H
#define NNLUA_KERNELS_LAPACK_SVD_H

#include "core/dtype.h"

/* Which vectors a singular value decomposition computes. */
typedef enum SvdVectors { SVD_NONE, SVD_THIN, SVD_FULL } SvdVectors;

/* What decompositions of m x n matrices of float32, float64 or a complex dtype need; m and n are positive. */
typedef struct SvdPlan {
  DType dtype;
  SvdVectors vectors;
  int m, n, work;
  size_t room; /* bytes of scratch; 0 if the matrix is too large for LAPACK's integers */
} SvdPlan;

SvdPlan lapack_svd_plan(DType dtype, SvdVectors vectors, int64_t m, int64_t n);

/* a (m x n) = u diag(s) vh with s (real) descending; u has k or m columns and vh k or n rows, where k is the smaller of
   m and n. u and vh are not touched if no vectors are wanted. Whether it converged; all of a must be finite. */
bool lapack_svd(const SvdPlan *plan, void *a, void *s, void *u, void *vh, void *room);

#endif
