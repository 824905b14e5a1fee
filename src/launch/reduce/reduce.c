/*
 * Reductions, one dimension at a time, from the innermost one out. Dimensions are ordered by stride and merged first,
 * so that most reductions are one step, of rows or of columns, on the tensor as it lies in memory. Long ones are cut
 * into pieces of fixed size, whose results the next step reduces: the number of threads changes nothing.
 */
#include "launch/reduce/reduce.h"

#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "core/parallel.h"
#include "core/shape.h"
#include "kernels/cast.h"
#include "launch/copy.h"
#include "launch/launch.h"

Ints reduced_shape(Call *call, const Tensor *x, uint32_t mask, bool keepdim)
{
  int64_t shape[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++) {
    if (!(mask >> i & 1)) shape[n++] = x->shape[i];
    else if (keepdim) shape[n++] = 1;
  }
  return arena_ints(call->ctx, shape, n);
}

int64_t reduced_count(const Tensor *x, uint32_t mask)
{
  int64_t count = 1;
  for (int i = 0; i < x->ndim; i++)
    if (mask >> i & 1) count *= x->shape[i];
  return count;
}

static DType wide_dtype(DType d)
{
  if (dtype_is_complex(d)) return DTYPE_c128;
  return dtype_is_floating(d) ? DTYPE_f64 : DTYPE_i64;
}

DType reduced_dtype(ReduceId id, DType x)
{
  switch (id) {
    case REDUCE_SUM:
    case REDUCE_SUM_NUMBERS:
    case REDUCE_PROD:
    case REDUCE_SUM_ABS:
    case REDUCE_SUM_SQUARES: return wide_dtype(x);
    case REDUCE_COUNT_NONZERO: return DTYPE_i64;
    default: return dtype_compute(x);
  }
}

/* What combines the results of pieces. */
static ReduceId combining(ReduceId id)
{
  switch (id) {
    case REDUCE_SUM_NUMBERS:
    case REDUCE_SUM_ABS:
    case REDUCE_SUM_SQUARES:
    case REDUCE_COUNT_NONZERO: return REDUCE_SUM;
    case REDUCE_MAX_ABS: return REDUCE_MAX;
    case REDUCE_MIN_ABS: return REDUCE_MIN;
    default: return id;
  }
}

/* ------------------------------------------------------------------ geometry */

typedef struct Axis {
  int64_t size, step;
  bool reduced;
  int dim;
} Axis;

/* Elements in memory over axes, the outermost first. */
typedef struct Field {
  char *data;
  DType dtype;
  int n;
  Axis axis[MAX_DIMS + 1];
} Field;

static void field_sort(Field *f)
{
  for (int i = 1; i < f->n; i++)
    for (int j = i; j > 0 && f->axis[j - 1].step < f->axis[j].step; j--) {
      Axis t = f->axis[j];
      f->axis[j] = f->axis[j - 1];
      f->axis[j - 1] = t;
    }
}

/* Axes of one kind that are one stretch of memory become one. */
static void field_merge(Field *f)
{
  int last = 0;
  for (int i = 1; i < f->n; i++) {
    Axis *outer = &f->axis[last], *inner = &f->axis[i];
    if (outer->reduced == inner->reduced && outer->step == inner->size * inner->step) {
      outer->size *= inner->size;
      outer->step = inner->step;
    } else {
      f->axis[++last] = *inner;
    }
  }
  if (f->n) f->n = last + 1;
}

/* The tensor's axes but those of size 1; order[] receives the kept dimensions as they lie in memory. */
static void field_of(Field *f, const Tensor *x, uint32_t mask, int *order, int *kept)
{
  *f = (Field){.data = tensor_data(x), .dtype = tensor_dtype(x)};
  for (int i = 0; i < x->ndim; i++)
    if (x->shape[i] != 1) f->axis[f->n++] = (Axis){x->shape[i], x->strides[i], mask >> i & 1, i};
  field_sort(f);
  *kept = 0;
  for (int i = 0; i < f->n; i++)
    if (!f->axis[i].reduced) order[(*kept)++] = f->axis[i].dim;
  field_merge(f);
}

/* Kernels need unit steps along the innermost axis, and repeated elements would not add up by steps of 0. */
static bool field_is_usable(const Field *f) { return f->n == 0 || f->axis[f->n - 1].step == 1; }

