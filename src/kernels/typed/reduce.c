/*
 * Reductions of one dimension. A row is contiguous along the reduced dimension, a column across it.
 * Loops run over independent lanes, which the compiler makes vectors of; a sum adds eight elements in
 * the type they have and the eight's sum to a wide lane, so it is as accurate as it is fast.
 */
#include "core/blocks.h"
#include "kernels/reduce.h"
#include "kernels/typed/row_sums.h"
#include "kernels/typed/short_rows.h"
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

enum { LANES = REDUCE_LANES, WIDE_LANES = REDUCE_LANE_BYTES / sizeof(T) };

/* ---- sums ---- */

#if T_FLOATING
#define OWN_ROWS 1
#else
#define OWN_ROWS 0
#endif

#define SUM sum
#define HAS_ROWS OWN_ROWS
#define TERM(e) ((Part)(e))
#define PART Part
#define TOTAL Total
#include "kernels/typed/sums.h"

#define SUM count
#define HAS_ROWS 0
#define TERM(e) ((int32_t)((e) != 0))
#define PART int32_t
#define TOTAL int64_t
#include "kernels/typed/sums.h"

#if T_FLOATING
#define SUM sum_numbers
#define HAS_ROWS 1
#define TERM(e) ((e) == (e) ? (e) : 0)
#define PART T
#define TOTAL Total
#include "kernels/typed/sums.h"

#define SUM sum_abs
#define HAS_ROWS 1
#define TERM(e) LIBM(fabs)(e)
#define PART T
#define TOTAL Total
#include "kernels/typed/sums.h"

/* A float's square may overflow where the norm does not. */
#define SUM sum_squares
#define HAS_ROWS 1
#define TERM(e) ((Total)(e) * (Total)(e))
#define PART Total
#define TOTAL Total
#include "kernels/typed/sums.h"

/* By vectors, unless so few terms are added up in the type they have anyway. x: [rows, n], rows `step` apart;
   y: [rows] */
#define FLOAT_ROWS(name, row)                                                                                \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)                     \
  {                                                                                                          \
    for (int64_t r = 0; r < rows && n < 8; r++) ((Total *)y)[r] = name##_of_few(n, (const T *)x + r * step); \
    for (int64_t r = 0; r < rows && n >= 8; r++) ((Total *)y)[r] = row(n, (const T *)x + r * step);          \
  }
#define ELEMENTS_ROW(n, x) plain_row(ROW_ELEMENTS, n, x)
#define MAGNITUDES_ROW(n, x) plain_row(ROW_MAGNITUDES, n, x)
#define NUMBERS_ROW(n, x) plain_row(ROW_NUMBERS, n, x)
FLOAT_ROWS(sum, ELEMENTS_ROW)
FLOAT_ROWS(sum_abs, MAGNITUDES_ROW)
FLOAT_ROWS(sum_numbers, NUMBERS_ROW)
FLOAT_ROWS(sum_squares, square_row)
#endif

#if T_FLOATING
/* x: [rows, n], rows `step` apart; centre: [rows], centre_step apart; y: [rows] */
static void squares_about_rows(int64_t rows, int64_t n, int64_t step, const void *x, const double *centre,
                               int64_t centre_step, bool whole, double *y)
{
  for (int64_t r = 0; r < rows; r++, centre += centre_step) {
    double sums[2];
    row_moments(n, (const T *)x + r * step, *centre, sums);
    y[r] = sums[1] - (whole ? sums[0] * sums[0] / (double)n : 0);
    if (y[r] < 0) y[r] = 0;
  }
}

/* x: [n, columns], rows `step` apart, columns <= REDUCE_STRIP; centre, y: [columns] */
static void squares_about_columns(int64_t n, int64_t step, int64_t columns, const void *x, const double *centre,
                                  bool whole, double *restrict y)
{
  const T *p = x;
  double first[REDUCE_STRIP];
  for (int64_t i = 0; i < columns; i++) first[i] = y[i] = 0;
  for (int64_t k = 0; k < n; k++, p += step)
    for (int64_t i = 0; i < columns; i++) {
      double d = (double)p[i] - centre[i];
      first[i] += d;
      y[i] += d * d;
    }
  for (int64_t i = 0; i < columns && whole; i++) {
    double second = y[i] - first[i] * first[i] / (double)n;
    y[i] = second < 0 ? 0 : second;
  }
}
#endif

