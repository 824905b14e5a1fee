/* Elements made from their places: ranges, spaced numbers, windows, triangles. */
#include "launch/math/generate.h"

#include <math.h>
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/cast.h"
#include "launch/launch.h"

/* -------------------------------------------------------------- by their index */

typedef struct Pieces {
  ByIndex fill;
  const void *params;
  CastKernel cast; /* to the dtype of the result; NULL if that is float64 */
  int64_t n, size;
} Pieces;

/* Items are pieces. */
static void numbers_by_index(const Launch *l, int64_t begin, int64_t end)
{
  const Pieces *f = l->params;
  for (int64_t first = begin * GENERATE_PIECE; first < f->n && first < end * GENERATE_PIECE; first += GENERATE_PIECE) {
    double buffer[GENERATE_PIECE];
    int n = (int)min_i64(f->n - first, GENERATE_PIECE);
    char *to = (char *)result_at(l, 0, 0) + first * f->size;
    f->fill(f->params, first, n, buffer);
    if (f->cast) f->cast(n, (char *)buffer, sizeof *buffer, to, f->size);
    else memcpy(to, buffer, (size_t)n * sizeof *buffer);
  }
}

void launch_by_index(Call *call, ByIndex fill, const void *params, Tensor *y)
{
  static const Driver driver = {.run = numbers_by_index, .results = {MOVED}};
  DType dtype = tensor_dtype(y);
  Pieces f = {fill, params, dtype == DTYPE_f64 ? NULL : cast_kernel(DTYPE_f64, dtype), y->numel,
              (int64_t)dtype_size(dtype)};
  Work work = {(y->numel + GENERATE_PIECE - 1) / GENERATE_PIECE, GENERATE_PIECE};
  launch(call, &driver, dtype, TENSOR_LIST(y), NO_TENSORS, work, &f);
}

typedef struct Range {
  Scalar first, step;
} Range;

static void range_of_integers(const Launch *l, int64_t begin, int64_t end)
{
  const Range *r = l->params;
  int64_t *y = result_at(l, 0, 0);
  for (int64_t i = begin; i < end; i++) y[i] = (int64_t)((uint64_t)r->first.i + (uint64_t)i * (uint64_t)r->step.i);
}

static void places_in_range(const void *params, int64_t first, int n, double *to)
{
  const Range *r = params;
  double start = scalar_real(r->first), step = scalar_real(r->step);
  (void)n;
  for (int i = 0; i < GENERATE_PIECE; i++) to[i] = start + step * ((double)first + i);
}

void launch_range(Call *call, Scalar first, Scalar step, Tensor *y)
{
  static const Driver driver = {.run = range_of_integers, .results = {AS_INT64}};
  Range r = {first, step};
  if (first.kind <= SCALAR_INT && step.kind <= SCALAR_INT)
    launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), NO_TENSORS, (Work){y->numel, 1}, &r);
  else launch_by_index(call, places_in_range, &r, y);
}

/* Of a piece the angles behind its first one are the same in each: their sines and cosines are worked out once. */
typedef struct Cosines {
  const double *c;
  double step, sin[GENERATE_PIECE], cos[GENERATE_PIECE];
} Cosines;

/* By cos(a + b) = cos a cos b - sin a sin b, and cos 2a = 2 cos^2 a - 1. */
static void sum_of_cosines(const void *params, int64_t first, int n, double *to)
{
  const Cosines *w = params;
  double c0 = w->c[0], c1 = w->c[1], c2 = w->c[2];
  double sine = sin(w->step * (double)first), cosine = cos(w->step * (double)first);
  (void)n;
  for (int i = 0; i < GENERATE_PIECE; i++) {
    double c = cosine * w->cos[i] - sine * w->sin[i];
    to[i] = c0 - c1 * c + c2 * (2 * c * c - 1);
  }
}

void launch_cosines(Call *call, const double *c, int64_t steps, Tensor *y)
{
  Cosines w = {.c = c, .step = 6.283185307179586 / (double)steps};
  for (int i = 0; i < GENERATE_PIECE; i++) {
    w.sin[i] = sin(w.step * i);
    w.cos[i] = cos(w.step * i);
  }
  launch_by_index(call, sum_of_cosines, &w, y);
}

