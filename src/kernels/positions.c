/* The positions of true elements. */
#include "core/blocks.h"
#include "core/tensor.h"
#include "kernels/positions.h"

int64_t count_true(int64_t n, const bool *x)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += x[i];
  return count;
}

/* The places, from 1, of the true ones of x [n], n <= TRUTH_PIECE; returns how many there are. Without a branch on
   elements: what isn't true is written over. */
static int64_t places_of_true(int64_t n, const bool *x, int64_t first, int64_t *places)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) {
    places[count] = first + i + 1;
    count += x[i];
  }
  return count;
}

void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions)
{
  int64_t at[MAX_DIMS] = {0}, lines = 1, places[TRUTH_PIECE];
  int last = ndim - 1;
  int64_t columns = ndim ? shape[last] : 1;
  for (int d = 0; d < last; d++) lines *= shape[d];
  for (int64_t line = 0; line < lines; line++, x += columns) {
    for (int64_t first = 0; first < columns; first += TRUTH_PIECE) {
      int64_t n = columns - first < TRUTH_PIECE ? columns - first : TRUTH_PIECE;
      int64_t count = places_of_true(n, x + first, first, places);
      for (int d = 0; d < last; d++)
        for (int64_t i = 0; i < count; i++) positions[i * ndim + d] = at[d] + 1;
      for (int64_t i = 0; i < count && ndim; i++) positions[i * ndim + last] = places[i];
      positions += count * ndim;
    }
    for (int d = last - 1; d >= 0 && ++at[d] == shape[d]; d--) at[d] = 0;
  }
}
