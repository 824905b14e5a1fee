/* Diagonals and triangles, and views written into a copy. */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "ops/helpers.h"

/* ------------------------------------------------------------------ triangles */

typedef struct Triangle {
  const char *from;
  char *to;
  int64_t rows, columns, size, diagonal;
  bool lower;
} Triangle;

static void copy_triangle_rows(void *arg, int64_t begin, int64_t end)
{
  const Triangle *t = arg;
  for (int64_t r = begin; r < end; r++) {
    int64_t row = r % t->rows, bytes = t->columns * t->size;
    int64_t first = clamp_i64(row + t->diagonal + t->lower, 0, t->columns) * t->size; /* where the other part begins */
    const char *from = t->from + r * bytes;
    char *to = t->to + r * bytes;
    int64_t keep = t->lower ? 0 : first, kept = t->lower ? first : bytes - first, drop = t->lower ? first : 0;
    if (from != to) memcpy(to + keep, from + keep, (size_t)kept);
    memset(to + drop, 0, (size_t)(bytes - kept));
  }
}

static Tensor *triangle(Call *call, Tensor *x, int64_t diagonal, bool lower)
{
  if (x->ndim < 2) raise(call, "a matrix or a batch of them is needed, not shape %s", shape_text(call, tensor_shape(x)));
  Tensor *y = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  if (y->device == DEVICE_META || y->numel == 0) return y;
  Tensor *to = y->is_contiguous ? y : tensor_new(call, tensor_dtype(x), DEVICE_CPU, tensor_shape(x));
  int64_t rows = x->shape[x->ndim - 2], columns = x->shape[x->ndim - 1];
  Triangle t = {tensor_data(contiguous_as(call, x, tensor_dtype(x))), tensor_data(to), rows, columns,
                (int64_t)dtype_size(tensor_dtype(x)), clamp_i64(diagonal, -rows, columns), lower};
  parallel_for(x->numel / columns, grain_of(GRAIN, columns), copy_triangle_rows, &t);
  if (to != y) launch_copy(call, y, to);
  return y;
}

FORWARD(tril) { y[0] = triangle(call, a->input, a->diagonal, true); }
BACKWARD(tril) { GRAD(input) = op(tril, dy[0], a->diagonal); }

FORWARD(triu) { y[0] = triangle(call, a->input, a->diagonal, false); }
BACKWARD(triu) { GRAD(input) = op(triu, dy[0], a->diagonal); }

/* The positions of a triangle; in each row those from `first` to before `last`. */
static Tensor *triangle_positions(Call *call, int64_t rows, int64_t columns, int64_t offset, bool lower, DType dtype,
                                  Device device)
{
  if (rows < 0 || columns < 0) raise(call, "negative size %lld x %lld", (long long)rows, (long long)columns);
  if (dtype == DTYPE_NONE) dtype = DTYPE_i64;
  if (dtype != DTYPE_i64 && dtype != DTYPE_i32) raise(call, "dtype is int64 or int32, not %s", dtype_name(dtype));
  shape_numel(call, INTS(rows, columns, 2));
  int64_t count = 0, bound = clamp_i64(offset, -rows, columns);
  for (int64_t r = 0; r < rows; r++) {
    int64_t split = clamp_i64(r + bound + lower, 0, columns);
    count += lower ? split : columns - split;
  }
  Tensor *y = result_new(call, dtype, device == DEVICE_NONE ? DEVICE_CPU : device, INTS(2, count));
  if (y->device == DEVICE_META) return y;
  Tensor *wide = dtype == DTYPE_i64 ? y : tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(2, count));
  int64_t *row = tensor_data(wide), *column = row + count;
  for (int64_t r = 0; r < rows; r++) {
    int64_t split = clamp_i64(r + bound + lower, 0, columns);
    for (int64_t c = lower ? 0 : split; c < (lower ? split : columns); c++) {
      *row++ = r + 1;
      *column++ = c + 1;
    }
  }
  if (wide != y) launch_copy(call, y, wide);
  return y;
}