/* --------------------------------------------------------------------- steps */

typedef struct Step {
  void (*rows)(int64_t rows, int64_t n, int64_t step, const void *x, void *y);
  void (*columns)(int64_t n, int64_t step, int64_t columns, const void *x, void *y);
  const char *x;
  char *y;
  int64_t x_size, y_size; /* bytes of an element */
  int64_t n, step;        /* of the reduced axis */
  int64_t piece, pieces;  /* its length cut */
  int64_t inner, strips;  /* columns; inner is 1 for rows */
  int outer;              /* the other axes */
  int64_t outer_size[MAX_DIMS + 1], x_step[MAX_DIMS + 1], y_step[MAX_DIMS + 1];
  int64_t y_piece;            /* from one piece's result to the next one's */
  const ReduceKernels *about; /* of sums of squares about centres, else NULL */
  const double *centre;
  int64_t centre_step[MAX_DIMS + 1]; /* along the other axes */
  bool whole;                        /* the axis has all elements of a centre */
} Step;

/* One piece of one strip. */
static void step_item(const Step *s, int64_t item)
{
  int64_t strip = item % s->strips, rest = item / s->strips;
  int64_t piece = rest % s->pieces, from = piece * s->piece, at = strip * REDUCE_STRIP;
  int64_t x = from * s->step + at, y = piece * s->y_piece + at, centre = at;
  rest /= s->pieces;
  for (int i = s->outer - 1; i >= 0; i--) {
    int64_t index = rest % s->outer_size[i];
    rest /= s->outer_size[i];
    x += index * s->x_step[i];
    y += index * s->y_step[i];
    centre += index * s->centre_step[i];
  }
  int64_t n = s->n - from < s->piece ? s->n - from : s->piece;
  const void *px = s->x + x * s->x_size;
  void *py = s->y + y * s->y_size;
  int64_t width = s->inner - at < REDUCE_STRIP ? s->inner - at : REDUCE_STRIP;
  bool rows = s->inner == 1 && s->step == 1;
  if (s->about && rows) s->about->squares_about_rows(1, n, 0, px, s->centre + centre, 0, s->whole, py);
  else if (s->about) s->about->squares_about_columns(n, s->step, width, px, s->centre + centre, s->whole, py);
  else if (rows) s->rows(1, n, 0, px, py);
  else s->columns(n, s->step, width, px, py);
}

static void step_items(void *arg, int64_t begin, int64_t end)
{
  const Step *s = arg;
  for (int64_t item = begin; item < end; item++) step_item(s, item);
}

/* Whole rows, equally far apart: many in one call. */
static void step_rows(void *arg, int64_t begin, int64_t end)
{
  const Step *s = arg;
  int64_t apart = s->outer ? s->x_step[0] : 0;
  if (s->about)
    s->about->squares_about_rows(end - begin, s->n, apart, s->x + begin * apart * s->x_size,
                                 s->centre + begin * s->centre_step[0], s->centre_step[0], s->whole,
                                 (double *)(void *)s->y + begin);
  else s->rows(end - begin, s->n, apart, s->x + begin * apart * s->x_size, s->y + begin * s->y_size);
}

static void step_run(Step *s, int64_t outer)
{
  int64_t width = s->inner < REDUCE_STRIP ? s->inner : REDUCE_STRIP, work = s->piece * width;
  bool plain = s->inner == 1 && s->step == 1 && s->pieces == 1 && s->outer <= 1;
  int64_t items = outer * s->pieces * s->strips, grain = grain_of(GRAIN, work);
  if (items <= grain) (plain ? step_rows : step_items)(s, 0, items);
  else parallel_for(items, grain, plain ? step_rows : step_items, s);
}

static void choose_pieces(Step *s)
{
  int64_t width = s->inner < REDUCE_STRIP ? s->inner : REDUCE_STRIP;
  s->strips = (s->inner + REDUCE_STRIP - 1) / REDUCE_STRIP;
  s->piece = s->inner == 1 ? REDUCE_SPLIT : 4 * REDUCE_SPLIT / width;
  if (s->n <= 2 * s->piece) s->piece = s->n;
  s->pieces = (s->n + s->piece - 1) / s->piece;
}

static int innermost_reduced(const Field *f)
{
  int r = f->n - 1;
  while (r >= 0 && !f->axis[r].reduced) r--;
  return r;
}