typedef struct Spaced {
  double start, stop;
  int64_t n;
} Spaced;

static void spaced_single(int64_t begin, int64_t end, int64_t n, float *y, float start, float stop)
{
  float step = n > 1 ? (stop - start) / (float)(n - 1) : 0;
  int64_t half = n == 1 ? 1 : clamp_i64(n / 2, begin, end);
  for (int64_t i = begin; i < half; i++) y[i] = start + step * (float)i;
  for (int64_t i = half; i < end; i++) y[i] = stop - step * (float)(n - i - 1);
}

static void spaced_double(int64_t begin, int64_t end, int64_t n, double *y, double start, double stop)
{
  double step = n > 1 ? (stop - start) / (double)(n - 1) : 0;
  int64_t half = n == 1 ? 1 : clamp_i64(n / 2, begin, end);
  for (int64_t i = begin; i < half; i++) y[i] = start + step * (double)i;
  for (int64_t i = half; i < end; i++) y[i] = stop - step * (double)(n - i - 1);
}

static void spaced(const Launch *l, int64_t begin, int64_t end)
{
  const Spaced *s = l->params;
  if (l->dtype == DTYPE_f32) spaced_single(begin, end, s->n, result_at(l, 0, 0), (float)s->start, (float)s->stop);
  else spaced_double(begin, end, s->n, result_at(l, 0, 0), s->start, s->stop);
}

void launch_linspace(Call *call, double start, double stop, Tensor *y)
{
  static const Driver driver = {.run = spaced, .results = {DENSE}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), NO_TENSORS, (Work){y->numel, 1},
         &(Spaced){start, stop, y->numel});
}

/* ------------------------------------------------------------------- positions */

typedef struct Positions {
  void (*fill)(const void *params, int64_t *to);
  const void *params;
} Positions;

static void fill_positions(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Positions *p = l->params;
  p->fill(p->params, result_at(l, 0, 0));
}

void launch_positions_of(Call *call, void (*fill)(const void *params, int64_t *to), const void *params, Tensor *y)
{
  static const Driver driver = {.run = fill_positions, .results = {AS_INT64}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), NO_TENSORS, (Work){1, y->numel}, &(Positions){fill, params});
}

/* ------------------------------------------------------------------- triangles */

typedef struct Triangle {
  int64_t rows, columns, size, diagonal;
  bool lower;
} Triangle;

int64_t triangle_split(int64_t r, int64_t columns, int64_t diagonal, bool lower)
{
  return clamp_i64(r + diagonal + lower, 0, columns);
}

static void triangle_rows(const Launch *l, int64_t begin, int64_t end)
{
  const Triangle *t = l->params;
  for (int64_t r = begin; r < end; r++) {
    int64_t bytes = t->columns * t->size,
            split = triangle_split(r % t->rows, t->columns, t->diagonal, t->lower) * t->size;
    const char *from = (const char *)operand_at(l, 0, 0) + r * bytes;
    char *to = (char *)result_at(l, 0, 0) + r * bytes;
    int64_t keep = t->lower ? 0 : split, kept = t->lower ? split : bytes - split, drop = t->lower ? split : 0;
    if (from != to) memcpy(to + keep, from + keep, (size_t)kept);
    memset(to + drop, 0, (size_t)(bytes - kept));
  }
}

void launch_triangle(Call *call, Tensor *x, int64_t diagonal, bool lower, Tensor *y)
{
  static const Driver driver = {.run = triangle_rows, .results = {MOVED}, .operands = {MOVED}, .in_place = true};
  int64_t rows = x->shape[x->ndim - 2], columns = x->shape[x->ndim - 1];
  Triangle t = {rows, columns, (int64_t)dtype_size(tensor_dtype(x)), clamp_i64(diagonal, -rows, columns), lower};
  Work work = {columns > 0 ? x->numel / columns : 0, columns};
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(y), TENSOR_LIST(x), work, &t);
}
