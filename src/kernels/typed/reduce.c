/*
 * Reductions of one dimension. A row is contiguous along the reduced dimension, a column across it.
 * Loops run over independent lanes, which the compiler makes vectors of; a sum adds eight elements in
 * the type they have and the eight's sum to a wide lane, so it is as accurate as it is fast.
 */
#include "kernels/reduce.h"
#include "kernels/typed/typed.h"

/* What eight terms are added up in, and what their sums are added to; integers wrap. */
#if T_FLOATING
typedef T Part;
typedef double Total;
#elif T_COMPLEX
typedef Wide Part;
typedef Wide Total;
#elif T_i32 || T_i64
typedef uint64_t Part;
typedef uint64_t Total;
#else
typedef int32_t Part;
typedef uint64_t Total;
#endif

enum { LANES = 16, WIDE_LANES = sizeof(T) < 128 ? 128 / sizeof(T) : 1, STRIP = 1024, SEGMENT = 4096, SEARCH = 32 };

#define SUM_OF_8(TERM, p, step)                                                                       \
  (((TERM((p)[0]) + TERM((p)[step])) + (TERM((p)[2 * (step)]) + TERM((p)[3 * (step)]))) +             \
   ((TERM((p)[4 * (step)]) + TERM((p)[5 * (step)])) + (TERM((p)[6 * (step)]) + TERM((p)[7 * (step)]))))

#define SUMS(name, TERM, TOTAL)                                                                       \
  static inline TOTAL name##_row(int64_t n, const T *x)                                               \
  {                                                                                                   \
    TOTAL lane[LANES] = {0};                                                                          \
    int64_t i = 0;                                                                                    \
    for (; i + 8 * LANES <= n; i += 8 * LANES)                                                        \
      for (int j = 0; j < LANES; j++) lane[j] += (TOTAL)SUM_OF_8(TERM, x + i + j, LANES);             \
    __typeof__(TERM(x[0]) + 0) rest[LANES] = {0}; /* at most eight terms a lane, as above */          \
    for (; i + LANES <= n; i += LANES)                                                                \
      for (int j = 0; j < LANES; j++) rest[j] += TERM(x[i + j]);                                      \
    const T *end = x + n - LANES; /* the last lanes overlap what has been added: that is left out */  \
    for (int j = 0, left = (int)(n - i); j < LANES; j++)                                              \
      rest[j] += j >= LANES - left ? TERM(end[j]) : 0;                                                \
    for (int j = 0; j < LANES; j++) lane[j] += (TOTAL)rest[j];                                        \
    for (int half = LANES / 2; half; half /= 2)                                                       \
      for (int j = 0; j < half; j++) lane[j] += lane[j + half];                                       \
    return lane[0];                                                                                   \
  }                                                                                                   \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)              \
  {                                                                                                   \
    TOTAL *out = y;                                                                                   \
    const T *p = x;                                                                                   \
    if (n >= 2 * LANES) {                                                                             \
      for (int64_t r = 0; r < rows; r++) out[r] = name##_row(n, p + r * step);                        \
      return;                                                                                         \
    }                                                                                                 \
    for (int64_t r = 0; r < rows; r++, p += step) {                                                   \
      TOTAL total = 0;                                                                                \
      for (int64_t i = 0; i < n; i++) total += (TOTAL)TERM(p[i]);                                     \
      out[r] = total;                                                                                 \
    }                                                                                                 \
  }                                                                                                   \
  static void name##_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *y)        \
  {                                                                                                   \
    const T *p = x;                                                                                   \
    TOTAL *restrict out = y;                                                                          \
    int64_t k = 0;                                                                                    \
    for (int64_t i = 0; i < columns; i++) out[i] = 0;                                                 \
    for (; k + 8 <= n; k += 8, p += 8 * step)                                                         \
      for (int64_t i = 0; i < columns; i++) out[i] += (TOTAL)SUM_OF_8(TERM, p + i, step);             \
    for (; k < n; k++, p += step)                                                                     \
      for (int64_t i = 0; i < columns; i++) out[i] += (TOTAL)TERM(p[i]);                              \
  }

