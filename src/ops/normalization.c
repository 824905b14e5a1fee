/* Batch, group, instance and layer norm. Means and variances are kept as float64. */
#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"

static void check_floating(Call *call, const Tensor *t)
{
  if (!dtype_is_floating(tensor_dtype(t))) raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(t)));
}

static void check_size(Call *call, const char *name, const Tensor *t, int64_t n)
{
  if (t && t->numel != n)
    raise(call, "%s has shape %s, and %lld elements are wanted", name, shape_text(call, tensor_shape(t)), (long long)n);
}

/* The sums over all but the last dimension of float64 parts, in an argument's shape and dtype. */
static Tensor *sum_of_parts(Call *call, Tensor *parts, const Tensor *like)
{
  Tensor *sum = parts->ndim == 1 ? parts : op(sum, parts, INTS(0), false, DTYPE_NONE);
  return as_dtype(call, op(reshape, sum, tensor_shape(like)), tensor_dtype(like));
}

/* -------------------------------------------------------------------- channels */

/* Input as [n, channels, size]; a unit is what has a mean of its own: a channel of the batch, or a group of a sample. */
typedef struct Channels {
  const KernelTable *k;
  int64_t n, channels, size, groups, element;
  double eps;
  const char *x, *dy;
  const double *w, *b;      /* NULL: 1 and 0 */
  char *y;                  /* the result, or the input's gradient */
  double *mean, *var, *dw, *db;
} Channels;

static int64_t units_of(const Channels *c) { return c->groups ? c->n * c->groups : c->channels; }
static int64_t elements_of(const Channels *c) { return c->groups ? c->channels / c->groups * c->size : c->n * c->size; }

/* The stretches of a unit: the first one's number among [n, channels], how many there are, and how far apart. */
typedef struct Stretches { int64_t first, count, step; } Stretches;

static Stretches stretches_of(const Channels *c, int64_t unit)
{
  if (!c->groups) return (Stretches){unit, c->n, c->channels};
  int64_t each = c->channels / c->groups;
  return (Stretches){unit * each, each, 1};
}

static const char *stretch_at(const Channels *c, const char *base, int64_t number) { return base + number * c->size * c->element; }
static double weight_of(const Channels *c, int64_t number) { return c->w ? c->w[number % c->channels] : 1; }

static double first_of(const Channels *c, const char *x)
{
  return c->element == 4 ? (double)*(const float *)(const void *)x : *(const double *)(const void *)x;
}

static void forward_units(void *arg, int64_t begin, int64_t end)
{
  const Channels *c = arg;
  double m = (double)elements_of(c);
  for (int64_t u = begin; u < end; u++) {
    Stretches s = stretches_of(c, u);
    double sums[2] = {0, 0}, pivot = first_of(c, stretch_at(c, c->x, s.first));
    for (int64_t i = 0; i < s.count; i++) c->k->stretch_moments(c->size, stretch_at(c, c->x, s.first + i * s.step), pivot, sums);
    c->mean[u] = pivot + sums[0] / m;
    c->var[u] = fmax(0, (sums[1] - sums[0] * sums[0] / m) / m);
    if (isnan(sums[1])) c->var[u] = sums[1];
    double scale = 1 / sqrt(c->var[u] + c->eps);
    for (int64_t i = 0; i < s.count; i++) {
      int64_t number = s.first + i * s.step;
      c->k->stretch_map(c->size, stretch_at(c, c->x, number), c->mean[u], scale * weight_of(c, number),
                        c->b ? c->b[number % c->channels] : 0, (char *)stretch_at(c, c->y, number));
    }
  }
}

