/* Copies with a cast, and fills. What lies in memory the other way around, as a transpose does, is copied in tiles. */
#include "launch/copy.h"

#include "core/arith.h"
#include "core/blocks.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "kernels/cast.h"
#include "kernels/copy.h"
#include "kernels/moves.h"
#include "launch/layout.h"

typedef struct Copy {
  CastKernel cast;          /* NULL between the same dtypes */
  size_t size;              /* of an element of the source */
  Iter it;                  /* operand 0 is the result, 1 the source */
  int across;               /* the dimension along which the source is contiguous, where that isn't the innermost one */
  int64_t bands, stretches; /* the faces of both dimensions are cut into so many parts */
  int64_t count, steps[2];  /* of the elements of a line, where the iterator walks lines */
} Copy;

static void copy_line(const Copy *c, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride)
{
  if (c->cast) c->cast(n, from, from_stride, to, to_stride);
  else copy_elements(c->size, n, from, from_stride, to, to_stride);
}

static void copy_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  copy_line(arg, n, p[1], strides[1], p[0], strides[0]);
}

/* ------------------------------------------------------------------- tiles */

static int64_t tile_of(size_t size) { return size <= 4 ? COPY_TILE : COPY_WIDE_TILE; }

/* Rows that are far apart are not foreseen by the machine. */
static void prefetch(const char *row, int64_t bytes)
{
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
}

/* n elements of a run, beginning at `to` and `from`, for each of up to a tile of positions across. Each tile is turned
   around in a buffer, so that lines of the cache are read and written once and whole. */
static void copy_tiles(const Copy *c, int64_t n, int64_t positions, const char *from, char *to)
{
  _Alignas(64) char buffer[COPY_TILE * COPY_TILE * 4];
  int inner = c->it.ndim - 1;
  int64_t size = (int64_t)c->size, tile = tile_of(c->size);
  int64_t from_run = c->it.strides[1][inner], to_run = c->it.strides[0][inner], to_across = c->it.strides[0][c->across];
  if (n <= tile && to_run == size && !c->cast) { /* short lines lie side by side */
    transpose_elements(c->size, n, positions, from, from_run, to, to_across);
    return;
  }
  for (int64_t at = 0; at < n; at += tile) {
    int64_t count = min_i64(n - at, tile);
    transpose_elements(c->size, count, positions, from + at * from_run, from_run, buffer, tile * size);
    for (int64_t i = 0; i < positions; i++) {
      if (at + tile + i < n) prefetch(from + (at + tile + i) * from_run, positions * size);
      copy_line(c, count, buffer + i * tile * size, size, to + at * to_run + i * to_across, to_run);
    }
  }
}

static void tiles_part(void *arg, int64_t begin, int64_t end)
{
  const Copy *c = arg;
  const Iter *it = &c->it;
  int inner = it->ndim - 1;
  for (int64_t unit = begin; unit < end; unit++) {
    int64_t start = unit % c->stretches * COPY_STRETCH, rest = unit / c->stretches;
    int64_t position = rest % c->bands * tile_of(c->size), outer = rest / c->bands;
    char *p[2];
    for (int k = 0; k < 2; k++)
      p[k] = it->data[k] + start * it->strides[k][inner] + position * it->strides[k][c->across];
    for (int d = inner - 1; d >= 0; d--) {
      if (d == c->across) continue;
      for (int k = 0; k < 2; k++) p[k] += outer % it->shape[d] * it->strides[k][d];
      outer /= it->shape[d];
    }
    copy_tiles(c, min_i64(it->shape[inner] - start, COPY_STRETCH),
               min_i64(it->shape[c->across] - position, tile_of(c->size)), p[1], p[0]);
  }
}

/* ------------------------------------------------------------------- lines */

static void lines_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Copy *c = arg;
  int64_t to[] = {strides[0], c->steps[0]}, from[] = {strides[1], c->steps[1]};
  if (!c->cast) {
    copy_lines(c->size, n, c->count, p[1], from, p[0], to);
    return;
  }
  for (int64_t i = 0; i < n; i++) c->cast(c->count, p[1] + i * from[0], from[1], p[0] + i * to[0], to[1]);
}

/* The same copy as a walk over lines, whose number is no matter of the iterator; long ones are cut for threads. */
static void launch_copy_lines(Copy *c)
{
  Iter *it = &c->it;
  if (it->ndim < 2 || it->shape[it->ndim - 1] >= GRAIN) {
    iter_parallel(it, GRAIN, copy_run, c);
    return;
  }
  int inner = --it->ndim;
  c->count = it->shape[inner];
  for (int k = 0; k < 2; k++) c->steps[k] = it->strides[k][inner];
  it->numel /= c->count;
  iter_parallel(it, grain_of(GRAIN, c->count), lines_run, c);
}

/* Makes the next dimension the innermost one where that has only a few elements, which are no run worth a call. */
static void lengthen_runs(Iter *it)
{
  int inner = it->ndim - 1;
  if (inner < 1 || it->shape[inner] >= COPY_SHORT || it->shape[inner - 1] <= it->shape[inner]) return;
  iter_swap(it, inner, inner - 1);
}

