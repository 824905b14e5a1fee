/* ONNX's normalizations. */
#include "ops/onnx/normalizing.h"

#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/batch_layer_norm.h"
#include "ops/nn/pad.h"
#include "ops/onnx/words.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/variance.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

FORWARD(onnx_batch_norm)
{
  const DType dtype = tensor_dtype(a->x);
  y[0] = op(batch_norm, a->x, cast(a->mean, dtype), cast(a->var, dtype), cast(a->scale, dtype), cast(a->b, dtype),
            false, 0, a->epsilon);
}

FORWARD(onnx_batch_norm_training)
{
  Tensor *x = a->x;
  const DType dtype = tensor_dtype(x);
  int64_t dims[MAX_DIMS] = {0};
  for (int i = 2; i < x->ndim; i++) dims[i - 1] = i;
  if (x->ndim < 2) raise(call, "[N, C, ...] is wanted, not shape %s", shape_text(call, tensor_shape(x)));
  const Ints all = {dims, x->ndim - 1};
  Tensor *wide = widened(x), *mean = op(mean, wide, all, false, DTYPE_NONE);
  Tensor *var = op(var, wide, all, false, false, NO_SCALAR);
  y[0] = op(batch_norm, x, cast(mean, dtype), cast(var, dtype), cast(a->scale, dtype), cast(a->b, dtype), false, 0,
            a->epsilon);
  const DType kept = tensor_dtype(a->mean);
  y[1] = plus(scaled(a->mean, a->momentum), scaled(cast(mean, kept), 1 - a->momentum));
  y[2] = plus(scaled(a->var, a->momentum), scaled(cast(var, kept), 1 - a->momentum));
}

FORWARD(onnx_instance_norm) { y[0] = op(instance_norm, a->x, NULL, NULL, a->scale, a->b, true, 0, a->epsilon); }

FORWARD(onnx_group_norm)
{
  const int64_t c = a->x->ndim > 1 ? a->x->shape[1] : 0;
  Tensor *scale = a->scale, *bias = a->bias;
  if (a->num_groups < 1 || c % a->num_groups) raise(call, "%lld channels don't make groups", (long long)c);
  if (scale->numel == a->num_groups && c != a->num_groups) {
    const int64_t each = c / a->num_groups;
    scale = op(repeat_interleave, scale, each, NONE_DIM, NO_INT);
    bias = op(repeat_interleave, bias, each, NONE_DIM, NO_INT);
  }
  y[0] = op(group_norm, a->x, a->num_groups, scale, bias, a->epsilon);
}

/* The sizes of the axes from `axis` on. */
static Ints normalized_shape(Call *call, const Tensor *x, int64_t axis)
{
  const int first = onnx_axis(call, axis, x->ndim);
  return (Ints){x->shape + first, x->ndim - first};
}

static bool has_shape(const Tensor *t, Ints shape) { return !t || shape_equal(tensor_shape(t), shape); }

/* Tensors of one dtype and of the very shape go to layer_norm; others are broadcast. */
FORWARD(onnx_layer_norm)
{
  Tensor *x = a->x;
  Ints shape = normalized_shape(call, x, a->axis);
  const bool is_ours = has_shape(a->scale, shape) && has_shape(a->b, shape) && a->scale->dtype == x->dtype;
  if (is_ours) y[0] = op(layer_norm, x, shape, a->scale, a->b, a->epsilon);
  else {
    Tensor *plain = op(mul, cast(op(layer_norm, x, shape, NULL, NULL, a->epsilon), tensor_dtype(a->scale)), a->scale);
    y[0] = a->b ? plus(plain, a->b) : plain;
  }
}

FORWARD(onnx_layer_norm_parts)
{
  Tensor *x = widened(a->x);
  const int first = onnx_axis(call, a->axis, x->ndim);
  Ints dims = onnx_dims_from(call, first, x->ndim);
  y[0] = op(onnx_layer_norm, a->x, a->scale, a->b, a->axis, a->epsilon);
  y[1] = op(mean, x, dims, true, DTYPE_NONE);
  y[2] = op(rsqrt, plus(op(var, x, dims, false, true, NO_SCALAR), number(a->epsilon)));
}

FORWARD(onnx_rms_norm)
{
  Tensor *x = a->x;
  Ints shape = normalized_shape(call, x, a->axis);
  const bool is_ours = has_shape(a->scale, shape) && a->scale->dtype == x->dtype;
  if (is_ours) y[0] = op(rms_norm, x, shape, a->scale, scalar_float(a->epsilon));
  else y[0] = op(mul, cast(op(rms_norm, x, shape, NULL, scalar_float(a->epsilon)), tensor_dtype(a->scale)), a->scale);
}

FORWARD(onnx_rms_factor)
{
  Tensor *x = widened(a->x);
  Ints dims = onnx_dims_from(call, onnx_axis(call, a->axis, x->ndim), x->ndim);
  y[0] = op(rsqrt, plus(op(mean, op(mul, x, x), dims, true, DTYPE_NONE), number(a->epsilon)));
}

FORWARD(onnx_mean_variance_norm)
{
  Tensor *x = a->x;
  Ints axes = a->axes.n < 0 ? INTS(0, 2, 3) : a->axes;
  Tensor *apart = minus(x, op(mean, x, axes, true, DTYPE_NONE));
  Tensor *variance = op(mean, op(mul, apart, apart), axes, true, DTYPE_NONE);
  y[0] = op(div, apart, plus(op(sqrt, variance), number(1e-9)));
}

FORWARD(onnx_lrn)
{
  Tensor *x = a->x;
  if (x->ndim < 2 || a->size < 1 || a->size > INT32_MAX)
    raise(call, "size %lld with shape %s", (long long)a->size, shape_text(call, tensor_shape(x)));
  int64_t pad[2 * MAX_DIMS] = {0};
  const int last = 2 * (x->ndim - 2);
  /* neighbours further away than there are channels are zeros */
  const int64_t c = x->shape[1], before = (a->size - 1) / 2, after = a->size / 2;
  pad[last] = before < c ? before : c, pad[last + 1] = after < c ? after : c;
  Tensor *squares = op(constant_pad_nd, op(mul, x, x), ((Ints){pad, last + 2}), scalar_int(0));
  Tensor *sum = op(sum, op(unfold, squares, 1, pad[last] + pad[last + 1] + 1, 1), INTS(-1), false, DTYPE_NONE);
  Tensor *base = plus(scaled(sum, a->alpha / (double)a->size), number(a->bias));
  y[0] = op(div, x, op(pow, base, number(a->beta)));
}
