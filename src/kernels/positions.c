/* Positions: what they range over, and those of true elements. */
#include "core/tensor.h"
#include "kernels/positions.h"

void positions_range(int64_t n, const int64_t *positions, PositionRange *range)
{
  int64_t low = range->low, high = range->high;
  int zero = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t p = positions[i];
    low = p < low ? p : low;
    high = p > high ? p : high;
    zero |= p == 0;
  }
  *range = (PositionRange){low, high, range->zero || zero};
}

int64_t count_true(int64_t n, const bool *x)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += x[i];
  return count;
}

void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions)
{
  int64_t at[MAX_DIMS] = {0}, numel = 1;
  for (int d = 0; d < ndim; d++) numel *= shape[d];
  for (int64_t i = 0; i < numel; i++) {
    if (x[i])
      for (int d = 0; d < ndim; d++) *positions++ = at[d] + 1;
    for (int d = ndim - 1; d >= 0 && ++at[d] == shape[d]; d--) at[d] = 0;
  }
}