static void backward_units(void *arg, int64_t begin, int64_t end)
{
  const Channels *c = arg;
  double m = (double)elements_of(c);
  for (int64_t u = begin; u < end; u++) {
    Stretches s = stretches_of(c, u);
    double scale = 1 / sqrt(c->var[u] + c->eps), all = 0, along = 0;
    for (int64_t i = 0; i < s.count; i++) {
      int64_t number = s.first + i * s.step, place = c->groups ? number : u;
      double sums[2] = {0, 0};
      c->k->stretch_products(c->size, stretch_at(c, c->dy, number), stretch_at(c, c->x, number), c->mean[u], sums);
      c->db[place] += sums[0];
      c->dw[place] += sums[1] * scale;
      all += sums[0] * weight_of(c, number);
      along += sums[1] * weight_of(c, number);
    }
    for (int64_t i = 0; i < s.count && c->y; i++) {
      int64_t number = s.first + i * s.step;
      double factors[] = {scale * weight_of(c, number), -scale * scale * scale * along / m, -scale * all / m};
      c->k->stretch_gradient(c->size, stretch_at(c, c->dy, number), stretch_at(c, c->x, number), c->mean[u], factors,
                             (char *)stretch_at(c, c->y, number));
    }
  }
}

/* A batch of single values is normalized as its transpose: stretches of one element would be slow. */
static bool is_flat(const Tensor *x, int64_t groups) { return groups == 0 && x->numel == x->shape[0] * x->shape[1]; }

static Tensor *laid_out(Call *call, Tensor *t, bool flat, DType d)
{
  if (!flat) return contiguous_as(call, t, d);
  return contiguous_as(call, op(transpose, op(view, contiguous_as(call, t, d), INTS(t->shape[0], t->shape[1])), 0, 1), d);
}

static Tensor *laid_back(Call *call, Tensor *t, bool flat, const Tensor *like)
{
  if (!flat) return t;
  return op(reshape, op(transpose, t, 0, 1), tensor_shape(like));
}

static Channels channels_of(const Tensor *x, int64_t groups, double eps, DType d)
{
  bool flat = is_flat(x, groups);
  int64_t n = flat ? 1 : x->shape[0], channels = x->shape[1];
  return (Channels){.k = kernels_of(d), .n = n, .channels = channels, .size = n * channels > 0 ? x->numel / (n * channels) : 0,
                    .groups = groups, .element = (int64_t)dtype_size(d), .eps = eps};
}

static void run_units(Channels *c, ParallelBody body)
{
  parallel_for(units_of(c), grain_of(ROWS_GRAIN, elements_of(c)), body, c);
}

static const double *as_doubles(Call *call, Tensor *t) { return t ? tensor_data(contiguous_as(call, t, DTYPE_f64)) : NULL; }

FORWARD(channel_norm)
{
  Tensor *x = a->input;
  check_floating(call, x);
  check_size(call, "weight", a->weight, x->shape[1]);
  check_size(call, "bias", a->bias, x->shape[1]);
  DType dtype = tensor_dtype(x), d = kernel_dtype(dtype);
  Channels c = channels_of(x, a->groups, a->eps, d);
  Device device = call->meta ? DEVICE_META : DEVICE_CPU;
  y[1] = tensor_new(call, DTYPE_f64, device, INTS(units_of(&c)));
  y[2] = tensor_new(call, DTYPE_f64, device, INTS(units_of(&c)));
  if (call->meta || x->numel == 0) {
    y[0] = tensor_new(call, dtype, device, tensor_shape(x));
    if (!call->meta) launch_fill(call, y[1], scalar_float(0)), launch_fill(call, y[2], scalar_float(0));
    return;
  }
  bool flat = is_flat(x, a->groups);
  Tensor *from = laid_out(call, x, flat, d), *to = tensor_new(call, d, DEVICE_CPU, tensor_shape(from));
  c.x = tensor_data(from), c.y = tensor_data(to), c.mean = tensor_data(y[1]), c.var = tensor_data(y[2]);
  c.w = as_doubles(call, a->weight), c.b = as_doubles(call, a->bias);
  run_units(&c, forward_units);
  y[0] = as_dtype(call, laid_back(call, to, flat, x), dtype);
}

