/* Small matrices as LAPACK has them: column-major, columns `lda` elements apart, pivots and places counted from 1. What
   LAPACK takes for one of 4 x 4 is its checks and its scheduling, for the most part. */
#ifndef NNLUA_KERNELS_MATRICES_H
#define NNLUA_KERNELS_MATRICES_H

#include <stdbool.h>
#include <stdint.h>

/* A triangle and what is done with it. */
typedef struct Triangle {
  bool upper, unit; /* unit: the diagonal is taken for 1, and isn't read */
  bool conjugated;
  int n;
  int64_t row, col; /* the distances of rows and columns */
  const void *a;
} Triangle;

/* NULL for what is neither floating nor complex. */
typedef struct MatrixKernels {
  /* a [m, n] becomes L, whose diagonal of ones isn't kept, and U with a = P L U: rows i and pivots[i] were swapped,
     from the first on. Returns the place of the first 0 on U's diagonal, or 0. */
  int (*lu)(int m, int n, void *a, int lda, int *pivots);
  /* The lower triangle of a [n, n] becomes L with a = L L^H, or the upper one U with a = U^H U; the other one isn't
     touched. Returns the size of the first leading part that is not positive definite, or 0. */
  int (*cholesky)(bool upper, int n, void *a, int lda);
  /* b [n, k] becomes x with a x = b; its rows and columns are so far apart. */
  void (*triangle)(const Triangle *t, int k, void *b, int64_t row, int64_t col);
  /* Swaps rows of b [*, k] as pivots say, or back. */
  void (*swap_rows)(int n, int k, const int *pivots, bool back, void *b, int ldb);
  /* Of a [n, n] from its LU factors: the determinant; its sign, or angle, and the logarithm of its magnitude. */
  void (*determinant)(int n, const void *lu, int lda, const int *pivots, void *det);
  void (*log_determinant)(int n, const void *lu, int lda, const int *pivots, void *sign, void *log);
} MatrixKernels;

#endif
