/* Reductions over one dimension. */
#ifndef NNLUA_KERNELS_REDUCE_H
#define NNLUA_KERNELS_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum ReduceId {
  REDUCE_SUM,
  REDUCE_SUM_NUMBERS, /* without nan, of floats */
  REDUCE_PROD,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_SUM_ABS,
  REDUCE_SUM_SQUARES,
  REDUCE_MAX_ABS,
  REDUCE_MIN_ABS,
  REDUCE_COUNT_NONZERO,
  REDUCE_COUNT
} ReduceId;

/* Of the magnitudes of differences, their sum or the root of the sum of their squares. */
typedef enum DistanceKind { DISTANCE_SUM, DISTANCE_EUCLIDEAN, DISTANCE_COUNT } DistanceKind;

typedef enum PositionOf { POSITION_OF_MAX, POSITION_OF_MIN, POSITION_COUNT } PositionOf;

/*
 * rows: x [rows][n], step elements from row to row, to y [rows]. columns: x [n][columns], step elements from one k to
 * the next, to y [columns]. n > 0. Sums and products come out wide (float64, int64, complex128), counts as int64,
 * extremes in the elements' dtype.
 */
typedef struct ReduceKernels {
  void (*rows[REDUCE_COUNT])(int64_t rows, int64_t n, int64_t step, const void *x, void *y);
  void (*columns[REDUCE_COUNT])(int64_t n, int64_t step, int64_t columns, const void *x, void *y);
  /* The same, of extremes with the position (from 1) of the first one; nan before all. */
  void (*position_rows[POSITION_COUNT])(int64_t rows, int64_t n, int64_t step, const void *x, void *values,
                                        int64_t *positions);
  void (*position_columns[POSITION_COUNT])(int64_t n, int64_t step, int64_t columns, const void *x, void *values,
                                           int64_t *positions);
  /* The sums of the squares of distances from centres, one a row (centre_step apart) or column; if whole, the n
     elements are all that belong to a centre, and what their mean differs from it is taken away. Floats only. */
  void (*squares_about_rows)(int64_t rows, int64_t n, int64_t step, const void *x, const double *centre,
                             int64_t centre_step, bool whole, double *y);
  void (*squares_about_columns)(int64_t n, int64_t step, int64_t columns, const void *x, const double *centre,
                                bool whole, double *y);
  /* The sum of (a - b)^2, of a [n] and b [n]. */
  double (*squared_error)(int64_t n, const void *a, const void *b);
  /* y [rows] = the distances of a [n] from each row of b [rows][n]. Floats only. */
  void (*distances[DISTANCE_COUNT])(int64_t rows, int64_t n, const void *a, const void *b, void *y);
} ReduceKernels;

#endif
