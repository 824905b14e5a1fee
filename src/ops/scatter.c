/* Scatters that combine what meets in one place, and others by positions. */
#include <math.h>
#include <string.h>

#include "ops/helpers.h"
#include "ops/indexing.h"

typedef enum Reduction { SUM, PROD, MEAN, AMAX, AMIN, REDUCTIONS } Reduction;

static Reduction reduction_of(Call *call, const char *name)
{
  static const char *const names[REDUCTIONS] = {"sum", "prod", "mean", "amax", "amin"};
  for (int i = 0; i < REDUCTIONS; i++)
    if (strcmp(name, names[i]) == 0) return (Reduction)i;
  raise(call, "reduce is \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\", not \"%s\"", name);
}

/* The least number of a dtype, or the greatest. */
static Scalar extreme(DType d, bool greatest)
{
  if (dtype_is_floating(d)) return scalar_float(greatest ? INFINITY : -INFINITY);
  if (d == DTYPE_b8) return scalar_bool(greatest);
  if (d == DTYPE_u8) return scalar_int(greatest ? UINT8_MAX : 0);
  int64_t bits = (int64_t)dtype_size(d) * 8;
  int64_t high = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
  return scalar_int(greatest ? high : -high - 1);
}

/* What changes nothing when it is combined with an element. */
static Scalar neutral(Reduction r, DType d)
{
  switch (r) {
    case PROD: return scalar_int(1);
    case AMAX: return extreme(d, false);
    case AMIN: return extreme(d, true);
    default: return scalar_int(0);
  }
}

static Tensor *ones_as(Call *call, const Tensor *t, DType dtype, Ints shape)
{
  return op(ones, shape, dtype, device_of(t), false);
}

/* How many elements met in each place, at least 1. */
static Tensor *counts_of(Call *call, const Tensor *x, int dim, Tensor *index, bool include_self, DType dtype)
{
  Tensor *ones = ones_as(call, x, dtype, tensor_shape(index));
  Tensor *start = op(full, tensor_shape(x), scalar_int(include_self), dtype, device_of(x), false);
  Tensor *count = op(scatter_add, start, dim, index, ones);
  return op(masked_fill, count, op(eq, count, number(0)), tensor_from_number(call, scalar_int(1)));
}

static LineKind line_of(Reduction r)
{
  return r == PROD ? SCATTER_MULTIPLY : r == AMAX ? SCATTER_MAX : r == AMIN ? SCATTER_MIN : SCATTER_ADD;
}

FORWARD(scatter_reduce)
{
  Tensor *x = a->input, *index = a->index;
  DType dtype = tensor_dtype(x);
  Reduction r = reduction_of(call, a->reduce);
  if (dtype_is_complex(dtype) && r != SUM) raise(call, "\"%s\" of complex numbers is not taken", a->reduce);
  if (dtype == DTYPE_b8 && r == MEAN) raise(call, "\"mean\" of bool is not taken");
  int dim = check_scatter(call, x, a->dim, &index, a->src);
  Tensor *src = call->into ? apart_from(call, a->src, x) : a->src;
  y[0] = result_copy(call, x);
  if (y[0]->device == DEVICE_META || index->numel == 0) return;
  if (!a->include_self) {
    Tensor *start = tensor_from_number(call, neutral(r, dtype));
    pair_along(call, SCATTER, y[0], value_like(call, start, dtype, index), index, dim);
  }
  combine_along(call, line_of(r), y[0], src, index, dim);
  if (r != MEAN) return;
  DType count_dtype = dtype_is_half(dtype) ? DTYPE_f32 : dtype_is_floating(dtype) ? dtype : DTYPE_i64;
  Tensor *count = counts_of(call, x, dim, a->index, a->include_self, count_dtype);
  launch_copy(call, y[0], dtype_is_floating(dtype) ? op(div, y[0], count) : op(div_mode, y[0], count, "floor"));
}

/* ---- gradients, as PyTorch has them; src_part is what index covers of src ---- */

typedef struct Shares { Tensor *input, *src; } Shares; /* src: over the part that index covers */

static Tensor *bits_as(Call *call, Tensor *mask, const Tensor *like)
{
  return op(to_dtype, mask, tensor_dtype(like), false, false);
}

/* Each factor's gradient is the product of the others; a lone zero's is found by leaving it out. */
static Shares shares_of_product(Call *call, const struct scatter_reduce_args *a, Tensor *src, Tensor *y, Tensor *dy, int dim)
{
  Tensor *x = a->input, *index = a->index, *one = tensor_from_number(call, scalar_int(1)), *zero = number(0);
  Shares s;
  Tensor *filled = op(masked_fill, x, op(eq, x, zero), one);
  Tensor *product = op(scatter_reduce, filled, dim, index, src, a->reduce, a->include_self);
  s.input = op(div, op(mul, dy, product), filled);
  Tensor *is_zero = op(eq, src, zero);
  Tensor *zeros = op(scatter_add, zeros_for(call, src, tensor_shape(x)), dim, index, bits_as(call, is_zero, src));
  Tensor *alone = op(eq, op(mul, bits_as(call, is_zero, src), op(gather, zeros, dim, index, false)), one);
  Tensor *others = op(scatter_reduce, x, dim, index, op(masked_fill, src, alone, one), a->reduce, a->include_self);
  Tensor *divided = op(div, op(gather, op(mul, dy, y), dim, index, false), op(masked_fill, src, is_zero, one));
  s.src = op(where, alone, op(gather, op(mul, dy, others), dim, index, false), divided);
  return s;
}

