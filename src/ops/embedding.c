/* Rows of tables, looked up by position. */
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"
#include "ops/indexing.h"

/* Rows of a table that are copied out of it, or added up into it. */
typedef struct Rows {
  void (*kernel)(const IndexedLines *l);
  int64_t size, width;         /* bytes of an element, elements of a row */
  const int64_t *positions;
  int64_t count;
  const char *from;
  char *to;
} Rows;

static void gather_part(void *arg, int64_t begin, int64_t end)
{
  const Rows *r = arg;
  int64_t row = r->width * r->size;
  r->kernel(&(IndexedLines){r->width, end - begin, (const char *)(r->positions + begin), 0, sizeof(int64_t), r->from,
                            r->size, row, r->to + begin * row, r->size, row});
}

/* Columns are apart from each other, so they may be added up on several threads. */
static void add_part(void *arg, int64_t begin, int64_t end)
{
  const Rows *r = arg;
  int64_t row = r->width * r->size, at = begin * r->size;
  r->kernel(&(IndexedLines){end - begin, r->count, (const char *)r->positions, 0, sizeof(int64_t), r->from + at, r->size,
                            row, r->to + at, r->size, row});
}

static Ints shape_with(Call *call, const Tensor *indices, int64_t width)
{
  int64_t shape[MAX_DIMS + 1];
  for (int i = 0; i < indices->ndim; i++) shape[i] = indices->shape[i];
  shape[indices->ndim] = width;
  return arena_ints(call->ctx, shape, indices->ndim + 1);
}

static void check_table(Call *call, const Tensor *weight)
{
  if (weight->ndim != 2)
    raise(call, "weight has shape %s; [rows, width] is wanted", shape_text(call, tensor_shape(weight)));
}

FORWARD(embedding_rows)
{
  Tensor *w = a->weight;
  check_table(call, w);
  Tensor *positions = checked_positions(call, a->indices, w->shape[0], 0, false);
  y[0] = result_new(call, tensor_dtype(w), device_of(w), shape_with(call, a->indices, w->shape[1]));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  w = contiguous_as(call, w, tensor_dtype(w));
  Rows r = {movers_of(tensor_dtype(w))->gather_lines, (int64_t)dtype_size(tensor_dtype(w)), w->shape[1],
            tensor_data(positions), positions->numel, tensor_data(w), tensor_data(y[0])};
  if (y[0]->numel <= GRAIN) gather_part(&r, 0, r.count);
  else parallel_for(r.count, grain_of(GRAIN, r.width), gather_part, &r);
}

BACKWARD(embedding_rows)
{
  GRAD(weight) = op(embedding_gradient, dy[0], a->indices, a->weight->shape[0], a->padding, a->by_frequency);
}

/* Adds up rows by position, leaving out those at the padding. */
static void add_rows(const Rows *rows, int64_t padding)
{
  Rows r = *rows;
  const int64_t *stop = rows->positions + rows->count;
  for (const int64_t *p = rows->positions; p < stop;) {
    const int64_t *from = p;
    while (p < stop && *p != padding) p++;
    if (p > from) {
      r.positions = from;
      r.count = p - from;
      r.from = rows->from + (from - rows->positions) * r.width * r.size;
      if (r.count * r.width <= GRAIN) add_part(&r, 0, r.width);
      else parallel_for(r.width, EMBEDDING_COLUMNS, add_part, &r);
    }
    if (p < stop) p++;
  }
}

FORWARD(embedding_gradient)
{
  Tensor *dy = a->dy;
  int64_t width = dy->shape[dy->ndim - 1];
  y[0] = result_new(call, tensor_dtype(dy), device_of(dy), INTS(a->rows, width));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  if (a->by_frequency)
    dy = op(mul, dy, op(unsqueeze, op(embedding_factors, dy, a->indices, a->rows, a->padding, true), -1));
  DType d = kernel_dtype(tensor_dtype(dy));
  Tensor *to = d == tensor_dtype(y[0]) ? y[0] : tensor_new(call, d, DEVICE_CPU, tensor_shape(y[0]));
  launch_fill(call, to, scalar_int(0));
  Tensor *positions = contiguous_as(call, a->indices, DTYPE_i64);
  Rows r = {kernels_of(d)->scatter_add_lines, (int64_t)dtype_size(d), width, tensor_data(positions), positions->numel,
            tensor_data(contiguous_as(call, dy, d)), tensor_data(to)};
  add_rows(&r, a->padding == NO_INT ? 0 : a->padding + 1);
  if (to != y[0]) launch_copy(call, y[0], to);
}