#define ITSELF(e) ((Part)(e))
#define NOT_ZERO(e) ((int32_t)((e) != 0))
SUMS(sum, ITSELF, Total)
SUMS(count, NOT_ZERO, int64_t)

/* Products are as wide as totals from the start: eight factors may overflow what the result does not. */
static void prod_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)
{
  Total *out = y;
  for (int64_t r = 0; r < rows; r++) {
    const T *p = (const T *)x + r * step;
    Total lane[LANES], product = 1;
    for (int j = 0; j < LANES; j++) lane[j] = 1;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++) lane[j] *= (Total)p[i + j];
    for (; i < n; i++) product *= (Total)p[i];
    for (int j = 0; j < LANES; j++) product *= lane[j];
    out[r] = product;
  }
}

static void prod_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *y)
{
  const T *p = x;
  Total *restrict out = y;
  for (int64_t i = 0; i < columns; i++) out[i] = 1;
  for (int64_t k = 0; k < n; k++, p += step)
    for (int64_t i = 0; i < columns; i++) out[i] *= (Total)p[i];
}

#if !T_COMPLEX

/* Whether a goes before b: the larger (or smaller) one, nan before all, the first of equals. */
#if T_FLOATING
#define IS_NAN(a) ((a) != (a))
#define A_NAN ((T)NAN)
#define MORE(a, b) (((a) > (b)) | IS_NAN(a))
#define LESS(a, b) (((a) < (b)) | IS_NAN(a))
#define ABS(e) LIBM(fabs)(e)
#define CHOOSE(c, a, b) MATH(math_select)(c, a, b) /* no branch, which would be no vector code */
#else
#define IS_NAN(a) 0
#define A_NAN 0
#define MORE(a, b) ((a) > (b))
#define LESS(a, b) ((a) < (b))
#define CHOOSE(c, a, b) ((c) ? (a) : (b))
#endif
#define AS_IS(e) (e)

/* Truth values and numbers of rows, as wide as an element so that both make vectors of one length. */
#if T_f64
typedef int64_t Flag;
#elif T_f32
typedef int32_t Flag;
#else
typedef int8_t Flag;
#endif
#if T_f64 || T_i64
typedef int64_t Place;
#else
typedef int32_t Place;
#endif

/* A row's lanes forget nan, which is looked for aside: the plain comparison is one instruction. The last step overlaps
   the one before. */
