/* The functions of BLAS that products call, once `blas` is loaded. */
#ifndef NNLUA_KERNELS_CBLAS_H
#define NNLUA_KERNELS_CBLAS_H

#include "core/library.h"

extern Library blas;

typedef int blasint;
typedef enum { CblasRowMajor = 101 } CBLAS_ORDER;
typedef enum { CblasNoTrans = 111, CblasTrans = 112 } CBLAS_TRANSPOSE;

/* X(name, type of alpha and beta, type of elements) */
#define CBLAS_GEMMS(X)         \
  X(cblas_sgemm, float, float) \
  X(cblas_dgemm, double, double) X(cblas_cgemm, const void *, void) X(cblas_zgemm, const void *, void)
#define CBLAS_GEMVS(X) X(cblas_sgemv, float, float) X(cblas_dgemv, double, double)
#define CBLAS_SCALS(X)         \
  X(cblas_sscal, float, float) \
  X(cblas_dscal, double, double) X(cblas_cscal, const void *, void) X(cblas_zscal, const void *, void)

#define DECLARE(name, S, T)                                                                                    \
  extern void (*name)(CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint m, blasint n, blasint k, S alpha, \
                      const T *a, blasint lda, const T *b, blasint ldb, S beta, T *c, blasint ldc);
CBLAS_GEMMS(DECLARE)
#undef DECLARE
#define DECLARE(name, S, T)                                                                                 \
  extern void (*name)(CBLAS_ORDER, CBLAS_TRANSPOSE, blasint m, blasint n, S alpha, const T *a, blasint lda, \
                      const T *x, blasint x_step, S beta, T *y, blasint y_step);
CBLAS_GEMVS(DECLARE)
#undef DECLARE
#define DECLARE(name, S, T) extern void (*name)(blasint n, S alpha, T * x, blasint x_step);
CBLAS_SCALS(DECLARE)
#undef DECLARE

#endif
