/* Softmax and losses. */
#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"

static const Ints NO_DIMS = {NULL, 0};

static void check_floating(Call *call, const char *name, const Tensor *t)
{
  if (!dtype_is_floating(tensor_dtype(t)))
    raise(call, "%s is %s; a floating point tensor is wanted", name, dtype_name(tensor_dtype(t)));
}

/* ------------------------------------------------------------------ softmax */

typedef struct Softmax {
  const KernelTable *k;
  Slabs s;
  bool log;
  int64_t size;
  const char *x, *dy;
  char *y;
} Softmax;

static void softmax_part(void *arg, int64_t begin, int64_t end)
{
  const Softmax *f = arg;
  int64_t at = begin * f->s.n * f->s.inner * f->size;
  if (f->dy) f->k->softmax_backward(end - begin, f->s.n, f->s.inner, f->log, f->dy + at, f->x + at, f->y + at);
  else f->k->softmax(end - begin, f->s.n, f->s.inner, f->log, f->x + at, f->y + at);
}

/* y = the softmax of x, or with dy its gradient from the result x; y is contiguous. */
static void launch_softmax(Call *call, bool log, Tensor *dy, Tensor *x, int dim, Tensor *y)
{
  if (y->device == DEVICE_META || y->numel == 0) return;
  DType d = kernel_dtype(tensor_dtype(y));
  x = contiguous_as(call, x, d);
  if (dy) dy = contiguous_as(call, dy, d);
  Tensor *to = y->dtype == (uint8_t)d ? y : tensor_new(call, d, DEVICE_CPU, tensor_shape(y));
  Softmax f = {kernels_of(d), slabs_of(x, dim), log, (int64_t)dtype_size(d), tensor_data(x), dy ? tensor_data(dy) : NULL,
               tensor_data(to)};
  if (x->numel <= ROWS_GRAIN) softmax_part(&f, 0, f.s.outer);
  else parallel_for(f.s.outer, grain_of(ROWS_GRAIN, f.s.n * f.s.inner), softmax_part, &f);
  if (to != y) launch_copy(call, y, to);
}

static Tensor *softmax_forward_of(Call *call, bool log, Tensor *x, int64_t dim, DType dtype)
{
  int d = shape_dim(call, dim, x->ndim);
  if (dtype != DTYPE_NONE && dtype != tensor_dtype(x)) x = copy_of(call, x, dtype);
  check_floating(call, "input", x);
  Tensor *y = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_softmax(call, log, NULL, x, d, y);
  return y;
}

static Tensor *softmax_gradient_ops(Call *call, bool log, Tensor *y, Tensor *dy, int64_t dim)
{
  if (log) return op(sub, dy, op(mul, op(exp, y), op(sum, dy, INTS(dim), true, DTYPE_NONE)), scalar_int(1));
  Tensor *sum = op(sum, op(mul, dy, y), INTS(dim), true, DTYPE_NONE);
  return op(mul, op(sub, dy, sum, scalar_int(1)), y);
}

static Tensor *softmax_gradient(Call *call, bool log, Tensor *y, Tensor *dy, int64_t dim, const Tensor *x)
{
  Tensor *dx;
  if (call->ctx->grad_enabled) {
    dx = softmax_gradient_ops(call, log, y, dy, dim);
  } else {
    dx = tensor_new(call, tensor_dtype(y), device_of(y), tensor_shape(y));
    launch_softmax(call, log, dy, y, shape_dim(call, dim, y->ndim), dx);
  }
  return dx->dtype == x->dtype ? dx : op(to_dtype, dx, tensor_dtype(x), false, false);
}

FORWARD(softmax) { y[0] = softmax_forward_of(call, false, a->input, a->dim, a->dtype); }
FORWARD(log_softmax) { y[0] = softmax_forward_of(call, true, a->input, a->dim, a->dtype); }
BACKWARD(softmax) { GRAD(input) = softmax_gradient(call, false, y[0], dy[0], a->dim, a->input); }
BACKWARD(log_softmax) { GRAD(input) = softmax_gradient(call, true, y[0], dy[0], a->dim, a->input); }

/* ------------------------------------------------------------------ classes */

typedef enum Reduction { NO_REDUCTION, MEAN, SUM } Reduction;

static Reduction reduction_of(Call *call, const char *text)
{
  if (strcmp(text, "mean") == 0) return MEAN;
  if (strcmp(text, "sum") == 0) return SUM;
  if (strcmp(text, "none") != 0) raise(call, "reduction is \"%s\"; it is \"none\", \"mean\" or \"sum\"", text);
  return NO_REDUCTION;
}

