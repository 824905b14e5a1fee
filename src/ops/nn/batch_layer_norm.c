/* Batch, group, instance and layer norm. Means and variances are kept as float64. */
#include "ops/nn/batch_layer_norm.h"

#include "launch/nn/normalize.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/variance.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_elements(Call *call, const char *name, const Tensor *t, int64_t n)
{
  if (t && t->numel != n)
    raise(call, "%s has shape %s, and %lld elements are wanted", name, shape_text(call, tensor_shape(t)), (long long)n);
}

static Tensor *zero_doubles(Call *call, const Tensor *x, Ints shape)
{
  return op(zeros, shape, DTYPE_f64, device_behind(x), false);
}

/* The sums over all but the last dimension of float64 parts, in an argument's shape and dtype. */
static Tensor *sum_of_parts(Call *call, Tensor *parts, const Tensor *like)
{
  Tensor *sum = parts->ndim == 1 ? parts : op(sum, parts, INTS(0), false, DTYPE_NONE);
  return cast(op(reshape, sum, tensor_shape(like)), tensor_dtype(like));
}

/* -------------------------------------------------------------------- channels */

FORWARD(channel_norm)
{
  Tensor *x = a->input;
  check_floating(call, tensor_dtype(x));
  check_elements(call, "weight", a->weight, x->shape[1]);
  check_elements(call, "bias", a->bias, x->shape[1]);
  int64_t units = channel_norm_units(x, a->groups);
  y[0] = channel_norm_result(call, x, a->groups);
  y[1] = new_beside(call, x, DTYPE_f64, INTS(units));
  y[2] = new_beside(call, x, DTYPE_f64, INTS(units));
  launch_channel_norm(call, x, &(ChannelNorm){a->groups, a->eps, a->weight, a->bias}, y[0], y[1], y[2]);
}

/* [1, channels, 1] */
static Tensor *by_channel(Call *call, Tensor *t, int64_t channels) { return op(reshape, t, INTS(1, channels, 1)); }

static Tensor *normalized(Call *call, Tensor *x, Ints dims, bool centred, double eps)
{
  Tensor *apart = centred ? minus(x, op(mean, x, dims, true, DTYPE_NONE)) : x;
  Tensor *var = op(mean, op(mul, apart, apart), dims, true, DTYPE_NONE);
  return op(mul, apart, op(rsqrt, plus(var, number(eps))));
}

/* What goes where a gradient is wanted: for the input, the weight, the bias. */
#define GIVE(dx, dw, db)                             \
  if (WANTS(input)) GRAD(input) = dx;                \
  if (a->weight && WANTS(weight)) GRAD(weight) = dw; \
  if (a->bias && WANTS(bias)) GRAD(bias) = db;

/* Under create_graph: the gradients of the same by ops. */
static void channel_norm_by_ops(Call *call, const struct channel_norm_args *a, Tensor *const *dy, struct Gradients *g)
{
  Tensor *inputs[] = {stand_in(call, a->input), stand_in(call, a->weight), stand_in(call, a->bias)}, *dx[3];
  int64_t n = a->input->shape[0], channels = a->input->shape[1], groups = a->groups;
  Tensor *x = op(reshape, inputs[0], INTS(n, groups ? groups : channels, -1));
  Tensor *y = groups ? normalized(call, x, INTS(2), true, a->eps) : normalized(call, x, INTS(0, 2), true, a->eps);
  y = op(reshape, y, INTS(n, channels, -1));
  if (inputs[1]) y = op(mul, y, by_channel(call, inputs[1], channels));
  if (inputs[2]) y = plus(y, by_channel(call, inputs[2], channels));
  y = op(reshape, y, tensor_shape(a->input));
  gradients_through(call, &y, dy, 1, inputs, 3, dx);
  GIVE(dx[0], dx[1], dx[2])
}

