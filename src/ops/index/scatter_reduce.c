/* Scatters that combine what meets in one place, and others by positions. */
#include "ops/index/scatter_reduce.h"

#include <string.h>

#include "core/extremes.h"
#include "launch/index/lines.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

typedef enum Reduction { SUM, PROD, MEAN, AMAX, AMIN, REDUCTIONS } Reduction;

static Reduction reduction_of(Call *call, const char *name)
{
  static const char *const names[REDUCTIONS] = {"sum", "prod", "mean", "amax", "amin"};
  for (int i = 0; i < REDUCTIONS; i++)
    if (strcmp(name, names[i]) == 0) return (Reduction)i;
  raise(call, "reduce is \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\", not \"%s\"", name);
}

/* What changes nothing when it is combined with an element. */
static Scalar neutral(Reduction r, DType d)
{
  switch (r) {
    case PROD: return scalar_int(1);
    case AMAX: return extreme_of_dtype(d, false);
    case AMIN: return extreme_of_dtype(d, true);
    default: return scalar_int(0);
  }
}

static Tensor *ones_as(Call *call, const Tensor *t, DType dtype, Ints shape)
{
  return op(ones, shape, dtype, device_behind(t), false);
}

static LineKind line_of(Reduction r)
{
  return r == PROD ? SCATTER_MULTIPLY : r == AMAX ? SCATTER_MAX : r == AMIN ? SCATTER_MIN : SCATTER_ADD;
}

/* What both scatter_reduce and index_reduce are. */
typedef struct Scatter {
  Tensor *input, *index, *src; /* index has as many dimensions as input */
  const char *name;
  bool include_self;
  int dim;
  Tensor *slices; /* of whole slices their positions, of size 1 in the other dimensions, which index repeats; or NULL */
} Scatter;

/* How many elements met in each place, at least 1. */
static Tensor *counts_of(Call *call, const Scatter *s, DType dtype)
{
  Tensor *x = s->input, *index = s->slices ? s->slices : s->index;
  int64_t sizes[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) sizes[d] = s->slices && d != s->dim ? 1 : x->shape[d];
  Tensor *start = op(full, (Ints){sizes, x->ndim}, scalar_int(s->include_self), dtype, device_behind(x), false);
  Tensor *count = op(scatter_add, start, s->dim, index, ones_as(call, x, dtype, tensor_shape(index)));
  return op(masked_fill, count, op(eq, count, number(0)), tensor_from_number(call, scalar_int(1)));
}

static Tensor *reduce_into_places(Call *call, const Scatter *s)
{
  Tensor *x = s->input, *index = s->index;
  DType dtype = tensor_dtype(x);
  Reduction r = reduction_of(call, s->name);
  if (dtype_is_complex(dtype) && r != SUM) raise(call, "\"%s\" of complex numbers is not taken", s->name);
  if (dtype == DTYPE_b8 && r == MEAN) raise(call, "\"mean\" of bool is not taken");
  int dim = s->dim;
  if (!s->slices) check_scatter(call, x, s->dim, &index, s->src);
  Tensor *y = result_contiguous_copy(call, x);
  if (index->numel == 0) return y;
  /* halves don't hold the sums of their means; the destination is written at the end, when nothing can fail */
  DType summed = r == MEAN ? dtype_compute(dtype) : dtype;
  Tensor *work = call->into || summed != dtype ? copy_of(call, x, summed) : y;
  if (!s->include_self) {
    Tensor *start = tensor_from_number(call, neutral(r, dtype));
    pair_along(call, SCATTER, work, value_like(call, start, summed, index), index, dim);
  }
  combine_along(call, line_of(r), work, cast(s->src, summed), index, dim);
  if (r == MEAN) {
    DType counted = dtype_is_floating(dtype) ? dtype_compute(dtype) : DTYPE_i64;
    Tensor *count = counts_of(call, s, counted);
    work = dtype_is_floating(dtype) ? op(div, work, count) : op(div_mode, work, count, "floor");
  }
  if (work != y) launch_copy(call, y, work);
  return y;
}

/* ---- gradients, as PyTorch has them; src is the part that index covers of it ---- */

typedef struct Shares {
  Tensor *input, *src;
} Shares;

static Tensor *bits_as(Call *call, Tensor *mask, const Tensor *like) { return cast(mask, tensor_dtype(like)); }

