/* Interpolation along one dimension: each place a weighted mean of a few others. */
#include "launch/nn/resample.h"

#include <math.h>

#include "kernels/pool.h"
#include "kernels/resample.h"
#include "launch/launch.h"

/* For each of n[1] results the terms first[i].. before first[i + 1]: where they are among n[0] places, and their
   weights. */
typedef struct Terms {
  int64_t n[2], *first, *at;
  void *weights;
  int bits; /* of whole weights: how many stand behind the point */
  int64_t inner;
} Terms;

/* How far apart the results are in the input, and where the i-th one is; as PyTorch's area_pixel_compute_* have it. */
static double source_step(const Resampling *how, const int64_t *n)
{
  if (how->align_corners) return n[1] > 1 ? (double)(n[0] - 1) / (double)(n[1] - 1) : 0;
  return how->scale > 0 ? 1 / how->scale : (double)n[0] / (double)n[1];
}

static double source_of(int64_t i, double step, bool align_corners)
{
  return align_corners ? step * (double)i : step * ((double)i + 0.5) - 0.5;
}

/* Keys' cubic convolution: the weight of a place at a distance of at most 2. */
static double cubic_weight(double distance, double a)
{
  const double d = fabs(distance);
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

static double sinc(double x)
{
  const double angle = 3.14159265358979323846 * x;
  return x == 0 ? 1 : sin(angle) / angle;
}

/* How far a filter reaches, in places of the result. */
static double reach_of(ResampleKind kind) { return kind == RESAMPLE_TRIANGLE ? 1 : kind == RESAMPLE_KEYS ? 2 : 3; }

static double filter_weight(ResampleKind kind, double distance)
{
  double d = fabs(distance);
  if (d >= reach_of(kind)) return 0;
  if (kind == RESAMPLE_TRIANGLE) return 1 - d;
  return kind == RESAMPLE_KEYS ? cubic_weight(d, -0.5) : sinc(d) * sinc(d / 3);
}

/* The terms that a filter takes in, whose middle lies at the middle of a result, also where corners are aligned. */
static int64_t filtered_terms(const Resampling *how, int64_t i, const int64_t *n, double step, int64_t *at,
                              double *weight)
{
  double wide = step >= 1 ? step : 1, center = step * ((double)i + 0.5), reach = reach_of(how->kind) * wide, sum = 0;
  int64_t first = (int64_t)(center - reach + 0.5), end = (int64_t)(center + reach + 0.5);
  if (first < 0) first = 0;
  if (end > n[0]) end = n[0];
  if (end < first) end = first;
  for (int64_t k = 0; at && k < end - first; k++) {
    at[k] = first + k;
    weight[k] = filter_weight(how->kind, ((double)at[k] - center + 0.5) / wide);
    sum += weight[k];
  }
  for (int64_t k = 0; at && sum != 0 && k < end - first; k++) weight[k] /= sum;
  return end - first;
}

static int64_t clamped(int64_t i, int64_t n) { return i < 0 ? 0 : i < n ? i : n - 1; }

/* The terms of one result; returns how many. Writes them if at is given. */
static int64_t terms_of(const Resampling *how, int64_t i, const int64_t *n, double step, int64_t *at, double *weight)
{
  if (how->kind >= RESAMPLE_TRIANGLE) return filtered_terms(how, i, n, step, at, weight);
  if (how->kind == RESAMPLE_AREA) {
    int64_t begin = adaptive_first(i, n[0], n[1]), count = adaptive_last(i, n[0], n[1]) - begin;
    for (int64_t k = 0; at && k < count; k++) {
      at[k] = begin + k;
      weight[k] = 1 / (double)count;
    }
    return count;
  }
  if (!at) return how->kind == RESAMPLE_CUBIC ? 4 : 2;
  double source = source_of(i, step, how->align_corners);
  if (how->kind == RESAMPLE_CUBIC) {
    double below = floor(source);
    for (int k = 0; k < 4; k++) {
      at[k] = clamped((int64_t)below - 1 + k, n[0]);
      weight[k] = cubic_weight(source - below + 1 - k, -0.75);
    }
    return 4;
  }
  if (source < 0) source = 0;
  at[0] = clamped((int64_t)source, n[0]);
  at[1] = clamped(at[0] + 1, n[0]);
  double rest = source - (double)at[0];
  weight[1] = rest < 0 ? 0 : rest > 1 ? 1 : rest;
  weight[0] = 1 - weight[1];
  return 2;
}

/*
 * Weights of terms as int16, with as many bits behind the point as the largest one has room for, at most 22: what
 * PyTorch and Pillow have for bytes. Terms of one place, at an edge, count together, as they are rounded together
 * there.
 */
static Tensor *whole_weights(Call *call, Tensor *weights, Terms *s)
{
  double *wide = tensor_data(weights), most = 0;
  int64_t total = s->first[s->n[1]];
  for (int64_t i = 0; i < s->n[1]; i++)
    for (int64_t t = s->first[i]; t < s->first[i + 1]; t++) {
      if (t > s->first[i] && s->at[t] == s->at[t - 1]) {
        wide[t] += wide[t - 1];
        wide[t - 1] = 0;
      }
      if (wide[t] > most) most = wide[t];
    }
  for (s->bits = 0; s->bits < 22; s->bits++)
    if ((int64_t)(0.5 + most * (double)(1 << (s->bits + 1))) >= 1 << 15) break;
  Tensor *whole = new_beside(call, weights, DTYPE_i16, INTS(total));
  int16_t *to = tensor_data(whole);
  for (int64_t t = 0; t < total; t++) {
    double value = wide[t] * (double)(1 << s->bits);
    to[t] = (int16_t)(value < 0 ? value - 0.5 : value + 0.5);
  }
  return whole;
}

/* From in to out places, each of `inner` elements, with weights of the dtype that y is computed in. */
static Terms all_terms(Call *call, const Resampling *how, int64_t in, int64_t out, int64_t inner, const Tensor *y)
{
  Terms s = {.n = {in, out}, .inner = inner, .first = tensor_data(new_beside(call, y, DTYPE_i64, INTS(out + 1)))};
  double step = source_step(how, s.n);
  s.first[0] = 0;
  for (int64_t i = 0; i < out; i++) s.first[i + 1] = s.first[i] + terms_of(how, i, s.n, step, NULL, NULL);
  int64_t total = s.first[out];
  Tensor *weights = new_beside(call, y, DTYPE_f64, INTS(total));
  double *wide = tensor_data(weights);
  s.at = tensor_data(new_beside(call, y, DTYPE_i64, INTS(total)));
  for (int64_t i = 0; i < out; i++) terms_of(how, i, s.n, step, s.at + s.first[i], wide + s.first[i]);
  if (y->dtype == DTYPE_u8) s.weights = tensor_data(whole_weights(call, weights, &s));
  else s.weights = tensor_data(contiguous_as(call, weights, dtype_compute(tensor_dtype(y))));
  return s;
}

static void resample_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Terms *s = l->params;
  l->k->resample->forward(end - begin, s->n, s->inner, s->first, s->at, s->weights,
                          operand_at(l, 0, begin * s->n[0] * s->inner), result_at(l, 0, begin * s->n[1] * s->inner));
}

