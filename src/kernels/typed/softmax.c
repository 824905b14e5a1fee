/* Softmax, its logarithm, and the losses on top of them, along rows (inner = 1) or columns of [outer, n, inner]. */
#include "core/blocks.h"
#include "kernels/loss.h"
#include "kernels/math.h"
#include "kernels/softmax.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

#define EXP(x) MATH(exp)(x)

#if T_f32
typedef int32_t Flag;
#else
typedef int64_t Flag;
#endif

static inline T larger_score(T a, T b) { return MATH(math_select)((a > b) | (a != a), a, b); }

/* The lanes forget nan, which is looked for aside: a plain comparison is one instruction. */
static inline void max_step(const T *x, T *lane, Flag *nan)
{
  for (int j = 0; j < SOFTMAX_LANES; j++) {
    lane[j] = x[j] > lane[j] ? x[j] : lane[j];
    nan[j] |= x[j] != x[j];
  }
}

/* nan if there is one; an infinite maximum makes nan later, as inf - inf. x: [n] */
static T row_max(int64_t n, const T *x)
{
  T lane[SOFTMAX_LANES];
  Flag nan[SOFTMAX_LANES] = {0};
  if (n < SOFTMAX_LANES) {
    T best = x[0];
    for (int64_t i = 1; i < n; i++) best = larger_score(best, x[i]);
    return best;
  }
  int64_t i = 0;
  for (int j = 0; j < SOFTMAX_LANES; j++) lane[j] = x[j];
  for (; i + SOFTMAX_LANES <= n; i += SOFTMAX_LANES) max_step(x + i, lane, nan);
  if (i < n) max_step(x + n - SOFTMAX_LANES, lane, nan); /* overlaps the one before */
  for (int half = SOFTMAX_LANES / 2; half; half /= 2)
    for (int j = 0; j < half; j++) {
      lane[j] = lane[j + half] > lane[j] ? lane[j + half] : lane[j];
      nan[j] |= nan[j + half];
    }
  return nan[0] ? (T)NAN : lane[0];
}

INLINE T total_of(T *lane)
{
  for (int half = SOFTMAX_LANES / 2; half; half /= 2)
    for (int j = 0; j < half; j++) lane[j] += lane[j + half];
  return lane[0];
}

/* to = e^(x - max). What is left of full vectors goes through one on a copy: element by element it would take longer.
   x, to: [n] */
static void exp_segment(int64_t n, const T *restrict x, T max, T *restrict to)
{
  T in[SOFTMAX_TAIL] = {0}, out[SOFTMAX_TAIL];
  int64_t full = n - n % SOFTMAX_TAIL;
  for (int64_t i = 0; i < full; i++) to[i] = EXP(x[i] - max);
  if (full == n) return;
  memcpy(in, x + full, (size_t)(n - full) * sizeof *in);
  for (int j = 0; j < SOFTMAX_TAIL; j++) out[j] = EXP(in[j] - max);
  memcpy(to + full, out, (size_t)(n - full) * sizeof *out);
}

/* x: [n] */
static T sum_segment(int64_t n, const T *x)
{
  T lane[SOFTMAX_LANES] = {0};
  int64_t i = 0;
  for (; i + SOFTMAX_LANES <= n; i += SOFTMAX_LANES)
    for (int j = 0; j < SOFTMAX_LANES; j++) lane[j] += x[i + j];
  for (int j = 0; i < n; i++, j++) lane[j] += x[i];
  return total_of(lane);
}

/* The sum of e^(x - max), which are kept in y unless it is NULL. Segments are added up as doubles. x, y: [n] */
static double exp_row(int64_t n, const T *x, T max, T *y)
{
  T buffer[SOFTMAX_SEGMENT];
  double total = 0;
  for (int64_t i = 0; i < n; i += SOFTMAX_SEGMENT) {
    int64_t part = n - i < SOFTMAX_SEGMENT ? n - i : SOFTMAX_SEGMENT;
    T *to = y ? y + i : buffer;
    exp_segment(part, x + i, max, to);
    total += (double)sum_segment(part, to);
  }
  return total;
}

/* The sum of dy y, or of dy alone, which is told where it is called. dy, y: [n] */
INLINE double sum_of(bool alone, int64_t n, const T *restrict dy, const T *restrict y)
{
  double total = 0;
  for (int64_t i = 0; i < n;) {
    int64_t stop = n - i < SOFTMAX_SEGMENT ? n : i + SOFTMAX_SEGMENT;
    T lane[SOFTMAX_LANES] = {0}, rest = 0;
    for (; i + SOFTMAX_LANES <= stop; i += SOFTMAX_LANES)
      for (int j = 0; j < SOFTMAX_LANES; j++) lane[j] += alone ? dy[i + j] : dy[i + j] * y[i + j];
    for (; i < stop; i++) rest += alone ? dy[i] : dy[i] * y[i];
    total += (double)(total_of(lane) + rest);
  }
  return total;
}