/* [1, channels, 1] */
static Tensor *by_channel(Call *call, Tensor *t, int64_t channels) { return op(reshape, t, INTS(1, channels, 1)); }

static Tensor *normalized(Call *call, Tensor *x, Ints dims, double eps)
{
  Tensor *apart = op(sub, x, op(mean, x, dims, true, DTYPE_NONE), scalar_int(1));
  Tensor *var = op(mean, op(mul, apart, apart), dims, true, DTYPE_NONE);
  return op(mul, apart, op(rsqrt, op(add, var, number(eps), scalar_int(1))));
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
  Tensor *y = groups ? normalized(call, x, INTS(2), a->eps) : normalized(call, x, INTS(0, 2), a->eps);
  y = op(reshape, y, INTS(n, channels, -1));
  if (inputs[1]) y = op(mul, y, by_channel(call, inputs[1], channels));
  if (inputs[2]) y = op(add, y, by_channel(call, inputs[2], channels), scalar_int(1));
  y = op(reshape, y, tensor_shape(a->input));
  gradients_through(call, &y, dy, 1, inputs, 3, dx);
  GIVE(dx[0], dx[1], dx[2])
}

static Tensor *zero_doubles(Call *call, Ints shape) { return op(zeros, shape, DTYPE_f64, DEVICE_CPU, false); }

BACKWARD(channel_norm)
{
  Tensor *x = a->input;
  if (!dy[0]) return;
  if (x->numel == 0 || x->device == DEVICE_META) {
    GIVE(zeros_for(call, dy[0], tensor_shape(x)), zeros_for(call, dy[0], tensor_shape(a->weight)),
         zeros_for(call, dy[0], tensor_shape(a->bias)))
    return;
  }
  if (call->ctx->grad_enabled) {
    channel_norm_by_ops(call, a, dy, g);
    return;
  }
  DType dtype = tensor_dtype(x), d = kernel_dtype(dtype);
  Channels c = channels_of(x, a->groups, a->eps, d);
  bool flat = is_flat(x, a->groups);
  Tensor *from = laid_out(call, x, flat, d), *to = WANTS(input) ? tensor_new(call, d, DEVICE_CPU, tensor_shape(from)) : NULL;
  Tensor *dw = c.groups ? zero_doubles(call, INTS(c.n, c.channels)) : zero_doubles(call, INTS(c.channels));
  Tensor *db = c.groups ? zero_doubles(call, INTS(c.n, c.channels)) : zero_doubles(call, INTS(c.channels));
  c.x = tensor_data(from), c.dy = tensor_data(laid_out(call, dy[0], flat, d)), c.y = to ? tensor_data(to) : NULL;
  c.mean = tensor_data(y[1]), c.var = tensor_data(y[2]), c.w = as_doubles(call, a->weight);
  c.dw = tensor_data(dw), c.db = tensor_data(db);
  run_units(&c, backward_units);
  if (to) GRAD(input) = as_dtype(call, laid_back(call, to, flat, x), dtype);
  if (a->weight && WANTS(weight)) GRAD(weight) = sum_of_parts(call, dw, a->weight);
  if (a->bias && WANTS(bias)) GRAD(bias) = sum_of_parts(call, db, a->bias);
}

/* ------------------------------------------------------------------------ rows */

typedef struct Rows {
  const KernelTable *k;
  int64_t rows, n, part, element;
  double eps;
  const char *x, *dy, *w, *b;
  char *y;
  double *mean, *var, *dw, *db;
} Rows;

static void forward_rows(void *arg, int64_t begin, int64_t end)
{
  const Rows *r = arg;
  int64_t at = begin * r->n * r->element;
  r->k->layer_norm(end - begin, r->n, r->x + at, r->w, r->b, r->eps, r->y + at, r->mean + begin, r->var + begin);
}