#define EXTREMES(name, WINS, IS_AHEAD, TERM)                                                          \
  static inline T name##_of(T a, T b) { return CHOOSE(WINS(a, b), a, b); }                            \
  static inline void name##_step(const T *x, T *lane, Flag *nan)                                      \
  {                                                                                                   \
    for (int j = 0; j < WIDE_LANES; j++) {                                                            \
      T e = TERM(x[j]);                                                                               \
      lane[j] = e IS_AHEAD lane[j] ? e : lane[j];                                                     \
      nan[j] |= IS_NAN(e);                                                                            \
    }                                                                                                 \
  }                                                                                                   \
  static inline T name##_row(int64_t n, const T *x)                                                   \
  {                                                                                                   \
    enum { L = WIDE_LANES };                                                                          \
    if (n < L) {                                                                                      \
      T best = TERM(x[0]);                                                                            \
      for (int64_t i = 1; i < n; i++) best = name##_of(best, TERM(x[i]));                             \
      return best;                                                                                    \
    }                                                                                                 \
    T lane[L];                                                                                        \
    Flag nan[L] = {0};                                                                                \
    int64_t i = L;                                                                                    \
    for (int j = 0; j < L; j++) lane[j] = TERM(x[j]);                                                 \
    for (int j = 0; j < L; j++) nan[j] = IS_NAN(x[j]);                                                \
    for (; i + L <= n; i += L) name##_step(x + i, lane, nan);                                         \
    if (i < n) name##_step(x + n - L, lane, nan);                                                     \
    for (int half = L / 2; half; half /= 2)                                                           \
      for (int j = 0; j < half; j++) {                                                                \
        lane[j] = lane[j + half] IS_AHEAD lane[j] ? lane[j + half] : lane[j];                         \
        nan[j] |= nan[j + half];                                                                      \
      }                                                                                               \
    return nan[0] ? A_NAN : lane[0];                                                                  \
  }                                                                                                   \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)              \
  {                                                                                                   \
    T *out = y;                                                                                       \
    for (int64_t r = 0; r < rows; r++) out[r] = name##_row(n, (const T *)x + r * step);               \
  }                                                                                                   \
  static void name##_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *y)        \
  {                                                                                                   \
    const T *p = x;                                                                                   \
    T *restrict out = y;                                                                              \
    for (int64_t i = 0; i < columns; i++) out[i] = TERM(p[i]);                                        \
    int64_t k = 1;                                                                                    \
    p += step;                                                                                        \
    for (; k + 4 <= n; k += 4, p += 4 * step)                                                         \
      for (int64_t i = 0; i < columns; i++) {                                                         \
        T ab = name##_of(TERM(p[i]), TERM(p[step + i]));                                              \
        T cd = name##_of(TERM(p[2 * step + i]), TERM(p[3 * step + i]));                               \
        out[i] = name##_of(out[i], name##_of(ab, cd));                                                \
      }                                                                                               \
    for (; k < n; k++, p += step)                                                                     \
      for (int64_t i = 0; i < columns; i++) out[i] = name##_of(out[i], TERM(p[i]));                   \
  }

EXTREMES(max, MORE, >, AS_IS)
EXTREMES(min, LESS, <, AS_IS)

/* ---- positions of extremes ---- */

/* The first element that equals value, which is there, or is nan as value is. */
#define FIRST_OF(is_it)                                              \
  for (; i + SEARCH <= n; i += SEARCH) {                             \
    int found = 0;                                                   \
    for (int j = 0; j < SEARCH; j++) found |= is_it(x[i + j]);       \
    if (found) break;                                                \
  }                                                                  \
  while (i < n - 1 && !(is_it(x[i]))) i++;                           \
  return i;
#define IS_VALUE(e) ((e) == value)

static int64_t position_of(T value, int64_t n, const T *x)
{
  int64_t i = 0;
  if (IS_NAN(value)) { FIRST_OF(IS_NAN) }
  FIRST_OF(IS_VALUE)
}

/* A row's extreme is found segment by segment, its position by a second look at the segment that has it. */
#define POSITIONS(name, extreme, WINS)                                                                \
  static int64_t name##_row(int64_t n, const T *x, T *value)                                          \
  {                                                                                                   \
    int64_t from = 0;                                                                                 \
    T best = extreme##_row(n < SEGMENT ? n : SEGMENT, x);                                             \
    for (int64_t i = SEGMENT; i < n && !IS_NAN(best); i += SEGMENT) {                                 \
      T here = extreme##_row(n - i < SEGMENT ? n - i : SEGMENT, x + i);                               \
      if (!WINS(here, best)) continue;                                                                \
      best = here;                                                                                    \
      from = i;                                                                                       \
    }                                                                                                 \
    *value = best;                                                                                    \
    return from + position_of(best, n - from, x + from) + 1;                                          \
  }                                                                                                   \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *values,         \
                          int64_t *positions)                                                         \
  {                                                                                                   \
    T *out = values;                                                                                  \
    for (int64_t r = 0; r < rows; r++) positions[r] = name##_row(n, (const T *)x + r * step, &out[r]); \
  }                                                                                                   \
  static void name##_strip(int64_t n, int64_t step, int64_t columns, const T *x, T *restrict best,    \
                           int64_t *positions)                                                        \
  {                                                                                                   \
    Place at[STRIP];                                                                                  \
    for (int64_t i = 0; i < columns; i++) {                                                           \
      best[i] = x[i];                                                                                 \
      at[i] = 1;                                                                                      \
    }                                                                                                 \
    for (Place k = 1; k < n; k++) {                                                                   \
      const T *p = x + k * step;                                                                      \
      for (int64_t i = 0; i < columns; i++) {                                                         \
        bool wins = WINS(p[i], best[i]) & !IS_NAN(best[i]);                                          \
        best[i] = wins ? p[i] : best[i];                                                              \
        at[i] = wins ? k + 1 : at[i];                                                                 \
      }                                                                                               \
    }                                                                                                 \
    for (int64_t i = 0; i < columns; i++) positions[i] = at[i];                                       \
  }                                                                                                   \
  static void name##_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *values,   \
                             int64_t *positions)                                                      \
  {                                                                                                   \
    for (int64_t i = 0; i < columns; i += STRIP) {                                                    \
      int64_t width = columns - i < STRIP ? columns - i : STRIP;                                      \
      name##_strip(n, step, width, (const T *)x + i, (T *)values + i, positions + i);                 \
    }                                                                                                 \
  }