/* x, y: [n] */
static void softmax_row(int64_t n, const T *restrict x, T *restrict y)
{
  T scale = (T)(1 / exp_row(n, x, row_max(n, x), y));
  for (int64_t i = 0; i < n; i++) y[i] *= scale;
}

/* x, y: [n] */
static void log_softmax_row(int64_t n, const T *restrict x, T *restrict y)
{
  T max = row_max(n, x), log_sum = (T)log(exp_row(n, x, max, NULL));
  for (int64_t i = 0; i < n; i++) y[i] = x[i] - max - log_sum;
}

/* dy, y, dx: [n] */
static void softmax_backward_row(int64_t n, const T *restrict dy, const T *restrict y, T *restrict dx)
{
  T sum = (T)sum_of(false, n, dy, y);
  for (int64_t i = 0; i < n; i++) dx[i] = (dy[i] - sum) * y[i];
}

/* dy, y, dx: [n] */
static void log_softmax_backward_row(int64_t n, const T *restrict dy, const T *restrict y, T *restrict dx)
{
  T sum = (T)sum_of(true, n, dy, y);
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] - EXP(y[i]) * sum;
}

/* ---- columns, in strips whose maxima and sums stay in the nearest cache ---- */

/* x: [n, width], rows `inner` apart; max, sum: [width] */
static void strip_max_sum(int64_t n, int64_t inner, int width, const T *x, T *restrict max, T *restrict sum)
{
  for (int i = 0; i < width; i++) {
    max[i] = x[i];
    sum[i] = 0;
  }
  for (int64_t k = 1; k < n; k++)
    for (int i = 0; i < width; i++) max[i] = larger_score(max[i], x[k * inner + i]);
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < width; i++) sum[i] += EXP(x[k * inner + i] - max[i]);
}

/* x, y: [n, width], rows `inner` apart; width <= SOFTMAX_STRIP */
static void softmax_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *x, T *restrict y)
{
  T max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
  strip_max_sum(n, inner, width, x, max, sum);
  if (log_of_it) {
    for (int i = 0; i < width; i++) sum[i] = MATH(log)(sum[i]);
    for (int64_t k = 0; k < n; k++)
      for (int i = 0; i < width; i++) y[k * inner + i] = x[k * inner + i] - max[i] - sum[i];
    return;
  }
  for (int i = 0; i < width; i++) sum[i] = 1 / sum[i];
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < width; i++) y[k * inner + i] = EXP(x[k * inner + i] - max[i]) * sum[i];
}

/* dy, y, dx: [n, width], rows `inner` apart */
static void softmax_backward_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *dy, const T *y,
                                   T *restrict dx)
{
  T sum[SOFTMAX_STRIP] = {0};
  for (int64_t k = 0; k < n; k++, dy += inner, y += inner)
    for (int i = 0; i < width; i++) sum[i] += log_of_it ? dy[i] : dy[i] * y[i];
  dy -= n * inner;
  y -= n * inner;
  for (int64_t k = 0; k < n; k++, dy += inner, y += inner, dx += inner) {
    if (log_of_it)
      for (int i = 0; i < width; i++) dx[i] = dy[i] - EXP(y[i]) * sum[i];
    else
      for (int i = 0; i < width; i++) dx[i] = (dy[i] - sum[i]) * y[i];
  }
}

#define FOR_STRIPS                                                                     \
  for (int64_t o = 0; o < outer; o++)                                                  \
    for (int64_t at = o * n * inner, i = 0, width; i < inner; i += width, at += width) \
      if ((width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP))

/* Short rows are turned into columns, so that a vector has an element of each of many rows.
   x: [rows, n]; columns: [n, SOFTMAX_STRIP] */
static void turn_in(int64_t rows, int64_t n, const T *restrict x, T *restrict columns)
{
  for (int64_t r = 0; r < rows; r++)
    for (int64_t k = 0; k < n; k++) columns[k * SOFTMAX_STRIP + r] = x[r * n + k];
}

