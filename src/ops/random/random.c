/* Random numbers. The order of draws is PyTorch's: as elements lie in memory, from the largest stride to the smallest. */
#include "kernels/random_fill.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/half.h"
#include "ops/math/complex.h"
#include "ops/math/pointwise.h"
#include "ops/random/random.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/pointwise.h"

typedef enum Distribution { UNIFORM, NORMAL, EXPONENTIAL, BERNOULLI } Distribution;

static Generator *generator_of(Call *call, Generator *given) { return given ? given : &call->ctx->generator; }

/* -------------------------------------------------------------------- fills */

/* a and b are the parameters of the distribution; of a bernoulli fill the probability and what stands for yes. */
#define FILL_AS(suffix, type, of_double)                                                        \
  static void fill_##suffix(Generator *g, Distribution kind, int64_t n, type *out, double a, double b) \
  {                                                                                             \
    switch (kind) {                                                                             \
      case UNIFORM: random_fills.uniform_##suffix(g, n, out, a, b); break;                    \
      case NORMAL: random_fills.normal_##suffix(g, n, out, a, b); break;                      \
      case EXPONENTIAL: random_fills.exponential_##suffix(g, n, out, a); break;               \
      default: random_fills.bernoulli_##suffix(g, n, out, a, of_double(b));                   \
    }                                                                                           \
  }
FILL_AS(f32, float, (float))
FILL_AS(f64, double, (double))
FILL_AS(f16, uint16_t, double_to_half)
FILL_AS(bf16, uint16_t, double_to_bfloat16)

static void fill_memory(Generator *g, Distribution kind, DType dtype, int64_t n, void *out, double a, double b)
{
  switch (dtype) {
    case DTYPE_f32: fill_f32(g, kind, n, out, a, b); break;
    case DTYPE_f64: fill_f64(g, kind, n, out, a, b); break;
    case DTYPE_f16: fill_f16(g, kind, n, out, a, b); break;
    default: fill_bf16(g, kind, n, out, a, b);
  }
}

/* The dimensions from the largest stride to the smallest. */
static void memory_order(const Tensor *t, int *order)
{
  for (int d = 0; d < t->ndim; d++) {
    int i = d;
    for (; i > 0 && t->shape[d] > 1 && t->strides[order[i - 1]] < t->strides[d]; i--) order[i] = order[i - 1];
    order[i] = d;
  }
}

static Tensor *in_order(Call *call, const Tensor *t, const int *order)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  for (int i = 0; i < t->ndim; i++) {
    shape[i] = t->shape[order[i]];
    strides[i] = t->strides[order[i]];
  }
  return tensor_view(call, t, (Ints){shape, t->ndim}, (Ints){strides, t->ndim}, t->offset);
}

static Tensor *in_memory_order(Call *call, Tensor *t)
{
  int order[MAX_DIMS];
  memory_order(t, order);
  return in_order(call, t, order);
}

/* Normals of tensors that aren't contiguous are drawn one by one, as if there were less than 16. */
static void fill_one_by_one(Generator *g, DType dtype, Tensor *t, double mean, double std)
{
  char *out = tensor_data(t);
  for (int64_t i = 0; i < t->numel; i++)
    fill_memory(g, NORMAL, dtype, 1, out + i * (int64_t)dtype_size(dtype), mean, std);
}

static void fill_random(Call *call, Generator *g, Distribution kind, Tensor *t, double a, double b)
{
  DType dtype = tensor_dtype(t);
  if (t->device == DEVICE_META || t->numel == 0) return;
  bool contiguous = t->is_contiguous;
  Tensor *ordered = contiguous ? t : in_memory_order(call, t);
  Tensor *to = ordered->is_contiguous ? ordered : tensor_new(call, dtype, DEVICE_CPU, tensor_shape(ordered));
  if (kind == NORMAL && !contiguous) fill_one_by_one(g, dtype, to, a, b);
  else fill_memory(g, kind, dtype, t->numel, tensor_data(to), a, b);
  if (to != ordered) launch_copy(call, ordered, to);
}

