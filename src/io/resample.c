/*
 * Resizing as Pillow's: weights of both dimensions are worked out first, then lines are resized, then columns of what
 * came of that. Bytes have weights of 22 bits behind the point and are rounded in between; floats have sums of doubles.
 */
#include "io/resample.h"

#include <math.h>
#include <string.h>

#include "core/parallel.h"

#define PI 3.14159265358979323846

enum { WEIGHT_BITS = 32 - 8 - 2, ENOUGH = 1 << 14 /* elements for a thread */ };

/* ------------------------------------------------------------------- filters */

static double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

static double triangle(double x) { return fabs(x) < 1.0 ? 1.0 - fabs(x) : 0.0; }

static double hamming(double x)
{
  x = fabs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= PI;
  return sin(x) / x * (0.54f + 0.46f * cos(x)) /* floats, as there */;
}

/* Keys's with a = -0.5. */
static double cubic(double x)
{
  const double a = -0.5;
  x = fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static double sinc(double x)
{
  if (x == 0.0) return 1.0;
  x *= PI;
  return sin(x) / x;
}

static double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

static const struct {
  double (*weight)(double x);
  double support;
} filters[RESAMPLE_FILTERS] = {
  [RESAMPLE_BOX] = {box, 0.5},     [RESAMPLE_BILINEAR] = {triangle, 1}, [RESAMPLE_HAMMING] = {hamming, 1},
  [RESAMPLE_BICUBIC] = {cubic, 2}, [RESAMPLE_LANCZOS] = {lanczos, 3},
};

/* ------------------------------------------------------------------- weights */

/* Of what each place of a dimension is made: `count` neighbours from `first` on, weights[place * most …]. */
typedef struct Weights {
  int64_t *first, *count, most;
  double *weights;
  int32_t *whole; /* the same as integers, for bytes */
} Weights;

/* The weights of one place, which add up to 1. */
static void weigh(Weights *w, int64_t place, double center, double width, int64_t in, ResampleFilter filter)
{
  double support = filters[filter].support * width, sum = 0;
  double *weights = w->weights + place * w->most;
  int64_t first = (int64_t)(center - support + 0.5), end = (int64_t)(center + support + 0.5);
  if (first < 0) first = 0;
  if (end > in) end = in;
  for (int64_t i = 0; i < end - first; i++) {
    weights[i] = filters[filter].weight(((double)(i + first) - center + 0.5) * (1.0 / width));
    sum += weights[i];
  }
  for (int64_t i = 0; i < end - first; i++) {
    if (sum != 0.0) weights[i] /= sum;
    double scaled = weights[i] * (1 << WEIGHT_BITS);
    w->whole[place * w->most + i] = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  w->first[place] = first;
  w->count[place] = end - first;
}

static Weights weights_of(Call *call, int64_t in, int64_t out, ResampleFilter filter)
{
  double scale = (double)in / (double)out, width = scale < 1.0 ? 1.0 : scale;
  Weights w = {.most = 2 * (int64_t)ceil(filters[filter].support * width) + 1};
  size_t places = (size_t)out;
  w.first = arena_allocate(call->ctx, places * sizeof *w.first);
  w.count = arena_allocate(call->ctx, places * sizeof *w.count);
  w.weights = arena_allocate(call->ctx, places * (size_t)w.most * sizeof *w.weights);
  w.whole = arena_allocate(call->ctx, places * (size_t)w.most * sizeof *w.whole);
  for (int64_t i = 0; i < out; i++) weigh(&w, i, ((double)i + 0.5) * scale, width, in, filter);
  return w;
}

/* -------------------------------------------------------------------- passes */

/* One pass over all channels: `from` with its strides, `to` contiguous. */
typedef struct Pass {
  const char *from;
  char *to;
  int64_t channels, height, width; /* of what is made */
  int64_t strides[3];              /* of from: channel, row, pixel */
  const Weights *w;                /* of a line's places, or of the columns' */
  const int64_t *rows, *columns;   /* for the nearest */
} Pass;

static uint8_t byte_of(int32_t sum)
{
  sum >>= WEIGHT_BITS;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Lines are made some at a time, so that each weight is read once for them: the channels of a row follow each other,
   which share their bytes where they are interleaved. Where fewer are left the last one is made again. */
enum { TOGETHER = 4 };
typedef struct Lines {
  const void *from[TOGETHER];
  void *to[TOGETHER];
} Lines;

static Lines lines_at(const Pass *p, int64_t line, int64_t end, int64_t size)
{
  Lines l;
  for (int64_t i = 0; i < TOGETHER; i++) {
    int64_t k = line + i < end ? line + i : end - 1, channel = k % p->channels, row = k / p->channels;
    l.from[i] = p->from + (channel * p->strides[0] + row * p->strides[1]) * size;
    l.to[i] = p->to + (channel * p->height + row) * p->width * size;
  }
  return l;
}

static void lines_of_bytes(void *arg, int64_t begin, int64_t end)
{
  const Pass *p = arg;
  int64_t step = p->strides[2];
  for (int64_t line = begin; line < end; line += TOGETHER) {
    Lines l = lines_at(p, line, end, 1);
    const uint8_t *a = l.from[0], *b = l.from[1], *c = l.from[2], *d = l.from[3];
    for (int64_t x = 0; x < p->width; x++) {
      const int32_t *weights = p->w->whole + x * p->w->most;
      int64_t n = p->w->count[x], at = p->w->first[x] * step;
      int32_t sums[TOGETHER] = {1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1),
                                1 << (WEIGHT_BITS - 1)};
      for (int64_t i = 0; i < n; i++, at += step) {
        sums[0] += a[at] * weights[i];
        sums[1] += b[at] * weights[i];
        sums[2] += c[at] * weights[i];
        sums[3] += d[at] * weights[i];
      }
      for (int i = 0; i < TOGETHER; i++) ((uint8_t *)l.to[i])[x] = byte_of(sums[i]);
    }
  }
}

static void lines_of_floats(void *arg, int64_t begin, int64_t end)
{
  const Pass *p = arg;
  int64_t step = p->strides[2];
  for (int64_t line = begin; line < end; line += TOGETHER) {
    Lines l = lines_at(p, line, end, sizeof(float));
    const float *a = l.from[0], *b = l.from[1], *c = l.from[2], *d = l.from[3];
    for (int64_t x = 0; x < p->width; x++) {
      const double *weights = p->w->weights + x * p->w->most;
      int64_t n = p->w->count[x], at = p->w->first[x] * step;
      double sums[TOGETHER] = {0};
      for (int64_t i = 0; i < n; i++, at += step) {
        sums[0] += a[at] * weights[i];
        sums[1] += b[at] * weights[i];
        sums[2] += c[at] * weights[i];
        sums[3] += d[at] * weights[i];
      }
      for (int i = 0; i < TOGETHER; i++) ((float *)l.to[i])[x] = (float)sums[i];
    }
  }
}

/* A line of columns' sums, so many columns at a time; the last ones one by one. */
static void columns_of_bytes(void *arg, int64_t begin, int64_t end)
{
  const Pass *p = arg;
  int64_t step = p->strides[2];
  for (int64_t line = begin; line < end; line++) {
    int64_t y = line / p->channels, n = p->w->count[y], channel = line % p->channels;
    const int32_t *weights = p->w->whole + y * p->w->most;
    const uint8_t *from = (const uint8_t *)p->from + channel * p->strides[0] + p->w->first[y] * p->strides[1];
    uint8_t *to = (uint8_t *)p->to + (channel * p->height + y) * p->width;
    for (int64_t x = 0, together; x < p->width; x += together) {
      together = p->width - x >= TOGETHER ? TOGETHER : 1;
      const uint8_t *at = from + x * step, *next = together == 1 ? at : at + step;
      int64_t two = together == 1 ? 0 : 2 * step;
      int32_t sums[TOGETHER] = {1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1),
                                1 << (WEIGHT_BITS - 1)};
      for (int64_t i = 0; i < n; i++, at += p->strides[1], next += p->strides[1]) {
        sums[0] += at[0] * weights[i];
        sums[1] += next[0] * weights[i];
        sums[2] += at[two] * weights[i];
        sums[3] += next[two] * weights[i];
      }
      for (int64_t i = 0; i < together; i++) to[x + i] = byte_of(sums[i]);
    }
  }
}

static void columns_of_floats(void *arg, int64_t begin, int64_t end)
{
  const Pass *p = arg;
  int64_t step = p->strides[2];
  for (int64_t line = begin; line < end; line++) {
    int64_t y = line / p->channels, n = p->w->count[y], channel = line % p->channels;
    const double *weights = p->w->weights + y * p->w->most;
    const float *from = (const float *)p->from + channel * p->strides[0] + p->w->first[y] * p->strides[1];
    float *to = (float *)p->to + (channel * p->height + y) * p->width;
    for (int64_t x = 0, together; x < p->width; x += together) {
      together = p->width - x >= TOGETHER ? TOGETHER : 1;
      const float *at = from + x * step, *next = together == 1 ? at : at + step;
      int64_t two = together == 1 ? 0 : 2 * step;
      double sums[TOGETHER] = {0};
      for (int64_t i = 0; i < n; i++, at += p->strides[1], next += p->strides[1]) {
        sums[0] += at[0] * weights[i];
        sums[1] += next[0] * weights[i];
        sums[2] += at[two] * weights[i];
        sums[3] += next[two] * weights[i];
      }
      for (int64_t i = 0; i < together; i++) to[x + i] = (float)sums[i];
    }
  }
}

/* ------------------------------------------------------------------- nearest */

/* Where the places of a dimension are taken from. Pillow adds the steps up, so their rounding is kept. */
static int64_t *nearest_places(Call *call, int64_t in, int64_t out)
{
  int64_t *places = arena_allocate(call->ctx, (size_t)out * sizeof *places);
  double scale = (double)in / (double)out, at = scale * 0.5;
  for (int64_t i = 0; i < out; i++, at += scale) places[i] = (int64_t)at < in ? (int64_t)at : in - 1;
  return places;
}

static void copy_nearest(void *arg, int64_t begin, int64_t end, size_t size)
{
  const Pass *p = arg;
  for (int64_t line = begin; line < end; line++) {
    int64_t channel = line % p->channels, y = line / p->channels;
    int64_t row = channel * p->strides[0] + p->rows[y] * p->strides[1];
    char *to = p->to + (size_t)((channel * p->height + y) * p->width) * size;
    for (int64_t x = 0; x < p->width; x++)
      memcpy(to + (size_t)x * size, p->from + (row + p->columns[x] * p->strides[2]) * (int64_t)size, size);
  }
}

static void nearest_bytes(void *arg, int64_t begin, int64_t end) { copy_nearest(arg, begin, end, 1); }
static void nearest_floats(void *arg, int64_t begin, int64_t end) { copy_nearest(arg, begin, end, sizeof(float)); }

/* --------------------------------------------------------------------- whole */

/* Runs a pass, whose result is what the next one reads. */
static void run(Pass *p, ParallelBody body)
{
  parallel_for(p->channels * p->height, grain_of(ENOUGH, p->width), body, p);
  p->from = p->to;
  p->strides[0] = p->height * p->width;
  p->strides[1] = p->width;
  p->strides[2] = 1;
}

/* One dimension, of a picture whose other one is as it is in `p`. */
static void resize_one(Call *call, Pass *p, const Tensor *to, bool lines, int64_t in, ResampleFilter filter)
{
  static const ParallelBody bodies[2][2] = {{columns_of_floats, columns_of_bytes}, {lines_of_floats, lines_of_bytes}};
  Weights w = weights_of(call, in, to->shape[lines ? 2 : 1], filter);
  if (lines) p->width = to->shape[2];
  else p->height = to->shape[1];
  bool is_last = p->width == to->shape[2] && p->height == to->shape[1];
  const Tensor *made = is_last
                         ? to
                         : tensor_new(call, tensor_dtype(to), DEVICE_CPU, INTS(to->shape[0], p->height, p->width));
  p->to = tensor_data(made);
  p->w = &w;
  run(p, bodies[lines][to->dtype == DTYPE_u8]);
}

void resample(Call *call, const Tensor *from, Tensor *to, ResampleFilter filter)
{
  int64_t height = from->shape[1], width = from->shape[2];
  Pass p = {
    .from = tensor_data(from), .to = tensor_data(to), .channels = from->shape[0], .height = height, .width = width};
  memcpy(p.strides, from->strides, sizeof p.strides);
  bool lines = to->shape[2] != width, columns = to->shape[1] != height;
  /* which of them comes first shows in the rounding in between: Pillow 13's choice */
  bool columns_first = to->shape[1] < height && 2 * (width - to->shape[2]) < height - to->shape[1];
  if (filter == RESAMPLE_NEAREST || (!lines && !columns)) {
    p.height = to->shape[1];
    p.width = to->shape[2];
    p.rows = nearest_places(call, height, p.height);
    p.columns = nearest_places(call, width, p.width);
    run(&p, from->dtype == DTYPE_u8 ? nearest_bytes : nearest_floats);
    return;
  }
  if (columns && columns_first) resize_one(call, &p, to, false, height, filter);
  if (lines) resize_one(call, &p, to, true, width, filter);
  if (columns && !columns_first) resize_one(call, &p, to, false, height, filter);
}