static void resample_byte_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Terms *s = l->params;
  l->k->resample->bytes(end - begin, s->n, s->inner, s->first, s->at, s->weights, s->bits,
                        operand_at(l, 0, begin * s->n[0] * s->inner), result_at(l, 0, begin * s->n[1] * s->inner));
}

static void resample_backward_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Terms *s = l->params;
  l->k->resample->backward(end - begin, s->n, s->inner, s->first, s->at, s->weights,
                           operand_at(l, 0, begin * s->n[1] * s->inner), result_at(l, 0, begin * s->n[0] * s->inner));
}

void launch_resample(Call *call, const Resampling *how, Tensor *x, int dim, Tensor *y)
{
  static const Driver driver = {.run = resample_slabs, .results = {DENSE}, .operands = {DENSE}};
  static const Driver of_bytes = {.run = resample_byte_slabs, .results = {DENSE}, .operands = {DENSE}};
  if (!launch_runs(y)) return;
  Slabs from = slabs_of(x, dim), to = slabs_of(y, dim);
  Terms terms = all_terms(call, how, from.n, to.n, to.inner, y);
  const Driver *used = y->dtype == DTYPE_u8 ? &of_bytes : &driver;
  launch(call, used, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x), (Work){to.outer, (from.n + to.n) * to.inner},
         &terms);
}

void launch_resample_backward(Call *call, const Resampling *how, Tensor *dy, int dim, Tensor *dx)
{
  static const Driver driver = {.run = resample_backward_slabs, .results = {DENSE}, .operands = {DENSE}};
  if (!launch_runs(dx)) return;
  Slabs from = slabs_of(dy, dim), to = slabs_of(dx, dim);
  Terms terms = all_terms(call, how, to.n, from.n, to.inner, dx);
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(dy),
         (Work){to.outer, (from.n + to.n) * to.inner}, &terms);
}
