/* Softmax, its logarithm, and the losses on top of them, along rows (inner = 1) or columns of [outer, n, inner]. */
#include "kernels/typed/typed.h"

#if T_FLOATING

enum { LANES = 32, STRIP = 64, SEGMENT = 2048 };

#define EXP_BELOW_ZERO(x) MATH(exp)(x)

/* nan stays: an infinite maximum makes nan too, as inf - inf. */
static inline T larger(T a, T b) { return MATH(math_select)((a > b) | (a != a), a, b); }

static T row_max(int64_t n, const T *x)
{
  T lane[LANES], best = x[0];
  int64_t i = 1;
  if (n >= LANES) {
    for (int j = 0; j < LANES; j++) lane[j] = x[j];
    for (i = LANES; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++) lane[j] = larger(lane[j], x[i + j]);
    for (int half = LANES / 2; half; half /= 2)
      for (int j = 0; j < half; j++) lane[j] = larger(lane[j], lane[j + half]);
    best = lane[0];
  }
  for (; i < n; i++) best = larger(best, x[i]);
  return best;
}

/* Adds up what a loop body puts into `term` for each i < n: lanes of T within a segment, segments as doubles. */
#define SUM_OVER(n, total, body)                                     \
  for (int64_t start = 0; start < (n); start += SEGMENT) {           \
    int64_t stop = (n) - start < SEGMENT ? (n) : start + SEGMENT;    \
    T lane[LANES] = {0}, sum = 0;                                    \
    int64_t base = start;                                            \
    for (; base + LANES <= stop; base += LANES)                      \
      for (int j = 0; j < LANES; j++) {                              \
        int64_t i = base + j;                                        \
        T term;                                                      \
        body                                                         \
        lane[j] += term;                                             \
      }                                                              \
    for (int64_t i = base; i < stop; i++) {                          \
      T term;                                                        \
      body                                                           \
      sum += term;                                                   \
    }                                                                \
    for (int half = LANES / 2; half; half /= 2)                      \
      for (int j = 0; j < half; j++) lane[j] += lane[j + half];      \
    total += (double)(sum + lane[0]);                                \
  }

static double row_sum_exp(int64_t n, const T *x, T max)
{
  double total = 0;
  SUM_OVER(n, total, term = EXP_BELOW_ZERO(x[i] - max);)
  return total;
}

static void softmax_row(int64_t n, const T *restrict x, T *restrict y)
{
  T max = row_max(n, x);
  double total = 0;
  SUM_OVER(n, total, term = y[i] = EXP_BELOW_ZERO(x[i] - max);)
  T scale = (T)(1 / total);
  for (int64_t i = 0; i < n; i++) y[i] *= scale;
}

static void log_softmax_row(int64_t n, const T *restrict x, T *restrict y)
{
  T max = row_max(n, x), log_sum = (T)log(row_sum_exp(n, x, max));
  for (int64_t i = 0; i < n; i++) y[i] = x[i] - max - log_sum;
}

static void softmax_backward_row(int64_t n, const T *restrict dy, const T *restrict y, T *restrict dx)
{
  double total = 0;
  SUM_OVER(n, total, term = dy[i] * y[i];)
  T sum = (T)total;
  for (int64_t i = 0; i < n; i++) dx[i] = (dy[i] - sum) * y[i];
}

static void log_softmax_backward_row(int64_t n, const T *restrict dy, const T *restrict y, T *restrict dx)
{
  double total = 0;
  SUM_OVER(n, total, term = dy[i];)
  T sum = (T)total;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] - MATH(exp)(y[i]) * sum;
}

/* ---- columns, in strips whose maxima and sums stay in the nearest cache ---- */

static void strip_max_sum(int64_t n, int64_t inner, int width, const T *x, T *restrict max, T *restrict sum)
{
  for (int i = 0; i < width; i++) {
    max[i] = x[i];
    sum[i] = 0;
  }
  for (int64_t k = 1; k < n; k++)
    for (int i = 0; i < width; i++) max[i] = larger(max[i], x[k * inner + i]);
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < width; i++) sum[i] += EXP_BELOW_ZERO(x[k * inner + i] - max[i]);
}

static void softmax_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *x, T *restrict y)
{
  T max[STRIP], sum[STRIP];
  strip_max_sum(n, inner, width, x, max, sum);
  if (log_of_it) {
    for (int i = 0; i < width; i++) sum[i] = MATH(log)(sum[i]);
    for (int64_t k = 0; k < n; k++)
      for (int i = 0; i < width; i++) y[k * inner + i] = x[k * inner + i] - max[i] - sum[i];
    return;
  }
  for (int i = 0; i < width; i++) sum[i] = 1 / sum[i];
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < width; i++) y[k * inner + i] = EXP_BELOW_ZERO(x[k * inner + i] - max[i]) * sum[i];
}

