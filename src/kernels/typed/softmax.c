/* Softmax, its logarithm, and the losses on top of them, along rows (inner = 1) or columns of [outer, n, inner]. */
#include "core/blocks.h"
#include "kernels/loss.h"
#include "kernels/softmax.h"
#include "kernels/typed/short_rows.h"
#include "kernels/typed/vector_math.h"

#if T_FLOATING

/* ---- rows, by vectors: what is left of full ones is one vector of which lanes are left out ---- */

/* nan is forgotten, and found again in the sum of the powers; an infinite maximum makes nan there, as inf - inf.
   x: [n] */
INLINE T row_max(int64_t n, const T *x)
{
  Vector most = AS_VECTOR(-(T)INFINITY), other = most;
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    most = larger(load(x + i), most);
    other = larger(load(x + i + V), other);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    most = larger(load_first_or(x + i, lanes_of(left), left, x[0]), most);
  }
  return largest_of(larger(most, other));
}

/* The sum of e^(x - max) of a stretch, which are kept in y if told where it is called. x, y: [n] */
INLINE T exp_stretch(bool keep, int64_t n, const T *x, T max, T *y)
{
  Vector sum = {0}, other = {0};
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    Vector a = vector_exp(load(x + i) - max), b = vector_exp(load(x + i + V) - max);
    if (keep) {
      store(y + i, a);
      store(y + i + V, b);
    }
    sum += a;
    other += b;
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    Lanes lanes = lanes_of(left);
    Vector e = vector_exp(load_first_or(x + i, lanes, left, max) - max);
    if (keep) store_first(y + i, lanes, left, e);
    sum += first_of_lanes(e, lanes, left);
  }
  return total_of(sum + other);
}

/* The same of a row; stretches are added up as doubles. */
INLINE double exp_row(bool keep, int64_t n, const T *x, T max, T *y)
{
  if (n <= SOFTMAX_SEGMENT) return (double)exp_stretch(keep, n, x, max, y);
  double total = 0;
  for (int64_t i = 0; i < n; i += SOFTMAX_SEGMENT)
    total += (double)exp_stretch(keep, n - i < SOFTMAX_SEGMENT ? n - i : SOFTMAX_SEGMENT, x + i, max, keep ? y + i : y);
  return total;
}

/* The sum of dy y, or of dy alone, which is told where it is called. dy, y: [n] */
INLINE T sum_stretch(bool alone, int64_t n, const T *dy, const T *y)
{
  Vector sum = {0}, other = {0};
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    sum += alone ? load(dy + i) : load(dy + i) * load(y + i);
    other += alone ? load(dy + i + V) : load(dy + i + V) * load(y + i + V);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    Lanes lanes = lanes_of(left);
    Vector d = load_first(dy + i, lanes, left);
    sum += alone ? d : d * load_first(y + i, lanes, left);
  }
  return total_of(sum + other);
}

INLINE double sum_of(bool alone, int64_t n, const T *dy, const T *y)
{
  double total = 0;
  for (int64_t i = 0; i < n; i += SOFTMAX_SEGMENT)
    total += (double)sum_stretch(alone, n - i < SOFTMAX_SEGMENT ? n - i : SOFTMAX_SEGMENT, dy + i, y + i);
  return total;
}

/* What becomes of elements p, and q of a second row, with two numbers. */
typedef enum RowMap { TIMES, LESS_BOTH, SOFTMAX_SLOPE, LOG_SOFTMAX_SLOPE, POWER_TIMES } RowMap;

INLINE bool takes_second(RowMap map) { return map == SOFTMAX_SLOPE || map == LOG_SOFTMAX_SLOPE; }

INLINE Vector mapped(RowMap map, Vector p, Vector q, T a, T b)
{
  switch (map) {
    case TIMES: return p * a;
    case LESS_BOTH: return p - a - b;
    case SOFTMAX_SLOPE: return (p - a) * q;
    case LOG_SOFTMAX_SLOPE: return p - vector_exp(q) * a;
    default: return vector_exp(p - a) * b;
  }
}

