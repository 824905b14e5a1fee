/* Random numbers. The order of draws is PyTorch's: as elements lie in memory,
   from the largest stride to the smallest. */
#include "ops/random/random.h"

#include <math.h>

#include "launch/look.h"
#include "launch/random/random.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"
#include "ops/table/words.h"

static Generator *generator_of(Call *call, Generator *given) { return given ? given : &call->ctx->generator; }

/* --------------------------------------------------------------------- checks */

static void check_random_dtype(Call *call, DType dtype)
{
  if (!dtype_is_floating(dtype))
    raise(call, "%s tensors are not taken: random numbers of this kind are floating", dtype_name(dtype));
}

static void check_std(Call *call, double std)
{
  if (!(std >= 0)) raise(call, "std must not be negative: %g", std);
}

static void check_range(Call *call, DType dtype, int64_t low, int64_t high)
{
  if (low >= high) raise(call, "the range from %lld up to %lld is empty", (long long)low, (long long)high);
  if (dtype_is_complex(dtype)) raise(call, "%s tensors are not taken: random integers are real", dtype_name(dtype));
  static const int bits[DTYPE_COUNT] = {
    [DTYPE_b8] = 1, [DTYPE_u8] = 8, [DTYPE_i8] = 7, [DTYPE_i16] = 15, [DTYPE_i32] = 31};
  if (dtype_is_floating(dtype) && !((double)low >= -dtype_largest(dtype) && (double)(high - 1) <= dtype_largest(dtype)))
    raise(call, "the range from %lld up to %lld doesn't fit %s", (long long)low, (long long)high, dtype_name(dtype));
  if (!bits[dtype]) return;
  int64_t most = (INT64_C(1) << bits[dtype]) - 1, least = dtype == DTYPE_b8 || dtype == DTYPE_u8 ? 0 : -most - 1;
  if (low < least || high - 1 > most)
    raise(call, "the range from %lld up to %lld doesn't fit %s", (long long)low, (long long)high, dtype_name(dtype));
}

/* ---------------------------------------------------------------- new tensors */

typedef struct Options {
  DType dtype;
  Device device;
  bool requires_grad;
} Options;
#define OPTIONS \
  (Options) { a->dtype, a->device, a->requires_grad }

static Tensor *new_of_size(Call *call, Ints size, DType dtype, Options o)
{
  dtype = o.dtype == DTYPE_NONE ? dtype : o.dtype;
  Tensor *t = result_new(call, dtype, device_or_default(call, o.device), size);
  ask_gradient(call, t, o.requires_grad);
  return t;
}

/* Both parts of a complex number are drawn. Normal parts have the mean and half of the variance each, as PyTorch's. */
static void fill_checked(Call *call, Generator *given, RandomKind kind, Tensor *t, double p, double q)
{
  if (dtype_is_complex(tensor_dtype(t)) && kind != RANDOM_EXPONENTIAL) {
    t = parts_view(call, t);
    if (kind == RANDOM_NORMAL) q /= sqrt(2);
  }
  check_random_dtype(call, tensor_dtype(t));
  launch_random(call, generator_of(call, given), kind, t, p, q);
}

/* The exponent of the largest power of 2 in a number. */
static int exponent_of(int64_t x)
{
  int n = 0;
  for (uint64_t rest = x < 0 ? -(uint64_t)x : (uint64_t)x; rest >>= 1;) n++;
  return n;
}

/* Where a floating dtype can't hold all integers of the range, it ends so that none is rounded beyond its bounds: as
   PyTorch narrows it. */
static void narrow_range(DType dtype, int64_t *low, int64_t *high)
{
  static const int digits[DTYPE_COUNT] = {[DTYPE_f16] = 11, [DTYPE_bf16] = 8, [DTYPE_f32] = 24, [DTYPE_f64] = 53};
  if (!digits[dtype]) return;
  double first = dtype_rounded(dtype, (double)(*low + 1)), last = dtype_rounded(dtype, (double)(*high - 1));
  if (first < (double)*low) *low = (int64_t)first + (INT64_C(1) << (exponent_of(*low + 1) - digits[dtype] + 1));
  if (last >= (double)*high && last < 0x1p63)
    *high = (int64_t)last - (INT64_C(1) << (exponent_of(*high - 1) - digits[dtype] + 1));
}

static void fill_integers_checked(Call *call, Generator *given, Tensor *t, int64_t low, int64_t high)
{
  check_range(call, tensor_dtype(t), low, high);
  narrow_range(tensor_dtype(t), &low, &high);
  if (low >= high) raise(call, "%s has no integer in the range that is asked for", dtype_name(tensor_dtype(t)));
  launch_random_integers(call, generator_of(call, given), t, low, high);
}

FORWARD(rand)
{
  y[0] = new_of_size(call, a->size, call->ctx->default_dtype, OPTIONS);
  fill_checked(call, a->generator, RANDOM_UNIFORM, y[0], 0, 1);
}

FORWARD(randn)
{
  y[0] = new_of_size(call, a->size, call->ctx->default_dtype, OPTIONS);
  fill_checked(call, a->generator, RANDOM_NORMAL, y[0], 0, 1);
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
  launch_permutation(call, generator_of(call, a->generator), y[0]);
}