static char *scratch(Call *call, DType dtype, int64_t n)
{
  size_t bytes = (size_t)n * dtype_size(dtype);
  if (bytes <= 4096) return arena_allocate(call->ctx, bytes);
  return tensor_data(tensor_new(call, dtype, DEVICE_CPU, INTS(n)));
}

/* Centres lie as the kept axes do. */
static void set_centres(Step *s, const Field *f, int r, const double *centre)
{
  int64_t steps[MAX_DIMS + 1], step = 1;
  int others = 0, axes = 0;
  bool rows = r == f->n - 1;
  for (int i = f->n - 1; i >= 0; i--) {
    steps[i] = f->axis[i].reduced ? 0 : step;
    if (f->axis[i].reduced) others += i != r;
    else step *= f->axis[i].size;
  }
  for (int i = 0; i < f->n; i++)
    if (i != r && (rows || i != f->n - 1)) s->centre_step[axes++] = steps[i];
  s->about = kernels_of(f->dtype)->reduce;
  s->centre = centre;
  s->whole = others == 0 && s->pieces == 1;
}

/* Reduces the innermost reduced axis r; the field becomes the results, in `room` if that was the last step. With
   centres, to the sums of squares about them. */
static void reduce_axis(Call *call, ReduceId id, Field *f, int r, const double *centre, char *room)
{
  const ReduceKernels *k = kernels_of(f->dtype)->reduce;
  DType out = reduced_dtype(id, f->dtype);
  bool rows = r == f->n - 1;
  Step s = {k->rows[id],
            k->columns[id],
            f->data,
            NULL,
            (int64_t)dtype_size(f->dtype),
            (int64_t)dtype_size(out),
            f->axis[r].size,
            f->axis[r].step,
            0,
            0,
            1,
            0,
            0,
            {0},
            {0},
            {0},
            1,
            NULL,
            NULL,
            {0},
            false};
  if (!s.rows) raise(call, "%s tensors are not taken", dtype_name(f->dtype));
  if (!rows) s.inner = f->axis[f->n - 1].size;
  choose_pieces(&s);
  Field y = {.dtype = out};
  int64_t step = 1, outer = 1;
  for (int i = f->n - 1; i >= 0; i--) { /* the same axes, the reduced one as its pieces */
    int64_t size = i == r ? s.pieces : f->axis[i].size;
    y.axis[i] = (Axis){size, step, f->axis[i].reduced, 0};
    step *= size;
  }
  y.n = f->n;
  s.y_piece = y.axis[r].step;
  for (int i = 0; i < f->n; i++) {
    if (i == r || (!rows && i == f->n - 1)) continue;
    s.outer_size[s.outer] = f->axis[i].size;
    s.x_step[s.outer] = f->axis[i].step;
    s.y_step[s.outer++] = y.axis[i].step;
    outer *= f->axis[i].size;
  }
  if (centre) set_centres(&s, f, r, centre);
  if (s.pieces == 1) memmove(&y.axis[r], &y.axis[r + 1], (size_t)(--y.n - r) * sizeof(Axis));
  field_merge(&y);
  y.data = s.y = innermost_reduced(&y) < 0 ? room : scratch(call, out, step);
  step_run(&s, outer);
  *f = y;
}

/* ------------------------------------------------------------------- results */

static void finish_values(DType dtype, int64_t n, char *values, Finish finish)
{
  double *v = (double *)(void *)values;
  if (dtype == DTYPE_c128) n *= 2;
  for (int64_t i = 0; i < n && finish.divide != 0; i++) v[i] /= finish.divide;
  for (int64_t i = 0; i < n && finish.root; i++) v[i] = sqrt(v[i]);
}

static void store_values(DType dtype, int64_t n, const char *values, Tensor *y)
{
  int64_t from = (int64_t)dtype_size(dtype), to = (int64_t)dtype_size(tensor_dtype(y));
  cast_kernel(dtype, tensor_dtype(y))(n, values, from, tensor_data(y), to);
}