/* y may be p or q. p, q, y: [n] */
INLINE void map_row(RowMap map, int64_t n, const T *p, const T *q, T a, T b, T *y)
{
  int64_t i = 0;
  for (; i + V <= n; i += V)
    store(y + i, mapped(map, load(p + i), takes_second(map) ? load(q + i) : (Vector){0}, a, b));
  if (i == n) return;
  int left = (int)(n - i);
  Lanes lanes = lanes_of(left);
  Vector second = takes_second(map) ? load_first(q + i, lanes, left) : (Vector){0};
  store_first(y + i, lanes, left, mapped(map, load_first_or(p + i, lanes, left, a), second, a, b));
}

/* x, y: [n] */
static void softmax_row(int64_t n, const T *x, T *y)
{
  T scale = (T)(1 / exp_row(true, n, x, row_max(n, x), y));
  map_row(TIMES, n, y, NULL, scale, 0, y);
}

/* x, y: [n] */
static void log_softmax_row(int64_t n, const T *x, T *y)
{
  T max = row_max(n, x), log_sum = (T)log(exp_row(false, n, x, max, NULL));
  map_row(LESS_BOTH, n, x, NULL, max, log_sum, y);
}

/* Of rows so short that the nearest cache holds a few: the logarithms of their sums are one vector's.
   x, y: [rows, n], rows <= V, n <= SOFTMAX_SEGMENT */
static void log_softmax_rows(int rows, int64_t n, const T *x, T *y)
{
  T max[V], sum[V] = {0};
  for (int r = 0; r < rows; r++) {
    max[r] = row_max(n, x + r * n);
    sum[r] = exp_stretch(false, n, x + r * n, max[r], NULL);
  }
  store(sum, vector_log(load(sum)));
  for (int r = 0; r < rows; r++) map_row(LESS_BOTH, n, x + r * n, NULL, max[r], sum[r], y + r * n);
}

static inline bool is_infinite(T x) { return x == (T)INFINITY || x == -(T)INFINITY; }

/* x: [n] */
static T logsumexp_row(int64_t n, const T *x)
{
  T max = row_max(n, x);
  if (is_infinite(max)) max = 0;
  return (T)((double)max + log(exp_row(false, n, x, max, NULL)));
}

/* dy, y, dx: [n] */
static void softmax_backward_row(int64_t n, const T *dy, const T *y, T *dx)
{
  map_row(SOFTMAX_SLOPE, n, dy, y, (T)sum_of(false, n, dy, y), 0, dx);
}

/* dy, y, dx: [n] */
static void log_softmax_backward_row(int64_t n, const T *dy, const T *y, T *dx)
{
  map_row(LOG_SOFTMAX_SLOPE, n, dy, y, (T)sum_of(true, n, dy, y), 0, dx);
}

/* ---- columns, in strips whose maxima and sums stay in the nearest cache ---- */

/* With what is taken away from exponents kept finite, or not; the powers are kept in y if it is not NULL, which may be
   x: told where it is called. x, y: [n, width], rows `inner` apart; max, sum: [width] */
INLINE void strip_powers(bool finite, int64_t n, int64_t inner, int width, const T *x, T *max, T *sum, T *y)
{
  FOR_PARTS(at, width)
  {
    store_part(max, at, load_part(x, at));
    store_part(sum, at, (Vector){0});
  }
  for (int64_t k = 1; k < n; k++)
    FOR_PARTS(at, width) store_part(max, at, larger(load_part(x + k * inner, at), load_part(max, at)));
  for (int i = 0; i < width && finite; i++) max[i] = is_infinite(max[i]) ? 0 : max[i];
  for (int64_t k = 0; k < n; k++) FOR_PARTS(at, width)
    {
      Vector power = vector_exp(load_part(x + k * inner, at) - load_part(max, at));
      if (y) store_part(y + k * inner, at, power);
      store_part(sum, at, load_part(sum, at) + power);
    }
}

