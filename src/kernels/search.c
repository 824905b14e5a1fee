/* Binary searches in sorted rows. */
#include <stddef.h>

#include "kernels/kernels.h"

/*
 * The number of elements that stand before a value: those less than it, or not greater if `right`. nan is greater than
 * all, so the comparisons are of what is not so. Without branches: `base` moves on if the middle still stands before.
 */
#define SEARCH(name, T)                                                                                  \
  static void name(const T *row, const int64_t *order, int64_t m, const T *values, int64_t n, bool right, \
                   int64_t *places)                                                                      \
  {                                                                                                      \
    for (int64_t i = 0; i < n; i++) {                                                                    \
      T v = values[i];                                                                                   \
      int64_t base = 0;                                                                                  \
      for (int64_t length = m; length > 0;) {                                                            \
        int64_t half = length / 2, middle = base + half;                                                 \
        T x = row[order ? order[middle] - 1 : middle];                                                   \
        bool before = right ? !(x > v) : !(x >= v);                                                      \
        base = before ? middle + 1 : base;                                                               \
        length = before ? length - half - 1 : half;                                                      \
      }                                                                                                  \
      places[i] = base;                                                                                  \
    }                                                                                                    \
  }
SEARCH(search_f32, float)
SEARCH(search_f64, double)
SEARCH(search_i64, int64_t)

void search_sorted(DType dtype, const void *row, const int64_t *order, int64_t m, const void *values, int64_t n,
                   bool right, int64_t *places)
{
  switch (dtype) {
    case DTYPE_f32: search_f32(row, order, m, values, n, right, places); break;
    case DTYPE_f64: search_f64(row, order, m, values, n, right, places); break;
    default: search_i64(row, order, m, values, n, right, places);
  }
}
