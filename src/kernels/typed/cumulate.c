/* Sums, products and extremes of all elements up to each one, along rows (inner = 1) or columns of [outer, n, inner]. */
#include "kernels/cumulate.h"
#include "kernels/typed/typed.h"

enum { STRIP = 64, ROWS_AT_ONCE = 4 }; /* a row alone waits for each addition */

#if T_FLOATING || T_COMPLEX
typedef Wide Total;
#else
typedef uint64_t Total; /* overflow wraps */
#endif

/* Strips of columns, or rows; totals start as START; y may be x. */
#define CUMULATE(name, START, COMBINE)                                                                          \
  static void name##_strip(int64_t n, int64_t step, int64_t columns, const T *x, T *y)                          \
  {                                                                                                             \
    Total total[STRIP];                                                                                         \
    for (int i = 0; i < STRIP; i++) total[i] = START;                                                           \
    for (int64_t k = 0; k < n; k++, x += step, y += step)                                                       \
      for (int64_t i = 0; i < columns; i++) {                                                                   \
        total[i] = COMBINE(total[i], (Total)x[i]);                                                              \
        y[i] = (T)total[i];                                                                                     \
      }                                                                                                         \
  }                                                                                                             \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const T *x, T *y)                              \
  {                                                                                                             \
    int64_t apart = step < 0 ? -step * n : step * n;                                                            \
    for (; rows >= ROWS_AT_ONCE; rows -= ROWS_AT_ONCE, x += ROWS_AT_ONCE * apart, y += ROWS_AT_ONCE * apart) {  \
      Total total[ROWS_AT_ONCE];                                                                                \
      for (int r = 0; r < ROWS_AT_ONCE; r++) total[r] = START;                                                  \
      for (int64_t k = 0; k < n; k++)                                                                           \
        for (int r = 0; r < ROWS_AT_ONCE; r++) {                                                                \
          total[r] = COMBINE(total[r], (Total)x[k * step + r * apart]);                                         \
          y[k * step + r * apart] = (T)total[r];                                                                \
        }                                                                                                       \
    }                                                                                                           \
    for (; rows > 0; rows--, x += apart, y += apart) {                                                          \
      Total total = START;                                                                                      \
      for (int64_t k = 0; k < n; k++) {                                                                         \
        total = COMBINE(total, (Total)x[k * step]);                                                             \
        y[k * step] = (T)total;                                                                                 \
      }                                                                                                         \
    }                                                                                                           \
  }                                                                                                             \
  static void name(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y)              \
  {                                                                                                             \
    int64_t first = from_end ? (n - 1) * inner : 0, step = from_end ? -inner : inner;                           \
    if (inner == 1) {                                                                                           \
      name##_rows(outer, n, step, (const T *)x + first, (T *)y + first);                                        \
      return;                                                                                                   \
    }                                                                                                           \
    for (int64_t o = 0; o < outer; o++)                                                                         \
      for (int64_t i = 0; i < inner; i += STRIP) {                                                              \
        int64_t at = o * n * inner + first + i;                                                                 \
        name##_strip(n, step, inner - i < STRIP ? inner - i : STRIP, (const T *)x + at, (T *)y + at);           \
      }                                                                                                         \
  }

#define SUM(a, b) ((a) + (b))
#define PRODUCT(a, b) ((a) * (b))
CUMULATE(cumsum, 0, SUM)
CUMULATE(cumprod, 1, PRODUCT)

#if T_FLOATING
/* log(e^a + e^b); of two infinities that are equal, the same. */
static inline double log_sum(double a, double b)
{
  double high = a > b || a != a ? a : b, low = a > b || a != a ? b : a;
  return high == low && isinf(high) ? high : high + log1p(exp(low - high));
}
CUMULATE(logcumsumexp, -(double)INFINITY, log_sum)
#endif

#if !T_COMPLEX
#if T_FLOATING
#define IS_NAN(a) ((a) != (a))
#else
#define IS_NAN(a) 0
#endif

#define CUMULATE_EXTREME(name, IS_AHEAD)                                                                        \
  static void name(int64_t outer, int64_t n, int64_t inner, const void *x, void *values, int64_t *positions)    \
  {                                                                                                             \
    const T *from = x;                                                                                          \
    T *to = values;                                                                                             \
    for (int64_t o = 0; o < outer; o++, from += n * inner, to += n * inner, positions += n * inner)             \
      for (int64_t i = 0; i < inner; i++) {                                                                     \
        T best = from[i];                                                                                       \
        int64_t at = 1;                                                                                         \
        for (int64_t k = 0; k < n; k++) {                                                                       \
          T e = from[k * inner + i];                                                                            \
          if (IS_NAN(e) || (!IS_NAN(best) && e IS_AHEAD best)) {                                                \
            best = e;                                                                                           \
            at = k + 1;                                                                                         \
          }                                                                                                     \
          to[k * inner + i] = best;                                                                             \
          positions[k * inner + i] = at;                                                                        \
        }                                                                                                       \
      }                                                                                                         \
  }
CUMULATE_EXTREME(cummax, >=)
CUMULATE_EXTREME(cummin, <=)
#endif

void TYPED(fill_cumulate)(CumulateKernels *t);
void TYPED(fill_cumulate)(CumulateKernels *t)
{
  t->values[CUMULATE_SUM] = cumsum;
  t->values[CUMULATE_PROD] = cumprod;
#if T_FLOATING
  t->values[CUMULATE_LOG_SUM_EXP] = logcumsumexp;
#endif
#if !T_COMPLEX
  t->extremes[POSITION_OF_MAX] = cummax;
  t->extremes[POSITION_OF_MIN] = cummin;
#endif
}
