/* ONNX's operators that take, put and find elements. */
#include "ops/onnx/picking.h"

#include <string.h>

#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/index/scatter_reduce.h"
#include "ops/index/search.h"
#include "ops/index/sort.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/onnx/words.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"

FORWARD(onnx_gather)
{
  Tensor *x = a->data, *index = a->indices;
  const int axis = onnx_axis(call, a->axis, x->ndim);
  int64_t shape[2 * MAX_DIMS];
  int n = 0;
  for (int i = 0; i < axis; i++) shape[n++] = x->shape[i];
  for (int i = 0; i < index->ndim; i++) shape[n++] = index->shape[i];
  for (int i = axis + 1; i < x->ndim; i++) shape[n++] = x->shape[i];
  if (n > MAX_DIMS) raise(call, "the result would have %d dimensions", n);
  Tensor *positions = onnx_positions(call, reshaped(index, index->numel), onnx_size(x, axis));
  y[0] = op(reshape, op(index_select, x, axis, positions), ((Ints){shape, n}));
}

FORWARD(onnx_gather_elements)
{
  const int axis = onnx_axis(call, a->axis, a->data->ndim);
  y[0] = op(gather, a->data, axis, onnx_positions(call, a->indices, onnx_size(a->data, axis)), false);
}

/* Tuples of positions in the first dimensions of a shape as positions, from 1, in all of them flattened. */
static Tensor *flat_positions(Call *call, Tensor *tuples, const int64_t *shape)
{
  const int last = tuples->ndim - 1;
  Tensor *flat = NULL;
  for (int64_t i = 0; i < tuples->shape[last]; i++) {
    Tensor *index = onnx_positions(call, op(select, tuples, last, i), shape[i]);
    Tensor *outside = op(logical_or, op(lt, index, whole(1)), op(gt, index, whole(shape[i])));
    check_none_true(call, outside, "a position is out of range");
    flat = flat ? plus(op(mul, onnx_from_zero(call, flat), whole(shape[i])), index) : index;
  }
  return flat;
}

static int64_t product_of(Call *call, const int64_t *v, int64_t n)
{
  int64_t p = 1;
  for (int64_t i = 0; i < n; i++) p = onnx_product(call, p, v[i]);
  return p;
}

/* The number of positions in a tuple. */
static int64_t tuple_size(Call *call, const Tensor *indices, int64_t room)
{
  const int64_t k = indices->ndim ? indices->shape[indices->ndim - 1] : 0;
  if (k < 1 || k > room)
    raise(call, "indices of shape %s don't fit %lld axes", shape_text(call, tensor_shape(indices)), (long long)room);
  return k;
}

FORWARD(onnx_gather_nd)
{
  Tensor *x = a->data, *index = a->indices;
  const int64_t b = a->batch_dims;
  if (b < 0 || b >= index->ndim || b >= x->ndim) raise(call, "batch_dims is %lld", (long long)b);
  if (!shape_equal((Ints){index->shape, b}, (Ints){x->shape, b}))
    raise(call, "shapes %s and %s differ in the first %lld axes", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(index)), (long long)b);
  const int64_t k = tuple_size(call, index, x->ndim - b);
  const int64_t batches = product_of(call, x->shape, b), places = product_of(call, x->shape + b, k);
  Tensor *flat = flat_positions(call, index, x->shape + b);
  const int64_t each = batches ? flat->numel / batches : 0;
  Tensor *first = op(arange, scalar_int(batches), DTYPE_i64, DEVICE_NONE, false);
  flat = plus(reshaped(flat, batches, each), op(mul, reshaped(first, batches, 1), whole(places)));
  int64_t shape[2 * MAX_DIMS], all[MAX_DIMS + 1] = {onnx_product(call, batches, places)};
  int n = 0, m = 1;
  for (int i = 0; i < index->ndim - 1; i++) shape[n++] = index->shape[i];
  for (int64_t i = b + k; i < x->ndim; i++) shape[n++] = all[m++] = x->shape[i];
  if (n > MAX_DIMS) raise(call, "the result would have %d dimensions", n);
  Tensor *rows = op(index_select, op(reshape, x, ((Ints){all, m})), 0, reshaped(flat, batches * each));
  y[0] = op(reshape, rows, ((Ints){shape, n}));
}

/* Our name of a reduction; NULL of none. */
static const char *reduce_name(Call *call, const char *reduction)
{
  static const char *const names[][2] = {{"add", "sum"}, {"mul", "prod"}, {"max", "amax"}, {"min", "amin"}};
  if (strcmp(reduction, "none") == 0) return NULL;
  for (int i = 0; i < 4; i++)
    if (strcmp(reduction, names[i][0]) == 0) return names[i][1];
  raise(call, "reduction \"%s\" is unknown", reduction);
}