/* Each factor's gradient is the product of the others; a lone zero's is found by leaving it out. */
static Shares shares_of_product(Call *call, const Scatter *s, Tensor *src, Tensor *y, Tensor *dy)
{
  Tensor *x = s->input, *index = s->index, *one = tensor_from_number(call, scalar_int(1)), *zero = number(0);
  int dim = s->dim;
  Tensor *filled = op(masked_fill, x, op(eq, x, zero), one);
  Tensor *product = op(scatter_reduce, filled, dim, index, src, s->name, s->include_self);
  Tensor *is_zero = op(eq, src, zero);
  Tensor *zeros = op(scatter_add, zeros_for(call, src, tensor_shape(x)), dim, index, bits_as(call, is_zero, src));
  Tensor *alone = op(eq, op(mul, bits_as(call, is_zero, src), op(gather, zeros, dim, index, false)), one);
  Tensor *others = op(scatter_reduce, x, dim, index, op(masked_fill, src, alone, one), s->name, s->include_self);
  Tensor *divided = op(div, op(gather, op(mul, dy, y), dim, index, false), op(masked_fill, src, is_zero, one));
  return (Shares){op(div, op(mul, dy, product), filled),
                  op(where, alone, op(gather, op(mul, dy, others), dim, index, false), divided)};
}

static Shares shares_of_mean(Call *call, const Scatter *s, Tensor *dy)
{
  DType counted = dtype_compute(tensor_dtype(dy));
  Tensor *count = counts_of(call, s, counted);
  Tensor *each = cast(op(div, dy, count), tensor_dtype(dy));
  return (Shares){each, op(gather, each, s->dim, s->index, false)};
}

/* Shared by all that are equal to the extreme. */
static Shares shares_of_extreme(Call *call, const Scatter *s, Tensor *src, Tensor *y, Tensor *dy)
{
  Tensor *value = op(gather, y, s->dim, s->index, false);
  Tensor *wide = widened(dy);
  Tensor *is_input = bits_as(call, op(eq, s->input, y), wide), *is_src = bits_as(call, op(eq, src, value), wide);
  Tensor *share = op(div, wide, op(scatter_add, is_input, s->dim, s->index, is_src));
  Tensor *of_src = op(mul, is_src, op(gather, share, s->dim, s->index, false));
  return (Shares){cast(op(mul, is_input, share), tensor_dtype(dy)), cast(of_src, tensor_dtype(dy))};
}

static Shares shares_of(Call *call, const Scatter *s, Tensor *y, Tensor *dy)
{
  Tensor *index = s->index, *src = s->src;
  if (index->numel == 0) return (Shares){dy, zeros_for(call, dy, tensor_shape(src))};
  for (int d = 0; d < src->ndim; d++)
    if (src->shape[d] != index->shape[d]) src = op(narrow, src, d, 0, index->shape[d]);
  Shares shares = {dy, NULL};
  switch (reduction_of(call, s->name)) {
    case SUM: shares.src = op(gather, dy, s->dim, index, false); break;
    case PROD: shares = shares_of_product(call, s, src, y, dy); break;
    case MEAN: shares = shares_of_mean(call, s, dy); break;
    default: shares = shares_of_extreme(call, s, src, y, dy);
  }
  if (!s->include_self) shares.input = op(scatter_value, shares.input, s->dim, index, scalar_int(0));
  shares.src = covered_gradient(call, shares.src, s->src);
  return shares;
}

static Scatter scatter_of(Call *call, const struct scatter_reduce_args *a)
{
  return (Scatter){a->input, a->index, a->src, a->reduce, a->include_self, shape_dim(call, a->dim, a->input->ndim),
                   NULL};
}

FORWARD(scatter_reduce)
{
  Scatter s = scatter_of(call, a);
  y[0] = reduce_into_places(call, &s);
}

BACKWARD(scatter_reduce)
{
  Scatter s = scatter_of(call, a);
  Shares shares = shares_of(call, &s, y[0], dy[0]);
  if (WANTS(input)) GRAD(input) = shares.input;
  if (WANTS(src)) GRAD(src) = shares.src;
}