FORWARD(rand_like)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_checked(call, a->generator, RANDOM_UNIFORM, y[0], 0, 1);
}

FORWARD(randn_like)
{
  y[0] = new_like(call, a->input, a->dtype, a->device, a->requires_grad);
  fill_checked(call, a->generator, RANDOM_NORMAL, y[0], 0, 1);
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
  check_probability(call, p);
  if (dtype_is_complex(tensor_dtype(t))) raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(t)));
  launch_bernoulli(call, generator_of(call, given), t, p);
}

static Tensor *probabilities(Call *call, Tensor *p)
{
  check_random_dtype(call, tensor_dtype(p));
  return checked_probabilities(call, p);
}

/* A result of the input's dtype and shape for its numbers to be put in. */
static Tensor *result_of(Call *call, const Tensor *x) { return new_like(call, x, DTYPE_NONE, DEVICE_NONE, false); }

/* The same, row-major whatever the input is: what draws in row-major order. */
static Tensor *row_major_of(Call *call, const Tensor *x)
{
  return result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
}

#define NO_GRADIENT(row) \
  BACKWARD(row) { GRAD(input) = zeros_like_of(dy[0]); }

FORWARD(bernoulli)
{
  Tensor *p = probabilities(call, a->input);
  y[0] = row_major_of(call, a->input);
  launch_bernoulli_each(call, generator_of(call, a->generator), y[0], p);
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
  launch_bernoulli_each(call, generator_of(call, a->generator), y[0], p);
}

BACKWARD(bernoulli_fill_tensor)
{
  if (WANTS(input)) GRAD(input) = zeros_like_of(dy[0]);
  if (WANTS(p)) GRAD(p) = op(zeros, tensor_shape(a->p), tensor_dtype(a->p), device_behind(dy[0]), false);
}

/* ----------------------------------------------------------- in-place fills */

FORWARD(uniform)
{
  DType dtype = tensor_dtype(a->input);
  double most = dtype_largest(dtype);
  if (!(a->from <= a->to)) raise(call, "from %g lies above to %g", a->from, a->to);
  if (!(a->from >= -most && a->to <= most && a->to - a->from <= most))
    raise(call, "from %g up to %g is more than the range of %s, whose largest number is %g", a->from, a->to,
          dtype_name(dtype), most);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, RANDOM_UNIFORM, y[0], a->from, a->to);
}
NO_GRADIENT(uniform)

FORWARD(normal)
{
  check_std(call, a->std);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, RANDOM_NORMAL, y[0], a->mean, a->std);
}
NO_GRADIENT(normal)

FORWARD(exponential)
{
  if (!(a->lambd > 0)) raise(call, "lambd must be positive, not %g", a->lambd);
  y[0] = result_of(call, a->input);
  fill_checked(call, a->generator, RANDOM_EXPONENTIAL, y[0], a->lambd, 0);
}
NO_GRADIENT(exponential)

/* ------------------------------------------------ normals of many parameters */

/* Standard normals, row-major, times std plus mean: so PyTorch makes them. */
static Tensor *standard_normals(Call *call, Generator *given, const Tensor *like, Ints shape)
{
  Tensor *y = result_new(call, tensor_dtype(like), device_of(like), shape);
  fill_checked(call, given, RANDOM_NORMAL, y, 0, 1);
  return y;
}

static void check_stds(Call *call, Tensor *std)
{
  if (dtype_is_complex(tensor_dtype(std))) raise(call, "std must be real, not %s", dtype_name(tensor_dtype(std)));
  check_none_true(call, op(logical_not, op(ge, std, number(0))), "std must not be negative");
}

FORWARD(normal_tensors)
{
  check_stds(call, a->std);
  y[0] = standard_normals(call, a->generator, a->mean, broadcast_operands(call, (Tensor *[]){a->mean, a->std}, 2));
  op_(mul, y[0], a->std);
  op_(add, y[0], a->mean, scalar_int(1));
}

BACKWARD(normal_tensors)
{
  if (WANTS(mean)) GRAD(mean) = zeros_for(call, dy[0], tensor_shape(a->mean));
  if (WANTS(std)) GRAD(std) = zeros_for(call, dy[0], tensor_shape(a->std));
}

FORWARD(normal_means)
{
  check_std(call, a->std);
  y[0] = standard_normals(call, a->generator, a->mean, tensor_shape(a->mean));
  op_(mul, y[0], number(a->std));
  op_(add, y[0], a->mean, scalar_int(1));
}

BACKWARD(normal_means) { GRAD(mean) = zeros_for(call, dy[0], tensor_shape(a->mean)); }

FORWARD(normal_stds)
{
  check_stds(call, a->std);
  y[0] = standard_normals(call, a->generator, a->std, tensor_shape(a->std));
  op_(mul, y[0], a->std);
  op_(add, y[0], number(a->mean), scalar_int(1));
}

BACKWARD(normal_stds) { GRAD(std) = zeros_for(call, dy[0], tensor_shape(a->std)); }