static void check_floating(Call *call, DType dtype)
{
  if (!dtype_is_floating(dtype))
    raise(call, "%s tensors are not taken: random numbers of this kind are floating", dtype_name(dtype));
}

/* Integers of any dtype. */
static void fill_integers(Call *call, Generator *g, Tensor *t, int64_t low, int64_t high)
{
  if (t->device == DEVICE_META || t->numel == 0) return;
  Tensor *ordered = t->is_contiguous ? t : in_memory_order(call, t);
  bool direct = ordered->is_contiguous && tensor_dtype(t) == DTYPE_i64;
  Tensor *to = direct ? ordered : tensor_new(call, DTYPE_i64, DEVICE_CPU, tensor_shape(ordered));
  random_fills.integers(g, t->numel, tensor_data(to), low, high);
  if (to != ordered) launch_copy(call, ordered, to);
}

static void check_range(Call *call, DType dtype, int64_t low, int64_t high)
{
  if (low >= high)
    raise(call, "the range from %lld up to %lld is empty", (long long)low, (long long)high);
  if (dtype_is_complex(dtype)) raise(call, "%s tensors are not taken: random integers are real", dtype_name(dtype));
  static const int bits[DTYPE_COUNT] = {[DTYPE_b8] = 1, [DTYPE_u8] = 8, [DTYPE_i8] = 7, [DTYPE_i16] = 15,
                                        [DTYPE_i32] = 31};
  if (!bits[dtype]) return;
  int64_t most = (INT64_C(1) << bits[dtype]) - 1, least = dtype == DTYPE_b8 || dtype == DTYPE_u8 ? 0 : -most - 1;
  if (low < least || high - 1 > most)
    raise(call, "the range from %lld up to %lld doesn't fit %s", (long long)low, (long long)high, dtype_name(dtype));
}

/* ---------------------------------------------------------------- new tensors */

typedef struct Options { DType dtype; Device device; bool requires_grad; } Options;
#define OPTIONS (Options){a->dtype, a->device, a->requires_grad}

static Tensor *new_of_size(Call *call, Ints size, DType dtype, Options o)
{
  dtype = o.dtype == DTYPE_NONE ? dtype : o.dtype;
  Tensor *t = result_new(call, dtype, o.device == DEVICE_NONE ? DEVICE_CPU : o.device, size);
  ask_gradient(call, t, o.requires_grad);
  return t;
}

/* Both parts of a complex number are drawn. Normal parts have the mean and half of the variance each, as PyTorch's. */
static void fill_checked(Call *call, Generator *given, Distribution kind, Tensor *t, double p, double q)
{
  if (dtype_is_complex(tensor_dtype(t)) && kind != EXPONENTIAL) {
    t = parts_view(call, t);
    if (kind == NORMAL) q /= sqrt(2);
  }
  check_floating(call, tensor_dtype(t));
  fill_random(call, generator_of(call, given), kind, t, p, q);
}

static void fill_integers_checked(Call *call, Generator *given, Tensor *t, int64_t low, int64_t high)
{
  check_range(call, tensor_dtype(t), low, high);
  fill_integers(call, generator_of(call, given), t, low, high);
}

FORWARD(rand)
{
  y[0] = new_of_size(call, a->size, call->ctx->default_dtype, OPTIONS);
  fill_checked(call, a->generator, UNIFORM, y[0], 0, 1);
}

FORWARD(randn)
{
  y[0] = new_of_size(call, a->size, call->ctx->default_dtype, OPTIONS);
  fill_checked(call, a->generator, NORMAL, y[0], 0, 1);
}

FORWARD(randint)
{
  y[0] = new_of_size(call, a->size, DTYPE_i64, OPTIONS);
  fill_integers_checked(call, a->generator, y[0], 0, a->high);
}

