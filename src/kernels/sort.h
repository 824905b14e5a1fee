/* Sorting. Positions count from 1. */
#ifndef NNLUA_KERNELS_SORT_H
#define NNLUA_KERNELS_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not of complex numbers. */
typedef struct SortKernels {
  /* x [rows][n] to values and positions [rows][count]: the first `count` elements of each row in order, equal ones as
     they stand and nan as the largest. scratch has sort_scratch(n) bytes. */
  void (*elements)(int64_t rows, int64_t n, int64_t count, bool descending, const void *x, void *values,
                   int64_t *positions, void *scratch);
  /* Of each row of x [rows][n] the element of its rank, from 1, in that order, and its position. scratch as above. */
  void (*ranked)(int64_t rows, int64_t n, const int64_t *ranks, const void *x, void *values, int64_t *positions,
                 void *scratch);
  /* x [n][m] to positions [n]: the order of the rows by their first differing element. scratch has n int64. */
  void (*rows)(int64_t n, int64_t m, const void *x, int64_t *positions, int64_t *scratch);
} SortKernels;

/* The bytes that sorting a row of n elements of any type needs. */
static inline size_t sort_scratch(int64_t n) { return (size_t)n * 32; }

#endif