FORWARD(normal_of_size)
{
  check_std(call, a->std);
  y[0] = new_of_size(call, a->size, call->ctx->default_dtype, OPTIONS);
  fill_checked(call, a->generator, RANDOM_NORMAL, y[0], a->mean, a->std);
}

/* ------------------------------------------------------ drawn one by one */

FORWARD(log_normal)
{
  if (!(a->std > 0)) raise(call, "std must be positive, not %g", a->std);
  check_random_dtype(call, tensor_dtype(a->input));
  y[0] = result_of(call, a->input);
  launch_draws(call, generator_of(call, a->generator), draw_log_normal, (double[]){a->mean, a->std}, 2, y[0]);
}
NO_GRADIENT(log_normal)

FORWARD(cauchy)
{
  if (!(a->sigma > 0)) raise(call, "sigma must be positive, not %g", a->sigma);
  check_random_dtype(call, tensor_dtype(a->input));
  y[0] = result_of(call, a->input);
  launch_draws(call, generator_of(call, a->generator), draw_cauchy, (double[]){a->median, a->sigma}, 2, y[0]);
}
NO_GRADIENT(cauchy)

FORWARD(geometric)
{
  DType dtype = tensor_dtype(a->input);
  if (!(a->p > 0 && a->p < 1)) raise(call, "p lies between 0 and 1, not %g", a->p);
  if (dtype_is_complex(dtype) || dtype == DTYPE_b8) raise(call, "%s tensors are not taken", dtype_name(dtype));
  y[0] = result_of(call, a->input);
  launch_draws(call, generator_of(call, a->generator), draw_geometric, &a->p, 1, y[0]);
}
NO_GRADIENT(geometric)

/* One more than the largest integer that random_() draws for a dtype; 0 for int64, which takes 63 bits. */
static int64_t random_bound(DType dtype)
{
  static const int bits[DTYPE_COUNT] = {
    [DTYPE_b8] = 1,   [DTYPE_u8] = 8,   [DTYPE_i8] = 7,   [DTYPE_i16] = 15, [DTYPE_i32] = 31,
    [DTYPE_i64] = 63, [DTYPE_f16] = 11, [DTYPE_bf16] = 8, [DTYPE_f32] = 24, [DTYPE_f64] = 53};
  int64_t bound = bits[dtype] < 63 ? INT64_C(1) << bits[dtype] : 0;
  return dtype_is_floating(dtype) ? bound + 1 : bound;
}

FORWARD(random)
{
  DType dtype = tensor_dtype(a->input);
  if (dtype_is_complex(dtype)) raise(call, "%s tensors are not taken: random integers are real", dtype_name(dtype));
  y[0] = result_of(call, a->input);
  launch_random_bits(call, generator_of(call, a->generator), y[0], random_bound(dtype));
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

FORWARD(multinomial)
{
  Tensor *x = a->input;
  int64_t n = x->ndim ? x->shape[x->ndim - 1] : 0, rows = x->ndim == 2 ? x->shape[0] : 1;
  check_random_dtype(call, tensor_dtype(x));
  if (x->ndim != 1 && x->ndim != 2)
    raise(call, "the weights are of one or two dimensions, not of shape %s", shape_text(call, tensor_shape(x)));
  if (n == 0) raise(call, "there are no weights: the shape is %s", shape_text(call, tensor_shape(x)));
  if (a->num_samples < 1) raise(call, "num_samples must be positive, not %lld", (long long)a->num_samples);
  if (!a->replacement && a->num_samples > n)
    raise(call, "%lld positions can't be drawn of %lld without replacement", (long long)a->num_samples, (long long)n);
  y[0] = result_new(call, DTYPE_i64, device_of(x), x->ndim == 2 ? INTS(rows, a->num_samples) : INTS(a->num_samples));
  launch_multinomial(call, generator_of(call, a->generator), x, a->replacement, y[0]);
}

/* ------------------------------------------------------------------ dropout */

/* What elements that are kept are multiplied by, rounded as a division of tensors rounds. */
static double kept_factor(DType dtype, double p)
{
  return dtype == DTYPE_f64 ? 1 / (1 - p) : (double)(1 / (float)(1 - p));
}

/* The mask has what elements are multiplied by, drawn in the input's order in memory. */
FORWARD(masked_dropout)
{
  Tensor *x = a->input;
  DType dtype = tensor_dtype(x);
  check_random_dtype(call, dtype);
  y[1] = new_ordered_as(call, x, dtype);
  launch_random(call, generator_of(call, a->generator), RANDOM_BERNOULLI, y[1], 1 - a->p, kept_factor(dtype, a->p));
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
  Tensor *factor = p == 1 ? op(zeros, ((Ints){NULL, 0}), tensor_dtype(x), device_behind(x), false)
                          : op(masked_dropout, ones_like_of(x), p, NULL).v[0];
  return inplace ? op_(mul, x, factor) : op(mul, x, factor);
}

FORWARD(dropout) { y[0] = dropout(call, a->input, a->p, a->train, false); }

FORWARD(functional_dropout) { y[0] = dropout(call, a->input, a->p, a->training, a->inplace); }
