/* Elements picked and placed by positions, along lines of tensors of any strides. */
#include "launch/index/lines.h"

#include "core/arith.h"
#include "core/blocks.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "kernels/moves.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/look.h"

/* ---------------------------------------------------------------- positions */

/* Raises for the worst of the positions, if one is wrong. */
static void check_range(Call *call, const Tensor *positions, int64_t size, int dim, bool negative)
{
  PositionRange range = {INT64_MAX, INT64_MIN, false};
  kernels_of(DTYPE_i64)->moves->positions_range(positions->numel, tensor_data(positions), &range);
  if (range.zero) raise(call, "index 0 is out of range: positions count from 1");
  int64_t wrong = range.high > size ? range.high : range.low;
  if (range.high > size || range.low < (negative ? -size : 1))
    raise(call, "index %lld is out of range for dimension %d of size %lld", (long long)wrong, dim + 1, (long long)size);
}

Tensor *checked_positions(Call *call, Tensor *index, int64_t size, int dim, bool negative)
{
  if (index->dtype != DTYPE_i64 && index->dtype != DTYPE_i32 && index->numel)
    raise(call, "positions must be int64, not %s: convert them, as index:long()", dtype_name(tensor_dtype(index)));
  if (!can_look(index)) return index;
  Tensor *positions = contiguous_as(call, index, DTYPE_i64);
  if (!kernels_of(DTYPE_i64)->moves->positions_within(positions->numel, tensor_data(positions), size))
    check_range(call, positions, size, dim, negative);
  return positions;
}

/* -------------------------------------------------------------------- lines */

typedef struct LineJob {
  void (*kernel)(const IndexedLines *l);
  IndexedLines lines; /* the steps */
} LineJob;

static void line_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const LineJob *job = arg;
  IndexedLines l = job->lines;
  l.n = n;
  l.to = p[0];
  l.to_line = strides[0];
  l.from = p[1];
  l.from_line = strides[1];
  l.index = p[2];
  l.index_line = strides[2];
  job->kernel(&l);
}

static void (*line_kernel(LineKind kind, DType dtype))(const IndexedLines *l)
{
  switch (kind) {
    case GATHER: return movers_of(dtype)->moves->gather;
    case SCATTER: return movers_of(dtype)->moves->scatter;
    case SCATTER_ADD: return kernels_of(dtype)->moves->scatter_add;
    case SCATTER_MULTIPLY: return kernels_of(dtype)->moves->scatter_multiply;
    case SCATTER_MAX: return kernels_of(dtype)->moves->scatter_max;
    default: return kernels_of(dtype)->moves->scatter_min;
  }
}

/* Lines are apart from each other in the destination, so they may run on several threads. */
void launch_lines(Call *call, LineKind kind, Side to, Side from, Side positions, int64_t count)
{
  (void)call;
  if (!launch_runs(to.t) || count == 0) return;
  int64_t size = (int64_t)dtype_size(tensor_dtype(to.t));
  LineJob job = {.kernel = line_kernel(kind, tensor_dtype(to.t)),
                 .lines = {.count = count,
                           .to_step = to.step * size,
                           .from_step = from.step * size,
                           .index_step = positions.step * (int64_t)sizeof(int64_t)}};
  Iter it;
  iter_init(&it, tensor_shape(to.t));
  iter_add(&it, to.t);
  iter_add(&it, from.t);
  iter_add(&it, positions.t);
  iter_plan(&it);
  int64_t grain = grain_of(GRAIN, count), inner = it.ndim - 1;
  if (inner >= 0 && it.strides[2][inner] == 0) /* whole slices: long pieces of each, whatever their number */
    grain = max_i64(grain, min_i64(SLICE_PIECE, (it.numel + 1) / 2));
  iter_parallel(&it, grain, line_run, &job);
}

/* --------------------------------------------------------- along a dimension */

/* A tensor without dimensions as one of size [1]. */
static Tensor *at_least_1d(Call *call, Tensor *t)
{
  return t->ndim ? t : tensor_view(call, t, INTS(1), INTS(1), t->offset);
}

/* The first slice of the shape's size (1 along dim) of t, and the way from slice to slice. */
static Side side_of(Call *call, Tensor *t, Ints shape, int dim)
{
  int64_t sizes[MAX_DIMS];
  for (int64_t d = 0; d < shape.n; d++) sizes[d] = d == dim ? 1 : shape.v[d];
  return (Side){tensor_view(call, t, (Ints){sizes, shape.n}, tensor_strides(t), t->offset), t->strides[dim]};
}

void pair_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim)
{
  if (!launch_runs(to) || index->numel == 0) return;
  from = apart_from(call, from, to);
  index = apart_from(call, index, to);
  to = at_least_1d(call, to);
  from = at_least_1d(call, from);
  index = at_least_1d(call, index);
  Ints shape = tensor_shape(index);
  launch_lines(call, kind, side_of(call, to, shape, dim), side_of(call, from, shape, dim),
               side_of(call, index, shape, dim), shape.v[dim]);
}

void combine_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim)
{
  DType dtype = tensor_dtype(to), compute = dtype_compute(dtype);
  if (!launch_runs(to)) return;
  if (compute == dtype) {
    pair_along(call, kind, to, from, index, dim);
    return;
  }
  Tensor *sum = contiguous_as(call, to, compute);
  pair_along(call, kind, sum, contiguous_as(call, from, compute), index, dim);
  launch_copy(call, to, sum);
}

/* ---------------------------------------------------------------- into a view */

/* The places of a view's elements in its memory, counted from 1, in row-major order. */
static Tensor *places_of(Call *call, const Tensor *view)
{
  Tensor *places = new_beside(call, view, DTYPE_i64, INTS(view->numel));
  int64_t *to = tensor_data(places), at[MAX_DIMS] = {0}, place = view->offset + 1;
  for (int64_t i = 0; i < view->numel; i++) {
    to[i] = place;
    for (int d = view->ndim - 1; d >= 0; d--) {
      place += view->strides[d];
      if (++at[d] < view->shape[d]) break;
      place -= at[d] * view->strides[d];
      at[d] = 0;
    }
  }
  return places;
}

void launch_add_at_view(Call *call, Tensor *y, const Tensor *view, Tensor *x)
{
  if (!launch_runs(y) || x->numel == 0) return;
  Tensor *flat = contiguous_as(call, x, dtype_compute(tensor_dtype(y)));
  flat = tensor_view(call, flat, INTS(flat->numel), INTS(1), flat->offset);
  Tensor *to = tensor_view(call, y, INTS(y->numel), INTS(1), y->offset);
  combine_along(call, SCATTER_ADD, to, flat, places_of(call, view), 0);
}

/* ------------------------------------------------------------------- places */

typedef struct Place {
  int64_t size, stride;
} Place;

/* p[0] is a place, p[1] a position. */
static void place_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Place *place = arg;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = *(const int64_t *)(p[1] + i * strides[1]);
    *(int64_t *)(p[0] + i * strides[0]) += (at < 0 ? at + place->size : at - 1) * place->stride;
  }
}

void launch_add_places(Tensor *places, const Tensor *positions, int64_t size, int64_t stride)
{
  Place place = {size, stride};
  Iter it;
  if (!launch_runs(places)) return;
  iter_init(&it, tensor_shape(places));
  iter_add(&it, places);
  iter_add(&it, positions);
  iter_plan(&it);
  iter_runs(&it, 0, it.numel, place_run, &place);
}