/* What a loss of classes works on; tensors are contiguous and of the kernel's dtype. */
typedef struct Classes {
  Slabs s;
  DType dtype;
  const KernelTable *k;
  const int64_t *target;
  const void *weight;      /* NULL: all 1 */
  int64_t ignore;
} Classes;

static void check_shapes(Call *call, const Tensor *target, const Tensor *weight, Ints size)
{
  int64_t expected[MAX_DIMS], n = 0;
  if (size.n == 0) raise(call, "input has no dimensions; [C] or [N, C, ...] is wanted");
  int dim = size.n > 1 ? 1 : 0;
  for (int i = 0; i < size.n; i++)
    if (i != dim) expected[n++] = size.v[i];
  if (!shape_equal(tensor_shape(target), (Ints){expected, n}))
    raise(call, "target has shape %s; for an input of shape %s it is %s", shape_text(call, tensor_shape(target)),
          shape_text(call, size), shape_text(call, (Ints){expected, n}));
  if (weight && !(weight->ndim == 1 && weight->shape[0] == size.v[dim]))
    raise(call, "weight has shape %s, and there are %lld classes", shape_text(call, tensor_shape(weight)),
          (long long)size.v[dim]);
}

/* Raises on a target that is no class. */
static void check_targets(Call *call, const Classes *c)
{
  int64_t n = c->s.outer * c->s.inner, wrong = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t t = c->target[i];
    wrong |= (t < 1 || t > c->s.n) && t != c->ignore;
  }
  if (!wrong) return;
  for (int64_t i = 0; i < n; i++) {
    int64_t t = c->target[i];
    if ((t >= 1 && t <= c->s.n) || t == c->ignore) continue;
    raise(call, "target %lld is no class: there are %lld%s", (long long)t, (long long)c->s.n,
          t == 0 ? ", and labels count from 1 (add 1 to labels that count from 0)" : ", counted from 1");
  }
}

static Classes classes_of(Call *call, Tensor *target, Tensor *weight, Ints size, DType dtype, int64_t ignore)
{
  int dim = size.n > 1 ? 1 : 0;
  Classes c = {.s = {dim ? size.v[0] : 1, size.v[dim], 1}, .dtype = kernel_dtype(dtype), .ignore = ignore};
  for (int i = dim + 1; i < size.n; i++) c.s.inner *= size.v[i];
  c.k = kernels_of(c.dtype);
  c.target = tensor_data(contiguous_as(call, target, DTYPE_i64));
  if (weight) c.weight = tensor_data(contiguous_as(call, weight, c.dtype));
  check_targets(call, &c);
  return c;
}

static void check_classes(Call *call, const Tensor *x, const Tensor *target, const Tensor *weight)
{
  check_floating(call, "input", x);
  if (!dtype_is_integral(tensor_dtype(target)))
    raise(call, "target is %s; int64 positions of classes are wanted", dtype_name(tensor_dtype(target)));
  if (weight && weight->dtype != x->dtype)
    raise(call, "weight is %s and input %s", dtype_name(tensor_dtype(weight)), dtype_name(tensor_dtype(x)));
  check_shapes(call, target, weight, tensor_shape(x));
}

/* The sum of the targets' weights. */
static double total_weight(const Classes *c)
{
  double total = 0;
  for (int64_t i = 0; i < c->s.outer * c->s.inner; i++) {
    int64_t t = c->target[i];
    if (t == c->ignore) continue;
    if (!c->weight) total += 1;
    else total += c->dtype == DTYPE_f32 ? (double)((const float *)c->weight)[t - 1] : ((const double *)c->weight)[t - 1];
  }
  return total;
}

static Tensor *loss_result(Call *call, const Tensor *x, const Tensor *target, Reduction reduction)
{
  return result_new(call, tensor_dtype(x), device_of(x), reduction == NO_REDUCTION ? tensor_shape(target) : NO_DIMS);
}

static void set_single(Tensor *y, double value) { scalar_store(scalar_float(value), tensor_dtype(y), tensor_data(y)); }

FORWARD(nll_loss)
{
  Tensor *x = a->input;
  Reduction reduction = reduction_of(call, a->reduction);
  check_classes(call, x, a->target, a->weight);
  y[0] = loss_result(call, x, a->target, reduction);
  if (y[0]->device == DEVICE_META) return;
  Classes c = classes_of(call, a->target, a->weight, tensor_shape(x), tensor_dtype(x), a->ignore_index);
  x = contiguous_as(call, x, c.dtype);
  Tensor *losses = reduction == NO_REDUCTION ? tensor_new(call, c.dtype, DEVICE_CPU, tensor_shape(a->target)) : NULL;
  double totals[2] = {0, 0};
  c.k->nll(c.s.outer, c.s.n, c.s.inner, tensor_data(x), c.target, c.weight, c.ignore, losses ? tensor_data(losses) : NULL,
           totals);
  if (losses) launch_copy(call, y[0], losses);
  else set_single(y[0], reduction == MEAN ? totals[0] / totals[1] : totals[0]);
}