static Shares shares_of_mean(Call *call, const struct scatter_reduce_args *a, Tensor *dy, int dim)
{
  Tensor *each = op(div, dy, counts_of(call, a->input, dim, a->index, a->include_self, tensor_dtype(dy)));
  return (Shares){each, op(gather, each, dim, a->index, false)};
}

/* Shared by all that are equal to the extreme. */
static Shares shares_of_extreme(Call *call, const struct scatter_reduce_args *a, Tensor *src, Tensor *y, Tensor *dy, int dim)
{
  Tensor *value = op(gather, y, dim, a->index, false);
  Tensor *is_input = bits_as(call, op(eq, a->input, y), dy), *is_src = bits_as(call, op(eq, src, value), dy);
  Tensor *share = op(div, dy, op(scatter_add, is_input, dim, a->index, is_src));
  return (Shares){op(mul, is_input, share), op(mul, is_src, op(gather, share, dim, a->index, false))};
}

BACKWARD(scatter_reduce)
{
  Tensor *index = a->index, *src = a->src;
  int dim = shape_dim(call, a->dim, a->input->ndim);
  Reduction r = reduction_of(call, a->reduce);
  Shares s = {dy[0], NULL};
  if (index->numel == 0) {
    if (WANTS(input)) GRAD(input) = dy[0];
    if (WANTS(src)) GRAD(src) = zeros_for(call, dy[0], tensor_shape(src));
    return;
  }
  for (int d = 0; d < src->ndim; d++)
    if (src->shape[d] != index->shape[d]) src = op(narrow, src, d, 0, index->shape[d]);
  switch (r) {
    case SUM: s.src = op(gather, dy[0], dim, index, false); break;
    case PROD: s = shares_of_product(call, a, src, y[0], dy[0], dim); break;
    case MEAN: s = shares_of_mean(call, a, dy[0], dim); break;
    default: s = shares_of_extreme(call, a, src, y[0], dy[0], dim);
  }
  if (WANTS(input)) GRAD(input) = a->include_self ? s.input : op(scatter_value, s.input, dim, index, scalar_int(0));
  if (WANTS(src)) GRAD(src) = covered_gradient(call, s.src, a->src);
}

FORWARD(index_reduce)
{
  Tensor *x = a->input, *source = a->source, *index = a->index;
  int dim = shape_dim(call, a->dim, x->ndim);
  if (reduction_of(call, a->reduce) == SUM) raise(call, "reduce is \"prod\", \"mean\", \"amax\" or \"amin\", not \"sum\"");
  if (index->ndim > 1) raise(call, "index must have one dimension, not shape %s", shape_text(call, tensor_shape(index)));
  bool fits = source->ndim == x->ndim;
  for (int d = 0; d < x->ndim && fits; d++) fits = source->shape[d] == (d == dim ? index->numel : x->shape[d]);
  if (!fits)
    raise(call, "source of shape %s doesn't fit %lld slices of dimension %d of a tensor of shape %s",
          shape_text(call, tensor_shape(source)), (long long)index->numel, dim + 1, shape_text(call, tensor_shape(x)));
  int64_t line[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) line[d] = d == dim ? index->numel : 1;
  index = op(expand, op(reshape, index, (Ints){line, x->ndim}), tensor_shape(source));
  y[0] = op(scatter_reduce, x, dim, index, source, a->reduce, a->include_self);
}

FORWARD(put)
{
  Tensor *x = a->input, *index = op(reshape, a->index, INTS(-1));
  if (a->source->numel != index->numel)
    raise(call, "there are %lld elements for %lld positions", (long long)a->source->numel, (long long)index->numel);
  if (x->numel == 0 && index->numel > 0) raise(call, "nothing can be put in a tensor without elements");
  Tensor *flat = op(reshape, x, INTS(-1)), *values = op(reshape, a->source, INTS(-1));
  y[0] = op(reshape, op(index_put, flat, ((Tensors){&index, 1}), values, a->accumulate), tensor_shape(x));
}

FORWARD(take_along_dim)
{
  Tensor *x = a->input, *index = a->indices;
  if (a->dim == NONE_DIM) {
    y[0] = op(gather, op(reshape, x, INTS(-1)), 0, op(reshape, index, INTS(-1)), false);
    return;
  }
  if (x->ndim != index->ndim)
    raise(call, "input and indices must have as many dimensions, not shapes %s and %s", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(index)));
  int dim = shape_dim(call, a->dim, x->ndim);
  int64_t wide_x[MAX_DIMS], wide_index[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) {
    int64_t size = x->shape[d] == 1 ? index->shape[d] : x->shape[d];
    if (d != dim && index->shape[d] != 1 && index->shape[d] != size)
      raise(call, "shapes %s and %s don't broadcast", shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(index)));
    wide_x[d] = d == dim ? x->shape[d] : size;
    wide_index[d] = d == dim ? index->shape[d] : size;
  }
  y[0] = op(gather, op(expand, x, (Ints){wide_x, x->ndim}), dim, op(expand, index, (Ints){wide_index, x->ndim}), false);
}