POSITIONS(argmax, max, MORE)
POSITIONS(argmin, min, LESS)

#endif

#if T_FLOATING
#define SQUARE(e) ((e) * (e))
#define WIDE_SQUARE(e) ((Total)(e) * (Total)(e))
SUMS(sum_abs, ABS, Total)
EXTREMES(max_abs, MORE, >, ABS)
EXTREMES(min_abs, LESS, <, ABS)
/* A float's square may overflow where the norm does not. */
SUMS(sum_squares, WIDE_SQUARE, Total)

/* The sum of the squares of the differences. */
static double squared_error(int64_t n, const void *a, const void *b)
{
  const T *x = a, *z = b;
  Total lane[LANES] = {0}, total = 0;
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
    for (int j = 0; j < LANES; j++) {
      T d0 = x[i + j] - z[i + j], d1 = x[i + LANES + j] - z[i + LANES + j];
      T d2 = x[i + 2 * LANES + j] - z[i + 2 * LANES + j], d3 = x[i + 3 * LANES + j] - z[i + 3 * LANES + j];
      lane[j] += (Total)((SQUARE(d0) + SQUARE(d1)) + (SQUARE(d2) + SQUARE(d3)));
    }
  for (; i < n; i++) {
    T d = x[i] - z[i];
    total += (Total)SQUARE(d);
  }
  for (int j = 0; j < LANES; j++) total += lane[j];
  return total;
}
#endif

#define ENTER_ROW(id, name)     \
  t->rows[id] = name##_rows;    \
  t->columns[id] = name##_columns

void TYPED(fill_reduce)(ReduceKernels *t);
void TYPED(fill_reduce)(ReduceKernels *t)
{
  ENTER_ROW(REDUCE_SUM, sum);
  ENTER_ROW(REDUCE_COUNT_NONZERO, count);
  ENTER_ROW(REDUCE_PROD, prod);
#if !T_COMPLEX
  ENTER_ROW(REDUCE_MAX, max);
  ENTER_ROW(REDUCE_MIN, min);
  t->position_rows[POSITION_OF_MAX] = argmax_rows;
  t->position_rows[POSITION_OF_MIN] = argmin_rows;
  t->position_columns[POSITION_OF_MAX] = argmax_columns;
  t->position_columns[POSITION_OF_MIN] = argmin_columns;
#endif
#if T_FLOATING
  ENTER_ROW(REDUCE_SUM_ABS, sum_abs);
  ENTER_ROW(REDUCE_SUM_SQUARES, sum_squares);
  ENTER_ROW(REDUCE_MAX_ABS, max_abs);
  ENTER_ROW(REDUCE_MIN_ABS, min_abs);
  t->squared_error = squared_error;
#endif
}