/* As in PyTorch: a class's weight is a setting, not something to learn. */
static void refuse_weight(Call *call, bool wanted)
{
  if (wanted) raise(call, "the gradient of weight is not defined: give one that doesn't require gradients");
}

BACKWARD(nll_loss)
{
  refuse_weight(call, a->weight && WANTS(weight));
  GRAD(input) = op(nll_loss_backward, dy[0], a->input, a->target, a->weight, a->ignore_index, a->reduction);
}

/* What the reduction multiplies each gradient by. */
static double scale_of(const Classes *c, Reduction reduction) { return reduction == MEAN ? 1 / total_weight(c) : 1; }

FORWARD(nll_loss_backward)
{
  Reduction reduction = reduction_of(call, a->reduction);
  Ints size = tensor_shape(a->input);
  y[0] = result_new(call, tensor_dtype(a->dy), device_of(a->dy), size);
  if (y[0]->device == DEVICE_META) return;
  Classes c = classes_of(call, a->target, a->weight, size, tensor_dtype(a->dy), a->ignore_index);
  Tensor *dy = contiguous_as(call, a->dy, c.dtype);
  Tensor *to = y[0]->dtype == (uint8_t)c.dtype ? y[0] : tensor_new(call, c.dtype, DEVICE_CPU, size);
  launch_fill(call, to, scalar_int(0));
  c.k->nll_backward(c.s.outer, c.s.n, c.s.inner, tensor_data(dy), reduction != NO_REDUCTION, scale_of(&c, reduction),
                    c.target, c.weight, c.ignore, tensor_data(to));
  if (to != y[0]) launch_copy(call, y[0], to);
}

BACKWARD(nll_loss_backward)
{
  refuse_weight(call, a->weight && WANTS(weight));
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
  if (WANTS(dy)) GRAD(dy) = op(nll_loss, dy[0], a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
}

/* ------------------------------------------------------------ cross entropy */

typedef struct CrossEntropy {
  const Classes *c;
  const char *x, *dy;
  char *losses, *lse, *dx;
  int64_t size;
  bool dy_is_single;
  double scale;
} CrossEntropy;

static void cross_entropy_part(void *arg, int64_t begin, int64_t end)
{
  const CrossEntropy *e = arg;
  const Classes *c = e->c;
  int64_t at = begin * c->s.inner, x_at = at * c->s.n * e->size;
  if (e->dx)
    c->k->cross_entropy_backward(end - begin, c->s.n, c->s.inner, e->x + x_at, e->lse + at * e->size,
                                 e->dy_is_single ? e->dy : e->dy + at * e->size, e->dy_is_single, e->scale,
                                 c->target + at, c->weight, c->ignore, e->dx + x_at);
  else
    c->k->cross_entropy(end - begin, c->s.n, c->s.inner, e->x + x_at, c->target + at, c->weight, c->ignore,
                        e->losses + at * e->size, e->lse + at * e->size);
}

static void run_cross_entropy(const Classes *c, CrossEntropy *e)
{
  if (c->s.outer * c->s.n * c->s.inner <= ROWS_GRAIN) cross_entropy_part(e, 0, c->s.outer);
  else parallel_for(c->s.outer, grain_of(ROWS_GRAIN, c->s.n * c->s.inner), cross_entropy_part, e);
}

/* The sum of losses, in order. */
static double sum_of(const Classes *c, const Tensor *losses)
{
  double total = 0;
  if (losses->numel) c->k->reduce_rows[REDUCE_SUM](1, losses->numel, 0, tensor_data(losses), &total);
  return total;
}

FORWARD(cross_entropy_of_classes)
{
  Tensor *x = a->input;
  Reduction reduction = reduction_of(call, a->reduction);
  check_classes(call, x, a->target, a->weight);
  y[0] = loss_result(call, x, a->target, reduction);
  y[1] = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(a->target));
  if (y[0]->device == DEVICE_META) return;
  Classes c = classes_of(call, a->target, a->weight, tensor_shape(x), tensor_dtype(x), a->ignore_index);
  x = contiguous_as(call, x, c.dtype);
  Tensor *losses = reduction == NO_REDUCTION ? y[0] : tensor_new(call, c.dtype, DEVICE_CPU, tensor_shape(a->target));
  CrossEntropy e = {.c = &c, .x = tensor_data(x), .losses = tensor_data(losses), .lse = tensor_data(y[1]),
                    .size = (int64_t)dtype_size(c.dtype)};
  if (x->numel) run_cross_entropy(&c, &e);
  if (reduction != NO_REDUCTION) set_single(y[0], sum_of(&c, losses) * scale_of(&c, reduction));
}