static void backward_parts(void *arg, int64_t begin, int64_t end)
{
  const Rows *r = arg;
  for (int64_t p = begin; p < end; p++) {
    int64_t first = p * r->part, last = first + r->part < r->rows ? first + r->part : r->rows, at = first * r->n * r->element;
    if (first >= last) continue;
    r->k->layer_norm_backward(last - first, r->n, r->dy + at, r->x + at, r->w, r->eps, r->mean + first, r->var + first,
                              r->y ? r->y + at : NULL, r->dw ? r->dw + p * r->n : NULL, r->db ? r->db + p * r->n : NULL);
  }
}

FORWARD(row_norm)
{
  Tensor *x = a->input;
  check_floating(call, x);
  int64_t n = a->row, rows = n > 0 ? x->numel / n : 0;
  check_size(call, "weight", a->weight, n);
  check_size(call, "bias", a->bias, n);
  DType dtype = tensor_dtype(x), d = kernel_dtype(dtype);
  Device device = call->meta ? DEVICE_META : DEVICE_CPU;
  Tensor *to = tensor_new(call, d, device, tensor_shape(x));
  y[1] = tensor_new(call, DTYPE_f64, device, INTS(rows));
  y[2] = tensor_new(call, DTYPE_f64, device, INTS(rows));
  if (!call->meta && x->numel > 0) {
    Tensor *w = a->weight ? contiguous_as(call, a->weight, d) : NULL, *b = a->bias ? contiguous_as(call, a->bias, d) : NULL;
    Rows r = {.k = kernels_of(d), .rows = rows, .n = n, .element = (int64_t)dtype_size(d), .eps = a->eps,
              .x = tensor_data(contiguous_as(call, x, d)), .w = w ? tensor_data(w) : NULL, .b = b ? tensor_data(b) : NULL,
              .y = tensor_data(to), .mean = tensor_data(y[1]), .var = tensor_data(y[2])};
    parallel_for(rows, grain_of(ROWS_GRAIN, n), forward_rows, &r);
  }
  y[0] = as_dtype(call, to, dtype);
}

static void row_norm_by_ops(Call *call, const struct row_norm_args *a, Tensor *const *dy, struct Gradients *g)
{
  Tensor *inputs[] = {stand_in(call, a->input), stand_in(call, a->weight), stand_in(call, a->bias)}, *dx[3];
  Tensor *y = normalized(call, op(reshape, inputs[0], INTS(-1, a->row)), INTS(1), a->eps);
  if (inputs[1]) y = op(mul, y, op(reshape, inputs[1], INTS(1, a->row)));
  if (inputs[2]) y = op(add, y, op(reshape, inputs[2], INTS(1, a->row)), scalar_int(1));
  y = op(reshape, y, tensor_shape(a->input));
  gradients_through(call, &y, dy, 1, inputs, 3, dx);
  GIVE(dx[0], dx[1], dx[2])
}

