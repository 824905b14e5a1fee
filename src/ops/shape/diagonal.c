/* Diagonals and triangles, and views written into a copy. */
#include "ops/shape/diagonal.h"

#include <string.h>

#include "core/arith.h"
#include "launch/math/generate.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/reduce/cumulative.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ------------------------------------------------------------------ diagonals */

/* A diagonal of n places in y, from the row `start` on, set to a value: `rows` of them, w + 1 rows apart. */
static void fill_diagonals(Call *call, Tensor *y, int64_t start, int64_t rows, int64_t n, Scalar value)
{
  int64_t step = 0;
  for (int d = 0; d < y->ndim; d++) step += y->strides[d];
  Ints strides = INTS((y->shape[1] + 1) * y->strides[0], step);
  launch_fill(call, tensor_view(call, y, INTS(rows, n), strides, y->offset + start * y->strides[0]), value);
}

FORWARD(fill_diagonal)
{
  Tensor *x = a->input;
  if (x->ndim < 2) raise(call, "two dimensions at least are needed, not shape %s", shape_text(call, tensor_shape(x)));
  for (int d = 1; d < x->ndim && x->ndim > 2; d++)
    if (x->shape[d] != x->shape[0])
      raise(call, "all dimensions must be equal where there are more than two, not %s",
            shape_text(call, tensor_shape(x)));
  y[0] = result_copy(call, x);
  int64_t h = x->shape[0], w = x->shape[1], n = min_i64(h, w), whole = a->wrap && x->ndim == 2 ? (h + 1) / (w + 1) : 0;
  if (n == 0) return;
  if (whole == 0) {
    fill_diagonals(call, y[0], 0, 1, n, a->fill_value);
    return;
  }
  fill_diagonals(call, y[0], 0, whole, w, a->fill_value);
  int64_t rest = h - whole * (w + 1);
  if (rest > 0) fill_diagonals(call, y[0], whole * (w + 1), 1, min_i64(rest, w), a->fill_value);
}

BACKWARD(fill_diagonal) { GRAD(input) = op_(fill_diagonal, op(clone, dy[0]), scalar_int(0), a->wrap); }

/* ------------------------------------------------------------------ triangles */

static Tensor *triangle(Call *call, Tensor *x, int64_t diagonal, bool lower)
{
  if (x->ndim < 2)
    raise(call, "a matrix or a batch of them is needed, not shape %s", shape_text(call, tensor_shape(x)));
  Tensor *y = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_triangle(call, x, diagonal, lower, y);
  return y;
}

FORWARD(tril) { y[0] = triangle(call, a->input, a->diagonal, true); }
BACKWARD(tril) { GRAD(input) = op(tril, dy[0], a->diagonal); }

FORWARD(triu) { y[0] = triangle(call, a->input, a->diagonal, false); }
BACKWARD(triu) { GRAD(input) = op(triu, dy[0], a->diagonal); }

typedef struct TrianglePlaces {
  int64_t rows, columns, diagonal, count;
  bool lower;
} TrianglePlaces;

/* In each row that has any the columns from 0, or from where the triangle begins. */
static void fill_triangle_places(const void *params, int64_t *row)
{
  const TrianglePlaces *p = params;
  int64_t *column = row + p->count;
  int64_t first = p->lower && p->diagonal < 0 ? -p->diagonal : 0;
  int64_t end = p->lower ? p->rows : min_i64(p->rows, p->columns - p->diagonal);
  for (int64_t r = first; r < end; r++) {
    int64_t split = triangle_split(r, p->columns, p->diagonal, p->lower);
    for (int64_t c = p->lower ? 0 : split; c < (p->lower ? split : p->columns); c++) {
      *row++ = r + 1;
      *column++ = c + 1;
    }
  }
}

/* How many positions there are: the sum of what each row splits off, r + step within 0..columns. */
static int64_t count_triangle(int64_t rows, int64_t columns, int64_t diagonal, bool lower)
{
  int64_t step = diagonal + lower, first = clamp_i64(-step, 0, rows), end = clamp_i64(columns - step, first, rows);
  int64_t split = (end - first) * (first + step + end - 1 + step) / 2 + (rows - end) * columns;
  return lower ? split : rows * columns - split;
}