/* ---- products ---- */

/* Products are as wide as totals from the start: eight factors may overflow what the result does not. */

#if T_f32
/* x: [n]; returns how many of its elements are in the product */
INLINE int64_t vectors_product(int64_t n, const T *x, Total *product)
{
  enum { CHAINS = 8 };
  FewDoubles chain[CHAINS];
  int64_t i = 0;
  for (int c = 0; c < CHAINS; c++) chain[c] = 1 - (FewDoubles){0};
  for (; i + CHAINS * FEW <= n; i += CHAINS * FEW)
    UNROLL for (int c = 0; c < CHAINS; c++) chain[c] *= few_doubles(x + i + c * FEW);
  for (int half = CHAINS / 2; half; half /= 2)
    for (int c = 0; c < half; c++) chain[c] *= chain[c + half];
  *product = 1;
  for (int j = 0; j < FEW; j++) *product *= chain[0][j];
  return i;
}
#else
INLINE int64_t vectors_product(int64_t n, const T *x, Total *product)
{
  Total lane[LANES], other[LANES]; /* two chains of products, so that neither is waited for */
  int64_t i = 0;
  for (int j = 0; j < LANES; j++) lane[j] = other[j] = 1;
  for (; i + 2 * LANES <= n; i += 2 * LANES)
    for (int j = 0; j < LANES; j++) {
      lane[j] *= (Total)x[i + j];
      other[j] *= (Total)x[i + LANES + j];
    }
  *product = 1;
  for (int j = 0; j < LANES; j++) *product *= lane[j] * other[j];
  return i;
}
#endif

/* x: [rows, n], rows `step` apart; y: [rows] */
static void prod_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)
{
  Total *out = y;
  for (int64_t r = 0; r < rows; r++) {
    const T *p = (const T *)x + r * step;
    Total vectors = 1, product = 1;
    int64_t i = n < 2 * LANES ? 0 : vectors_product(n, p, &vectors);
    for (; i < n; i++) product *= (Total)p[i];
    out[r] = product * vectors;
  }
}

/* x: [n, columns], rows `step` apart; y: [columns] */
static void prod_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *y)
{
  const T *p = x;
  Total *restrict out = y;
  for (int64_t i = 0; i < columns; i++) out[i] = 1;
  for (int64_t k = 0; k < n; k++, p += step)
    for (int64_t i = 0; i < columns; i++) out[i] *= (Total)p[i];
}

#if !T_COMPLEX

/* ---- extremes ---- */

#if T_FLOATING
#define IS_NAN(a) ((a) != (a))
#define A_NAN ((T)NAN)
#define CHOOSE(c, a, b) chosen(c, a, b)

/* With masks, as gcc makes branches of a ?:, which would be no vector code. */
INLINE T chosen(int condition, T yes, T no)
{
  Integer mask = -(Integer)condition, a, b;
  memcpy(&a, &yes, sizeof a);
  memcpy(&b, &no, sizeof b);
  a = (a & mask) | (b & ~mask);
  memcpy(&yes, &a, sizeof a);
  return yes;
}
#else
#define IS_NAN(a) 0
#define A_NAN 0
#define CHOOSE(c, a, b) ((c) ? (a) : (b))
#endif

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

#if T_FLOATING
/* Whether rows are so short, and so many, that they are turned into columns. */
static inline bool are_turned(int64_t rows, int64_t n, int64_t step)
{
  return n < V && n <= SOFTMAX_SHORT && n == step && rows >= V;
}
#endif

/* In what follows `what` and `magnitude`, whether it is of absolute values, are constants where functions are called,
   so that each call is a loop without tests. */

INLINE T term_of(bool magnitude, T e)
{
#if T_FLOATING
  return magnitude ? LIBM(fabs)(e) : e;
#else
  (void)magnitude;
  return e;
#endif
}

INLINE int is_ahead(PositionOf what, T a, T b) { return what == POSITION_OF_MAX ? a > b : a < b; }

/* Whether a goes before b: the larger (or smaller) one, nan before all, the first of equals. */
INLINE int wins(PositionOf what, T a, T b) { return is_ahead(what, a, b) | IS_NAN(a); }

INLINE T best_of(PositionOf what, T a, T b)
{
#if T_BOOL
  return what == POSITION_OF_MAX ? a | b : a & b;
#else
  return CHOOSE(wins(what, a, b), a, b);
#endif
}

