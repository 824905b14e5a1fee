/* Sums, products and truth over dimensions. */
#include "ops/reduce/sum.h"

#include <math.h>

#include "launch/nn/softmax.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/math/exponential.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

FORWARD(sum)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  DType dtype = a->dtype != DTYPE_NONE || dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  y[0] = reduce_to_new(call, REDUCE_SUM, x, mask, a->keepdim, dtype, AS_IT_IS, 0);
}

BACKWARD(sum) { GRAD(input) = spread(call, dy[0], a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim); }

FORWARD(mean)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  if (!dtype_is_inexact(tensor_dtype(x)))
    raise(call, "the input is %s, and a mean is a floating point number: give a dtype", dtype_name(tensor_dtype(x)));
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  Finish finish = {(double)reduced_count(x, mask), false};
  y[0] = reduce_to_new(call, REDUCE_SUM, x, mask, a->keepdim, tensor_dtype(x), finish, (double)NAN);
}

BACKWARD(mean)
{
  uint32_t mask = shape_dims(call, a->dim, a->input->ndim);
  Tensor *share = op(div, dy[0], number((double)reduced_count(a->input, mask)));
  GRAD(input) = spread(call, share, a->input, mask, a->keepdim);
}

FORWARD(sum_to)
{
  Tensor *x = a->input;
  DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype;
  if (x->dtype == (uint8_t)dtype && shape_equal(tensor_shape(x), a->shape)) {
    y[0] = x;
    return;
  }
  uint32_t mask = 0;
  int64_t missing = x->ndim - a->shape.n;
  for (int i = 0; i < x->ndim; i++)
    if (i < missing || (a->shape.v[i - missing] == 1 && x->shape[i] != 1)) mask |= 1u << i;
  if (!mask) {
    y[0] = copy_of(call, x, dtype);
    return;
  }
  y[0] = result_new(call, dtype, device_of(x), a->shape);
  if (x->numel == 0) launch_fill(call, y[0], scalar_int(0));
  else launch_reduce(call, REDUCE_SUM, x, mask, y[0], AS_IT_IS);
}

BACKWARD(sum_to)
{
  Tensor *dx = op(expand, dy[0], tensor_shape(a->input));
  GRAD(input) = cast(dx, tensor_dtype(a->input));
}

FORWARD(sum_to_size)
{
  if (!shape_expands(a->size, tensor_shape(a->input)))
    raise(call, "shape %s is not broadcast from size %s", shape_text(call, tensor_shape(a->input)),
          shape_text(call, a->size));
  bool whole = !dtype_is_inexact(tensor_dtype(a->input)),
       same = a->size.n > 0 && shape_equal(a->size, tensor_shape(a->input));
  y[0] = op(sum_to, a->input, a->size, whole && !same ? DTYPE_i64 : DTYPE_NONE);
}

/* --------------------------------------------------------------- any and all */

/* Whether at least `enough` elements are not zero (at least all of them if enough < 0). */
static Tensor *count_enough(Call *call, Tensor *x, Ints dims, bool keepdim, int64_t enough)
{
  uint32_t mask = dims.n == 0 ? 0 : shape_dims(call, dims, x->ndim); /* {} is no dimension here, as in PyTorch */
  Ints shape = reduced_shape(call, x, mask, keepdim);
  Tensor *y = result_new(call, x->dtype == DTYPE_u8 ? DTYPE_u8 : DTYPE_b8, device_of(x), shape);
  launch_count_at_least(call, x, mask, enough < 0 ? reduced_count(x, mask) : enough, y);
  return y;
}

FORWARD(any) { y[0] = count_enough(call, a->input, a->dim, a->keepdim, 1); }
FORWARD(all) { y[0] = count_enough(call, a->input, a->dim, a->keepdim, -1); }

/* ------------------------------------------------------------------- products */

FORWARD(prod) { y[0] = op(prod_dim, op(reshape, a->input, INTS(-1)), 0, false, a->dtype); }

