/*
 * Normalization: sums over stretches of elements, kept as doubles, and maps of them. Moments are taken about the first
 * element, in one pass: no distance from the mean is larger than all of them together, so doubles lose nothing by it.
 */
#include "core/blocks.h"
#include "kernels/normalization.h"
#include "kernels/typed/row_sums.h"
#include "kernels/typed/short_rows.h"

#if T_FLOATING

enum { ROWS_TOGETHER = 4 };

/* x: [n]; sums: [2] */
static void stretch_moments(int64_t n, const void *x, double pivot, double *sums)
{
  double here[2];
  row_moments(n, x, pivot, here);
  sums[0] += here[0];
  sums[1] += here[1];
}

/* dy, x: [n]; sums: [2] */
static void stretch_products(int64_t n, const void *dy_, const void *x_, double mean, double *sums)
{
  const T *dy = dy_, *x = x_;
  Doubles first = {0}, second = {0};
  int64_t i = 0;
  for (; i + V <= n; i += V) {
    Vector d = load(dy + i), v = load(x + i);
    Doubles low = low_doubles(d), high = high_doubles(d);
    first += low + high;
    second += low * (low_doubles(v) - mean) + high * (high_doubles(v) - mean);
  }
  sums[0] += total_of_doubles(first);
  sums[1] += total_of_doubles(second);
  for (; i < n; i++) {
    sums[0] += (double)dy[i];
    sums[1] += (double)dy[i] * ((double)x[i] - mean);
  }
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

/* What a few rows are normalized by. */
typedef struct RowScales {
  T mean[ROWS_TOGETHER], scale[ROWS_TOGETHER];
} RowScales;

/* y = (x - mean) scale w + b of a few rows; w and b may be NULL. x, y: [rows, n]; w, b: [n] */
INLINE void normalize_part(int rows, RowPart at, int64_t n, const T *x, const RowScales *s, const T *w, const T *b,
                           T *y)
{
  Vector weight = w ? load_part(w, at) : (Vector){0}, bias = b ? load_part(b, at) : (Vector){0};
  UNROLL for (int r = 0; r < rows; r++)
  {
    Vector v = (load_part(x + r * n, at) - s->mean[r]) * s->scale[r];
    if (w) v *= weight;
    if (b) v += bias;
    store_part(y + r * n, at, v);
  }
}

INLINE void normalize_rows(int rows, int64_t n, const T *x, const RowScales *scales, const T *w, const T *b, T *y)
{
  RowScales s = *scales;
  int64_t i = 0;
  for (; i + V <= n; i += V) normalize_part(rows, whole_part(i), n, x, &s, w, b, y);
  if (i < n) normalize_part(rows, part_at(i, n), n, x, &s, w, b, y);
}

/* What columns have: their first element, which moments are about, or 0; and moments as doubles, of a half of the
   columns of a vector. */
typedef struct Columns {
  Doubles pivot;
  Moments sums;
} Columns;

INLINE void column_step(bool centred, Columns *c, Doubles v)
{
  v -= c->pivot;
  if (centred) c->sums.first += v;
  c->sums.second += v * v;
}

INLINE void column_moments(const Columns *c, double over_n, double *mean, double *var)
{
  Doubles shift = c->sums.first * over_n, m = c->pivot + shift, v = c->sums.second * over_n - shift * shift;
  memcpy(mean, &m, sizeof m);
  memcpy(var, &v, sizeof v);
}

/* columns: [n, width]; mean, var: room for whole vectors beyond [width] */
INLINE void columns_moments(bool centred, int64_t n, int width, const T *columns, double *mean, double *var)
{
  double over_n = 1 / (double)n;
  FOR_PARTS(at, width)
  {
    Columns low = {{0}, {{0}, {0}}}, high = low;
    Vector first = load_part(columns, at);
    if (centred) low.pivot = low_doubles(first), high.pivot = high_doubles(first);
    for (int64_t k = 0; k < n; k++) {
      Vector v = load_part(columns + k * SOFTMAX_STRIP, at);
      column_step(centred, &low, low_doubles(v));
      if (sizeof(T) < sizeof(double)) column_step(centred, &high, high_doubles(v));
    }
    column_moments(&low, over_n, mean + at.at, var + at.at);
    if (sizeof(T) < sizeof(double)) column_moments(&high, over_n, mean + at.at + V / 2, var + at.at + V / 2);
  }
}

/* As layer_norm, of n <= SOFTMAX_SHORT. */
static void layer_norm_short(int64_t rows, int64_t n, bool centred, const T *x, const T *w, const T *b, double eps,
                             T *y, double *mean, double *var)
{
  T columns[SHORT_COLUMNS], centre[SOFTMAX_STRIP], scale[SOFTMAX_STRIP];
  double means[SOFTMAX_STRIP + V], vars[SOFTMAX_STRIP + V];
  FOR_SHORT_ROWS
  {
    turn_in(width, n, room, x + begin, columns);
    columns_moments(centred, n, (int)width, columns, means, vars);
    for (int64_t j = 0; j < width; j++) {
      mean[first + j] = means[j];
      var[first + j] = vars[j] < 0 ? 0 : vars[j];
      centre[j] = (T)means[j];
      scale[j] = (T)(1 / sqrt(var[first + j] + eps));
    }
    FOR_PARTS(at, width)
    {
      Vector m = load_part(centre, at), s = load_part(scale, at);
      for (int64_t k = 0; k < n; k++) {
        Vector v = (load_part(columns + k * SOFTMAX_STRIP, at) - m) * s;
        if (w) v *= w[k];
        if (b) v += b[k];
        store_part(columns + k * SOFTMAX_STRIP, at, v);
      }
    }
    turn_out(width, n, room, columns, y + begin);
  }
}

/* Mean and variance of x [n], or 0 and the mean of the squares. */
INLINE void row_spread(int64_t n, const T *x, bool centred, double *mean, double *var)
{
  double sums[2], pivot = (double)x[0];
  if (!centred) {
    *mean = 0;
    *var = square_row(n, x) / (double)n;
    return;
  }
  row_moments(n, x, pivot, sums);
  *mean = pivot + sums[0] / (double)n;
  *var = (sums[1] - sums[0] * sums[0] / (double)n) / (double)n;
  if (*var < 0) *var = 0;
}

/* x, y: [rows, n]; w, b: [n] or NULL; mean, var: [rows]. `rows`, at most ROWS_TOGETHER, is told where it is called. */
INLINE void layer_norm_rows(int rows, int64_t n, bool centred, const T *x, const T *w, const T *b, double eps, T *y,
                            double *mean, double *var)
{
  RowScales s;
  for (int r = 0; r < rows; r++) {
    row_spread(n, x + r * n, centred, &mean[r], &var[r]);
    s.mean[r] = (T)mean[r];
    s.scale[r] = (T)(1 / sqrt(var[r] + eps));
  }
  if (w && b) normalize_rows(rows, n, x, &s, w, b, y);
  else if (w) normalize_rows(rows, n, x, &s, w, NULL, y);
  else normalize_rows(rows, n, x, &s, NULL, b, y);
}

static void layer_norm(int64_t rows, int64_t n, bool centred, const void *x_, const void *w, const void *b, double eps,
                       void *y_, double *mean, double *var)
{
  const T *x = x_;
  T *y = y_;
  if (n <= SOFTMAX_SHORT && n % V && rows >= V) { /* rows of whole vectors are as fast as they are */
    layer_norm_short(rows, n, centred, x, w, b, eps, y, mean, var);
    return;
  }
  int64_t r = 0;
  for (; n >= NORM_LONG && (w || b) && r + ROWS_TOGETHER <= rows; r += ROWS_TOGETHER)
    layer_norm_rows(ROWS_TOGETHER, n, centred, x + r * n, w, b, eps, y + r * n, mean + r, var + r);
  for (; r < rows; r++) layer_norm_rows(1, n, centred, x + r * n, w, b, eps, y + r * n, mean + r, var + r);
}

/* A row of a gradient: the means of g and of g times the normalized x, where g is dy times the weight. */
typedef struct RowGradient {
  const T *x, *dy;
  T *dx; /* may be NULL */
  T mean, scale, all, along;
} RowGradient;

INLINE void row_means(RowGradient *r, int64_t n, bool centred, const T *w)
{
  Doubles first = {0}, second = {0};
  for (int64_t i = 0; i < n; i += V) {
    RowPart at = part_at(i, n);
    Vector g = load_part(r->dy, at);
    if (w) g *= load_part(w, at);
    Vector h = g * ((load_part(r->x, at) - r->mean) * r->scale);
    first += low_doubles(g) + high_doubles(g);
    second += low_doubles(h) + high_doubles(h);
  }
  r->all = centred ? (T)(total_of_doubles(first) / (double)n) : 0;
  r->along = (T)(total_of_doubles(second) / (double)n);
}

INLINE void add_doubles(double *to, Doubles v)
{
  Doubles old;
  memcpy(&old, to, sizeof old);
  old += v;
  memcpy(to, &old, sizeof old);
}

/* sums += v. sums: [n] */
INLINE void add_part(double *sums, RowPart at, Vector v)
{
  if (at.left == V) {
    add_doubles(sums + at.at, low_doubles(v));
    if (sizeof(T) < sizeof(double)) add_doubles(sums + at.at + V / 2, high_doubles(v));
    return;
  }
  T line[V];
  store(line, v);
  for (int j = 0; j < at.left; j++) sums[at.at + j] += (double)line[j];
}

/* The gradients of a few rows, whose shares of those of weight and bias are added up before they become doubles. */
INLINE void rows_gradients(int rows, const RowGradient *row, int64_t n, const T *w, double *dw, double *db)
{
  for (int64_t i = 0; i < n; i += V) {
    RowPart at = part_at(i, n);
    Vector of_weight = {0}, of_bias = {0}, weight = w ? load_part(w, at) : AS_VECTOR((T)1);
    for (int r = 0; r < rows; r++) {
      Vector dy = load_part(row[r].dy, at), x = (load_part(row[r].x, at) - row[r].mean) * row[r].scale;
      of_weight += dy * x;
      of_bias += dy;
      if (row[r].dx) store_part(row[r].dx, at, row[r].scale * (dy * weight - row[r].all - x * row[r].along));
    }
    if (dw) add_part(dw, at, of_weight);
    if (db) add_part(db, at, of_bias);
  }
}

static void layer_norm_backward(int64_t rows, int64_t n, bool centred, const void *dy, const void *x, const void *w,
                                double eps, const double *mean, const double *var, void *dx, double *dw, double *db)
{
  for (int64_t r = 0; r < rows; r += ROWS_TOGETHER) {
    RowGradient row[ROWS_TOGETHER];
    int count = rows - r < ROWS_TOGETHER ? (int)(rows - r) : ROWS_TOGETHER;
    for (int j = 0; j < count; j++) {
      int64_t at = (r + j) * n;
      T scale = (T)(1 / sqrt(var[r + j] + eps));
      row[j] = (RowGradient){
        (const T *)x + at, (const T *)dy + at, dx ? (T *)dx + at : NULL, (T)mean[r + j], scale, 0, 0};
      if (dx) row_means(&row[j], n, centred, w);
    }
    if (count == ROWS_TOGETHER) rows_gradients(ROWS_TOGETHER, row, n, w, dw, db);
    else rows_gradients(count, row, n, w, dw, db);
  }
}

#endif

void TYPED(fill_normalization)(NormalizationKernels *t) AT_START;
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
