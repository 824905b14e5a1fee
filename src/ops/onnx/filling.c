/* ONNX's operators that make tensors. */
#include "ops/onnx/filling.h"

#include <math.h>
#include <string.h>

#include "launch/math/generate.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/trigonometric.h"
#include "ops/onnx/words.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/series.h"
#include "ops/shape/view.h"

static void copy_numbers(const void *params, int64_t *to)
{
  const Ints *values = params;
  memcpy(to, values->v, (size_t)values->n * sizeof *to);
}

FORWARD(onnx_ints)
{
  y[0] = result_new(call, DTYPE_i64, device_of_numbers(), INTS(a->values.n));
  if (a->values.n) launch_positions_of(call, copy_numbers, &a->values, y[0]);
}

static void numbers_at(const void *params, int64_t first, int n, double *to)
{
  memcpy(to, (const double *)params + first, (size_t)n * sizeof *to);
}

FORWARD(onnx_floats)
{
  y[0] = result_new(call, DTYPE_f32, device_of_numbers(), INTS(a->values.n));
  launch_by_index(call, numbers_at, a->values.v, y[0]);
}

FORWARD(onnx_constant_of_shape)
{
  Ints shape = whole_numbers_of(call, a->shape);
  if (!a->value) y[0] = onnx_filled(call, shape, 0, DTYPE_f32);
  else y[0] = op(clone, op(expand, reshaped(a->value, 1), shape.n ? shape : INTS(1)));
  if (a->value && !shape.n) y[0] = op(reshape, y[0], shape);
}

FORWARD(onnx_range)
{
  Scalar start = number_of(call, a->start), limit = number_of(call, a->limit), delta = number_of(call, a->delta);
  if (scalar_real(delta) == 0) raise(call, "delta is 0");
  if ((scalar_real(limit) - scalar_real(start)) / scalar_real(delta) <= 0) limit = start;
  y[0] = op(arange_start, start, limit, delta, tensor_dtype(a->start), DEVICE_NONE, false);
}

FORWARD(onnx_eye_like)
{
  Tensor *x = a->input;
  if (x->ndim != 2) raise(call, "a matrix is wanted, not shape %s", shape_text(call, tensor_shape(x)));
  const DType dtype = a->dtype == DTYPE_NONE ? tensor_dtype(x) : a->dtype;
  Tensor *rows = op(arange, scalar_int(x->shape[0]), DTYPE_i64, DEVICE_NONE, false);
  Tensor *columns = op(arange, scalar_int(x->shape[1]), DTYPE_i64, DEVICE_NONE, false);
  y[0] = cast(op(eq, plus(reshaped(rows, x->shape[0], 1), whole(a->k)), reshaped(columns, 1, x->shape[1])), dtype);
}

FORWARD(onnx_one_hot)
{
  const int64_t depth = scalar_integer(number_of(call, a->depth));
  const int axis = onnx_axis(call, a->axis, a->indices->ndim + 1);
  if (a->indices->ndim == MAX_DIMS) raise(call, "the result would have %d dimensions", MAX_DIMS + 1);
  if (depth < 0) raise(call, "depth is %lld", (long long)depth);
  Tensor *index = cast(a->indices, DTYPE_i64), *on = op(select, a->values, 0, 1), *off = op(select, a->values, 0, 0);
  Tensor *from_end = op(where, op(lt, index, whole(0)), plus(index, whole(depth)), index);
  int64_t shape[MAX_DIMS];
  for (int i = 0; i <= index->ndim; i++) shape[i] = i == axis ? depth : 1;
  Tensor *places = op(arange, scalar_int(depth), DTYPE_i64, DEVICE_NONE, false);
  y[0] = op(where, op(eq, op(unsqueeze, from_end, axis), op(reshape, places, ((Ints){shape, index->ndim + 1}))), on,
            off);
}

FORWARD(onnx_window)
{
  const int64_t n = scalar_integer(number_of(call, a->size));
  const DType dtype = a->dtype == DTYPE_NONE ? DTYPE_f32 : a->dtype;
  /* the terms of a sum of cosines; ONNX gives Hamming's in full */
  const double hann[] = {0.5, 0.5, 0}, hamming[] = {25.0 / 46, 1 - 25.0 / 46, 0}, blackman[] = {0.42, 0.5, 0.08};
  const double *w = strcmp(a->kind, "hann") == 0 ? hann : strcmp(a->kind, "hamming") == 0 ? hamming : blackman;
  const double step = 2 * acos(-1) / (double)(a->periodic ? n : n - 1);
  Tensor *angle = scaled(op(arange, scalar_int(n), DTYPE_f64, DEVICE_NONE, false), step);
  Tensor *first = scaled(op(cos, angle), -w[1]), *second = scaled(op(cos, scaled(angle, 2)), w[2]);
  y[0] = cast(plus(plus(first, second), number(w[0])), dtype);
}

FORWARD(onnx_shape)
{
  const Tensor *x = a->input;
  int64_t start = a->start < 0 ? a->start + x->ndim : a->start, stop = a->stop == NO_INT ? x->ndim : a->stop;
  if (stop < 0) stop += x->ndim;
  if (start < 0) start = 0;
  if (stop > x->ndim) stop = x->ndim;
  y[0] = op(onnx_ints, start < stop ? (Ints){x->shape + start, stop - start} : (Ints){x->shape, 0});
}

FORWARD(onnx_size) { y[0] = op(reshape, op(onnx_ints, INTS(a->input->numel)), (Ints){a->input->shape, 0}); }