FORWARD(onnx_scatter_elements)
{
  Tensor *x = a->data;
  const int axis = onnx_axis(call, a->axis, x->ndim);
  Tensor *index = onnx_positions(call, a->indices, onnx_size(x, axis));
  const char *reduce = reduce_name(call, a->reduction);
  if (!reduce) y[0] = op(scatter, x, axis, index, a->updates);
  else if (strcmp(reduce, "sum") == 0) y[0] = op(scatter_add, x, axis, index, a->updates);
  else y[0] = op(scatter_reduce, x, axis, index, a->updates, reduce, true);
}

FORWARD(onnx_scatter_nd)
{
  Tensor *x = a->data, *updates = a->updates;
  const int64_t k = tuple_size(call, a->indices, x->ndim);
  Tensor *flat = flat_positions(call, a->indices, x->shape);
  int64_t rows[MAX_DIMS + 1] = {product_of(call, x->shape, k)}, put[MAX_DIMS + 1] = {flat->numel};
  int n = 1;
  for (int64_t i = k; i < x->ndim; i++, n++) rows[n] = put[n] = x->shape[i];
  Tensor *to = op(reshape, x, ((Ints){rows, n})), *from = op(reshape, updates, ((Ints){put, n}));
  const char *reduce = reduce_name(call, a->reduction);
  Tensor *index = reshaped(flat, flat->numel);
  if (!reduce) to = op(index_copy, to, 0, index, from);
  else if (strcmp(reduce, "sum") == 0) to = op(index_add, to, 0, index, from, scalar_int(1));
  else to = op(index_reduce, to, 0, index, from, reduce, true);
  y[0] = op(reshape, to, tensor_shape(x));
}

FORWARD(onnx_tensor_scatter)
{
  Tensor *cache = a->past_cache, *update = a->update;
  if (update->ndim != cache->ndim || cache->ndim == 0)
    raise(call, "an update of shape %s for %s", shape_text(call, tensor_shape(update)),
          shape_text(call, tensor_shape(cache)));
  const int axis = onnx_axis(call, a->axis, cache->ndim);
  int64_t along[MAX_DIMS], across[MAX_DIMS];
  for (int i = 0; i < cache->ndim; i++) {
    along[i] = i == axis ? update->shape[i] : 1;
    across[i] = i == 0 ? cache->shape[0] : 1;
  }
  Tensor *step = op(arange, scalar_int(update->shape[axis]), DTYPE_i64, DEVICE_NONE, false);
  Tensor *place = op(reshape, step, ((Ints){along, cache->ndim}));
  if (a->write_indices)
    place = plus(place, op(reshape, cast(a->write_indices, DTYPE_i64), ((Ints){across, cache->ndim})));
  if (a->circular) place = op(remainder, place, whole(cache->shape[axis]));
  y[0] = op(scatter, cache, axis, op(expand, plus(place, whole(1)), tensor_shape(update)), update);
}

FORWARD(onnx_compress)
{
  Tensor *x = a->axis == NO_INT ? reshaped(a->input, a->input->numel) : a->input;
  const int axis = a->axis == NO_INT ? 0 : onnx_axis(call, a->axis, x->ndim);
  Tensor *places = op(nonzero, a->condition, false).v[0];
  y[0] = op(index_select, x, axis, reshaped(places, places->numel));
}

FORWARD(onnx_non_zero)
{
  Tensor *places = op(nonzero, a->x, false).v[0];
  y[0] = onnx_from_zero(call, op(transpose, places, 0, 1));
}

FORWARD(onnx_top_k)
{
  Tensors found = op(topk, a->x, scalar_integer(number_of(call, a->k)), onnx_axis(call, a->axis, a->x->ndim),
                     a->largest, a->sorted);
  y[0] = found.v[0];
  y[1] = onnx_from_zero(call, found.v[1]);
}

FORWARD(onnx_unique)
{
  Tensor *x = a->x;
  (void)y;
  const int axis = a->axis == NO_INT ? -1 : onnx_axis(call, a->axis, x->ndim);
  Tensors found = op(unique, x, true, true, true, axis < 0 ? NONE_DIM : axis);
  Tensor *values = found.v[0], *which = reshaped(found.v[1], found.v[1]->numel), *counts = found.v[2];
  Tensor *place = op(arange, scalar_int(which->numel), DTYPE_i64, DEVICE_NONE, false);
  Tensor *last = op(full, tensor_shape(counts), scalar_int(which->numel), DTYPE_i64, DEVICE_NONE, false);
  Tensor *first = op(scatter_reduce, last, 0, which, place, "amin", true);
  if (!a->sorted) {
    Tensor *order = op(sort, first, 0, false, true).v[1], *rank = op(sort, order, 0, false, true).v[1];
    values = op(index_select, values, axis < 0 ? 0 : axis, order);
    first = op(index_select, first, 0, order), counts = op(index_select, counts, 0, order);
    which = op(index_select, rank, 0, which);
  }
  Tensor *all[] = {values, first, onnx_from_zero(call, which), counts};
  give_list(call, (Tensors){all, 4});
}
