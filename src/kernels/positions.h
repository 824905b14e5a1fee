/* Positions as tensors hold them: counted from 1. */
#ifndef NNLUA_KERNELS_POSITIONS_H
#define NNLUA_KERNELS_POSITIONS_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers from low to high, and whether 0 is among those that were seen. */
typedef struct PositionRange {
  int64_t low, high;
  bool zero;
} PositionRange;

/* How many of x [n] are true; and where those of a contiguous x [shape] are: positions [count][ndim]. */
int64_t count_true(int64_t n, const bool *x);
void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions);

#endif