#if T_FLOATING

/* Lanes forget nan, which is looked for aside. */
INLINE void extreme_step(PositionOf what, bool magnitude, Vector v, Vector *best, Mask *nan)
{
  if (magnitude) v = vector_abs(v);
  *best = what == POSITION_OF_MAX ? larger(v, *best) : smaller(v, *best);
  *nan |= v != v;
}

/* x: [n], n > 0 */
INLINE T extreme_row(PositionOf what, bool magnitude, int64_t n, const T *x)
{
  Vector best = AS_VECTOR(what == POSITION_OF_MAX ? -(T)INFINITY : (T)INFINITY), other = best;
  Mask nan = {0};
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    extreme_step(what, magnitude, load(x + i), &best, &nan);
    extreme_step(what, magnitude, load(x + i + V), &other, &nan);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    extreme_step(what, magnitude, load_first_or(x + i, lanes_of(left), left, x[0]), &best, &nan);
  }
  if (any_of(nan)) return A_NAN;
  return what == POSITION_OF_MAX ? largest_of(larger(best, other)) : -largest_of(-smaller(best, other));
}

#else

/* x: [WIDE_LANES]. Lanes forget nan, which is looked for aside: the plain comparison is one instruction. */
INLINE void extreme_step(PositionOf what, bool magnitude, const T *x, T *lane, Flag *nan)
{
  for (int j = 0; j < WIDE_LANES; j++) {
    T e = term_of(magnitude, x[j]);
    lane[j] = is_ahead(what, e, lane[j]) ? e : lane[j];
    nan[j] |= IS_NAN(e);
  }
}

/* x: [n], n > 0. The last step overlaps the one before. */
INLINE T extreme_row(PositionOf what, bool magnitude, int64_t n, const T *x)
{
  enum { L = WIDE_LANES };
  if (n < L) {
    T best = term_of(magnitude, x[0]);
    for (int64_t i = 1; i < n; i++) best = best_of(what, best, term_of(magnitude, x[i]));
    return best;
  }
  T lane[L];
  Flag nan[L] = {0};
  int64_t i = L;
  for (int j = 0; j < L; j++) lane[j] = term_of(magnitude, x[j]);
  for (int j = 0; j < L; j++) nan[j] = IS_NAN(x[j]);
  for (; i + L <= n; i += L) extreme_step(what, magnitude, x + i, lane, nan);
  if (i < n) extreme_step(what, magnitude, x + n - L, lane, nan);
  for (int half = L / 2; half; half /= 2)
    for (int j = 0; j < half; j++) {
      lane[j] = is_ahead(what, lane[j + half], lane[j]) ? lane[j + half] : lane[j];
      nan[j] |= nan[j + half];
    }
  return nan[0] ? A_NAN : lane[0];
}

#endif

/* x: [n, columns], rows `step` apart; y: [columns] */
INLINE void extreme_columns(PositionOf what, bool magnitude, int64_t n, int64_t step, int64_t columns, const T *p,
                            T *restrict out)
{
  for (int64_t i = 0; i < columns; i++) out[i] = term_of(magnitude, p[i]);
  int64_t k = 1;
  p += step;
  for (; k + 4 <= n; k += 4, p += 4 * step)
    for (int64_t i = 0; i < columns; i++) {
      T ab = best_of(what, term_of(magnitude, p[i]), term_of(magnitude, p[step + i]));
      T cd = best_of(what, term_of(magnitude, p[2 * step + i]), term_of(magnitude, p[3 * step + i]));
      out[i] = best_of(what, out[i], best_of(what, ab, cd));
    }
  for (; k < n; k++, p += step)
    for (int64_t i = 0; i < columns; i++) out[i] = best_of(what, out[i], term_of(magnitude, p[i]));
}

#if T_FLOATING
/* x: [rows, n], n < V; y: [rows] */
static void extreme_turned(PositionOf what, bool magnitude, int64_t rows, int64_t n, const T *x, T *y)
{
  T columns[SHORT_COLUMNS];
  FOR_SHORT_ROWS
  {
    turn_in(width, n, room, x + begin, columns);
    extreme_columns(what, magnitude, n, SOFTMAX_STRIP, width, columns, y + first);
  }
}
#endif

