/* Elements picked and placed along one dimension, by tensors of positions. */
#include "ops/index/gather.h"

#include <string.h>

#include "launch/index/lines.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ----------------------------------------------------------- gather, scatter */

static int rank(const Tensor *t) { return t->ndim ? t->ndim : 1; }
static int64_t size_at(const Tensor *t, int d) { return t->ndim ? t->shape[d] : 1; }

/* index must not be larger than a tensor, in any dimension but `except`. */
static void check_covers(Call *call, const Tensor *t, const Tensor *index, int except)
{
  bool fits = rank(t) == rank(index);
  for (int d = 0; d < rank(index) && fits; d++) fits = d == except || size_at(index, d) <= size_at(t, d);
  if (!fits)
    raise(call, "index of shape %s doesn't fit a tensor of shape %s", shape_text(call, tensor_shape(index)),
          shape_text(call, tensor_shape(t)));
}

static void check_positions(Call *call, const Tensor *index)
{
  if (index->dtype != DTYPE_i64 && index->dtype != DTYPE_i32 && index->numel)
    raise(call, "index must be int64 or int32, not %s", dtype_name(tensor_dtype(index)));
}

FORWARD(gather)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  check_positions(call, a->index);
  if (a->index->numel) check_covers(call, a->input, a->index, dim);
  Tensor *index = checked_positions(call, a->index, size_at(a->input, dim), dim, false);
  y[0] = result_new(call, tensor_dtype(a->input), (Device)a->input->device, tensor_shape(index));
  pair_along(call, GATHER, y[0], a->input, index, dim);
}

BACKWARD(gather)
{
  Tensor *zeros = zeros_for(call, dy[0], tensor_shape(a->input));
  GRAD(input) = op(scatter_add, zeros, a->dim, a->index, dy[0]);
}

void check_source_dtype(Call *call, const Tensor *input, const Tensor *src)
{
  if (src->dtype != input->dtype)
    raise(call, "src is %s, but the tensor is %s", dtype_name(tensor_dtype(src)), dtype_name(tensor_dtype(input)));
}

int check_scatter(Call *call, Tensor *input, int64_t dim_, Tensor **index, const Tensor *src)
{
  int dim = shape_dim(call, dim_, input->ndim);
  check_positions(call, *index);
  if (src) check_source_dtype(call, input, src);
  if ((*index)->numel == 0) return dim;
  check_covers(call, input, *index, dim);
  if (src) check_covers(call, src, *index, -1);
  *index = checked_positions(call, *index, size_at(input, dim), dim, false);
  return dim;
}

FORWARD(scatter)
{
  Tensor *index = a->index;
  int dim = check_scatter(call, a->input, a->dim, &index, a->src);
  y[0] = result_contiguous_copy(call, a->input);
  pair_along(call, SCATTER, y[0], a->src, index, dim);
}

Tensor *covered_gradient(Call *call, Tensor *part, const Tensor *src)
{
  if (tensor_same_shape(part, src)) return part;
  int64_t strides[MAX_DIMS];
  shape_contiguous_strides(tensor_shape(src), strides);
  return op(embed_view, part, tensor_shape(src), arena_ints(call->ctx, strides, src->ndim), 0);
}

BACKWARD(scatter)
{
  if (WANTS(input)) GRAD(input) = op(scatter_value, dy[0], a->dim, a->index, scalar_int(0));
  if (WANTS(src)) GRAD(src) = covered_gradient(call, op(gather, dy[0], a->dim, a->index, false), a->src);
}

Tensor *value_like(Call *call, Tensor *value, DType dtype, const Tensor *index)
{
  check_value_fits(call, value, dtype);
  return expanded_to(call, contiguous_as(call, value, dtype), tensor_shape(index));
}

FORWARD(scatter_value)
{
  Tensor *index = a->index;
  int dim = check_scatter(call, a->input, a->dim, &index, NULL);
  y[0] = result_contiguous_copy(call, a->input);
  Tensor *value = value_like(call, tensor_from_number(call, a->value), tensor_dtype(a->input), index);
  pair_along(call, SCATTER, y[0], value, index, dim);
}