BACKWARD(channel_norm)
{
  Tensor *x = a->input;
  if (!dy[0]) return;
  if (call->ctx->grad_enabled && x->numel > 0) {
    channel_norm_by_ops(call, a, dy, g);
    return;
  }
  int64_t n = x->shape[0], channels = x->shape[1];
  Ints shape = a->groups ? INTS(n, channels) : INTS(channels);
  Tensor *dx = WANTS(input) ? channel_norm_result(call, x, a->groups) : NULL;
  Tensor *dw = zero_doubles(call, x, shape), *db = zero_doubles(call, x, shape);
  ChannelNorm norm = {a->groups, a->eps, a->weight, a->bias};
  launch_channel_norm_backward(call, dy[0], x, &norm, y[1], y[2], dx, dw, db);
  if (dx) GRAD(input) = dx;
  if (a->weight && WANTS(weight)) GRAD(weight) = sum_of_parts(call, dw, a->weight);
  if (a->bias && WANTS(bias)) GRAD(bias) = sum_of_parts(call, db, a->bias);
}

/* ------------------------------------------------------------------------ rows */

FORWARD(row_norm)
{
  Tensor *x = a->input;
  check_floating(call, tensor_dtype(x));
  int64_t n = a->row, rows = n > 0 ? x->numel / n : 0;
  check_elements(call, "weight", a->weight, n);
  check_elements(call, "bias", a->bias, n);
  /* As PyTorch has them, a root mean square norm keeps channels last, and a layer norm doesn't. */
  y[0] = a->centred ? new_beside(call, x, tensor_dtype(x), tensor_shape(x)) : channel_norm_result(call, x, 1);
  y[1] = new_beside(call, x, DTYPE_f64, INTS(rows));
  y[2] = new_beside(call, x, DTYPE_f64, INTS(rows));
  launch_row_norm(call, x, &(RowNorm){n, a->centred, a->eps, a->weight, a->bias}, y[0], y[1], y[2]);
}

static void row_norm_by_ops(Call *call, const struct row_norm_args *a, Tensor *const *dy, struct Gradients *g)
{
  Tensor *inputs[] = {stand_in(call, a->input), stand_in(call, a->weight), stand_in(call, a->bias)}, *dx[3];
  Tensor *y = normalized(call, op(reshape, inputs[0], INTS(-1, a->row)), INTS(1), a->centred, a->eps);
  if (inputs[1]) y = op(mul, y, op(reshape, inputs[1], INTS(1, a->row)));
  if (inputs[2]) y = plus(y, op(reshape, inputs[2], INTS(1, a->row)));
  y = op(reshape, y, tensor_shape(a->input));
  gradients_through(call, &y, dy, 1, inputs, 3, dx);
  GIVE(dx[0], dx[1], dx[2])
}

BACKWARD(row_norm)
{
  Tensor *x = a->input;
  if (!dy[0]) return;
  if (call->ctx->grad_enabled && x->numel > 0) {
    row_norm_by_ops(call, a, dy, g);
    return;
  }
  Ints shape = INTS(row_norm_parts(x, a->row), a->row);
  Tensor *dx = WANTS(input) ? new_beside(call, x, tensor_dtype(x), tensor_shape(x)) : NULL;
  Tensor *dw = a->weight && WANTS(weight) ? zero_doubles(call, x, shape) : NULL;
  Tensor *db = a->bias && WANTS(bias) ? zero_doubles(call, x, shape) : NULL;
  launch_row_norm_backward(call, dy[0], x, &(RowNorm){a->row, a->centred, a->eps, a->weight, a->bias}, y[1], y[2], dx,
                           dw, db);
  if (dx) GRAD(input) = dx;
  if (dw) GRAD(weight) = sum_of_parts(call, dw, a->weight);
  if (db) GRAD(bias) = sum_of_parts(call, db, a->bias);
}

/* ---------------------------------------------------------------- what users call */

static void check_has_channels(Call *call, const Tensor *x)
{
  if (x->ndim < 2) raise(call, "the input has shape %s; [N, C, ...] is wanted", shape_text(call, tensor_shape(x)));
}