/* x: [rows, n], rows `step` apart; y: [rows] */
INLINE void extreme_rows(PositionOf what, bool magnitude, int64_t rows, int64_t n, int64_t step, const T *x, T *y)
{
#if T_FLOATING
  if (are_turned(rows, n, step)) {
    extreme_turned(what, magnitude, rows, n, x, y);
    return;
  }
#endif
  for (int64_t r = 0; r < rows; r++) y[r] = extreme_row(what, magnitude, n, x + r * step);
}

#define EXTREME(name, what, magnitude)                                                                         \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *y)                       \
  {                                                                                                            \
    extreme_rows(what, magnitude, rows, n, step, x, y);                                                        \
  }                                                                                                            \
  static void name##_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *y)                 \
  {                                                                                                            \
    extreme_columns(what, magnitude, n, step, columns, x, y);                                                  \
  }

EXTREME(max, POSITION_OF_MAX, false)
EXTREME(min, POSITION_OF_MIN, false)
#if T_FLOATING
EXTREME(max_abs, POSITION_OF_MAX, true)
EXTREME(min_abs, POSITION_OF_MIN, true)
#endif

/* ---- positions of extremes ---- */

/* The first element that equals value, which is there, or that is nan. */
INLINE int64_t first_of(bool nan, T value, int64_t n, const T *x)
{
  int64_t i = 0;
#if T_FLOATING
  for (; i + V <= n; i += V) {
    Vector v = load(x + i);
    uint32_t found = lanes_set(nan ? v != v : v == value);
    if (found) return i + __builtin_ctz(found);
  }
#else
  for (; i + REDUCE_SEARCH <= n; i += REDUCE_SEARCH) {
    int found = 0;
    for (int j = 0; j < REDUCE_SEARCH; j++) found |= nan ? IS_NAN(x[i + j]) : x[i + j] == value;
    if (found) break;
  }
#endif
  while (i < n - 1 && !(nan ? IS_NAN(x[i]) : x[i] == value)) i++;
  return i;
}

static int64_t position_of(T value, int64_t n, const T *x)
{
  return IS_NAN(value) ? first_of(true, value, n, x) : first_of(false, value, n, x);
}

/* x: [n]. The extreme is found segment by segment, its position by a second look at the segment that has it. */
INLINE int64_t position_row(PositionOf what, int64_t n, const T *x, T *value)
{
  int64_t from = 0;
  T best = extreme_row(what, false, n < REDUCE_SEGMENT ? n : REDUCE_SEGMENT, x);
  for (int64_t i = REDUCE_SEGMENT; i < n && !IS_NAN(best); i += REDUCE_SEGMENT) {
    T here = extreme_row(what, false, n - i < REDUCE_SEGMENT ? n - i : REDUCE_SEGMENT, x + i);
    if (!wins(what, here, best)) continue;
    best = here;
    from = i;
  }
  *value = best;
  return from + position_of(best, n - from, x + from) + 1;
}

/* x: [n, columns], rows `step` apart, columns <= REDUCE_STRIP; best, positions: [columns] */
INLINE void position_strip(PositionOf what, int64_t n, int64_t step, int64_t columns, const T *x, T *restrict best,
                           int64_t *positions)
{
  Place at[REDUCE_STRIP];
  for (int64_t i = 0; i < columns; i++) {
    best[i] = x[i];
    at[i] = 1;
  }
  for (Place k = 1; k < n; k++) {
    const T *p = x + k * step;
    for (int64_t i = 0; i < columns; i++) {
      bool better = wins(what, p[i], best[i]) & !IS_NAN(best[i]);
      best[i] = better ? p[i] : best[i];
      at[i] = better ? k + 1 : at[i];
    }
  }
  for (int64_t i = 0; i < columns; i++) positions[i] = at[i];
}

/* x: [n, columns], rows `step` apart; values, positions: [columns] */
INLINE void position_columns(PositionOf what, int64_t n, int64_t step, int64_t columns, const T *x, T *values,
                             int64_t *positions)
{
  for (int64_t i = 0; i < columns; i += REDUCE_STRIP) {
    int64_t width = columns - i < REDUCE_STRIP ? columns - i : REDUCE_STRIP;
    position_strip(what, n, step, width, x + i, values + i, positions + i);
  }
}