/* x, y: [n, width], rows `inner` apart; width <= SOFTMAX_STRIP */
static void softmax_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *x, T *y)
{
  T max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
  if (log_of_it) {
    strip_powers(false, n, inner, width, x, max, sum, NULL);
    FOR_PARTS(at, width) store_part(sum, at, vector_log(load_part(sum, at)));
    for (int64_t k = 0; k < n; k++) FOR_PARTS(at, width)
      {
        Vector less = load_part(x + k * inner, at) - load_part(max, at);
        store_part(y + k * inner, at, less - load_part(sum, at));
      }
    return;
  }
  strip_powers(false, n, inner, width, x, max, sum, y);
  FOR_PARTS(at, width) store_part(sum, at, 1 / load_part(sum, at));
  for (int64_t k = 0; k < n; k++)
    FOR_PARTS(at, width) store_part(y + k * inner, at, load_part(y + k * inner, at) * load_part(sum, at));
}

/* dy, y, dx: [n, width], rows `inner` apart */
static void softmax_backward_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *dy, const T *y, T *dx)
{
  T sum[SOFTMAX_STRIP] = {0};
  for (int64_t k = 0; k < n; k++) FOR_PARTS(at, width)
    {
      Vector d = load_part(dy + k * inner, at);
      store_part(sum, at, load_part(sum, at) + (log_of_it ? d : d * load_part(y + k * inner, at)));
    }
  for (int64_t k = 0; k < n; k++) FOR_PARTS(at, width)
    {
      Vector d = load_part(dy + k * inner, at), v = load_part(y + k * inner, at), s = load_part(sum, at);
      store_part(dx + k * inner, at, log_of_it ? d - vector_exp(v) * s : (d - s) * v);
    }
}

#define FOR_STRIPS                                                                     \
  for (int64_t o = 0; o < outer; o++)                                                  \
    for (int64_t at = o * n * inner, i = 0, width; i < inner; i += width, at += width) \
      if ((width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP))

/* x, y: [rows, n], n <= SOFTMAX_SHORT */
static void softmax_short(int64_t rows, int64_t n, bool log_of_it, const T *x, T *y)
{
  T in[SHORT_COLUMNS], out[SHORT_COLUMNS];
  FOR_SHORT_ROWS
  {
    turn_in(width, n, room, x + begin, in);
    softmax_strip(n, SOFTMAX_STRIP, (int)width, log_of_it, in, out);
    turn_out(width, n, room, out, y + begin);
  }
}

/* dy, y, dx: [rows, n], n <= SOFTMAX_SHORT */
static void softmax_backward_short(int64_t rows, int64_t n, bool log_of_it, const T *dy, const T *y, T *dx)
{
  T gradient[SHORT_COLUMNS], result[SHORT_COLUMNS];
  FOR_SHORT_ROWS
  {
    turn_in(width, n, room, dy + begin, gradient);
    turn_in(width, n, room, y + begin, result);
    softmax_backward_strip(n, SOFTMAX_STRIP, (int)width, log_of_it, gradient, result, gradient);
    turn_out(width, n, room, gradient, dx + begin);
  }
}

/* max + log(sum). max, sum, y: [width] */
INLINE void log_of_sums(int width, const T *max, const T *sum, T *y)
{
  FOR_PARTS(at, width) store_part(y, at, load_part(max, at) + vector_log(load_part(sum, at)));
}

/* x: [rows, n], n <= SOFTMAX_SHORT; y: [rows] */
static void logsumexp_short(int64_t rows, int64_t n, const T *x, T *y)
{
  T columns[SHORT_COLUMNS], max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
  FOR_SHORT_ROWS
  {
    turn_in(width, n, room, x + begin, columns);
    strip_powers(true, n, SOFTMAX_STRIP, (int)width, columns, max, sum, NULL);
    log_of_sums((int)width, max, sum, y + first);
  }
}

/* x, y: [outer, n, inner] */
static void softmax(int64_t outer, int64_t n, int64_t inner, bool log_of_it, const void *x, void *y)
{
  const T *from = x;
  T *to = y;
  if (inner > 1) {
    FOR_STRIPS softmax_strip(n, inner, (int)width, log_of_it, from + at, to + at);
    return;
  }
  if (n <= SOFTMAX_SHORT && outer >= V) {
    softmax_short(outer, n, log_of_it, from, to);
    return;
  }
  int64_t together = log_of_it && n * V <= 8 * SOFTMAX_SEGMENT / (int64_t)sizeof(T) ? V : 1;
  for (int64_t o = 0, rows; o < outer; o += rows, from += rows * n, to += rows * n) {
    rows = outer - o < together ? outer - o : together;
    if (!log_of_it) softmax_row(n, from, to);
    else if (together == 1) log_softmax_row(n, from, to);
    else log_softmax_rows((int)rows, n, from, to);
  }
}