/* The positions of a triangle: a line of rows and one of columns. */
static Tensor *triangle_positions(Call *call, int64_t rows, int64_t columns, int64_t offset, bool lower, DType dtype,
                                  Device device)
{
  if (rows < 0 || columns < 0) raise(call, "negative size %lld x %lld", (long long)rows, (long long)columns);
  if (dtype == DTYPE_NONE) dtype = DTYPE_i64;
  if (dtype != DTYPE_i64 && dtype != DTYPE_i32) raise(call, "dtype is int64 or int32, not %s", dtype_name(dtype));
  shape_numel(call, INTS(rows, columns, 2));
  TrianglePlaces p = {rows, columns, offset < -rows ? -rows : offset > columns ? columns : offset, 0, lower};
  p.count = count_triangle(rows, columns, p.diagonal, lower);
  Tensor *y = result_new(call, dtype, device_or_default(call, device), INTS(2, p.count));
  launch_positions_of(call, fill_triangle_places, &p, y);
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
  bool overflows = __builtin_add_overflow(x->shape[x->ndim - 1], offset < 0 ? -(uint64_t)offset : (uint64_t)offset,
                                          &length);
  if (overflows) raise(call, "offset %lld is too large", (long long)offset);
  for (int d = 0, next = 0; d < ndim; d++) shape[d] = d == i || d == j ? length : x->shape[next++];
  y[0] = result_new(call, tensor_dtype(x), device_of(x), (Ints){shape, ndim});
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

static Tensor *as_src(Call *call, Tensor *part, const Tensor *src) { return cast(part, tensor_dtype(src)); }

/* A copy in the very strides of t, with what lies between its elements, as PyTorch's functions *_scatter give it. */
static Tensor *result_strided_copy(Call *call, Tensor *t)
{
  if (tensor_is_dense(t) || tensor_is_expanded(t)) return result_copy(call, t);
  Tensor *y = result_strided(call, tensor_dtype(t), device_of(t), tensor_shape(t), tensor_strides(t));
  Ints extent = INTS(shape_extent(call, tensor_shape(t), tensor_strides(t)));
  launch_copy(call, tensor_view(call, y, extent, INTS(1), 0), tensor_view(call, t, extent, INTS(1), t->offset));
  return y;
}

FORWARD(diagonal_scatter)
{
  y[0] = result_strided_copy(call, a->input);
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
  y[0] = result_strided_copy(call, a->input);
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
  y[0] = result_strided_copy(call, a->input);
  write_view(call, op(slice, y[0], a->dim, a->start, excluded(a->stop), a->step), a->src);
}

BACKWARD(slice_scatter)
{
  if (WANTS(input))
    GRAD(input) = op(slice_scatter, dy[0], nothing_like(call, dy[0], a->src), a->dim, a->start, a->stop, a->step);
  if (WANTS(src)) GRAD(src) = as_src(call, op(slice, dy[0], a->dim, a->start, excluded(a->stop), a->step), a->src);
}

FORWARD(as_strided_scatter)
{
  y[0] = result_strided_copy(call, a->input);
  write_view(call, op(as_strided, y[0], a->size, a->stride, a->storage_offset), a->src);
}

/* The gradient lies in memory as the copy did, for the same strides. */
BACKWARD(as_strided_scatter)
{
  Tensor *d = ordered_as(dy[0], a->input);
  Tensor *none = nothing_like(call, d, a->src);
  if (WANTS(input)) GRAD(input) = op(as_strided_scatter, d, none, a->size, a->stride, a->storage_offset);
  if (WANTS(src)) GRAD(src) = as_src(call, op(as_strided, d, a->size, a->stride, a->storage_offset), a->src);
}

/* -------------------------------------------------------------------- matrices */

typedef struct Block {
  int64_t rows, columns;
} Block;

/* The size of one of block_diag's tensors: a vector is a row, a number 1 by 1. */
static Block block_size(const Tensor *t)
{
  return (Block){t->ndim > 1 ? t->shape[0] : 1, t->ndim ? t->shape[t->ndim - 1] : 1};
}

/* The place of a block in a matrix. */
static Tensor *block_of(Call *call, const Tensor *y, Block at, const Tensor *t)
{
  Block size = block_size(t);
  int64_t offset = y->offset + at.rows * y->strides[0] + at.columns * y->strides[1];
  return tensor_view(call, y, INTS(size.rows, size.columns), tensor_strides(y), offset);
}

FORWARD(block_diag)
{
  Tensors list = a->tensors;
  Block all = {0, 0}, at = {0, 0};
  DType dtype = list.n ? promote_operands(call, list.v, (int)list.n) : call->ctx->default_dtype;
  for (int64_t i = 0; i < list.n; i++) {
    Block size = block_size(list.v[i]);
    if (list.v[i]->ndim > 2)
      raise(call, "tensor %d has shape %s; a matrix is wanted", (int)i + 1, shape_text(call, tensor_shape(list.v[i])));
    if (__builtin_add_overflow(all.rows, size.rows, &all.rows)
        || __builtin_add_overflow(all.columns, size.columns, &all.columns))
      raise(call, "the result is too large");
  }
  y[0] = result_new(call, dtype, result_device(call), list.n ? INTS(all.rows, all.columns) : INTS(1, 0));
  launch_fill(call, y[0], scalar_int(0));
  for (int64_t i = 0; i < list.n; i++) {
    Block size = block_size(list.v[i]);
    launch_copy(call, block_of(call, y[0], at, list.v[i]), list.v[i]);
    at = (Block){at.rows + size.rows, at.columns + size.columns};
  }
}

BACKWARD(block_diag)
{
  Tensors list = a->tensors;
  Block at = {0, 0};
  for (int64_t i = 0; i < list.n; i++) {
    const Tensor *t = list.v[i];
    Block size = block_size(t);
    if (WANTS_OF(tensors, i)) {
      Tensor *block = op(narrow, op(narrow, dy[0], 0, at.rows, size.rows), 1, at.columns, size.columns);
      GRAD_OF(tensors, i) = cast(op(reshape, block, tensor_shape(t)), tensor_dtype(t));
    }
    at = (Block){at.rows + size.rows, at.columns + size.columns};
  }
}

/* Powers 0 to n - 1 along a new last dimension. */
static Tensor *powers(Call *call, Tensor *x, int64_t n)
{
  int64_t numel;
  if (n < 0) raise(call, "N must not be negative: %lld", (long long)n);
  if (__builtin_mul_overflow(x->numel, n, &numel)) raise(call, "N is %lld, which is too large", (long long)n);
  Tensor *column = op(unsqueeze, x, -1);
  int64_t shape[MAX_DIMS];
  Ints size = {shape, column->ndim};
  memcpy(shape, column->shape, (size_t)size.n * sizeof *shape);
  shape[x->ndim] = n > 0;
  Tensor *first = op(ones, size, tensor_dtype(x), device_behind(x), false);
  if (n <= 1) return first;
  shape[x->ndim] = n - 1;
  Tensor *parts[] = {first, op(cumprod, op(expand, column, size), x->ndim, DTYPE_NONE)};
  return op(cat, ((Tensors){parts, 2}), -1);
}

FORWARD(vander)
{
  Tensor *x = a->x;
  if (x->ndim != 1) raise(call, "x must be a vector, not of shape %s", shape_text(call, tensor_shape(x)));
  if (!dtype_is_inexact(tensor_dtype(x))) x = cast(x, DTYPE_i64);
  y[0] = powers(call, x, a->N == NO_INT ? x->shape[0] : a->N);
  if (!a->increasing) y[0] = op(flip, y[0], INTS(1));
}

FORWARD(linalg_vander)
{
  Tensor *x = a->x;
  if (x->ndim == 0 && a->N == NO_INT) raise(call, "a tensor without dimensions is not taken without N");
  if (a->N != NO_INT && a->N <= 1) raise(call, "N must be greater than 1, not %lld", (long long)a->N);
  if (!dtype_is_inexact(tensor_dtype(x))) x = cast(x, DTYPE_i64);
  if (x->ndim == 0) x = op(reshape, x, INTS(1));
  y[0] = powers(call, x, a->N == NO_INT ? x->shape[x->ndim - 1] : a->N);
}