BACKWARD(row_norm)
{
  Tensor *x = a->input;
  if (!dy[0]) return;
  if (x->numel == 0 || x->device == DEVICE_META) {
    GIVE(zeros_for(call, dy[0], tensor_shape(x)), zeros_for(call, dy[0], tensor_shape(a->weight)),
         zeros_for(call, dy[0], tensor_shape(a->bias)))
    return;
  }
  if (call->ctx->grad_enabled) {
    row_norm_by_ops(call, a, dy, g);
    return;
  }
  DType dtype = tensor_dtype(x), d = kernel_dtype(dtype);
  int64_t n = a->row, rows = x->numel / n, parts = rows < NORM_PART_ROWS * NORM_PARTS ? 1 : NORM_PARTS;
  Tensor *to = WANTS(input) ? tensor_new(call, d, DEVICE_CPU, tensor_shape(x)) : NULL;
  Tensor *dw = a->weight && WANTS(weight) ? zero_doubles(call, INTS(parts, n)) : NULL;
  Tensor *db = a->bias && WANTS(bias) ? zero_doubles(call, INTS(parts, n)) : NULL;
  Tensor *w = a->weight ? contiguous_as(call, a->weight, d) : NULL;
  Rows r = {.k = kernels_of(d), .rows = rows, .n = n, .part = (rows + parts - 1) / parts, .element = (int64_t)dtype_size(d),
            .eps = a->eps, .x = tensor_data(contiguous_as(call, x, d)), .dy = tensor_data(contiguous_as(call, dy[0], d)),
            .w = w ? tensor_data(w) : NULL, .y = to ? tensor_data(to) : NULL, .mean = tensor_data(y[1]), .var = tensor_data(y[2]),
            .dw = dw ? tensor_data(dw) : NULL, .db = db ? tensor_data(db) : NULL};
  parallel_for(parts, 1, backward_parts, &r);
  if (to) GRAD(input) = as_dtype(call, to, dtype);
  if (dw) GRAD(weight) = sum_of_parts(call, dw, a->weight);
  if (db) GRAD(bias) = sum_of_parts(call, db, a->bias);
}

/* ---------------------------------------------------------------- what users call */

static void check_channels(Call *call, const Tensor *x)
{
  if (x->ndim < 2) raise(call, "the input has shape %s; [N, C, ...] is wanted", shape_text(call, tensor_shape(x)));
}

/* Before either is moved: both can be. */
static void check_running(Call *call, const char *name, const Tensor *t, int64_t channels)
{
  if (!t) return;
  check_size(call, name, t, channels);
  if (!dtype_is_floating(tensor_dtype(t))) raise(call, "%s is %s; a floating point tensor is wanted", name, dtype_name(tensor_dtype(t)));
  if (tensor_requires_grad(t)) raise(call, "%s requires a gradient, so it can't be moved towards the batch's", name);
  if (tensor_is_expanded(t)) raise(call, "%s repeats elements (expand); give a copy", name);
}

/* running += momentum (value - running), without history. */
static void move(Call *call, Tensor *running, Tensor *value, double momentum)
{
  if (!running) return;
  Tensor *change = op(sub, as_dtype(call, op(detach, value), tensor_dtype(running)), running, scalar_int(1));
  op_(add, running, change, scalar_float(momentum));
}

/* Variances of n values each as estimates: divided by n - 1 instead of n. */
static Tensor *unbiased(Call *call, Tensor *var, int64_t n) { return op(mul, op(detach, var), number((double)n / (double)(n - 1))); }

/* (x - mean) weight / sqrt(var + eps) + bias, by channel. */
static Tensor *with_known_moments(Call *call, Tensor *x, Tensor *mean, Tensor *var, Tensor *weight, Tensor *bias, double eps)
{
  if (!mean || !var) raise(call, "running_mean and running_var are needed where the input's own are not used");
  int64_t channels = x->shape[1], shape[MAX_DIMS];
  check_size(call, "running_mean", mean, channels);
  check_size(call, "running_var", var, channels);
  check_size(call, "weight", weight, channels);
  check_size(call, "bias", bias, channels);
  for (int i = 0; i < x->ndim; i++) shape[i] = i == 1 ? channels : 1;
  Ints by = {shape, x->ndim};
  DType dtype = tensor_dtype(x);
  Tensor *scale = op(rsqrt, op(add, var, number(eps), scalar_int(1)));
  if (weight) scale = op(mul, scale, weight);
  Tensor *y = op(mul, op(sub, x, op(reshape, mean, by), scalar_int(1)), op(reshape, scale, by));
  if (bias) y = op(add, y, op(reshape, bias, by), scalar_int(1));
  return as_dtype(call, y, dtype);
}