/* All of a small contiguous tensor: the most frequent case, without any geometry. */
static bool reduce_small(ReduceId id, const Tensor *x, Tensor *y, Finish finish)
{
  _Alignas(16) char value[16];
  DType d = tensor_dtype(x);
  if (y->numel != 1 || !x->is_contiguous || x->numel > REDUCE_SPLIT || dtype_compute(d) != d) return false;
  if (!kernels_of(d)->reduce->rows[id]) return false;
  DType out = reduced_dtype(id, d);
  kernels_of(d)->reduce->rows[id](1, x->numel, 0, tensor_data(x), value);
  finish_values(out, 1, value, finish);
  if (out == tensor_dtype(y)) memcpy(tensor_data(y), value, dtype_size(out));
  else store_values(out, 1, value, y);
  return true;
}

/* Whether the kept dimensions lie in memory in their own order. */
static bool in_order(const int *order, int kept)
{
  for (int i = 1; i < kept; i++)
    if (order[i - 1] > order[i]) return false;
  return true;
}

/* The results lie as their dimensions did in x: copies them to y in y's order. */
static void store_permuted(Call *call, const Tensor *x, uint32_t mask, const int *order, int kept, Tensor *results,
                           Tensor *y)
{
  int64_t strides[MAX_DIMS] = {0}, step = 1, shape[MAX_DIMS], view[MAX_DIMS];
  int n = 0;
  for (int i = kept - 1; i >= 0; i--) {
    strides[order[i]] = step;
    step *= x->shape[order[i]];
  }
  for (int i = 0; i < x->ndim; i++) {
    if (mask >> i & 1) continue;
    shape[n] = x->shape[i];
    view[n++] = strides[i];
  }
  Tensor *from = tensor_view(call, results, (Ints){shape, n}, (Ints){view, n}, 0);
  int64_t plain[MAX_DIMS];
  shape_contiguous_strides((Ints){shape, n}, plain);
  launch_copy(call, tensor_view(call, y, (Ints){shape, n}, (Ints){plain, n}, y->offset), from);
}

/* x as kernels take it, and what there is to reduce of it. */
typedef struct Reduction {
  Tensor *x;
  Field field;
  int order[MAX_DIMS], kept;
} Reduction;

static Reduction reduction_of(Call *call, Tensor *x, uint32_t mask)
{
  Reduction r;
  r.x = dtype_compute(tensor_dtype(x)) == tensor_dtype(x) ? x : contiguous_as(call, x, dtype_compute(tensor_dtype(x)));
  field_of(&r.field, r.x, mask, r.order, &r.kept);
  if (!field_is_usable(&r.field)) {
    r.x = contiguous_as(call, r.x, tensor_dtype(r.x));
    field_of(&r.field, r.x, mask, r.order, &r.kept);
  }
  if (innermost_reduced(&r.field) < 0) /* nothing but dimensions of size 1: each element on its own */
    r.field.axis[r.field.n++] = (Axis){1, 1, true, 0};
  return r;
}

/* Into `room`, as the kept dimensions lie in memory; about centres, which lie alike, if there are any. */
static void reduce_field(Call *call, ReduceId id, Field f, const double *centre, char *room)
{
  for (int r = innermost_reduced(&f); r >= 0; r = innermost_reduced(&f)) {
    reduce_axis(call, id, &f, r, centre, room);
    id = combining(id);
    centre = NULL;
  }
}

static void store_results(Call *call, const Reduction *r, uint32_t mask, Tensor *results, Tensor *y)
{
  if (results == y) return;
  if (in_order(r->order, r->kept)) store_values(tensor_dtype(results), y->numel, tensor_data(results), y);
  else store_permuted(call, r->x, mask, r->order, r->kept, results, y);
}

/* Where results come to lie first: in y, if they can. */
static Tensor *results_of(Call *call, const Reduction *r, DType dtype, Tensor *y)
{
  if (in_order(r->order, r->kept) && dtype == tensor_dtype(y)) return y;
  return tensor_new(call, dtype, DEVICE_CPU, INTS(y->numel));
}

/* Rows equally far apart, whose results y has in another dtype. */
typedef struct FinishedRows {
  void (*rows)(int64_t rows, int64_t n, int64_t step, const void *x, void *y);
  const char *x;
  char *y;
  int64_t n, apart;             /* elements of a row, and from row to row */
  int64_t x_size, size, y_size; /* bytes of an element of x, of the kernel's results, and of y */
  DType dtype;
  CastKernel cast;
  Finish finish;
} FinishedRows;