BACKWARD(embedding_gradient)
{
  Tensor *rows = op(embedding_rows, dy[0], a->indices, NO_INT, false);
  if (a->padding != NO_INT || a->by_frequency)
    rows = op(mul, rows, op(unsqueeze, op(embedding_factors, rows, a->indices, a->rows, a->padding, a->by_frequency), -1));
  GRAD(dy) = rows;
}

FORWARD(embedding_factors)
{
  DType dtype = tensor_dtype(a->dy);
  y[0] = result_new(call, dtype, device_of(a->dy), tensor_shape(a->indices));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  Tensor *counts = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(a->rows));
  Tensor *positions = contiguous_as(call, a->indices, DTYPE_i64);
  Tensor *factors = tensor_new(call, DTYPE_f64, DEVICE_CPU, tensor_shape(a->indices));
  const int64_t *p = tensor_data(positions);
  int64_t *count = tensor_data(counts);
  double *factor = tensor_data(factors);
  memset(count, 0, tensor_bytes(counts));
  for (int64_t i = 0; i < positions->numel; i++) count[p[i] - 1]++;
  for (int64_t i = 0; i < positions->numel; i++) {
    factor[i] = a->by_frequency ? 1.0 / (double)count[p[i] - 1] : 1;
    if (a->padding != NO_INT && p[i] == a->padding + 1) factor[i] = 0;
  }
  launch_copy(call, y[0], factors);
}

/* The positions that occur, each once. */
static Tensor *distinct(Call *call, const Tensor *positions, int64_t rows)
{
  Tensor *seen = tensor_new(call, DTYPE_b8, DEVICE_CPU, INTS(rows));
  bool *is_seen = tensor_data(seen);
  const int64_t *p = tensor_data(positions);
  memset(is_seen, 0, (size_t)rows);
  for (int64_t i = 0; i < positions->numel; i++) is_seen[p[i] - 1] = true;
  Tensor *found = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(count_true(rows, is_seen)));
  positions_of_true(1, seen->shape, is_seen, tensor_data(found));
  return found;
}

FORWARD(embedding_renorm)
{
  Tensor *w = a->input;
  check_table(call, w);
  if (!dtype_is_floating(tensor_dtype(w))) raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(w)));
  Tensor *positions = checked_positions(call, a->indices, w->shape[0], 0, false);
  if (w->device == DEVICE_META || positions->numel == 0) {
    y[0] = result_copy(call, w);
    return;
  }
  Tensor *found = distinct(call, positions, w->shape[0]), *rows = op(index_select, w, 0, found);
  Tensor *norms = op(norm, rows, scalar_float(a->norm_type), INTS(1), true, DTYPE_NONE);
  /* PyTorch's formula, with its guard against a division by 0 */
  Tensor *factors = op(div, number(a->max_norm), op(add, norms, number(1e-7), scalar_int(1)));
  factors = op(where, op(gt, norms, number(a->max_norm)), factors, op(ones_like, norms, DTYPE_NONE, DEVICE_NONE, false));
  y[0] = result_copy(call, w);
  op_(index_copy, y[0], 0, found, op(mul, rows, factors));
}

/* Scales the rows that are used down to max_norm, whether weight requires a gradient or not. */
static void limit_norms(Call *call, const struct embedding_args *a)
{
  bool grad = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  op_(embedding_renorm, a->weight, a->input, scalar_real(a->max_norm), a->norm_type);
  call->ctx->grad_enabled = grad;
}

FORWARD(embedding)
{
  const Tensor *w = a->weight;
  check_table(call, w);
  if (a->sparse) raise(call, "sparse gradients are not supported: leave sparse false");
  int64_t padding = a->padding_idx, rows = w->shape[0];
  if (padding != NO_INT && (padding < -rows || padding >= rows))
    raise(call, "padding_idx %lld is no row of a weight of shape %s",
          (long long)(padding < 0 ? padding : padding + 1), shape_text(call, tensor_shape(w)));
  if (padding != NO_INT && padding < 0) padding += rows;
  if (a->max_norm.kind != SCALAR_NONE) limit_norms(call, a);
  y[0] = op(embedding_rows, a->weight, a->input, padding, a->scale_grad_by_freq);
}