/* The same gradient in ops, for gradients of it. */
static Tensor *cross_entropy_gradient_ops(Call *call, const struct cross_entropy_of_classes_args *a, Tensor *dy)
{
  int64_t dim = a->input->ndim > 1 ? 1 : 0;
  Tensor *d = op(nll_loss_backward, dy, a->input, a->target, a->weight, a->ignore_index, a->reduction);
  Tensor *sum = op(sum, d, INTS(dim), true, DTYPE_NONE);
  return op(sub, d, op(mul, op(softmax, a->input, dim, DTYPE_NONE), sum), scalar_int(1));
}

BACKWARD(cross_entropy_of_classes)
{
  refuse_weight(call, a->weight && WANTS(weight));
  if (!dy[0]) return;
  if (call->ctx->grad_enabled) {
    GRAD(input) = cross_entropy_gradient_ops(call, a, dy[0]);
    return;
  }
  Reduction reduction = reduction_of(call, a->reduction);
  Tensor *x = a->input, *dx = tensor_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  GRAD(input) = dx;
  if (dx->device == DEVICE_META || dx->numel == 0) return;
  Classes c = classes_of(call, a->target, a->weight, tensor_shape(x), tensor_dtype(x), a->ignore_index);
  Tensor *d = contiguous_as(call, dy[0], c.dtype);
  x = contiguous_as(call, x, c.dtype);
  CrossEntropy e = {.c = &c, .x = tensor_data(x), .dy = tensor_data(d), .lse = tensor_data(y[1]),
                    .dx = tensor_data(dx), .size = (int64_t)dtype_size(c.dtype),
                    .dy_is_single = reduction != NO_REDUCTION, .scale = scale_of(&c, reduction)};
  run_cross_entropy(&c, &e);
}

/* The weights of classes, shaped to multiply scores. */
static Tensor *class_weights(Call *call, Tensor *weight, const Tensor *x, int dim)
{
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) shape[i] = i == dim ? x->shape[i] : 1;
  return op(reshape, weight, ((Ints){shape, x->ndim}));
}

static Tensor *reduced_loss(Call *call, Tensor *losses, Reduction reduction, double count)
{
  if (reduction == NO_REDUCTION) return losses;
  Tensor *sum = op(sum, losses, NO_INTS, false, DTYPE_NONE);
  return reduction == SUM ? sum : op(div, sum, number(count));
}

typedef struct cross_entropy_args CrossEntropyArgs;

/* -sum over classes of weight * target * log softmax, unreduced. */
static Tensor *weighted_scores(Call *call, const CrossEntropyArgs *a, Tensor *scores, int dim)
{
  if (a->weight) scores = op(mul, scores, class_weights(call, a->weight, a->input, dim));
  return op(neg, op(sum, scores, INTS(dim), false, DTYPE_NONE));
}

static Tensor *of_probabilities(Call *call, const CrossEntropyArgs *a, int dim)
{
  Tensor *x = a->input, *target = a->target;
  if (!tensor_same_shape(x, target))
    raise(call, "a %s target of shape %s: probabilities have the shape of input, %s; labels are int64 (target:long())",
          dtype_name(tensor_dtype(target)), shape_text(call, tensor_shape(target)), shape_text(call, tensor_shape(x)));
  double classes = (double)x->shape[dim], smoothing = a->label_smoothing;
  if (smoothing > 0)
    target = op(add, op(mul, target, number(1 - smoothing)), number(smoothing / classes), scalar_int(1));
  Tensor *scores = op(mul, op(log_softmax, x, dim, DTYPE_NONE), target);
  return reduced_loss(call, weighted_scores(call, a, scores, dim), reduction_of(call, a->reduction),
                      (double)x->numel / classes);
}