/* What was computed with a channel's values side by side, contiguous again if x is. */
static Tensor *laid_out_as(Call *call, Tensor *y, const Tensor *x)
{
  return x->is_contiguous && !y->is_contiguous ? op(contiguous, y) : y;
}

/* Before either is moved: both can be. */
static void check_running(Call *call, const char *name, const Tensor *t, int64_t channels)
{
  if (!t) return;
  check_elements(call, name, t, channels);
  check_argument_floating(call, name, t);
  if (tensor_requires_grad(t)) raise(call, "%s requires a gradient, so it can't be moved towards the batch's", name);
  if (tensor_is_expanded(t)) raise(call, "%s repeats elements (expand); give a copy", name);
}

/* running += momentum (value - running), without history. */
static void move_running(Call *call, Tensor *running, Tensor *value, double momentum)
{
  if (!running) return;
  Tensor *change = minus(cast(op(detach, value), tensor_dtype(running)), running);
  op_(add, running, change, scalar_float(momentum));
}

/* Variances of n values each as estimates: divided by n - 1 instead of n. */
static Tensor *unbiased(Call *call, Tensor *var, int64_t n)
{
  return op(mul, op(detach, var), number((double)n / (double)(n - 1)));
}

FORWARD(channel_map)
{
  Tensor *x = a->input;
  y[0] = result_new(call, tensor_dtype(x), device_behind(x), tensor_shape(x));
  launch_channel_map(call, x, a->mean, a->scale, a->shift, y[0]);
}

/* Whether channels can be mapped in one pass: where no derivative is wanted, which is made of ops, and a channel's
   elements lie side by side. */
static bool can_map_channels(const Call *call, const Tensor *x, Tensor *const *others, int n)
{
  if (wants_derivative(call, x) || !x->is_contiguous || x->numel <= x->shape[0] * x->shape[1]) return false;
  for (int i = 0; i < n; i++) {
    bool is_wider = others[i] && tensor_dtype(others[i]) == DTYPE_f64 && tensor_dtype(x) != DTYPE_f64;
    if (others[i] && (is_wider || wants_derivative(call, others[i]))) return false;
  }
  return true;
}

/* (x - mean) weight / sqrt(var + eps) + bias, by channel. */
static Tensor *with_known_moments(Call *call, Tensor *x, Tensor *mean, Tensor *var, Tensor *weight, Tensor *bias,
                                  double eps)
{
  if (!mean || !var) raise(call, "running_mean and running_var are needed where the input's own are not used");
  int64_t channels = x->shape[1], shape[MAX_DIMS];
  check_elements(call, "running_mean", mean, channels);
  check_elements(call, "running_var", var, channels);
  check_elements(call, "weight", weight, channels);
  check_elements(call, "bias", bias, channels);
  for (int i = 0; i < x->ndim; i++) shape[i] = i == 1 ? channels : 1;
  Ints by = {shape, x->ndim};
  DType dtype = tensor_dtype(x);
  Tensor *scale = op(rsqrt, plus(var, number(eps)));
  if (weight) scale = op(mul, scale, weight);
  if (can_map_channels(call, x, (Tensor *[]){mean, scale, bias}, 3)) return op(channel_map, x, mean, scale, bias);
  Tensor *y = op(mul, minus(x, op(reshape, mean, by)), op(reshape, scale, by));
  if (bias) y = plus(y, op(reshape, bias, by));
  y = cast(y, dtype);
  return has_channels_last(x) ? y : op(contiguous, y);
}

