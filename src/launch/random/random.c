/* Random numbers. They are drawn as elements lie in memory, from the largest stride to the smallest,
   one after the other. */
#include "launch/random/random.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/random_fill.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/layout.h"
#include "launch/look.h"

/* ----------------------------------------------------------------------- memory */

/* a and b are the parameters of the distribution; of a bernoulli fill the probability and what stands for yes. */
#define FILL_AS(suffix, type)                                                                        \
  static void fill_##suffix(Generator *g, RandomKind kind, int64_t n, type *out, double a, double b) \
  {                                                                                                  \
    switch (kind) {                                                                                  \
      case RANDOM_UNIFORM: random_fills.uniform_##suffix(g, n, out, a, b); break;                    \
      case RANDOM_NORMAL: random_fills.normal_##suffix(g, n, out, a, b); break;                      \
      case RANDOM_EXPONENTIAL: random_fills.exponential_##suffix(g, n, out, a); break;               \
      default: random_fills.bernoulli_##suffix(g, n, out, a, (type)b);                               \
    }                                                                                                \
  }
FILL_AS(f32, float)
FILL_AS(f64, double)

static void fill_memory(Generator *g, RandomKind kind, DType dtype, int64_t n, void *out, double a, double b)
{
  if (dtype == DTYPE_f64) fill_f64(g, kind, n, out, a, b);
  else fill_f32(g, kind, n, out, a, b);
}

static Tensor *in_order(Call *call, const Tensor *t, const int *order)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  for (int i = 0; i < t->ndim; i++) {
    int from = order[t->ndim - 1 - i];
    shape[i] = t->shape[from];
    strides[i] = t->strides[from];
  }
  return tensor_view(call, t, (Ints){shape, t->ndim}, (Ints){strides, t->ndim}, t->offset);
}

static Tensor *in_memory_order(Call *call, Tensor *t)
{
  int order[MAX_DIMS];
  order_dims(tensor_shape(t), &t, 1, order);
  return in_order(call, t, order);
}

/* Of halves each block of 16 is drawn on its own, of wider types all blocks before the last one is drawn again. */
static void fill_normal_halves(Generator *g, int64_t n, float *out, double mean, double std)
{
  enum { BLOCK = 16 };
  int64_t whole = n < BLOCK ? n : n / BLOCK * BLOCK;
  fill_f32(g, RANDOM_NORMAL, whole, out, mean, std);
  if (whole < n) fill_f32(g, RANDOM_NORMAL, BLOCK, out + n - BLOCK, mean, std);
}

/* Normals of tensors that aren't contiguous are drawn one by one, as if there were less than 16. */
static void fill_one_by_one(Generator *g, DType dtype, Tensor *t, double mean, double std)
{
  char *out = tensor_data(t);
  for (int64_t i = 0; i < t->numel; i++)
    fill_memory(g, RANDOM_NORMAL, dtype, 1, out + i * (int64_t)dtype_size(dtype), mean, std);
}

/* A tensor's elements as they are drawn: contiguous and of the dtype, in t's memory if that can be. */
typedef struct Drawn {
  Tensor *ordered, *to;
} Drawn;

static Drawn drawn_as(Call *call, Tensor *t, DType dtype)
{
  Drawn d = {t->is_contiguous ? t : in_memory_order(call, t), NULL};
  bool direct = d.ordered->is_contiguous && tensor_dtype(t) == dtype;
  d.to = direct ? d.ordered : new_beside(call, t, dtype, tensor_shape(d.ordered));
  return d;
}

static void finish_drawn(Call *call, Drawn d)
{
  if (d.to != d.ordered) launch_copy(call, d.ordered, d.to);
}

/* ------------------------------------------------------------------------ fills */

void launch_random(Call *call, Generator *g, RandomKind kind, Tensor *t, double a, double b)
{
  DType dtype = dtype_compute(tensor_dtype(t)); /* halves are drawn as float32 and rounded */
  if (!launch_runs(t)) return;
  Drawn d = drawn_as(call, t, dtype);
  if (kind == RANDOM_NORMAL && !t->is_contiguous) fill_one_by_one(g, dtype, d.to, a, b);
  else if (kind == RANDOM_NORMAL && dtype != tensor_dtype(t)) fill_normal_halves(g, t->numel, tensor_data(d.to), a, b);
  else fill_memory(g, kind, dtype, t->numel, tensor_data(d.to), a, b);
  finish_drawn(call, d);
}