static Tensor *smoothed(Call *call, const CrossEntropyArgs *a, int dim)
{
  Tensor *x = a->input, *log_p = op(log_softmax, x, dim, DTYPE_NONE);
  Tensor *nll = op(nll_loss, log_p, a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
  Tensor *smooth = weighted_scores(call, a, log_p, dim);
  Tensor *ignored = op(eq, a->target, tensor_from_number(call, scalar_int(a->ignore_index)));
  smooth = op(where, ignored, op(zeros_like, smooth, DTYPE_NONE, DEVICE_NONE, false), smooth);
  double count = 1;
  if (x->device != DEVICE_META) {
    Classes c = classes_of(call, a->target, a->weight, tensor_shape(x), tensor_dtype(x), a->ignore_index);
    count = total_weight(&c);
  }
  smooth = reduced_loss(call, smooth, reduction_of(call, a->reduction), count);
  double share = a->label_smoothing;
  return op(add, op(mul, nll, number(1 - share)), op(mul, smooth, number(share / (double)x->shape[dim])), scalar_int(1));
}

/* The halves round in between, as PyTorch's. */
static Tensor *in_steps(Call *call, const CrossEntropyArgs *a, int dim)
{
  check_classes(call, a->input, a->target, a->weight);
  Tensor *log_p = op(log_softmax, a->input, dim, DTYPE_NONE);
  return op(nll_loss, log_p, a->target, a->weight, NO_INT, a->ignore_index, NO_INT, a->reduction);
}

FORWARD(cross_entropy)
{
  int dim = a->input->ndim > 1 ? 1 : 0;
  if (a->label_smoothing < 0 || a->label_smoothing > 1)
    raise(call, "label_smoothing is %g; it is between 0 and 1", a->label_smoothing);
  if (dtype_is_floating(tensor_dtype(a->target))) y[0] = of_probabilities(call, a, dim);
  else if (a->label_smoothing > 0) y[0] = smoothed(call, a, dim);
  else if (dtype_is_half(tensor_dtype(a->input))) y[0] = in_steps(call, a, dim);
  else y[0] = op(cross_entropy_of_classes, a->input, a->target, a->weight, a->ignore_index, a->reduction).v[0];
}

/* ------------------------------------------------------------- squared error */

typedef struct SquaredError {
  double (*kernel)(int64_t n, const void *a, const void *b);
  const char *a, *b;
  int64_t size;
  double *parts;
} SquaredError;

static void squared_error_part(void *arg, int64_t begin, int64_t end)
{
  const SquaredError *e = arg;
  e->parts[begin / LOSS_SPLIT] = e->kernel(end - begin, e->a + begin * e->size, e->b + begin * e->size);
}

static double squared_error(Call *call, DType d, Tensor *x, Tensor *z)
{
  x = contiguous_as(call, x, d);
  z = contiguous_as(call, z, d);
  int64_t n = x->numel, parts = (n + LOSS_SPLIT - 1) / LOSS_SPLIT;
  SquaredError e = {kernels_of(d)->squared_error, tensor_data(x), tensor_data(z), (int64_t)dtype_size(d), NULL};
  if (n <= LOSS_SPLIT) return n ? e.kernel(n, e.a, e.b) : 0;
  e.parts = arena_allocate(call->ctx, (size_t)parts * sizeof *e.parts);
  parallel_for(n, LOSS_SPLIT, squared_error_part, &e);
  double total = 0;
  for (int64_t i = 0; i < parts; i++) total += e.parts[i];
  return total;
}

FORWARD(mse_loss)
{
  Tensor *pair[2] = {a->input, a->target};
  Reduction reduction = reduction_of(call, a->reduction);
  DType d = promote_operands(call, pair, 2);
  if (!dtype_is_floating(d)) raise(call, "%s tensors are not taken: losses are floating point numbers", dtype_name(d));
  if (reduction == NO_REDUCTION) {
    Tensor *difference = op(sub, a->input, a->target, scalar_int(1));
    y[0] = op(mul, difference, difference);
    return;
  }
  Ints shape = broadcast_operands(call, pair, 2);
  y[0] = result_new(call, d, device_of(a->input), NO_DIMS);
  if (y[0]->device == DEVICE_META) return;
  Tensor *x = expanded_to(call, a->input, shape), *z = expanded_to(call, a->target, shape);
  double total = squared_error(call, kernel_dtype(d), x, z);
  set_single(y[0], reduction == MEAN ? total / (double)x->numel : total);
}

BACKWARD(mse_loss)
{
  double factor = 2;
  if (reduction_of(call, a->reduction) == MEAN) {
    Tensor *pair[2] = {a->input, a->target};
    factor /= (double)shape_numel(call, broadcast_operands(call, pair, 2));
  }
  Tensor *difference = op(sub, a->input, a->target, scalar_int(1));
  Tensor *d = op(mul, difference, op(mul, dy[0], number(factor)));
  if (WANTS(input)) GRAD(input) = op(sum_to, d, tensor_shape(a->input), tensor_dtype(a->input));
  if (WANTS(target)) GRAD(target) = op(sum_to, op(neg, d), tensor_shape(a->target), tensor_dtype(a->target));
}
