/* Elements made from their places: ranges, spaced numbers, windows, triangles. */
#include "launch/math/generate.h"

#include <string.h>

#include "core/arith.h"
#include "launch/launch.h"

/* -------------------------------------------------------------- by their index */

typedef struct ByIndex {
  double (*at)(const void *params, int64_t i);
  const void *params;
} ByIndex;

static void doubles_by_index(const Launch *l, int64_t begin, int64_t end)
{
  const ByIndex *f = l->params;
  double *y = result_at(l, 0, 0);
  for (int64_t i = begin; i < end; i++) y[i] = f->at(f->params, i);
}

void launch_by_index(Call *call, double (*at)(const void *params, int64_t i), const void *params, Tensor *y)
{
  static const Driver driver = {.run = doubles_by_index, .results = {AS_DOUBLE}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), NO_TENSORS, (Work){y->numel, 1}, &(ByIndex){at, params});
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

static double place_in_range(const void *params, int64_t i)
{
  const Range *r = params;
  return scalar_real(r->first) + scalar_real(r->step) * (double)i;
}

void launch_range(Call *call, Scalar first, Scalar step, Tensor *y)
{
  static const Driver driver = {.run = range_of_integers, .results = {AS_INT64}};
  Range r = {first, step};
  if (first.kind <= SCALAR_INT && step.kind <= SCALAR_INT)
    launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), NO_TENSORS, (Work){y->numel, 1}, &r);
  else launch_by_index(call, place_in_range, &r, y);
}

typedef struct Spaced {
  double start, stop;
  int64_t n;
} Spaced;

static void spaced_single(int64_t begin, int64_t end, int64_t n, float *y, float start, float stop)
{
  float step = n > 1 ? (stop - start) / (float)(n - 1) : 0;
  for (int64_t i = begin; i < end; i++)
    y[i] = i < n / 2 || n == 1 ? start + step * (float)i : stop - step * (float)(n - i - 1);
}

static void spaced_double(int64_t begin, int64_t end, int64_t n, double *y, double start, double stop)
{
  double step = n > 1 ? (stop - start) / (double)(n - 1) : 0;
  for (int64_t i = begin; i < end; i++)
    y[i] = i < n / 2 || n == 1 ? start + step * (double)i : stop - step * (double)(n - i - 1);
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