FORWARD(prod_dim)
{
  Tensor *x = input_as(call, a->input, a->dtype);
  int dim = shape_dim(call, a->dim, x->ndim);
  DType dtype = a->dtype != DTYPE_NONE || dtype_is_inexact(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  y[0] = reduce_to_new(call, REDUCE_PROD, x, x->ndim ? 1u << dim : 0, a->keepdim, dtype, AS_IT_IS, 1);
}

/* The products of all elements along a dimension but one, by those before it and those behind it. */
static Tensor *products_of_others(Call *call, Tensor *x, int dim)
{
  int64_t n = x->shape[dim];
  Tensor **v = slices_of(call, x, dim), **others = arena_allocate(call->ctx, (size_t)n * sizeof *others);
  Tensor *one = ones_like_of(v[0]), *before = one, *behind = one;
  for (int64_t k = 0; k < n; k++) {
    others[k] = before;
    before = op(mul, before, v[k]);
  }
  for (int64_t k = n - 1; k >= 0; k--) {
    others[k] = op(mul, others[k], behind);
    behind = op(mul, behind, v[k]);
  }
  return op(stack, ((Tensors){others, n}), dim);
}

BACKWARD(prod_dim)
{
  Tensor *x = a->dtype == DTYPE_NONE ? a->input : cast(a->input, a->dtype);
  int dim = shape_dim(call, a->dim, x->ndim);
  uint32_t mask = x->ndim ? 1u << dim : 0;
  Tensor *d = restore_dims(call, dy[0], x, mask, a->keepdim), *others;
  if (x->ndim == 0 || x->shape[dim] == 1) others = ones_like_of(x);
  else if (has_zero(call, x)) others = products_of_others(call, x, dim);
  else others = op(div, restore_dims(call, y[0], x, mask, a->keepdim), x);
  GRAD(input) = cast(op(mul, d, op(conj, others)), tensor_dtype(a->input));
}

/* ------------------------------------------------------------- without nan */

FORWARD(nansum)
{
  Tensor *x = a->input;
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex tensors are not taken");
  bool has_nan = dtype_is_floating(tensor_dtype(x)); /* which no other type holds: it goes before a cast */
  if (has_nan && a->dtype != DTYPE_NONE && !dtype_is_floating(a->dtype))
    x = op(masked_fill, x, op(isnan, x), number(0));
  x = input_as(call, x, a->dtype);
  DType dtype = a->dtype != DTYPE_NONE || dtype_is_floating(tensor_dtype(x)) ? tensor_dtype(x) : DTYPE_i64;
  ReduceId id = dtype_is_floating(tensor_dtype(x)) ? REDUCE_SUM_NUMBERS : REDUCE_SUM;
  y[0] = reduce_to_new(call, id, x, shape_dims(call, a->dim, x->ndim), a->keepdim, dtype, AS_IT_IS, 0);
}

BACKWARD(nansum)
{
  Tensor *dx = spread(call, dy[0], a->input, shape_dims(call, a->dim, a->input->ndim), a->keepdim);
  GRAD(input) = op(masked_fill, dx, op(isnan, a->input), number(0));
}

FORWARD(nanmean)
{
  DType d = tensor_dtype(a->input);
  if (!dtype_is_floating(d)) raise(call, "a floating point tensor is wanted, not %s", dtype_name(d));
  Tensor *count = op(sum, op(logical_not, op(isnan, a->input)), a->dim, a->keepdim, DTYPE_NONE);
  Tensor *sum = op(nansum, widened(a->input), a->dim, a->keepdim, a->dtype);
  y[0] = cast(op(div, sum, count), a->dtype == DTYPE_NONE ? d : a->dtype);
}

/* --------------------------------------------------------------------- others */

/* One after the other along runs of neighbouring dimensions of the mask, from the last one on. */
static Tensor *logsumexp_along(Call *call, Tensor *x, uint32_t mask)
{
  int last = x->ndim - 1;
  if (x->ndim == 0) x = op(reshape, x, INTS(1)), mask = 1, last = 0;
  while (last >= 0) {
    int first = last;
    if (!(mask >> last & 1)) {
      last--;
      continue;
    }
    while (first > 0 && (mask >> (first - 1) & 1)) first--;
    Slabs s = {1, 1, 1};
    int64_t shape[MAX_DIMS];
    for (int i = 0; i < x->ndim; i++) {
      *(i < first ? &s.outer : i > last ? &s.inner : &s.n) *= x->shape[i];
      shape[i] = i < first || i > last ? x->shape[i] : 1;
    }
    Tensor *y = new_beside(call, x, tensor_dtype(x), (Ints){shape, x->ndim});
    launch_logsumexp(call, x, s, y);
    x = y;
    last = first - 1;
  }
  return x;
}

/* Of complex numbers: without the largest real part, unless that is infinite. */
static Tensor *complex_logsumexp(Call *call, Tensor *x, Ints dims, bool keep)
{
  Tensor *most = op(amax, op(real, x), dims, true);
  most = op(masked_fill, most, op(isinf, most), number(0));
  Tensor *sums = op(log, op(sum, op(exp, minus(x, most)), dims, keep, DTYPE_NONE));
  return plus(sums, keep ? most : op(reshape, most, tensor_shape(sums)));
}

FORWARD(logsumexp)
{
  Tensor *x = a->input;
  DType d = tensor_dtype(x);
  if (!dtype_is_inexact(d)) x = copy_of(call, x, call->ctx->default_dtype);
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  if (x->numel == 0) {
    y[0] = op(log, op(sum, x, dims_of(call, x, mask), a->keepdim, DTYPE_NONE));
    return;
  }
  if (dtype_is_complex(d)) {
    y[0] = complex_logsumexp(call, x, dims_of(call, x, mask), a->keepdim);
    return;
  }
  Tensor *sums = logsumexp_along(call, widened(x), mask);
  y[0] = cast(op(reshape, sums, reduced_shape(call, x, mask, a->keepdim)), tensor_dtype(x));
}

BACKWARD(logsumexp)
{
  Tensor *x = a->input;
  uint32_t mask = shape_dims(call, a->dim, x->ndim);
  Tensor *all = restore_dims(call, y[0], x, mask, a->keepdim), *d = restore_dims(call, dy[0], x, mask, a->keepdim);
  GRAD(input) = op(mul, d, conjugate(op(exp, minus(x, all))));
}

FORWARD(count_nonzero)
{
  Tensor *x = a->input;
  y[0] = reduce_to_new(call, REDUCE_COUNT_NONZERO, x, shape_dims(call, a->dim, x->ndim), false, DTYPE_i64, AS_IT_IS, 0);
}

FORWARD(trace)
{
  if (a->input->ndim != 2)
    raise(call, "a matrix is wanted, not a tensor of shape %s", shape_text(call, tensor_shape(a->input)));
  y[0] = sum_of(op(diagonal, a->input, 0, 0, 1));
}