FORWARD(randint_low)
{
  y[0] = new_of_size(call, a->size, DTYPE_i64, OPTIONS);
  fill_integers_checked(call, a->generator, y[0], a->low, a->high);
}

FORWARD(randperm)
{
  if (a->n < 0) raise(call, "n must not be negative: %lld", (long long)a->n);
  y[0] = new_of_size(call, INTS(a->n), DTYPE_i64, OPTIONS);
  if (y[0]->device == DEVICE_META) return;
  Tensor *t = tensor_dtype(y[0]) == DTYPE_i64 ? y[0] : tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(a->n));
  random_fills.permutation(generator_of(call, a->generator), a->n, tensor_data(t));
  if (t != y[0]) launch_copy(call, y[0], t);
}

FORWARD(rand_like)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_checked(call, a->generator, UNIFORM, y[0], 0, 1);
}

FORWARD(randn_like)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_checked(call, a->generator, NORMAL, y[0], 0, 1);
}

FORWARD(randint_like)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_integers_checked(call, a->generator, y[0], 0, a->high);
}

FORWARD(randint_like_low)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_integers_checked(call, a->generator, y[0], a->low, a->high);
}

/* ---------------------------------------------------------------- bernoulli */

static void check_probability(Call *call, double p)
{
  if (!(p >= 0 && p <= 1)) raise(call, "a probability lies between 0 and 1, not %g", p);
}

/* Ones and zeros of one probability, in any dtype: the draws don't depend on it. */
static void fill_bernoulli(Call *call, Generator *given, Tensor *t, double p)
{
  Generator *g = generator_of(call, given);
  check_probability(call, p);
  if (dtype_is_complex(tensor_dtype(t)))
    raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(t)));
  if (t->device == DEVICE_META || t->numel == 0) return;
  if (dtype_is_floating(tensor_dtype(t))) {
    fill_random(call, g, BERNOULLI, t, p, 1);
    return;
  }
  Tensor *ordered = in_memory_order(call, t);
  Tensor *ones = tensor_new(call, DTYPE_u8, DEVICE_CPU, tensor_shape(ordered));
  random_fills.bernoulli_u8(g, ones->numel, tensor_data(ones), p, 1);
  launch_copy(call, ordered, ones);
}

/* The probabilities as a contiguous tensor: float64 if they are that, else float32; each is looked at. */
static Tensor *probabilities(Call *call, Tensor *p)
{
  check_floating(call, tensor_dtype(p));
  if (p->device == DEVICE_META) return p;
  Tensor *all = contiguous_as(call, p, p->dtype == DTYPE_f64 ? DTYPE_f64 : DTYPE_f32);
  const float *single = tensor_data(all);
  const double *wide = tensor_data(all);
  for (int64_t i = 0; i < all->numel; i++) check_probability(call, all->dtype == DTYPE_f64 ? wide[i] : (double)single[i]);
  return all;
}

/* Ones and zeros, each of its own probability; p broadcasts to t. */
static void fill_bernoulli_each(Call *call, Generator *given, Tensor *t, Tensor *p)
{
  Generator *g = generator_of(call, given);
  if (t->device == DEVICE_META || t->numel == 0) return;
  int order[MAX_DIMS];
  memory_order(t, order);
  p = contiguous_as(call, in_order(call, expanded_to(call, p, tensor_shape(t)), order), tensor_dtype(p));
  Tensor *ordered = in_order(call, t, order), *ones = tensor_new(call, DTYPE_u8, DEVICE_CPU, tensor_shape(ordered));
  if (p->dtype == DTYPE_f64) random_fills.bernoulli_each_f64(g, t->numel, tensor_data(ones), tensor_data(p));
  else random_fills.bernoulli_each_f32(g, t->numel, tensor_data(ones), tensor_data(p));
  launch_copy(call, ordered, ones);
}

