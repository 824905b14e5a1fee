/* Sorting: rows are brought side by side for the kernel, which sorts them one by one. */
#include "ops/index/sort.h"

#include <string.h>

#include "launch/index/sort.h"
#include "ops/index/gather.h"
#include "ops/shape/copy.h"
#include "ops/table/helpers.h"

/* A view with a dimension moved behind all others, below the door. */
static Tensor *with_dim_last(Call *call, const Tensor *t, int dim)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (d == dim) continue;
    shape[n] = t->shape[d];
    strides[n++] = t->strides[d];
  }
  if (t->ndim > 0) {
    shape[n] = t->shape[dim];
    strides[n] = t->strides[dim];
  }
  return tensor_view(call, t, (Ints){shape, t->ndim}, (Ints){strides, t->ndim}, t->offset);
}

/* The first `count` elements in order along a dimension, and their positions. */
static void sort_along(Call *call, Tensor *x, int dim, int64_t count, bool descending, Tensor **y)
{
  DType dtype = tensor_dtype(x);
  int64_t shape[MAX_DIMS];
  if (dtype_is_complex(dtype)) raise(call, "complex numbers have no order");
  memcpy(shape, x->shape, x->ndim * sizeof *shape);
  if (x->ndim) shape[dim] = count;
  if (!x->ndim || count == x->shape[dim]) {
    y[0] = result_ordered(call, dtype, device_of(x), tensor_shape(x), &x, 1);
    y[1] = new_ordered_as(call, x, DTYPE_i64);
  } else {
    y[0] = result_new(call, dtype, device_of(x), (Ints){shape, x->ndim});
    y[1] = new_beside(call, x, DTYPE_i64, (Ints){shape, x->ndim});
  }
  launch_sort(call, with_dim_last(call, x, dim), descending, with_dim_last(call, y[0], dim),
              with_dim_last(call, y[1], dim));
}

/* The gradient goes back to the positions that elements came from. */
static Tensor *unsorted(Call *call, Tensor *dy, Tensor *positions, int64_t dim, const Tensor *x)
{
  return op(scatter, zeros_for(call, dy, tensor_shape(x)), dim, positions, dy);
}

FORWARD(sort)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  sort_along(call, a->input, dim, slabs_of(a->input, dim).n, a->descending, y);
}

BACKWARD(sort) { GRAD(input) = unsorted(call, dy[0], y[1], a->dim, a->input); }

FORWARD(argsort) { y[0] = op(sort, op(detach, a->input), a->dim, a->descending, a->stable).v[1]; }

FORWARD(msort) { y[0] = op(sort, a->input, 0, false, false).v[0]; }

FORWARD(topk)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  int64_t n = slabs_of(a->input, dim).n;
  if (a->k < 0 || a->k > n)
    raise(call, "k = %lld elements can't be had of dimension %d of size %lld", (long long)a->k, dim + 1, (long long)n);
  if (a->input->ndim == 0 && a->k == 0) raise(call, "k = 0 elements of a tensor without dimensions are no tensor");
  sort_along(call, a->input, dim, a->k, a->largest, y);
}

BACKWARD(topk) { GRAD(input) = unsorted(call, dy[0], y[1], a->dim, a->input); }