/* dy, y, dx: [outer, n, inner] */
static void softmax_backward(int64_t outer, int64_t n, int64_t inner, bool log_of_it, const void *dy_, const void *y_,
                             void *dx_)
{
  const T *dy = dy_, *y = y_;
  T *dx = dx_;
  if (inner > 1) {
    FOR_STRIPS softmax_backward_strip(n, inner, (int)width, log_of_it, dy + at, y + at, dx + at);
    return;
  }
  if (n < V && n <= SOFTMAX_SHORT) { /* longer ones are faster as they are */
    softmax_backward_short(outer, n, log_of_it, dy, y, dx);
    return;
  }
  for (int64_t o = 0; o < outer; o++, dy += n, y += n, dx += n) {
    if (log_of_it) log_softmax_backward_row(n, dy, y, dx);
    else softmax_backward_row(n, dy, y, dx);
  }
}

/* y = log(sum e^x) along n. x: [outer, n, inner]; y: [outer, inner] */
static void logsumexp(int64_t outer, int64_t n, int64_t inner, const void *x, void *y)
{
  const T *from = x;
  T *to = y;
  if (inner == 1 && n <= SOFTMAX_SHORT && outer >= V) {
    logsumexp_short(outer, n, x, y);
    return;
  }
  for (int64_t o = 0; o < outer; o++, from += n * inner, to += inner) {
    if (inner == 1) {
      *to = logsumexp_row(n, from);
      continue;
    }
    for (int64_t i = 0, width; i < inner; i += width) {
      T max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
      width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP;
      strip_powers(true, n, inner, (int)width, from + i, max, sum, NULL);
      log_of_sums((int)width, max, sum, to + i);
    }
  }
}

/* ---- losses ---- */

static inline T weight_of(const T *weight, int64_t target, int64_t ignore)
{
  if (target == ignore) return 0;
  return weight ? weight[target - 1] : 1;
}

/* x: [outer, n, inner]; target, losses: [outer, inner]; weight: [n]; totals: [2] */
static void nll(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target, const void *weight,
                int64_t ignore, void *losses, double *totals)
{
  T *out = losses;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) {
      int64_t at = o * inner + i, t = target[at];
      T w = weight_of(weight, t, ignore), loss = t == ignore ? 0 : -w * ((const T *)x)[(o * n + t - 1) * inner + i];
      totals[0] += (double)loss;
      totals[1] += (double)w;
      if (out) out[at] = loss;
    }
}

/* dx: [outer, n, inner]; target, dy (or one number): [outer, inner]; weight: [n] */
static void nll_backward(int64_t outer, int64_t n, int64_t inner, const void *dy, bool dy_is_single, double scale,
                         const int64_t *target, const void *weight, int64_t ignore, void *dx)
{
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) {
      int64_t at = o * inner + i, t = target[at];
      if (t == ignore) continue;
      double d = scale * (double)((const T *)dy)[dy_is_single ? 0 : at];
      ((T *)dx)[(o * n + t - 1) * inner + i] = (T)(-(double)weight_of(weight, t, ignore) * d);
    }
}

/* Losses and normalizers of a strip of places, of the maxima of their scores and the sums of their exponentials, which
   become logarithms. x: the scores of `width` places `apart`, those of a place a step apart; weight: [n];
   max, sum, target, losses, lse: [width] */
INLINE void cross_entropy_strip(int width, const T *max, T *sum, const T *x, int64_t apart, int64_t step,
                                const int64_t *target, const T *weight, int64_t ignore, T *losses, T *lse)
{
  FOR_PARTS(at, width) store_part(sum, at, vector_log(load_part(sum, at)));
  for (int j = 0; j < width; j++) {
    int64_t t = target[j];
    T w = weight_of(weight, t, ignore), score = t == ignore ? 0 : x[j * apart + (t - 1) * step];
    lse[j] = max[j] + sum[j];
    losses[j] = w == 0 ? 0 : -w * (score - max[j] - sum[j]);
  }
}