/* x: [rows, n], rows `step` apart; values, positions: [rows] */
INLINE void position_rows(PositionOf what, int64_t rows, int64_t n, int64_t step, const T *x, T *values, int64_t *at)
{
#if T_FLOATING
  if (are_turned(rows, n, step)) {
    T columns[SHORT_COLUMNS];
    FOR_SHORT_ROWS
    {
      turn_in(width, n, room, x + begin, columns);
      position_columns(what, n, SOFTMAX_STRIP, width, columns, values + first, at + first);
    }
    return;
  }
#endif
  for (int64_t r = 0; r < rows; r++) at[r] = position_row(what, n, x + r * step, values + r);
}

#define POSITION(name, what)                                                                                     \
  static void name##_rows(int64_t rows, int64_t n, int64_t step, const void *x, void *values, int64_t *at)       \
  {                                                                                                              \
    position_rows(what, rows, n, step, x, values, at);                                                           \
  }                                                                                                              \
  static void name##_columns(int64_t n, int64_t step, int64_t columns, const void *x, void *values, int64_t *at) \
  {                                                                                                              \
    position_columns(what, n, step, columns, x, values, at);                                                     \
  }

POSITION(argmax, POSITION_OF_MAX)
POSITION(argmin, POSITION_OF_MIN)

#endif

#if T_FLOATING
/* ---- distances ---- */

INLINE Vector distance_term(DistanceKind kind, Vector d) { return kind == DISTANCE_SUM ? vector_abs(d) : d * d; }

/* The distance of a [n] from b [n]: up to eight terms a lane are added up as they are, their sums as doubles. */
INLINE double distance_of(DistanceKind kind, int64_t n, const T *a, const T *b)
{
  Doubles total = {0};
  int64_t whole = n - n % V;
  for (int64_t i = 0; i < whole;) {
    int64_t end = whole - i < 16 * V ? whole : i + 16 * V;
    Vector first = {0}, second = {0};
    for (; i + 2 * V <= end; i += 2 * V) {
      first += distance_term(kind, load(a + i) - load(b + i));
      second += distance_term(kind, load(a + i + V) - load(b + i + V));
    }
    if (i < end) {
      first += distance_term(kind, load(a + i) - load(b + i));
      i += V;
    }
    total += (low_doubles(first) + high_doubles(first)) + (low_doubles(second) + high_doubles(second));
  }
  if (whole < n) {
    int left = (int)(n - whole);
    Lanes lanes = lanes_of(left);
    Vector rest = distance_term(kind, load_first(a + whole, lanes, left) - load_first(b + whole, lanes, left));
    total += low_doubles(rest) + high_doubles(rest);
  }
  double sum = total_of_doubles(total);
  return kind == DISTANCE_SUM ? sum : sqrt(sum);
}

/* a: [n]; b: [rows, n]; y: [rows] */
static void summed_distances(int64_t rows, int64_t n, const void *a, const void *b, void *y)
{
  for (int64_t r = 0; r < rows; r++) ((T *)y)[r] = (T)distance_of(DISTANCE_SUM, n, a, (const T *)b + r * n);
}
static void euclidean_distances(int64_t rows, int64_t n, const void *a, const void *b, void *y)
{
  for (int64_t r = 0; r < rows; r++) ((T *)y)[r] = (T)distance_of(DISTANCE_EUCLIDEAN, n, a, (const T *)b + r * n);
}

#define SQUARE(e) ((e) * (e))

/* The sum of the squares of the differences. x, z: [n] */
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

#define ENTER_ROW(id, name)  \
  t->rows[id] = name##_rows; \
  t->columns[id] = name##_columns

void TYPED(fill_reduce)(ReduceKernels *t) AT_START;
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
  ENTER_ROW(REDUCE_SUM_NUMBERS, sum_numbers);
  ENTER_ROW(REDUCE_SUM_ABS, sum_abs);
  ENTER_ROW(REDUCE_SUM_SQUARES, sum_squares);
  ENTER_ROW(REDUCE_MAX_ABS, max_abs);
  ENTER_ROW(REDUCE_MIN_ABS, min_abs);
  t->squared_error = squared_error;
  t->distances[DISTANCE_SUM] = summed_distances;
  t->distances[DISTANCE_EUCLIDEAN] = euclidean_distances;
  t->squares_about_rows = squares_about_rows;
  t->squares_about_columns = squares_about_columns;
#endif
}