/* A result of the input's dtype and shape for its numbers to be put in. */
static Tensor *result_of(Call *call, const Tensor *x)
{
  return new_like(call, x, DTYPE_NONE, DEVICE_NONE, false);
}

/* The same, row-major whatever the input is: what draws in row-major order. */
static Tensor *row_major_of(Call *call, const Tensor *x)
{
  return result_new(call, tensor_dtype(x), (Device)x->device, tensor_shape(x));
}

#define NO_GRADIENT(row) \
  BACKWARD(row) { GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false); }

FORWARD(bernoulli)
{
  Tensor *p = probabilities(call, a->input);
  y[0] = row_major_of(call, a->input);
  fill_bernoulli_each(call, a->generator, y[0], p);
}
NO_GRADIENT(bernoulli)

FORWARD(bernoulli_p)
{
  y[0] = row_major_of(call, a->input);
  fill_bernoulli(call, a->generator, y[0], a->p);
}
NO_GRADIENT(bernoulli_p)

FORWARD(bernoulli_fill)
{
  y[0] = result_of(call, a->input);
  fill_bernoulli(call, a->generator, y[0], a->p);
}
NO_GRADIENT(bernoulli_fill)

FORWARD(bernoulli_fill_tensor)
{
  if (!shape_expands(tensor_shape(a->p), tensor_shape(a->input)))
    raise(call, "p of shape %s doesn't broadcast to %s", shape_text(call, tensor_shape(a->p)),
          shape_text(call, tensor_shape(a->input)));
  Tensor *p = probabilities(call, a->p);
  y[0] = result_of(call, a->input);
  fill_bernoulli_each(call, a->generator, y[0], p);
}

BACKWARD(bernoulli_fill_tensor)
{
  if (WANTS(input)) GRAD(input) = op(zeros_like, dy[0], DTYPE_NONE, DEVICE_NONE, false);
  if (WANTS(p)) GRAD(p) = op(zeros, tensor_shape(a->p), tensor_dtype(a->p), (Device)dy[0]->device, false);
}

/* ----------------------------------------------------------- in-place fills */

FORWARD(uniform)
{
  if (!(a->from <= a->to)) raise(call, "from %g lies above to %g", a->from, a->to);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, UNIFORM, y[0], a->from, a->to);
}
NO_GRADIENT(uniform)

FORWARD(normal)
{
  if (!(a->std >= 0)) raise(call, "std must not be negative: %g", a->std);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, NORMAL, y[0], a->mean, a->std);
}
NO_GRADIENT(normal)

FORWARD(exponential)
{
  if (!(a->lambd > 0)) raise(call, "lambd must be positive, not %g", a->lambd);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, EXPONENTIAL, y[0], a->lambd, 0);
}
NO_GRADIENT(exponential)

/* One more than the largest integer that random_() draws for a dtype; 0 for int64, which takes 63 bits. */
static int64_t random_bound(DType dtype)
{
  static const int bits[DTYPE_COUNT] = {[DTYPE_b8] = 1, [DTYPE_u8] = 8, [DTYPE_i8] = 7, [DTYPE_i16] = 15,
    [DTYPE_i32] = 31, [DTYPE_i64] = 63, [DTYPE_f16] = 11, [DTYPE_bf16] = 8, [DTYPE_f32] = 24, [DTYPE_f64] = 53};
  int64_t bound = bits[dtype] < 63 ? INT64_C(1) << bits[dtype] : 0;
  return dtype_is_floating(dtype) ? bound + 1 : bound;
}

