/* Sums, products and extremes of all elements up to each one,
   along rows (inner = 1) or columns of [outer, n, inner]. */
#include "core/blocks.h"
#include "kernels/cumulate.h"
#include "kernels/typed/functions.h"

#if T_FLOATING || T_COMPLEX
typedef Wide Total;
#else
typedef uint64_t Total; /* overflow wraps */
#endif

#if T_FLOATING
/* log(e^a + e^b); of two infinities that are equal, the same. */
static inline double log_sum(double a, double b)
{
  double high = a > b || a != a ? a : b, low = a > b || a != a ? b : a;
  return high == low && isinf(high) ? high : high + log1p(exp(low - high));
}
#endif

/* In what follows `what` is a constant where functions are called, so that each call is a loop without tests. */

INLINE Total start_of(CumulateId what)
{
#if T_FLOATING || T_COMPLEX
  if (what == CUMULATE_LOG_SUM_EXP) return -(double)INFINITY;
#endif
  return what == CUMULATE_PROD;
}

INLINE Total combined(CumulateId what, Total a, Total b)
{
#if T_FLOATING || T_COMPLEX
  if (what == CUMULATE_LOG_SUM_EXP) return log_sum(a, b);
#endif
  return what == CUMULATE_PROD ? a * b : a + b;
}

/* x, y: [n, columns], rows `step` apart, columns <= CUMULATE_STRIP */
INLINE void cumulate_strip(CumulateId what, int64_t n, int64_t step, int64_t columns, const T *x, T *y)
{
  Total total[CUMULATE_STRIP];
  for (int i = 0; i < CUMULATE_STRIP; i++) total[i] = start_of(what);
  for (int64_t k = 0; k < n; k++, x += step, y += step)
    for (int64_t i = 0; i < columns; i++) {
      total[i] = combined(what, total[i], (Total)x[i]);
      y[i] = (T)total[i];
    }
}

/* x, y: [rows, n], step 1, or -1 from the end of the first row */
INLINE void cumulate_rows(CumulateId what, int64_t rows, int64_t n, int64_t step, const T *x, T *y)
{
  enum { R = CUMULATE_ROWS };
  int64_t apart = step < 0 ? -step * n : step * n;
  for (; rows >= R; rows -= R, x += R * apart, y += R * apart) {
    Total total[R];
    for (int r = 0; r < R; r++) total[r] = start_of(what);
    for (int64_t k = 0; k < n; k++)
      for (int r = 0; r < R; r++) {
        total[r] = combined(what, total[r], (Total)x[k * step + r * apart]);
        y[k * step + r * apart] = (T)total[r];
      }
  }
  for (; rows > 0; rows--, x += apart, y += apart) {
    Total total = start_of(what);
    for (int64_t k = 0; k < n; k++) {
      total = combined(what, total, (Total)x[k * step]);
      y[k * step] = (T)total;
    }
  }
}

/* x, y: [outer, n, inner]; y may be x */
INLINE void cumulate(CumulateId what, int64_t outer, int64_t n, int64_t inner, bool from_end, const T *x, T *y)
{
  int64_t first = from_end ? (n - 1) * inner : 0, step = from_end ? -inner : inner;
  if (inner == 1) {
    cumulate_rows(what, outer, n, step, x + first, y + first);
    return;
  }
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i += CUMULATE_STRIP) {
      int64_t at = o * n * inner + first + i;
      cumulate_strip(what, n, step, inner - i < CUMULATE_STRIP ? inner - i : CUMULATE_STRIP, x + at, y + at);
    }
}

static void cumsum(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y)
{
  cumulate(CUMULATE_SUM, outer, n, inner, from_end, x, y);
}

static void cumprod(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y)
{
  cumulate(CUMULATE_PROD, outer, n, inner, from_end, x, y);
}

#if T_FLOATING || T_COMPLEX
static void logcumsumexp(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y)
{
  cumulate(CUMULATE_LOG_SUM_EXP, outer, n, inner, from_end, x, y);
}
#endif

#if !T_COMPLEX
#if T_FLOATING
#define IS_NAN(a) ((a) != (a))
#else
#define IS_NAN(a) 0
#endif

/* x, values, positions: [outer, n, inner] */
INLINE void cumulate_extreme(PositionOf what, int64_t outer, int64_t n, int64_t inner, const T *from, T *to,
                             int64_t *positions)
{
  for (int64_t o = 0; o < outer; o++, from += n * inner, to += n * inner, positions += n * inner)
    for (int64_t i = 0; i < inner; i++) {
      T best = from[i];
      int64_t at = 1;
      for (int64_t k = 0; k < n; k++) {
        T e = from[k * inner + i];
        if (IS_NAN(e) || (!IS_NAN(best) && (what == POSITION_OF_MAX ? e >= best : e <= best))) {
          best = e;
          at = k + 1;
        }
        to[k * inner + i] = best;
        positions[k * inner + i] = at;
      }
    }
}

static void cummax(int64_t outer, int64_t n, int64_t inner, const void *x, void *values, int64_t *positions)
{
  cumulate_extreme(POSITION_OF_MAX, outer, n, inner, x, values, positions);
}

static void cummin(int64_t outer, int64_t n, int64_t inner, const void *x, void *values, int64_t *positions)
{
  cumulate_extreme(POSITION_OF_MIN, outer, n, inner, x, values, positions);
}
#endif

void TYPED(fill_cumulate)(CumulateKernels *t) AT_START;
void TYPED(fill_cumulate)(CumulateKernels *t)
{
  t->values[CUMULATE_SUM] = cumsum;
  t->values[CUMULATE_PROD] = cumprod;
#if T_FLOATING || T_COMPLEX
  t->values[CUMULATE_LOG_SUM_EXP] = logcumsumexp;
#endif
#if !T_COMPLEX
  t->extremes[POSITION_OF_MAX] = cummax;
  t->extremes[POSITION_OF_MIN] = cummin;
#endif
}