/* x: [rows, n]; target, losses, lse: [rows]; weight: [n] */
static void cross_entropy_rows(int64_t rows, int64_t n, const T *x, const int64_t *target, const T *weight,
                               int64_t ignore, T *losses, T *lse)
{
  T columns[SHORT_COLUMNS], max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
  FOR_SHORT_ROWS
  {
    if (n <= SOFTMAX_SHORT) {
      turn_in(width, n, room, x + begin, columns);
      strip_powers(false, n, SOFTMAX_STRIP, (int)width, columns, max, sum, NULL);
    }
    for (int64_t j = 0; j < width && n > SOFTMAX_SHORT; j++) {
      max[j] = row_max(n, x + begin + j * n);
      sum[j] = (T)exp_row(false, n, x + begin + j * n, max[j], NULL);
    }
    cross_entropy_strip((int)width, max, sum, x + begin, n, 1, target + first, weight, ignore, losses + first,
                        lse + first);
  }
}

/* x: [outer, n, inner]; target, losses, lse: [outer, inner]; weight: [n] */
static void cross_entropy(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target,
                          const void *weight, int64_t ignore, void *losses, void *lse)
{
  const T *from = x;
  if (inner == 1) {
    cross_entropy_rows(outer, n, x, target, weight, ignore, losses, lse);
    return;
  }
  for (int64_t o = 0; o < outer; o++, from += n * inner)
    for (int64_t i = 0, width; i < inner; i += width) {
      T max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
      int64_t at = o * inner + i;
      width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP;
      strip_powers(false, n, inner, (int)width, from + i, max, sum, NULL);
      cross_entropy_strip((int)width, max, sum, from + i, 1, inner, target + at, weight, ignore, (T *)losses + at,
                          (T *)lse + at);
    }
}

/* x, dx: [outer, n, inner]; target, lse, dy (or one number): [outer, inner]; weight: [n] */
static void cross_entropy_backward(int64_t outer, int64_t n, int64_t inner, const void *x, const void *lse,
                                   const void *dy, bool dy_is_single, double scale, const int64_t *target,
                                   const void *weight, int64_t ignore, void *dx)
{
  const T *from = x, *normalizer = lse;
  T *restrict to = dx;
  for (int64_t o = 0; o < outer; o++, from += n * inner, to += n * inner)
    for (int64_t i = 0, width; i < inner; i += width) {
      T factor[SOFTMAX_STRIP], minus[SOFTMAX_STRIP];
      width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP;
      for (int64_t j = 0; j < width; j++) {
        int64_t at = o * inner + i + j;
        minus[j] = normalizer[at];
        factor[j] = (T)(scale * (double)((const T *)dy)[dy_is_single ? 0 : at]
                        * (double)weight_of(weight, target[at], ignore));
      }
      if (inner == 1) map_row(POWER_TIMES, n, from, NULL, minus[0], factor[0], to);
      else
        for (int64_t k = 0; k < n; k++) FOR_PARTS(at, width)
          {
            Vector power = vector_exp(load_part(from + k * inner + i, at) - load_part(minus, at));
            store_part(to + k * inner + i, at, power * load_part(factor, at));
          }
      for (int64_t j = 0; j < width; j++) {
        int64_t t = target[o * inner + i + j];
        if (t != ignore) to[(t - 1) * inner + i + j] -= factor[j];
        else
          for (int64_t k = 0; k < n; k++) to[k * inner + i + j] = 0; /* even where x is not finite */
      }
    }
}

#endif

void TYPED(fill_softmax)(SoftmaxKernels *t) AT_START;
void TYPED(fill_softmax)(SoftmaxKernels *t)
{
  (void)t;
#if T_FLOATING
  t->forward = softmax;
  t->backward = softmax_backward;
  t->logsumexp = logsumexp;
#endif
}

void TYPED(fill_loss)(LossKernels *t) AT_START;
void TYPED(fill_loss)(LossKernels *t)
{
  (void)t;
#if T_FLOATING
  t->nll = nll;
  t->nll_backward = nll_backward;
  t->cross_entropy = cross_entropy;
  t->cross_entropy_backward = cross_entropy_backward;
#endif
}