BACKWARD(scatter_value) { GRAD(input) = op(scatter_value, dy[0], a->dim, a->index, scalar_int(0)); }

FORWARD(scatter_add)
{
  Tensor *index = a->index;
  int dim = check_scatter(call, a->input, a->dim, &index, a->src);
  y[0] = result_contiguous_copy(call, a->input);
  combine_along(call, SCATTER_ADD, y[0], a->src, index, dim);
}

BACKWARD(scatter_add)
{
  if (WANTS(input)) GRAD(input) = dy[0];
  if (WANTS(src)) GRAD(src) = covered_gradient(call, op(gather, dy[0], a->dim, a->index, false), a->src);
}

static LineKind combination(Call *call, const char *reduce)
{
  if (strcmp(reduce, "add") == 0) return SCATTER_ADD;
  if (strcmp(reduce, "multiply") == 0) return SCATTER_MULTIPLY;
  raise(call, "reduce is \"add\" or \"multiply\", not \"%s\"", reduce);
}

FORWARD(scatter_combine)
{
  LineKind kind = combination(call, a->reduce);
  Tensor *index = a->index;
  int dim = check_scatter(call, a->input, a->dim, &index, a->src);
  y[0] = result_contiguous_copy(call, a->input);
  combine_along(call, kind, y[0], a->src, index, dim);
}

/* PyTorch has no gradient here at all; that of a sum is plain. */
static void check_sum(Call *call, const char *reduce)
{
  if (strcmp(reduce, "add") != 0) raise(call, "no gradient is implemented for reduce = \"%s\"", reduce);
}

BACKWARD(scatter_combine)
{
  check_sum(call, a->reduce);
  if (WANTS(input)) GRAD(input) = dy[0];
  if (WANTS(src)) GRAD(src) = covered_gradient(call, op(gather, dy[0], a->dim, a->index, false), a->src);
}

FORWARD(scatter_combine_value)
{
  LineKind kind = combination(call, a->reduce);
  Tensor *index = a->index;
  int dim = check_scatter(call, a->input, a->dim, &index, NULL);
  y[0] = result_contiguous_copy(call, a->input);
  Tensor *value = value_like(call, tensor_from_number(call, a->value), tensor_dtype(a->input), index);
  combine_along(call, kind, y[0], value, index, dim);
}

BACKWARD(scatter_combine_value)
{
  check_sum(call, a->reduce);
  GRAD(input) = dy[0];
}

/* ------------------------------------------------------------ whole slices */

/* index as a tensor that runs along dim and repeats along the others of a shape. */
static Tensor *index_along(Call *call, Tensor *index, Ints shape, int dim)
{
  int64_t sizes[MAX_DIMS], strides[MAX_DIMS] = {0};
  for (int64_t d = 0; d < shape.n; d++) sizes[d] = d == dim ? index->numel : shape.v[d];
  strides[dim] = 1;
  if (shape.n == 0) return tensor_view(call, index, shape, shape, index->offset);
  return tensor_view(call, index, (Ints){sizes, shape.n}, (Ints){strides, shape.n}, index->offset);
}

static Tensor *check_slices(Call *call, Tensor *input, Tensor *index, int dim)
{
  if (index->ndim > 1)
    raise(call, "index must have one dimension, not shape %s", shape_text(call, tensor_shape(index)));
  if (input->ndim == 0 && index->numel != 1)
    raise(call, "index must have one element for a tensor without dimensions, not %lld", (long long)index->numel);
  return checked_positions(call, index, size_at(input, dim), dim, false);
}

FORWARD(index_select)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  Tensor *index = check_slices(call, x, a->index, dim);
  int64_t shape[MAX_DIMS];
  memcpy(shape, x->shape, x->ndim * sizeof *shape);
  shape[dim] = index->numel;
  y[0] = result_new(call, tensor_dtype(x), (Device)x->device, (Ints){shape, x->ndim});
  if (y[0]->numel == 0) return;
  pair_along(call, GATHER, y[0], x, index_along(call, index, tensor_shape(y[0]), dim), dim);
}

