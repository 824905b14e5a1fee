/* Binary searches in sorted rows. */
#include <stddef.h>

#include "kernels/search.h"

/*
 * The number of elements that stand before a value: those less than it, or not greater if `right`. nan is greater than
 * all, so the comparisons are of what is not so. Without branches: half of the rest is stepped over, or not.
 */
#define STEPS(AT, compare)                                                \
  for (int64_t i = 0; i < n; i++) {                                       \
    int64_t base = 0, length = m;                                         \
    while (length > 1) {                                                  \
      int64_t half = length / 2;                                          \
      base += half & -(int64_t) !(AT(base + half - 1) compare values[i]); \
      length -= half;                                                     \
    }                                                                     \
    places[i] = base + (length > 0 && !(AT(base) compare values[i]));     \
  }
#define PLAIN(k) row[k]
#define ORDERED(k) row[order[k] - 1]
#define SEARCH(name, T)                                                                                   \
  static void name(const T *row, const int64_t *order, int64_t m, const T *values, int64_t n, bool right, \
                   int64_t *places)                                                                       \
  {                                                                                                       \
    if (order && right) STEPS(ORDERED, >)                                                                 \
    else if (order) STEPS(ORDERED, >=)                                                                    \
    else if (right) STEPS(PLAIN, >)                                                                       \
    else STEPS(PLAIN, >=)                                                                                 \
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