FORWARD(random)
{
  DType dtype = tensor_dtype(a->input);
  if (dtype_is_complex(dtype)) raise(call, "%s tensors are not taken: random integers are real", dtype_name(dtype));
  y[0] = result_of(call, a->input);
  if (y[0]->device == DEVICE_META) return;
  /* int32 and smaller draw 32 bits an element, wider types 64 */
  Generator *g = generator_of(call, a->generator);
  int64_t bound = random_bound(dtype);
  bool wide = dtype == DTYPE_i64 || dtype == DTYPE_f64;
  Tensor *ordered = in_memory_order(call, y[0]);
  Tensor *t = tensor_new(call, DTYPE_i64, DEVICE_CPU, tensor_shape(ordered));
  int64_t *out = tensor_data(t);
  for (int64_t i = 0; i < t->numel; i++) {
    uint64_t bits = wide ? generator_next64(g) : generator_next32(g);
    out[i] = (int64_t)(bits % (bound ? (uint64_t)bound : UINT64_C(1) << 63));
  }
  launch_copy(call, ordered, t);
}
NO_GRADIENT(random)

FORWARD(random_to)
{
  y[0] = result_of(call, a->input);
  fill_integers_checked(call, a->generator, y[0], 0, a->to);
}
NO_GRADIENT(random_to)

FORWARD(random_from)
{
  y[0] = result_of(call, a->input);
  fill_integers_checked(call, a->generator, y[0], a->from, a->to);
}
NO_GRADIENT(random_from)

/* -------------------------------------------------------------- multinomial */

/* Rows of weights, and the positions drawn for each. */
typedef struct Draw {
  Generator *g;
  int64_t rows, n, count;
  const double *weights;
  bool single;        /* the weights were float32: sums and quotients are rounded to it, as PyTorch's are */
  int64_t *positions;
} Draw;

static double rounded(const Draw *d, double x) { return d->single ? (double)(float)x : x; }

/* Checks a row of weights; they need not add up to one. */
static void check_weights(Call *call, const Draw *d, int64_t row)
{
  double sum = 0;
  for (int64_t i = 0; i < d->n; i++) {
    double w = d->weights[row * d->n + i];
    if (!(w >= 0 && w <= DBL_MAX)) raise(call, "a weight must be a finite number from 0 on, not %g", w);
    sum += w;
  }
  if (!(sum > 0)) raise(call, "the weights must not all be 0");
}

typedef struct Score { double value; int64_t position; } Score;

static int by_score(const void *a, const void *b)
{
  const Score *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? 1 : -1;
  return x->position < y->position ? -1 : 1;
}

/* Without replacement: the largest of weights over exponential numbers. */
static void draw_largest(Call *call, const Draw *d)
{
  DType dtype = d->single ? DTYPE_f32 : DTYPE_f64;
  Tensor *noise = tensor_new(call, dtype, DEVICE_CPU, INTS(d->rows, d->n));
  fill_memory(d->g, EXPONENTIAL, dtype, noise->numel, tensor_data(noise), 1, 0);
  const double *q = tensor_data(contiguous_as(call, noise, DTYPE_f64));
  Score *scores = arena_allocate(call->ctx, (size_t)d->n * sizeof *scores);
  for (int64_t row = 0; row < d->rows; row++) {
    for (int64_t i = 0; i < d->n; i++)
      scores[i] = (Score){rounded(d, d->weights[row * d->n + i] / q[row * d->n + i]), i + 1};
    if (d->count == 1) {
      for (int64_t i = 1; i < d->n; i++)
        if (by_score(&scores[i], scores) < 0) scores[0] = scores[i];
    } else {
      qsort(scores, (size_t)d->n, sizeof *scores, by_score);
    }
    for (int64_t k = 0; k < d->count; k++) d->positions[row * d->count + k] = scores[k].position;
  }
}

/* With replacement: uniform numbers, looked up in the sums of the weights. */
static void draw_by_sums(Call *call, const Draw *d)
{
  double *sums = arena_allocate(call->ctx, (size_t)d->n * sizeof *sums);
  for (int64_t row = 0; row < d->rows; row++) {
    double sum = 0;
    for (int64_t i = 0; i < d->n; i++) sums[i] = sum = rounded(d, sum + d->weights[row * d->n + i]);
    for (int64_t i = 0; i < d->n; i++) sums[i] = rounded(d, sums[i] / sum);
    sums[d->n - 1] = 1;
    for (int64_t k = 0; k < d->count; k++) {
      double u;
      random_fills.uniform_f64(d->g, 1, &u, 0, 1);
      int64_t low = 0, high = d->n;
      while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] < u) low = middle + 1;
        else high = middle;
      }
      d->positions[row * d->count + k] = low + 1;
    }
  }
}

