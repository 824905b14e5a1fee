/* Rows of tables, looked up by position. */
#include "ops/nn/embedding.h"

#include "launch/nn/embedding.h"
#include "launch/index/lines.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

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
  y[0] = result_new(call, tensor_dtype(w), device_of(w), shape_with(call, a->indices, w->shape[1]));
  launch_embedding(call, w, a->indices, y[0]);
}

BACKWARD(embedding_rows)
{
  GRAD(weight) = op(embedding_gradient, dy[0], a->indices, a->weight->shape[0], a->padding, a->by_frequency);
}

/* The position that is left out, as launches take it. */
static int64_t padding_position(int64_t padding) { return padding == NO_INT ? 0 : padding + 1; }

FORWARD(embedding_gradient)
{
  Tensor *dy = a->dy;
  int64_t width = dy->shape[dy->ndim - 1];
  y[0] = result_new(call, tensor_dtype(dy), device_of(dy), INTS(a->rows, width));
  if (a->by_frequency)
    dy = op(mul, dy, op(unsqueeze, op(embedding_factors, dy, a->indices, a->rows, a->padding, true), -1));
  launch_embedding_gradient(call, dy, a->indices, padding_position(a->padding), y[0]);
}

BACKWARD(embedding_gradient)
{
  Tensor *rows = op(embedding_rows, dy[0], a->indices, NO_INT, false);
  if (a->padding != NO_INT || a->by_frequency)
    rows = op(mul, rows,
              op(unsqueeze, op(embedding_factors, rows, a->indices, a->rows, a->padding, a->by_frequency), -1));
  GRAD(dy) = rows;
}

FORWARD(embedding_factors)
{
  y[0] = result_new(call, tensor_dtype(a->dy), device_of(a->dy), tensor_shape(a->indices));
  launch_embedding_factors(call, a->indices, a->rows, padding_position(a->padding), a->by_frequency, y[0]);
}

FORWARD(embedding_renorm)
{
  Tensor *w = a->input;
  check_table(call, w);
  check_floating(call, tensor_dtype(w));
  Tensor *positions = checked_positions(call, a->indices, w->shape[0], 0, false);
  if (positions->numel == 0) {
    y[0] = result_copy(call, w);
    return;
  }
  Tensor *found = distinct_positions(call, positions, w->shape[0]), *rows = op(index_select, w, 0, found);
  Tensor *norms = op(norm, rows, scalar_float(a->norm_type), INTS(1), true, DTYPE_NONE);
  /* PyTorch's formula, with its guard against a division by 0 */
  Tensor *factors = op(div, number(a->max_norm), op(add, norms, number(1e-7), scalar_int(1)));
  factors = op(where, op(gt, norms, number(a->max_norm)), factors,
               op(ones_like, norms, DTYPE_NONE, DEVICE_NONE, false));
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
    raise(call, "padding_idx %lld is no row of a weight of shape %s", (long long)(padding < 0 ? padding : padding + 1),
          shape_text(call, tensor_shape(w)));
  if (padding != NO_INT && padding < 0) padding += rows;
  if (a->max_norm.kind != SCALAR_NONE) limit_norms(call, a);
  y[0] = op(embedding_rows, a->weight, a->input, padding, a->scale_grad_by_freq);
}