static void softmax_backward_strip(int64_t n, int64_t inner, int width, bool log_of_it, const T *dy, const T *y,
                                   T *restrict dx)
{
  T sum[STRIP] = {0};
  for (int64_t k = 0; k < n; k++, dy += inner, y += inner)
    for (int i = 0; i < width; i++) sum[i] += log_of_it ? dy[i] : dy[i] * y[i];
  dy -= n * inner;
  y -= n * inner;
  for (int64_t k = 0; k < n; k++, dy += inner, y += inner, dx += inner) {
    if (log_of_it) for (int i = 0; i < width; i++) dx[i] = dy[i] - MATH(exp)(y[i]) * sum[i];
    else for (int i = 0; i < width; i++) dx[i] = (dy[i] - sum[i]) * y[i];
  }
}

#define FOR_STRIPS                                                  \
  for (int64_t o = 0; o < outer; o++)                               \
    for (int64_t at = o * n * inner, i = 0, width; i < inner; i += width, at += width) \
      if ((width = inner - i < STRIP ? inner - i : STRIP))

static void softmax(int64_t outer, int64_t n, int64_t inner, bool log_of_it, const void *x, void *y)
{
  const T *from = x;
  T *to = y;
  if (inner > 1) {
    FOR_STRIPS softmax_strip(n, inner, (int)width, log_of_it, from + at, to + at);
    return;
  }
  for (int64_t o = 0; o < outer; o++, from += n, to += n) {
    if (log_of_it) log_softmax_row(n, from, to);
    else softmax_row(n, from, to);
  }
}

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

static void cross_entropy(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target,
                          const void *weight, int64_t ignore, void *losses, void *lse)
{
  const T *from = x;
  T *out = losses, *normalizer = lse;
  for (int64_t o = 0; o < outer; o++, from += n * inner)
    for (int64_t i = 0, width; i < inner; i += width) {
      T max[STRIP], sum[STRIP];
      width = inner - i < STRIP ? inner - i : STRIP;
      if (inner == 1) {
        max[0] = row_max(n, from);
        sum[0] = (T)row_sum_exp(n, from, max[0]);
      } else {
        strip_max_sum(n, inner, (int)width, from + i, max, sum);
      }
      for (int64_t j = 0; j < width; j++) {
        int64_t at = o * inner + i + j, t = target[at];
        T log_sum = MATH(log)(sum[j]);
        normalizer[at] = max[j] + log_sum;
        out[at] = t == ignore ? 0 : -weight_of(weight, t, ignore) * (from[(t - 1) * inner + i + j] - max[j] - log_sum);
      }
    }
}

static void cross_entropy_backward(int64_t outer, int64_t n, int64_t inner, const void *x, const void *lse,
                                   const void *dy, bool dy_is_single, double scale, const int64_t *target,
                                   const void *weight, int64_t ignore, void *dx)
{
  const T *from = x, *normalizer = lse;
  T *restrict to = dx;
  for (int64_t o = 0; o < outer; o++, from += n * inner, to += n * inner)
    for (int64_t i = 0, width; i < inner; i += width) {
      T factor[STRIP], minus[STRIP];
      width = inner - i < STRIP ? inner - i : STRIP;
      for (int64_t j = 0; j < width; j++) {
        int64_t at = o * inner + i + j;
        minus[j] = normalizer[at];
        factor[j] = (T)(scale * (double)((const T *)dy)[dy_is_single ? 0 : at]
                        * (double)weight_of(weight, target[at], ignore));
      }
      if (inner == 1)
        for (int64_t k = 0; k < n; k++) to[k] = EXP_BELOW_ZERO(from[k] - minus[0]) * factor[0];
      else
        for (int64_t k = 0; k < n; k++)
          for (int64_t j = 0; j < width; j++)
            to[k * inner + i + j] = EXP_BELOW_ZERO(from[k * inner + i + j] - minus[j]) * factor[j];
      for (int64_t j = 0; j < width; j++) {
        int64_t t = target[o * inner + i + j];
        if (t != ignore) to[(t - 1) * inner + i + j] -= factor[j];
        else for (int64_t k = 0; k < n; k++) to[k * inner + i + j] = 0; /* even where x is not finite */
      }
    }
}

#endif

void TYPED(fill_softmax)(KernelTable *t);
void TYPED(fill_softmax)(KernelTable *t)
{
  (void)t;
#if T_FLOATING
  t->softmax = softmax;
  t->softmax_backward = softmax_backward;
  t->nll = nll;
  t->nll_backward = nll_backward;
  t->cross_entropy = cross_entropy;
  t->cross_entropy_backward = cross_entropy_backward;
#endif
}