/* A few results at a time are made, finished and rounded while the nearest cache has them. */
static void finished_rows(void *arg, int64_t begin, int64_t end)
{
  const FinishedRows *f = arg;
  _Alignas(16) char values[POINTWISE_CHUNK * 16];
  for (int64_t at = begin, count; at < end; at += count) {
    count = end - at < POINTWISE_CHUNK ? end - at : POINTWISE_CHUNK;
    f->rows(count, f->n, f->apart, f->x + at * f->apart * f->x_size, values);
    finish_values(f->dtype, count, values, f->finish);
    f->cast(count, values, f->size, f->y + at * f->y_size, f->y_size);
  }
}

static bool reduce_rows(ReduceId id, const Reduction *r, Tensor *y, Finish finish)
{
  const Field *f = &r->field;
  const Axis *row = &f->axis[f->n - 1];
  DType out = reduced_dtype(id, f->dtype);
  if (f->n != 2 || f->axis[0].reduced || row->size > 2 * REDUCE_SPLIT) return false;
  if (out == tensor_dtype(y) || !in_order(r->order, r->kept)) return false;
  FinishedRows rows = {.rows = kernels_of(f->dtype)->reduce->rows[id],
                       .x = f->data,
                       .y = tensor_data(y),
                       .n = row->size,
                       .apart = f->axis[0].step,
                       .x_size = (int64_t)dtype_size(f->dtype),
                       .size = (int64_t)dtype_size(out),
                       .y_size = (int64_t)dtype_size(tensor_dtype(y)),
                       .dtype = out,
                       .cast = cast_kernel(out, tensor_dtype(y)),
                       .finish = finish};
  if (!rows.rows) return false;
  parallel_for(y->numel, grain_of(GRAIN, rows.n), finished_rows, &rows);
  return true;
}

void launch_reduce(Call *call, ReduceId id, Tensor *x, uint32_t mask, Tensor *y, Finish finish)
{
  if (!launch_runs(y)) return;
  if (reduce_small(id, x, y, finish)) return;
  Reduction r = reduction_of(call, x, mask);
  if (reduce_rows(id, &r, y, finish)) return;
  DType out = reduced_dtype(id, r.field.dtype);
  Tensor *results = results_of(call, &r, out, y);
  reduce_field(call, id, r.field, NULL, tensor_data(results));
  finish_values(out, y->numel, tensor_data(results), finish);
  store_results(call, &r, mask, results, y);
}

/* Of all of a small contiguous tensor. */
static bool squares_small(const Tensor *x, Tensor *y, Finish finish)
{
  DType d = tensor_dtype(x);
  if (y->numel != 1 || !x->is_contiguous || x->numel > REDUCE_SPLIT || dtype_compute(d) != d) return false;
  const ReduceKernels *k = kernels_of(d)->reduce;
  double centre, value;
  k->rows[REDUCE_SUM](1, x->numel, 0, tensor_data(x), &centre);
  centre /= (double)x->numel;
  k->squares_about_rows(1, x->numel, 0, tensor_data(x), &centre, 0, true, &value);
  finish_values(DTYPE_f64, 1, (char *)&value, finish);
  store_values(DTYPE_f64, 1, (char *)&value, y);
  return true;
}

void launch_squares_about_mean(Call *call, Tensor *x, uint32_t mask, Tensor *y, Finish finish)
{
  if (!launch_runs(y)) return;
  if (squares_small(x, y, finish)) return;
  Reduction r = reduction_of(call, x, mask);
  double *means = (double *)(void *)scratch(call, DTYPE_f64, y->numel);
  Tensor *results = results_of(call, &r, DTYPE_f64, y);
  reduce_field(call, REDUCE_SUM, r.field, NULL, (char *)means);
  finish_values(DTYPE_f64, y->numel, (char *)means, (Finish){(double)reduced_count(x, mask), false});
  reduce_field(call, REDUCE_SUM_SQUARES, r.field, means, tensor_data(results));
  finish_values(DTYPE_f64, y->numel, tensor_data(results), finish);
  store_results(call, &r, mask, results, y);
}

void launch_count_at_least(Call *call, Tensor *x, uint32_t mask, int64_t enough, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *count = new_beside(call, y, DTYPE_i64, tensor_shape(y));
  if (x->numel == 0) launch_fill(call, count, scalar_int(0));
  else launch_reduce(call, REDUCE_COUNT_NONZERO, x, mask, count, (Finish){0, false});
  const int64_t *n = tensor_data(count);
  uint8_t *truth = tensor_data(y);
  for (int64_t i = 0; i < y->numel; i++) truth[i] = n[i] >= enough;
}