BACKWARD(index_select)
{
  Tensor *zeros = zeros_for(call, dy[0], tensor_shape(a->input));
  GRAD(input) = op(index_add, zeros, a->dim, a->index, dy[0], scalar_int(1));
}

/* Slices of source go one to one to the positions of index. */
static void check_source(Call *call, const Tensor *input, const Tensor *index, const Tensor *source, int dim)
{
  bool fits = source->ndim == input->ndim || (source->ndim == 0 && input->ndim == 1 && index->numel == 1);
  for (int d = 0; d < input->ndim && source->ndim && fits; d++)
    fits = source->shape[d] == (d == dim ? index->numel : input->shape[d]);
  if (!fits)
    raise(call, "source of shape %s doesn't fit %lld slices of dimension %d of a tensor of shape %s",
          shape_text(call, tensor_shape(source)), (long long)index->numel, dim + 1,
          shape_text(call, tensor_shape(input)));
  if (source->dtype != input->dtype)
    raise(call, "source is %s, but the tensor is %s", dtype_name(tensor_dtype(source)),
          dtype_name(tensor_dtype(input)));
}

FORWARD(index_add)
{
  Tensor *x = a->input, *source = a->source;
  int dim = shape_dim(call, a->dim, x->ndim);
  Tensor *index = check_slices(call, x, a->index, dim);
  check_source(call, x, index, source, dim);
  check_number_fits(call, a->alpha, tensor_dtype(x));
  if (!scalar_equals(a->alpha, 1)) source = cast(op(mul, source, tensor_from_number(call, a->alpha)), tensor_dtype(x));
  y[0] = result_contiguous_copy(call, x);
  if (source->numel == 0) return;
  index = index_along(call, index, tensor_shape(x), dim);
  combine_along(call, SCATTER_ADD, y[0], source, index, dim);
}

BACKWARD(index_add)
{
  if (WANTS(input)) GRAD(input) = dy[0];
  if (!WANTS(source)) return;
  Tensor *part = op(reshape, op(index_select, dy[0], a->dim, a->index), tensor_shape(a->source));
  GRAD(source) = scalar_equals(a->alpha, 1) ? part : op(mul, part, op(conj, tensor_from_number(call, a->alpha)));
}

FORWARD(index_copy)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  Tensor *index = check_slices(call, x, a->index, dim);
  check_source(call, x, index, a->source, dim);
  y[0] = result_contiguous_copy(call, x);
  if (a->source->numel == 0) return;
  pair_along(call, SCATTER, y[0], a->source, index_along(call, index, tensor_shape(x), dim), dim);
}

BACKWARD(index_copy)
{
  if (WANTS(input)) GRAD(input) = op(index_fill, dy[0], a->dim, a->index, tensor_from_number(call, scalar_int(0)));
  if (WANTS(source)) GRAD(source) = op(reshape, op(index_select, dy[0], a->dim, a->index), tensor_shape(a->source));
}

FORWARD(index_fill)
{
  Tensor *x = a->input;
  int dim = shape_dim(call, a->dim, x->ndim);
  Tensor *index = check_slices(call, x, a->index, dim);
  if (a->value->ndim != 0)
    raise(call, "value must have no dimensions, not shape %s", shape_text(call, tensor_shape(a->value)));
  y[0] = result_copy(call, x);
  if (index->numel == 0) return;
  index = index_along(call, index, tensor_shape(x), dim);
  pair_along(call, SCATTER, y[0], value_like(call, a->value, tensor_dtype(x), index), index, dim);
}

BACKWARD(index_fill)
{
  if (WANTS(input)) GRAD(input) = op(index_fill, dy[0], a->dim, a->index, tensor_from_number(call, scalar_int(0)));
  if (!WANTS(value)) return;
  Tensor *zeros = zeros_for(call, dy[0], tensor_shape(dy[0])); /* a position that is there twice is filled once */
  Tensor *filled = op(index_fill, zeros, a->dim, a->index, tensor_from_number(call, scalar_int(1)));
  GRAD(value) = summed_to(op(mul, dy[0], filled), a->value);
}
