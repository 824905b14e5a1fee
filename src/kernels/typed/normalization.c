/*
 * Normalization: sums over stretches of elements, kept as doubles, and maps of them. Moments are taken about the first
 * element, in one pass: no distance from the mean is larger than all of them together, so doubles lose nothing by it.
 */
#include "core/blocks.h"
#include "kernels/normalization.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

static double total_of(double *lane)
{
  for (int half = NORM_LANES / 2; half; half /= 2)
    for (int j = 0; j < half; j++) lane[j] += lane[j + half];
  return lane[0];
}

/* x: [n]; sums: [2] */
static void stretch_moments(int64_t n, const void *x_, double pivot, double *sums)
{
  const T *x = x_;
  double first[NORM_LANES] = {0}, second[NORM_LANES] = {0};
  int64_t i = 0;
  for (; i + NORM_LANES <= n; i += NORM_LANES)
    for (int j = 0; j < NORM_LANES; j++) {
      double d = (double)x[i + j] - pivot;
      first[j] += d;
      second[j] += d * d;
    }
  for (int j = 0; i < n; i++, j++) {
    double d = (double)x[i] - pivot;
    first[j] += d;
    second[j] += d * d;
  }
  sums[0] += total_of(first);
  sums[1] += total_of(second);
}

/* dy, x: [n]; sums: [2] */
static void stretch_products(int64_t n, const void *dy_, const void *x_, double mean, double *sums)
{
  const T *dy = dy_, *x = x_;
  double first[NORM_LANES] = {0}, second[NORM_LANES] = {0};
  int64_t i = 0;
  for (; i + NORM_LANES <= n; i += NORM_LANES)
    for (int j = 0; j < NORM_LANES; j++) {
      double d = (double)dy[i + j];
      first[j] += d;
      second[j] += d * ((double)x[i + j] - mean);
    }
  for (int j = 0; i < n; i++, j++) {
    first[j] += (double)dy[i];
    second[j] += (double)dy[i] * ((double)x[i] - mean);
  }
  sums[0] += total_of(first);
  sums[1] += total_of(second);
}

/* x, y: [n] */
static void stretch_map(int64_t n, const void *x_, double mean, double scale, double shift, void *y_)
{
  const T *restrict x = x_, m = (T)mean, s = (T)scale, b = (T)shift;
  T *restrict y = y_;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * s + b;
}

static void stretch_gradient(int64_t n, const void *dy_, const void *x_, double mean, const double *f, void *dx_)
{
  const T *restrict dy = dy_, *restrict x = x_, m = (T)mean, a = (T)f[0], b = (T)f[1], c = (T)f[2];
  T *restrict dx = dx_;
  for (int64_t i = 0; i < n; i++) dx[i] = a * dy[i] + b * (x[i] - m) + c;
}

static void layer_norm(int64_t rows, int64_t n, const void *x_, const void *w_, const void *b_, double eps, void *y_,
                       double *mean, double *var)
{
  const T *w = w_, *b = b_;
  for (int64_t r = 0; r < rows; r++) {
    const T *restrict x = (const T *)x_ + r * n;
    T *restrict y = (T *)y_ + r * n;
    double sums[2] = {0, 0}, pivot = (double)x[0];
    stretch_moments(n, x, pivot, sums);
    mean[r] = pivot + sums[0] / (double)n;
    var[r] = (sums[1] - sums[0] * sums[0] / (double)n) / (double)n;
    if (var[r] < 0) var[r] = 0;
    T m = (T)mean[r], scale = (T)(1 / sqrt(var[r] + eps));
    if (w && b)
      for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * scale * w[i] + b[i];
    else if (w)
      for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * scale * w[i];
    else if (b)
      for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * scale + b[i];
    else
      for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * scale;
  }
}

/* The sums of g and of g times the normalized x along a row, where g is dy times the weight. */
static void row_sums(int64_t n, const T *restrict x, const T *restrict dy, const T *restrict w, T mean, T scale,
                     double *sums)
{
  double first[NORM_LANES] = {0}, second[NORM_LANES] = {0};
  int64_t i = 0;
  for (; i + NORM_LANES <= n; i += NORM_LANES)
    for (int j = 0; j < NORM_LANES; j++) {
      T g = w ? dy[i + j] * w[i + j] : dy[i + j];
      first[j] += (double)g;
      second[j] += (double)(g * ((x[i + j] - mean) * scale));
    }
  for (int j = 0; i < n; i++, j++) {
    T g = w ? dy[i] * w[i] : dy[i];
    first[j] += (double)g;
    second[j] += (double)(g * ((x[i] - mean) * scale));
  }
  sums[0] = total_of(first) / (double)n;
  sums[1] = total_of(second) / (double)n;
}

static void layer_norm_backward(int64_t rows, int64_t n, const void *dy_, const void *x_, const void *w_, double eps,
                                const double *mean, const double *var, void *dx_, double *restrict dw,
                                double *restrict db)
{
  const T *w = w_;
  for (int64_t r = 0; r < rows; r++) {
    const T *restrict x = (const T *)x_ + r * n, *restrict dy = (const T *)dy_ + r * n;
    T m = (T)mean[r], scale = (T)(1 / sqrt(var[r] + eps));
    for (int64_t i = 0; i < n && dw; i++) dw[i] += (double)(dy[i] * ((x[i] - m) * scale));
    for (int64_t i = 0; i < n && db; i++) db[i] += (double)dy[i];
    if (!dx_) continue;
    T *restrict dx = (T *)dx_ + r * n;
    double sums[2];
    row_sums(n, x, dy, w, m, scale, sums);
    T all = (T)sums[0], along = (T)sums[1];
    if (w)
      for (int64_t i = 0; i < n; i++) dx[i] = scale * (dy[i] * w[i] - all - (x[i] - m) * scale * along);
    else
      for (int64_t i = 0; i < n; i++) dx[i] = scale * (dy[i] - all - (x[i] - m) * scale * along);
  }
}

#endif

void TYPED(fill_normalization)(NormalizationKernels *t);
void TYPED(fill_normalization)(NormalizationKernels *t)
{
#if T_FLOATING
  t->stretch_moments = stretch_moments;
  t->stretch_products = stretch_products;
  t->stretch_map = stretch_map;
  t->stretch_gradient = stretch_gradient;
  t->layer_norm = layer_norm;
  t->layer_norm_backward = layer_norm_backward;
#else
  (void)t;
#endif
}
