/* Positions as tensors hold them: counted from 1. */
#ifndef NNLUA_KERNELS_POSITIONS_H
#define NNLUA_KERNELS_POSITIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Widens [low, high] to hold n positions, and notes whether one of them is 0. */
typedef struct PositionRange {
  int64_t low, high;
  bool zero;
} PositionRange;
void positions_range(int64_t n, const int64_t *positions, PositionRange *range);

/* How many of x [n] are true; and where those of a contiguous x [shape] are: positions [count][ndim]. */
int64_t count_true(int64_t n, const bool *x);
void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions);

#endif