/* ----------------------------------------------------------------- positions */

typedef struct Positions {
  const ReduceKernels *k;
  PositionOf what;
  const char *x;
  char *values;
  int64_t *positions;
  int64_t size, n, inner, strips;
  int64_t piece, pieces;
} Positions;

static void position_strips(void *arg, int64_t begin, int64_t end)
{
  const Positions *p = arg;
  for (int64_t item = begin; item < end; item++) {
    int64_t o = item / p->strips, at = item % p->strips * REDUCE_STRIP, y = o * p->inner + at;
    p->k->position_columns[p->what](p->n, p->inner, p->inner - at < REDUCE_STRIP ? p->inner - at : REDUCE_STRIP,
                                    p->x + (o * p->n * p->inner + at) * p->size, p->values + y * p->size,
                                    p->positions + y);
  }
}

/* Rows, or pieces of rows one after the other. */
static void position_rows(void *arg, int64_t begin, int64_t end)
{
  const Positions *p = arg;
  if (p->pieces == 1) {
    p->k->position_rows[p->what](end - begin, p->n, p->n, p->x + begin * p->n * p->size, p->values + begin * p->size,
                                 p->positions + begin);
    return;
  }
  for (int64_t item = begin; item < end; item++) {
    int64_t row = item / p->pieces, from = item % p->pieces * p->piece;
    int64_t n = p->n - from < p->piece ? p->n - from : p->piece;
    p->k->position_rows[p->what](1, n, 0, p->x + (row * p->n + from) * p->size, p->values + item * p->size,
                                 p->positions + item);
  }
}

/* The best of each row's pieces. */
static void join_pieces(Call *call, const Positions *p, int64_t rows, char *values, int64_t *positions)
{
  int64_t *winner = (int64_t *)(void *)scratch(call, DTYPE_i64, rows);
  p->k->position_rows[p->what](rows, p->pieces, p->pieces, p->values, values, winner);
  for (int64_t r = 0; r < rows; r++) {
    int64_t piece = winner[r] - 1;
    positions[r] = piece * p->piece + p->positions[r * p->pieces + piece];
  }
}

void launch_positions(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions)
{
  if (!launch_runs(positions)) return;
  DType d = dtype_compute(tensor_dtype(x));
  x = contiguous_as(call, x, d);
  int64_t outer = 1;
  Positions p = {.k = kernels_of(d)->reduce,
                 .what = what,
                 .x = tensor_data(x),
                 .positions = tensor_data(positions),
                 .size = (int64_t)dtype_size(d),
                 .n = x->ndim ? x->shape[dim] : 1,
                 .inner = 1,
                 .pieces = 1};
  if (!p.k->position_rows[what]) raise(call, "%s tensors are not taken", dtype_name(d));
  for (int i = 0; i < dim; i++) outer *= x->shape[i];
  for (int i = dim + 1; i < x->ndim; i++) p.inner *= x->shape[i];
  bool direct = values && tensor_dtype(values) == d;
  char *room = direct ? tensor_data(values) : scratch(call, d, outer * p.inner);
  p.values = room;
  p.strips = (p.inner + REDUCE_STRIP - 1) / REDUCE_STRIP;
  if (p.inner > 1) {
    parallel_for(outer * p.strips, grain_of(GRAIN, p.n * (p.inner < REDUCE_STRIP ? p.inner : REDUCE_STRIP)),
                 position_strips, &p);
  } else if (p.n <= 2 * REDUCE_SPLIT) {
    parallel_for(outer, grain_of(GRAIN, p.n), position_rows, &p);
  } else {
    p.piece = REDUCE_SPLIT;
    p.pieces = (p.n + REDUCE_SPLIT - 1) / REDUCE_SPLIT;
    p.values = scratch(call, d, outer * p.pieces);
    p.positions = (int64_t *)(void *)scratch(call, DTYPE_i64, outer * p.pieces);
    parallel_for(outer * p.pieces, 1, position_rows, &p);
    join_pieces(call, &p, outer, room, tensor_data(positions));
  }
  if (values && !direct) store_values(d, outer * p.inner, room, values);
}