FORWARD(batch_norm)
{
  Tensor *x = a->input;
  check_floating(call, x);
  if (x->ndim == 1 && x->numel == 0) { /* PyTorch takes it */
    y[0] = op(clone, x);
    return;
  }
  check_channels(call, x);
  if (!a->training) {
    y[0] = with_known_moments(call, x, a->running_mean, a->running_var, a->weight, a->bias, a->eps);
    return;
  }
  int64_t channels = x->shape[1], n = channels > 0 ? x->numel / channels : 0;
  if (n == 1) raise(call, "more than 1 value a channel is needed while training, not shape %s", shape_text(call, tensor_shape(x)));
  check_running(call, "running_mean", a->running_mean, channels);
  check_running(call, "running_var", a->running_var, channels);
  Tensors result = op(channel_norm, x, a->weight, a->bias, 0, a->eps);
  y[0] = result.v[0];
  if (n == 0) return;
  move(call, a->running_mean, result.v[1], a->momentum);
  if (a->running_var) move(call, a->running_var, unbiased(call, result.v[2], n), a->momentum);
}

FORWARD(instance_norm)
{
  Tensor *x = a->input;
  check_floating(call, x);
  check_channels(call, x);
  if (!a->use_input_stats) {
    y[0] = with_known_moments(call, x, a->running_mean, a->running_var, a->weight, a->bias, a->eps);
    return;
  }
  int64_t batch = x->shape[0], channels = x->shape[1], n = batch * channels > 0 ? x->numel / (batch * channels) : 0;
  if (n == 1) raise(call, "more than 1 spatial element is needed, not shape %s", shape_text(call, tensor_shape(x)));
  check_running(call, "running_mean", a->running_mean, channels);
  check_running(call, "running_var", a->running_var, channels);
  Tensors result = op(channel_norm, x, a->weight, a->bias, channels, a->eps);
  y[0] = result.v[0];
  if (n == 0) return;
  Ints grid = INTS(batch, channels);
  if (a->running_mean)
    move(call, a->running_mean, op(mean, op(view, result.v[1], grid), INTS(0), false, DTYPE_NONE), a->momentum);
  if (a->running_var)
    move(call, a->running_var, op(mean, op(view, unbiased(call, result.v[2], n), grid), INTS(0), false, DTYPE_NONE), a->momentum);
}

FORWARD(group_norm)
{
  Tensor *x = a->input;
  check_floating(call, x);
  check_channels(call, x);
  if (a->num_groups < 1 || x->shape[1] % a->num_groups)
    raise(call, "%lld channels can't be divided into %lld groups", (long long)x->shape[1], (long long)a->num_groups);
  y[0] = op(channel_norm, x, a->weight, a->bias, a->num_groups, a->eps).v[0];
}

/* How many elements the last dimensions hold, which must be of the given shape. */
static int64_t row_of(Call *call, const Tensor *x, Ints shape, const Tensor *weight, const Tensor *bias)
{
  check_floating(call, x);
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
  int64_t n = row_of(call, a->input, a->normalized_shape, a->weight, a->bias);
  y[0] = op(row_norm, a->input, n, a->weight, a->bias, a->eps).v[0];
}

FORWARD(rms_norm)
{
  Tensor *x = a->input;
  row_of(call, x, a->normalized_shape, a->weight, NULL);
  double eps = a->eps >= 0 ? a->eps : tensor_dtype(x) == DTYPE_f64 ? 0x1p-52 : 0x1p-23;
  int64_t dims[MAX_DIMS], n = a->normalized_shape.n;
  for (int64_t i = 0; i < n; i++) dims[i] = x->ndim - n + i;
  Tensor *wide = as_dtype(call, x, kernel_dtype(tensor_dtype(x)));
  Tensor *square = op(mean, op(mul, wide, wide), ((Ints){dims, n}), true, DTYPE_NONE);
  y[0] = as_dtype(call, op(mul, wide, op(rsqrt, op(add, square, number(eps), scalar_int(1)))), tensor_dtype(x));
  if (a->weight) y[0] = op(mul, y[0], a->weight);
}
