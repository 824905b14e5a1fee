/* Batches of matrices for LAPACK. */
#include "launch/linalg/matrices.h"

#include <limits.h>
#include <math.h>

#include "core/shape.h"
#include "launch/copy.h"
#include "launch/layout.h"

Ints by_columns_order(Call *call, Ints shape)
{
  int64_t strides[MAX_DIMS];
  shape_contiguous_strides(shape, strides);
  if (shape.n >= 2) {
    int64_t rows = shape.v[shape.n - 2];
    strides[shape.n - 2] = 1;
    strides[shape.n - 1] = rows > 1 ? rows : 1;
  }
  return arena_ints(call->ctx, strides, shape.n);
}

Tensor *new_by_columns(Call *call, const Tensor *beside, DType dtype, Ints shape)
{
  return tensor_new_strided(call, dtype, (Device)beside->device, shape, by_columns_order(call, shape));
}

int columns_apart(const Tensor *x)
{
  int64_t rows = x->shape[x->ndim - 2], cols = x->shape[x->ndim - 1];
  return (int)(cols > 1 ? x->strides[x->ndim - 1] : rows > 1 ? rows : 1);
}

bool lies_by_columns(const Tensor *x)
{
  int64_t rows = x->shape[x->ndim - 2], cols = x->shape[x->ndim - 1];
  bool together = rows <= 1 || x->strides[x->ndim - 2] == 1;
  int64_t apart = x->strides[x->ndim - 1];
  return together && (cols <= 1 || (apart >= rows && apart >= 1 && apart <= INT_MAX));
}

Tensor *by_columns(Call *call, Tensor *x)
{
  if (lies_by_columns(x)) return x;
  Tensor *copy = new_by_columns(call, x, tensor_dtype(x), tensor_shape(x));
  launch_copy(call, copy, x);
  return copy;
}

void check_lapack_sizes(Call *call, const Tensor *x)
{
  int64_t rows = x->shape[x->ndim - 2], cols = x->shape[x->ndim - 1];
  if (rows > INT_MAX || cols > INT_MAX)
    raise(call, "matrices of %lld x %lld are too large", (long long)rows, (long long)cols);
}

void each_matrix(Call *call, Ints batch, Tensors tensors, MatrixStep step, const void *params)
{
  enum { MOST = 8 };
  char *at[MOST];
  int64_t place[MAX_DIMS] = {0}, count = shape_numel(call, batch);
  int64_t size[MOST];
  for (int64_t k = 0; k < tensors.n; k++) {
    at[k] = tensors.v[k] ? tensor_data(tensors.v[k]) : NULL;
    size[k] = tensors.v[k] ? (int64_t)dtype_size(tensor_dtype(tensors.v[k])) : 0;
  }
  for (int64_t i = 0; i < count; i++) {
    check_interrupt(call);
    step(params, at);
    for (int64_t d = batch.n - 1; d >= 0; d--) {
      bool wraps = ++place[d] == batch.v[d];
      for (int64_t k = 0; k < tensors.n; k++)
        if (at[k]) at[k] += tensors.v[k]->strides[d] * size[k] * (wraps ? 1 - batch.v[d] : 1);
      if (!wraps) break;
      place[d] = 0;
    }
  }
}

int work_asked_for(Call *call, DType dtype, const WorkAnswer *answer)
{
  bool single = dtype_to_real(dtype) == DTYPE_f32; /* a float answer may have been rounded down */
  double size = single ? ceil((double)answer->single * (1 + 0x1p-20)) : answer->wide[0];
  if (size > INT_MAX) raise(call, "the matrices are too large");
  return size < 1 ? 1 : (int)size;
}

int64_t first_failure(const Tensor *info, int *value)
{
  const int32_t *v = tensor_data(info);
  for (int64_t i = 0; v && i < info->numel; i++)
    if (v[i] != 0) {
      *value = v[i];
      return i;
    }
  return -1;
}

enum { SPARE = 4 };

void *scratch_of(Call *call, DType dtype, int64_t n)
{
  return tensor_data(tensor_new(call, dtype, DEVICE_CPU, INTS(n + SPARE)));
}

Tensor *scratch_by_columns(Call *call, DType dtype, Ints shape)
{
  Tensor *room = tensor_new(call, dtype, result_device(call), INTS(shape_numel(call, shape) + SPARE));
  return tensor_view(call, room, shape, by_columns_order(call, shape), 0);
}

void check_finite(Call *call, const Tensor *t)
{
  bool finite = true;
  int64_t parts = dtype_is_complex(tensor_dtype(t)) ? 2 * t->numel : t->numel;
  const float *single = tensor_data(t);
  const double *wide = tensor_data(t);
  if (dtype_to_real(tensor_dtype(t)) == DTYPE_f32)
    for (int64_t i = 0; i < parts; i++) finite &= single[i] - single[i] == 0;
  else
    for (int64_t i = 0; i < parts; i++) finite &= wide[i] - wide[i] == 0;
  if (!finite) raise(call, "A has elements that are infinite or nan");
}