FORWARD(tril_indices) { y[0] = triangle_positions(call, a->row, a->col, a->offset, true, a->dtype, a->device); }
FORWARD(triu_indices) { y[0] = triangle_positions(call, a->row, a->col, a->offset, false, a->dtype, a->device); }

/* ------------------------------------------------------------------ diagonals */

FORWARD(diag_embed)
{
  const Tensor *x = a->input;
  if (x->ndim == 0) raise(call, "a tensor without dimensions has no diagonal");
  if (x->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  int ndim = x->ndim + 1, i = shape_dim(call, a->dim1, ndim), j = shape_dim(call, a->dim2, ndim);
  if (i == j) raise(call, "dim1 and dim2 are both %d", i + 1);
  int64_t shape[MAX_DIMS], length, offset = a->offset;
  bool overflows = __builtin_add_overflow(x->shape[x->ndim - 1], offset < 0 ? -(uint64_t)offset : (uint64_t)offset, &length);
  if (overflows) raise(call, "offset %lld is too large", (long long)offset);
  for (int d = 0, next = 0; d < ndim; d++) shape[d] = d == i || d == j ? length : x->shape[next++];
  y[0] = result_new(call, tensor_dtype(x), device_of(x), (Ints){shape, ndim});
  if (y[0]->device == DEVICE_META) return;
  launch_fill(call, y[0], scalar_int(0));
  launch_copy(call, op(diagonal, y[0], offset, i, j), x);
}

BACKWARD(diag_embed) { GRAD(input) = op(diagonal, dy[0], a->offset, a->dim1, a->dim2); }

FORWARD(diag)
{
  Tensor *x = a->input;
  if (x->ndim != 1 && x->ndim != 2)
    raise(call, "a vector or a matrix is needed, not shape %s", shape_text(call, tensor_shape(x)));
  y[0] = x->ndim == 1 ? op(diag_embed, x, a->diagonal, 0, 1) : op(clone, op(diagonal, x, a->diagonal, 0, 1));
}

FORWARD(diagflat) { y[0] = op(diag_embed, op(reshape, a->input, INTS(-1)), a->offset, 0, 1); }

FORWARD(linalg_diagonal) { y[0] = op(diagonal, a->A, a->offset, a->dim1, a->dim2); }

/* ------------------------------------------------------- views written into a copy */

/* Writes src into a view of a copy; they must have one shape. */
static void write_view(Call *call, Tensor *view, Tensor *src)
{
  if (!tensor_same_shape(view, src))
    raise(call, "src of shape %s doesn't fit the place of shape %s", shape_text(call, tensor_shape(src)),
          shape_text(call, tensor_shape(view)));
  launch_copy(call, view, src);
}

/* Zeros in the place of a src. */
static Tensor *nothing_like(Call *call, const Tensor *dy, const Tensor *src)
{
  return zeros_for(call, dy, tensor_shape(src));
}

static Tensor *as_src(Call *call, Tensor *part, const Tensor *src)
{
  return op(to_dtype, part, tensor_dtype(src), false, false);
}

FORWARD(diagonal_scatter)
{
  y[0] = result_copy(call, a->input);
  write_view(call, op(diagonal, y[0], a->offset, a->dim1, a->dim2), a->src);
}

BACKWARD(diagonal_scatter)
{
  if (WANTS(input))
    GRAD(input) = op(diagonal_scatter, dy[0], nothing_like(call, dy[0], a->src), a->offset, a->dim1, a->dim2);
  if (WANTS(src)) GRAD(src) = as_src(call, op(diagonal, dy[0], a->offset, a->dim1, a->dim2), a->src);
}

FORWARD(select_scatter)
{
  y[0] = result_copy(call, a->input);
  write_view(call, op(select, y[0], a->dim, a->index), a->src);
}

BACKWARD(select_scatter)
{
  if (WANTS(input)) GRAD(input) = op(select_scatter, dy[0], nothing_like(call, dy[0], a->src), a->dim, a->index);
  if (WANTS(src)) GRAD(src) = as_src(call, op(select, dy[0], a->dim, a->index), a->src);
}

/* The end of a range that includes it, as one that doesn't. */
static int64_t excluded(int64_t stop) { return stop == NO_INT || stop >= 0 ? stop : stop == -1 ? NO_INT : stop + 1; }

FORWARD(slice_scatter)
{
  y[0] = result_copy(call, a->input);
  write_view(call, op(slice, y[0], a->dim, a->start, excluded(a->stop), a->step), a->src);
}

BACKWARD(slice_scatter)
{
  if (WANTS(input))
    GRAD(input) = op(slice_scatter, dy[0], nothing_like(call, dy[0], a->src), a->dim, a->start, a->stop, a->step);
  if (WANTS(src)) GRAD(src) = as_src(call, op(slice, dy[0], a->dim, a->start, excluded(a->stop), a->step), a->src);
}

/* -------------------------------------------------------------------- matrices */

FORWARD(block_diag)
{
  Tensors list = a->tensors;
  if (list.n == 0) {
    y[0] = op(zeros, INTS(1, 0), DTYPE_NONE, DEVICE_NONE, false);
    return;
  }
  int64_t columns = 0, before = 0;
  DType dtype = promote_operands(call, list.v, (int)list.n);
  for (int64_t i = 0; i < list.n; i++) {
    const Tensor *t = list.v[i];
    if (t->ndim > 2) raise(call, "tensor %d has shape %s; a matrix is wanted", (int)i + 1, shape_text(call, tensor_shape(t)));
    if (__builtin_add_overflow(columns, t->ndim ? t->shape[t->ndim - 1] : 1, &columns)) raise(call, "the result is too large");
  }
  Tensors rows = {arena_allocate(call->ctx, (size_t)list.n * sizeof *rows.v), list.n};
  for (int64_t i = 0; i < list.n; i++) { /* each with zeros on both sides */
    Tensor *t = op(to_dtype, list.v[i], dtype, false, false);
    if (t->ndim < 2) t = op(reshape, t, INTS(1, t->numel));
    int64_t width = t->shape[1], height = t->shape[0];
    Tensor *left = zeros_for(call, t, INTS(height, before)), *right = zeros_for(call, t, INTS(height, columns - before - width));
    Tensor *parts[] = {left, t, right};
    rows.v[i] = op(cat, ((Tensors){parts, 3}), 1);
    before += width;
  }
  y[0] = op(cat, rows, 0);
}

/* Powers 0 to n - 1 along a new last dimension. */
static Tensor *powers(Call *call, Tensor *x, int64_t n)
{
  if (n < 0) raise(call, "N must not be negative: %lld", (long long)n);
  Tensor *exponents = op(arange, scalar_int(n), DTYPE_i64, device_of(x), false);
  return op(pow, op(unsqueeze, x, -1), exponents);
}

FORWARD(vander)
{
  Tensor *x = a->x;
  if (x->ndim != 1) raise(call, "x must be a vector, not of shape %s", shape_text(call, tensor_shape(x)));
  if (!dtype_is_inexact(tensor_dtype(x))) x = op(to_dtype, x, DTYPE_i64, false, false);
  y[0] = powers(call, x, a->N == NO_INT ? x->shape[0] : a->N);
  if (!a->increasing) y[0] = op(flip, y[0], INTS(1));
}

FORWARD(linalg_vander)
{
  Tensor *x = a->x;
  if (x->ndim == 0 && a->N == NO_INT) raise(call, "a tensor without dimensions is not taken without N");
  if (a->N != NO_INT && a->N <= 1) raise(call, "N must be greater than 1, not %lld", (long long)a->N);
  if (!dtype_is_inexact(tensor_dtype(x))) x = op(to_dtype, x, DTYPE_i64, false, false);
  if (x->ndim == 0) x = op(reshape, x, INTS(1));
  y[0] = powers(call, x, a->N == NO_INT ? x->shape[x->ndim - 1] : a->N);
}