/* Numbers one by one into a contiguous tensor of float32 or float64: element i has the parameters x[k][i * step]. */
static void draw_into(Generator *g, DrawOne draw, const double *const *x, int count, int step, Tensor *to)
{
  bool single = to->dtype == DTYPE_f32;
  float *narrow = tensor_data(to);
  double *wide = tensor_data(to), parameters[2];
  for (int64_t i = 0; i < to->numel; i++) {
    for (int k = 0; k < count; k++) parameters[k] = x[k][i * step];
    double drawn = draw(g, parameters);
    if (single) narrow[i] = (float)drawn;
    else wide[i] = drawn;
  }
}

/* What numbers that are drawn as doubles are rounded to: halves through float32, as PyTorch's. */
static DType rounded_first(const Tensor *t)
{
  return dtype_compute(tensor_dtype(t)) == DTYPE_f32 ? DTYPE_f32 : DTYPE_f64;
}

void launch_draws(Call *call, Generator *g, DrawOne draw, const double *parameters, int count, Tensor *t)
{
  if (!launch_runs(t)) return;
  Drawn d = drawn_as(call, t, rounded_first(t));
  draw_into(g, draw, (const double *[]){parameters, parameters + count - 1}, count, 0, d.to);
  finish_drawn(call, d);
}

void launch_draws_of(Call *call, Generator *g, DrawOne draw, Tensor *y, Tensors operands)
{
  if (!launch_runs(y)) return;
  const double *x[2] = {NULL, NULL};
  for (int64_t k = 0; k < operands.n; k++)
    x[k] = tensor_data(contiguous_as(call, expanded_to(call, operands.v[k], tensor_shape(y)), DTYPE_f64));
  Drawn d = drawn_as(call, y, rounded_first(y));
  draw_into(g, draw, x, (int)operands.n, 1, d.to);
  finish_drawn(call, d);
}

void launch_random_integers(Call *call, Generator *g, Tensor *t, int64_t low, int64_t high)
{
  if (!launch_runs(t)) return;
  Drawn d = drawn_as(call, t, DTYPE_i64);
  random_fills.integers(g, t->numel, tensor_data(d.to), low, high);
  finish_drawn(call, d);
}

void launch_random_bits(Call *call, Generator *g, Tensor *t, int64_t bound)
{
  if (!launch_runs(t)) return;
  /* int32 and smaller draw 32 bits an element, wider types 64 */
  bool wide = t->dtype == DTYPE_i64 || t->dtype == DTYPE_f64;
  Drawn d = drawn_as(call, t, DTYPE_i64);
  int64_t *out = tensor_data(d.to);
  for (int64_t i = 0; i < t->numel; i++) {
    uint64_t bits = wide ? generator_next64(g) : generator_next32(g);
    out[i] = (int64_t)(bits % (bound ? (uint64_t)bound : UINT64_C(1) << 63));
  }
  finish_drawn(call, d);
}

void launch_permutation(Call *call, Generator *g, Tensor *t)
{
  if (t->device == DEVICE_META) return;
  Drawn d = drawn_as(call, t, DTYPE_i64);
  random_fills.permutation(g, t->numel, tensor_data(d.to));
  finish_drawn(call, d);
}

typedef struct Slopes {
  Generator *g;
  double lower, upper;
} Slopes;