/* x, y: [rows, n], n <= SOFTMAX_SHORT */
static void softmax_short(int64_t rows, int64_t n, bool log_of_it, const T *x, T *restrict y)
{
  T in[SOFTMAX_SHORT * SOFTMAX_STRIP], out[SOFTMAX_SHORT * SOFTMAX_STRIP];
  for (int64_t o = 0; o < rows; o += SOFTMAX_STRIP) {
    int64_t width = rows - o < SOFTMAX_STRIP ? rows - o : SOFTMAX_STRIP;
    turn_in(width, n, x + o * n, in);
    softmax_strip(n, SOFTMAX_STRIP, (int)width, log_of_it, in, out);
    for (int64_t r = 0; r < width; r++)
      for (int64_t k = 0; k < n; k++) y[(o + r) * n + k] = out[k * SOFTMAX_STRIP + r];
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
  if (n <= SOFTMAX_SHORT) {
    softmax_short(outer, n, log_of_it, from, to);
    return;
  }
  for (int64_t o = 0; o < outer; o++, from += n, to += n) {
    if (log_of_it) log_softmax_row(n, from, to);
    else softmax_row(n, from, to);
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
  for (int64_t o = 0; o < outer; o++, dy += n, y += n, dx += n) {
    if (log_of_it) log_softmax_backward_row(n, dy, y, dx);
    else softmax_backward_row(n, dy, y, dx);
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

/* Loss and normalizer of one place, of the maximum of its scores and the sum of their exponentials. */
INLINE void cross_entropy_of(T score, T max, T sum, T weight, T *loss, T *normalizer)
{
  T log_sum = MATH(log)(sum);
  *normalizer = max + log_sum;
  *loss = weight == 0 ? 0 : -weight * (score - max - log_sum);
}

/* x: [rows, n], n <= SOFTMAX_SHORT; target, losses, lse: [rows]; weight: [n] */
static void cross_entropy_short(int64_t rows, int64_t n, const T *x, const int64_t *target, const T *weight,
                                int64_t ignore, T *losses, T *lse)
{
  T columns[SOFTMAX_SHORT * SOFTMAX_STRIP], max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
  for (int64_t o = 0; o < rows; o += SOFTMAX_STRIP) {
    int64_t width = rows - o < SOFTMAX_STRIP ? rows - o : SOFTMAX_STRIP;
    turn_in(width, n, x + o * n, columns);
    strip_max_sum(n, SOFTMAX_STRIP, (int)width, columns, max, sum);
    for (int64_t j = 0; j < width; j++) {
      int64_t t = target[o + j];
      T score = t == ignore ? 0 : columns[(t - 1) * SOFTMAX_STRIP + j];
      cross_entropy_of(score, max[j], sum[j], weight_of(weight, t, ignore), &losses[o + j], &lse[o + j]);
    }
  }
}

/* x: [outer, n, inner]; target, losses, lse: [outer, inner]; weight: [n] */
static void cross_entropy(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target,
                          const void *weight, int64_t ignore, void *losses, void *lse)
{
  const T *from = x;
  T *loss = losses, *normalizer = lse;
  if (inner == 1 && n <= SOFTMAX_SHORT) {
    cross_entropy_short(outer, n, x, target, weight, ignore, losses, lse);
    return;
  }
  for (int64_t o = 0; o < outer; o++, from += n * inner)
    for (int64_t i = 0, width; i < inner; i += width) {
      T max[SOFTMAX_STRIP], sum[SOFTMAX_STRIP];
      width = inner - i < SOFTMAX_STRIP ? inner - i : SOFTMAX_STRIP;
      if (inner == 1) {
        max[0] = row_max(n, from);
        sum[0] = (T)exp_row(n, from, max[0], NULL);
      } else {
        strip_max_sum(n, inner, (int)width, from + i, max, sum);
      }
      for (int64_t j = 0; j < width; j++) {
        int64_t at = o * inner + i + j, t = target[at];
        T score = t == ignore ? 0 : from[(t - 1) * inner + i + j];
        cross_entropy_of(score, max[j], sum[j], weight_of(weight, t, ignore), &loss[at], &normalizer[at]);
      }
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
      if (inner == 1)
        for (int64_t k = 0; k < n; k++) to[k] = EXP(from[k] - minus[0]) * factor[0];
      else
        for (int64_t k = 0; k < n; k++)
          for (int64_t j = 0; j < width; j++)
            to[k * inner + i + j] = EXP(from[k * inner + i + j] - minus[j]) * factor[j];
      for (int64_t j = 0; j < width; j++) {
        int64_t t = target[o * inner + i + j];
        if (t != ignore) to[(t - 1) * inner + i + j] -= factor[j];
        else
          for (int64_t k = 0; k < n; k++) to[k * inner + i + j] = 0; /* even where x is not finite */
      }
    }
}

#endif

void TYPED(fill_softmax)(SoftmaxKernels *t);
void TYPED(fill_softmax)(SoftmaxKernels *t)
{
  (void)t;
#if T_FLOATING
  t->forward = softmax;
  t->backward = softmax_backward;
#endif
}

void TYPED(fill_loss)(LossKernels *t);
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