FORWARD(batch_norm)
{
  Tensor *x = a->input;
  check_floating(call, tensor_dtype(x));
  if (x->ndim == 1 && x->numel == 0) { /* PyTorch takes it */
    y[0] = op(clone, x);
    return;
  }
  check_has_channels(call, x);
  if (!a->training) {
    y[0] = with_known_moments(call, x, a->running_mean, a->running_var, a->weight, a->bias, a->eps);
    return;
  }
  int64_t channels = x->shape[1], n = channels > 0 ? x->numel / channels : 0;
  if (n == 1)
    raise(call, "more than 1 value a channel is needed while training, not shape %s",
          shape_text(call, tensor_shape(x)));
  check_running(call, "running_mean", a->running_mean, channels);
  check_running(call, "running_var", a->running_var, channels);
  Tensors result = op(channel_norm, x, a->weight, a->bias, 0, a->eps);
  y[0] = laid_out_as(call, result.v[0], x);
  if (n == 0) return;
  move_running(call, a->running_mean, result.v[1], a->momentum);
  if (a->running_var) move_running(call, a->running_var, unbiased(call, result.v[2], n), a->momentum);
}

FORWARD(instance_norm)
{
  Tensor *x = a->input;
  check_floating(call, tensor_dtype(x));
  check_has_channels(call, x);
  if (!a->use_input_stats) {
    y[0] = with_known_moments(call, x, a->running_mean, a->running_var, a->weight, a->bias, a->eps);
    return;
  }
  int64_t batch = x->shape[0], channels = x->shape[1], n = batch * channels > 0 ? x->numel / (batch * channels) : 0;
  if (n == 1) raise(call, "more than 1 spatial element is needed, not shape %s", shape_text(call, tensor_shape(x)));
  check_running(call, "running_mean", a->running_mean, channels);
  check_running(call, "running_var", a->running_var, channels);
  Tensors result = op(channel_norm, op(contiguous, x), a->weight, a->bias, channels, a->eps);
  y[0] = result.v[0];
  if (n == 0) return;
  Ints grid = INTS(batch, channels);
  if (a->running_mean)
    move_running(call, a->running_mean, op(mean, op(view, result.v[1], grid), INTS(0), false, DTYPE_NONE), a->momentum);
  if (a->running_var)
    move_running(call, a->running_var,
                 op(mean, op(view, unbiased(call, result.v[2], n), grid), INTS(0), false, DTYPE_NONE), a->momentum);
}

FORWARD(group_norm)
{
  Tensor *x = a->input;
  check_floating(call, tensor_dtype(x));
  check_has_channels(call, x);
  if (a->num_groups < 1 || x->shape[1] % a->num_groups)
    raise(call, "%lld channels can't be divided into %lld groups", (long long)x->shape[1], (long long)a->num_groups);
  for (int d = 1; d < x->ndim; d++)
    if (x->shape[d] == 0)
      raise(call, "samples without elements can't be normalized: shape %s", shape_text(call, tensor_shape(x)));
  y[0] = laid_out_as(call, op(channel_norm, x, a->weight, a->bias, a->num_groups, a->eps).v[0], x);
}

/* How many elements the last dimensions hold, which must be of the given shape. */
static int64_t row_of(Call *call, const Tensor *x, Ints shape, const Tensor *weight, const Tensor *bias)
{
  int64_t n = 1;
  bool fits = shape.n >= 1 && shape.n <= x->ndim;
  for (int64_t i = 0; fits && i < shape.n; i++) {
    fits = x->shape[x->ndim - shape.n + i] == shape.v[i];
    n *= shape.v[i];
  }
  if (!fits)
    raise(call, "normalized_shape is %s, and the input of shape %s does not end in that", shape_text(call, shape),
          shape_text(call, tensor_shape(x)));
  const Tensor *const given[] = {weight, bias};
  for (int i = 0; i < 2; i++)
    if (given[i] && !shape_equal(tensor_shape(given[i]), shape))
      raise(call, "%s has shape %s, and normalized_shape is %s", i ? "bias" : "weight",
            shape_text(call, tensor_shape(given[i])), shape_text(call, shape));
  return n;
}

FORWARD(layer_norm)
{
  check_floating(call, tensor_dtype(a->input));
  int64_t n = row_of(call, a->input, a->normalized_shape, a->weight, a->bias);
  y[0] = op(row_norm, a->input, n, a->weight, a->bias, a->eps, true).v[0];
}