static void draw_slopes(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Slopes *s = l->params;
  const double *x = operand_at(l, 0, 0);
  double *y = result_at(l, 0, 0);
  for (int64_t i = 0; i < l->y[0]->numel; i++) {
    if (!(x[i] <= 0)) y[i] = 1;
    else
      y[i] = (double)(generator_next64(s->g) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53 * (s->upper - s->lower) + s->lower;
  }
}

void launch_random_slopes(Call *call, Generator *g, Tensor *x, double lower, double upper, Tensor *y)
{
  static const Driver driver = {.run = draw_slopes, .results = {AS_DOUBLE}, .operands = {AS_DOUBLE}};
  Slopes s = {g, lower, upper};
  launch(call, &driver, DTYPE_f64, TENSOR_LIST(y), TENSOR_LIST(x), (Work){1, x->numel}, &s);
}

/* ------------------------------------------------------------- ones and zeros */

void launch_bernoulli(Call *call, Generator *g, Tensor *t, double p)
{
  if (dtype_is_floating(tensor_dtype(t))) {
    launch_random(call, g, RANDOM_BERNOULLI, t, p, 1);
    return;
  }
  if (!launch_runs(t)) return;
  Drawn d = drawn_as(call, t, DTYPE_u8);
  random_fills.bernoulli_u8(g, t->numel, tensor_data(d.to), p, 1);
  finish_drawn(call, d);
}

Tensor *checked_probabilities(Call *call, Tensor *p)
{
  if (!can_look(p)) return p;
  Tensor *all = contiguous_as(call, p, p->dtype == DTYPE_f64 ? DTYPE_f64 : DTYPE_f32);
  const float *single = tensor_data(all);
  const double *wide = tensor_data(all);
  for (int64_t i = 0; i < all->numel; i++) {
    double each = all->dtype == DTYPE_f64 ? wide[i] : (double)single[i];
    if (!(each >= 0 && each <= 1)) raise(call, "a probability lies between 0 and 1, not %g", each);
  }
  return all;
}

void launch_bernoulli_each(Call *call, Generator *g, Tensor *t, Tensor *p)
{
  if (!launch_runs(t)) return;
  int order[MAX_DIMS];
  p = expanded_to(call, p, tensor_shape(t));
  order_dims(tensor_shape(t), (Tensor *[]){t, p}, 2, order);
  p = contiguous_as(call, in_order(call, p, order), tensor_dtype(p));
  Tensor *ordered = in_order(call, t, order), *ones = new_beside(call, t, DTYPE_u8, tensor_shape(ordered));
  if (p->dtype == DTYPE_f64) random_fills.bernoulli_each_f64(g, t->numel, tensor_data(ones), tensor_data(p));
  else random_fills.bernoulli_each_f32(g, t->numel, tensor_data(ones), tensor_data(p));
  launch_copy(call, ordered, ones);
}

/* -------------------------------------------------------------- multinomial */

/* Rows of weights, and the positions drawn for each. */
typedef struct Draw {
  Generator *g;
  int64_t rows, n, count;
  const double *weights;
  DType dtype; /* of the weights: quotients are rounded to it, sums to at least float32, as PyTorch's are */
  int64_t *positions;
} Draw;

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

typedef struct Score {
  double value;
  int64_t position;
} Score;

static int by_score(const void *a, const void *b)
{
  const Score *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? 1 : -1;
  return x->position < y->position ? -1 : 1;
}

/* The first `count` of n scores in their order: by a list of these where they are few. */
static void order_scores(Score *scores, int64_t n, int64_t count)
{
  enum { FEW = 32 };
  if (count > FEW) {
    qsort(scores, (size_t)n, sizeof *scores, by_score);
    return;
  }
  for (int64_t i = 1; i < n; i++) {
    Score next = scores[i];
    int64_t at = i < count ? i : count;
    while (at > 0 && by_score(&next, &scores[at - 1]) < 0) {
      if (at < count) scores[at] = scores[at - 1];
      at--;
    }
    if (at < count) scores[at] = next;
  }
}

/* The largest of weights over exponential numbers, which are drawn in the weights' order in memory. */
static void draw_largest(Call *call, const Draw *d, Tensor *weights)
{
  Tensor *noise = new_ordered_as(call, weights, d->dtype);
  launch_random(call, d->g, RANDOM_EXPONENTIAL, noise, 1, 0);
  const double *q = tensor_data(contiguous_as(call, noise, DTYPE_f64));
  Score *scores = arena_allocate(call->ctx, (size_t)d->n * sizeof *scores);
  for (int64_t row = 0; row < d->rows; row++) {
    for (int64_t i = 0; i < d->n; i++)
      scores[i] = (Score){dtype_rounded(d->dtype, d->weights[row * d->n + i] / q[row * d->n + i]), i + 1};
    order_scores(scores, d->n, d->count);
    for (int64_t k = 0; k < d->count; k++) d->positions[row * d->count + k] = scores[k].position;
  }
}

/* Several with replacement: uniform numbers, looked up in the sums of the weights. */
static void draw_by_sums(Call *call, const Draw *d)
{
  DType dtype = dtype_compute(d->dtype);
  double *sums = arena_allocate(call->ctx, (size_t)d->n * sizeof *sums);
  for (int64_t row = 0; row < d->rows; row++) {
    double sum = 0;
    for (int64_t i = 0; i < d->n; i++) sums[i] = sum = dtype_rounded(dtype, sum + d->weights[row * d->n + i]);
    for (int64_t i = 0; i < d->n; i++) sums[i] = dtype_rounded(dtype, sums[i] / sum);
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

void launch_multinomial(Call *call, Generator *g, Tensor *weights, bool replacement, Tensor *y)
{
  if (!launch_runs(y)) return;
  int64_t n = weights->shape[weights->ndim - 1], rows = weights->numel / n;
  Draw d = {.g = g,
            .rows = rows,
            .n = n,
            .count = y->shape[y->ndim - 1],
            .dtype = tensor_dtype(weights),
            .weights = tensor_data(contiguous_as(call, weights, DTYPE_f64)),
            .positions = tensor_data(y)};
  for (int64_t row = 0; row < rows; row++) check_weights(call, &d, row);
  if (!replacement || d.count == 1) draw_largest(call, &d, weights);
  else draw_by_sums(call, &d);
}