/* The positions of slices as those of all their elements. */
static Scatter scatter_of_slices(Call *call, const struct index_reduce_args *a)
{
  Tensor *x = a->input, *source = a->source, *index = a->index;
  int dim = shape_dim(call, a->dim, x->ndim);
  if (reduction_of(call, a->reduce) == SUM)
    raise(call, "reduce is \"prod\", \"mean\", \"amax\" or \"amin\", not \"sum\"");
  if (index->ndim > 1)
    raise(call, "index must have one dimension, not shape %s", shape_text(call, tensor_shape(index)));
  bool fits = source->ndim == x->ndim;
  for (int d = 0; d < x->ndim && fits; d++) fits = source->shape[d] == (d == dim ? index->numel : x->shape[d]);
  if (!fits)
    raise(call, "source of shape %s doesn't fit %lld slices of dimension %d of a tensor of shape %s",
          shape_text(call, tensor_shape(source)), (long long)index->numel, dim + 1, shape_text(call, tensor_shape(x)));
  check_source_dtype(call, x, source);
  int64_t line[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) line[d] = d == dim ? index->numel : 1;
  index = cast(checked_positions(call, index, x->ndim ? x->shape[dim] : 1, dim, false), DTYPE_i64);
  Tensor *slices = op(reshape, index, (Ints){line, x->ndim});
  index = op(expand, slices, tensor_shape(source));
  return (Scatter){x, index, source, a->reduce, a->include_self, dim, x->ndim ? slices : NULL};
}

FORWARD(index_reduce)
{
  Scatter s = scatter_of_slices(call, a);
  y[0] = reduce_into_places(call, &s);
}

BACKWARD(index_reduce)
{
  Scatter s = scatter_of_slices(call, a);
  Shares shares = shares_of(call, &s, y[0], dy[0]);
  if (WANTS(input)) GRAD(input) = shares.input;
  if (WANTS(source)) GRAD(source) = shares.src;
}

FORWARD(put)
{
  Tensor *x = a->input, *index = op(reshape, a->index, INTS(-1));
  if (a->source->numel != index->numel)
    raise(call, "there are %lld elements for %lld positions", (long long)a->source->numel, (long long)index->numel);
  if (x->numel == 0 && index->numel > 0) raise(call, "nothing can be put in a tensor without elements");
  Tensor *flat = op(reshape, x, INTS(-1)), *values = op(reshape, a->source, INTS(-1));
  y[0] = op(index_put, flat, ((Tensors){&index, 1}), values, a->accumulate);
  y[0] = ordered_as(op(reshape, y[0], tensor_shape(x)), x);
}

/* Positions along a dimension of a size, with those that count from the end, as -1 does, counted from the start. */
static Tensor *from_start(Call *call, Tensor *index, int64_t size, int dim)
{
  Tensor *positions = checked_positions(call, index, size, dim, true);
  bool is_recorded = call->ctx->recorder; /* at another run others may count from the end */
  if (index->numel == 0 || (!is_recorded && !can_look(index))) return index;
  if (!is_recorded && range_of(call, positions, (PositionRange){1, 1, false}).low > 0) return index;
  Tensor *from_end = op(lt, positions, tensor_from_number(call, scalar_int(0)));
  return op(where, from_end, op(add, positions, tensor_from_number(call, scalar_int(size + 1)), scalar_int(1)),
            positions);
}

FORWARD(take_along_dim)
{
  Tensor *x = a->input, *index = a->indices;
  if (index->dtype != DTYPE_i64) raise(call, "indices must be int64, not %s", dtype_name(tensor_dtype(index)));
  if (a->dim == NONE_DIM) {
    index = from_start(call, op(reshape, index, INTS(-1)), x->numel, 0);
    y[0] = op(gather, op(reshape, x, INTS(-1)), 0, index, false);
    return;
  }
  if (x->ndim != index->ndim)
    raise(call, "input and indices must have as many dimensions, not shapes %s and %s",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(index)));
  int dim = shape_dim(call, a->dim, x->ndim);
  index = from_start(call, index, x->ndim ? x->shape[dim] : 1, dim);
  int64_t wide_x[MAX_DIMS], wide_index[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) {
    int64_t size = x->shape[d] == 1 ? index->shape[d] : x->shape[d];
    if (d != dim && index->shape[d] != 1 && index->shape[d] != size)
      raise(call, "shapes %s and %s don't broadcast", shape_text(call, tensor_shape(x)),
            shape_text(call, tensor_shape(index)));
    wide_x[d] = d == dim ? x->shape[d] : size;
    wide_index[d] = d == dim ? index->shape[d] : size;
  }
  y[0] = op(gather, op(expand, x, (Ints){wide_x, x->ndim}), dim, op(expand, index, (Ints){wide_index, x->ndim}), false);
}