/* Complex rows, by the mean of their squares, which is complex as well; as in PyTorch. */
static Tensor *complex_rms_norm(Call *call, Tensor *x, int64_t rank, double eps)
{
  int64_t dims[MAX_DIMS];
  for (int64_t i = 0; i < rank; i++) dims[i] = x->ndim - rank + i;
  if (!has_channels_last(x)) x = op(contiguous, x);
  Tensor *mean = op(mean, op(square, x), (Ints){dims, rank}, true, DTYPE_NONE);
  return op(mul, x, op(rsqrt, plus(mean, number(eps))));
}

FORWARD(rms_norm)
{
  Tensor *x = a->input;
  int64_t n = row_of(call, x, a->normalized_shape, a->weight, NULL);
  DType d = tensor_dtype(x);
  double eps = a->eps.kind != SCALAR_NONE ? scalar_real(a->eps) : d == DTYPE_f64 || d == DTYPE_c128 ? 0x1p-52 : 0x1p-23;
  if (dtype_is_complex(d)) {
    y[0] = complex_rms_norm(call, x, a->normalized_shape.n, eps);
    if (a->weight) y[0] = op(mul, y[0], a->weight);
    return;
  }
  check_floating(call, d);
  bool together = !a->weight || a->weight->dtype == x->dtype;
  y[0] = op(row_norm, x, n, together ? a->weight : NULL, NULL, eps, false).v[0];
  if (!together) y[0] = op(mul, y[0], a->weight);
}

/* ------------------------------------------------------------ with the moments beside */

/* The means over dimensions, which stay with size 1, and the factors 1 / sqrt(variance + eps). */
static void give_moments(Call *call, Tensor *x, Ints dims, double eps, Tensor **y)
{
  Tensors moments = op(var_mean, widened(x), dims, false, true, NO_SCALAR);
  y[1] = cast(moments.v[1], tensor_dtype(x));
  y[2] = cast(op(rsqrt, plus(moments.v[0], number(eps))), tensor_dtype(x));
}

FORWARD(native_layer_norm)
{
  Tensor *x = a->input;
  int64_t dims[MAX_DIMS], n = a->normalized_shape.n;
  y[0] = op(layer_norm, x, a->normalized_shape, a->weight, a->bias, a->eps);
  for (int64_t i = 0; i < n; i++) dims[i] = x->ndim - n + i;
  give_moments(call, op(detach, x), (Ints){dims, n}, a->eps, y);
}

FORWARD(native_group_norm)
{
  Tensor *x = a->input;
  y[0] = op(group_norm, x, a->group, a->weight, a->bias, a->eps);
  if (x->shape[0] != a->N || x->shape[1] != a->C || x->numel != a->N * a->C * a->HxW)
    raise(call, "the input has shape %s, not %lld samples of %lld channels of %lld elements",
          shape_text(call, tensor_shape(x)), (long long)a->N, (long long)a->C, (long long)a->HxW);
  Ints grid = INTS(a->N, a->group);
  give_moments(call, op(reshape, x, INTS(a->N, a->group, a->C / a->group * a->HxW)), INTS(2), a->eps, y);
  for (int i = 1; i < 3; i++) { /* PyTorch's want a gradient where any operand does */
    y[i] = op(reshape, y[i], grid);
    if (a->weight) y[i] = op(zero_link, y[i], a->weight);
    if (a->bias) y[i] = op(zero_link, y[i], a->bias);
  }
}

FORWARD(native_batch_norm)
{
  Tensor *x = a->input;
  y[0] = op(batch_norm, x, a->running_mean, a->running_var, a->weight, a->bias, a->training, a->momentum, a->eps);
  if (!a->training) {
    for (int i = 1; i < 3; i++) y[i] = op(zeros, INTS(0), tensor_dtype(x), device_behind(x), false);
    return;
  }
  int64_t dims[MAX_DIMS], n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (i != 1) dims[n++] = i;
  give_moments(call, op(detach, x), (Ints){dims, n}, a->eps, y);
  for (int i = 1; i < 3; i++) y[i] = op(reshape, y[i], INTS(-1));
}