/* Whether a copy goes by tiles; notes how. */
static bool plan_tiles(Copy *c)
{
  const Iter *it = &c->it;
  int inner = it->ndim - 1;
  if (inner < 1 || it->strides[1][inner] == (int64_t)c->size || it->strides[1][inner] == 0) return false;
  for (c->across = inner - 1; c->across >= 0; c->across--)
    if (it->strides[1][c->across] == (int64_t)c->size) break;
  if (c->across < 0 || it->shape[inner] * it->shape[c->across] < COPY_LEAST_FACE) return false;
  c->stretches = (it->shape[inner] + COPY_STRETCH - 1) / COPY_STRETCH;
  c->bands = (it->shape[c->across] + tile_of(c->size) - 1) / tile_of(c->size);
  return true;
}

static void launch_tiles(Copy *c)
{
  int inner = c->it.ndim - 1;
  int64_t units = c->it.numel / (c->it.shape[inner] * c->it.shape[c->across]) * c->bands * c->stretches;
  int64_t work = min_i64(c->it.shape[inner], COPY_STRETCH) * min_i64(c->it.shape[c->across], tile_of(c->size));
  if (c->it.numel <= GRAIN) tiles_part(c, 0, units);
  else parallel_for(units, (GRAIN + work - 1) / work, tiles_part, c);
}

void launch_copy(Call *call, Tensor *to, const Tensor *from)
{
  if (to->device == DEVICE_META || to->numel == 0) return;
  if (may_overlap(to, from)) {
    if (same_place(to, from)) return;
    from = copy_of(call, from, tensor_dtype(from));
  }
  Copy c = {.size = dtype_size(tensor_dtype(from))};
  if (to->dtype != from->dtype) c.cast = cast_kernel(tensor_dtype(from), tensor_dtype(to));
  iter_init(&c.it, tensor_shape(to));
  iter_add(&c.it, to);
  iter_add(&c.it, from);
  iter_plan(&c.it);
  if (plan_tiles(&c)) {
    launch_tiles(&c);
    return;
  }
  lengthen_runs(&c.it);
  launch_copy_lines(&c);
}

/* --------------------------------------------------------------------- fills */

typedef struct Fill {
  const MoveKernels *k;
  char value[16];
} Fill;

static void fill_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Fill *f = arg;
  f->k->fill(n, f->value, p[0], strides[0]);
}

void check_number_fits(Call *call, Scalar number, DType dtype)
{
  if (scalar_fits(number, dtype)) return;
  if (number.kind == SCALAR_COMPLEX) raise(call, "a complex value doesn't fit a %s tensor", dtype_name(dtype));
  raise(call, "the value is %.17g, which %s can't hold", scalar_real(number), dtype_name(dtype));
}

void check_value_fits(Call *call, const Tensor *value, DType dtype)
{
  if (value->is_wrapped_number) check_number_fits(call, tensor_number(value), dtype);
  else if (dtype_is_complex(tensor_dtype(value)) && !dtype_is_complex(dtype))
    raise(call, "a complex value doesn't fit a %s tensor", dtype_name(dtype));
}

void launch_fill(Call *call, Tensor *y, Scalar value)
{
  check_number_fits(call, value, tensor_dtype(y));
  if (y->device == DEVICE_META || y->numel == 0) return;
  Fill f = {.k = movers_of(tensor_dtype(y))->moves};
  scalar_store(value, tensor_dtype(y), f.value);
  if (y->is_contiguous && y->numel <= GRAIN) {
    f.k->fill(y->numel, f.value, tensor_data(y), (int64_t)dtype_size(tensor_dtype(y)));
    return;
  }
  Iter it;
  iter_init(&it, tensor_shape(y));
  iter_add(&it, y);
  iter_plan(&it);
  iter_parallel(&it, GRAIN, fill_run, &f);
}

/* --------------------------------------------------------------------- pairs */

typedef struct Pairs {
  size_t size;
  const char *a, *b;
  char *to;
} Pairs;

static void pairs_part(void *arg, int64_t begin, int64_t end)
{
  const Pairs *p = arg;
  int64_t at = begin * (int64_t)p->size;
  copy_pairs(p->size, end - begin, p->a + at, p->b + at, p->to + 2 * at);
}

bool launch_pairs(Tensor *to, const Tensor *a, const Tensor *b)
{
  const DType part = dtype_to_real(tensor_dtype(to));
  const Tensor *parts[] = {a, b};
  for (int i = 0; i < 2; i++)
    if (tensor_dtype(parts[i]) != part || !tensor_same_shape(parts[i], to) || !parts[i]->is_contiguous) return false;
  if (!to->is_contiguous) return false;
  if (to->device == DEVICE_META || to->numel == 0) return true;
  Pairs p = {dtype_size(part), tensor_data(a), tensor_data(b), tensor_data(to)};
  parallel_for(to->numel, GRAIN, pairs_part, &p);
  return true;
}