FORWARD(multinomial)
{
  Tensor *x = a->input;
  int64_t n = x->ndim ? x->shape[x->ndim - 1] : 0, rows = x->ndim == 2 ? x->shape[0] : 1;
  check_floating(call, tensor_dtype(x));
  if (x->ndim != 1 && x->ndim != 2)
    raise(call, "the weights are of one or two dimensions, not of shape %s", shape_text(call, tensor_shape(x)));
  if (n == 0) raise(call, "there are no weights: the shape is %s", shape_text(call, tensor_shape(x)));
  if (a->num_samples < 1) raise(call, "num_samples must be positive, not %lld", (long long)a->num_samples);
  if (!a->replacement && a->num_samples > n)
    raise(call, "%lld positions can't be drawn of %lld without replacement", (long long)a->num_samples, (long long)n);
  y[0] = result_new(call, DTYPE_i64, (Device)x->device, x->ndim == 2 ? INTS(rows, a->num_samples) : INTS(a->num_samples));
  if (x->device == DEVICE_META || rows == 0) return;
  Draw d = {.g = generator_of(call, a->generator), .rows = rows, .n = n, .count = a->num_samples,
            .single = x->dtype != DTYPE_f64, .weights = tensor_data(contiguous_as(call, x, DTYPE_f64)),
            .positions = tensor_data(y[0])};
  for (int64_t row = 0; row < rows; row++) check_weights(call, &d, row);
  if (!a->replacement) draw_largest(call, &d);
  else draw_by_sums(call, &d);
}

/* ------------------------------------------------------------------ dropout */

/* What elements that are kept are multiplied by, rounded as a division of tensors rounds. */
static double kept_factor(DType dtype, double p)
{
  return dtype == DTYPE_f64 ? 1 / (1 - p) : (double)(1 / (float)(1 - p));
}

/* The mask has what elements are multiplied by, drawn in row-major order. */
FORWARD(masked_dropout)
{
  Tensor *x = a->input;
  DType dtype = tensor_dtype(x);
  check_floating(call, dtype);
  y[1] = tensor_new(call, dtype, (Device)x->device, tensor_shape(x));
  fill_random(call, generator_of(call, a->generator), BERNOULLI, y[1], 1 - a->p, kept_factor(dtype, a->p));
  y[0] = op(mul, x, y[1]);
}

BACKWARD(masked_dropout)
{
  if (dy[0]) GRAD(input) = op(mul, dy[0], op(detach, y[1])); /* the factors have no gradient */
}

static Tensor *dropout(Call *call, Tensor *x, double p, bool train, bool inplace)
{
  if (!(p >= 0 && p <= 1)) raise(call, "the probability of dropout lies between 0 and 1, not %g", p);
  if (p == 0 || !train || x->numel == 0) return x;
  if (p < 1 && !inplace) return op(masked_dropout, x, p, NULL).v[0];
  Tensor *factor = p == 1 ? op(zeros, ((Ints){NULL, 0}), tensor_dtype(x), (Device)x->device, false)
                          : op(masked_dropout, op(ones_like, x, DTYPE_NONE, DEVICE_NONE, false), p, NULL).v[0];
  return inplace ? op_(mul, x, factor) : op(mul, x, factor);
}

FORWARD(dropout) { y[0] = dropout(call, a->input, a->p, a->train, false); }

FORWARD(functional_dropout) { y[0] = dropout(call, a->input, a->p, a->training, a->inplace); }
