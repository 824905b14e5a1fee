/* Losses of classes: samples in parallel, but for what is no more than a sum over targets. */
#include "launch/nn/cross_entropy.h"

#include "kernels/loss.h"
#include "kernels/reduce.h"
#include "launch/launch.h"

/* What a loss of classes works on, as kernels take it. */
typedef struct Classes {
  Slabs s; /* of the scores, around the classes */
  Tensor *target, *weight;
  int64_t ignore;
  Reduction reduction;
  double scale; /* of the gradients, and of the sum of losses */
} Classes;

/* Raises on a target that is no class. */
static void check_targets(Call *call, const int64_t *target, int64_t n, int64_t classes, int64_t ignore)
{
  int64_t wrong = 0;
  for (int64_t i = 0; i < n; i++) wrong |= (target[i] < 1 || target[i] > classes) && target[i] != ignore;
  if (!wrong) return;
  for (int64_t i = 0; i < n; i++) {
    int64_t t = target[i];
    if ((t >= 1 && t <= classes) || t == ignore) continue;
    raise(call, "target %lld is no class: there are %lld%s", (long long)t, (long long)classes,
          t == 0 ? ", and labels count from 1 (add 1 to labels that count from 0)" : ", counted from 1");
  }
}

static Classes classes_of(Call *call, const ClassTargets *t, Slabs s, DType dtype, Reduction reduction)
{
  Classes c = {.s = s,
               .target = contiguous_as(call, t->target, DTYPE_i64),
               .ignore = t->ignore,
               .reduction = reduction,
               .scale = 1};
  if (t->weight) c.weight = contiguous_as(call, t->weight, dtype_compute(dtype));
  check_targets(call, tensor_data(c.target), c.target->numel, s.n, c.ignore);
  return c;
}

static Slabs slabs_of_scores(const Tensor *x) { return slabs_of(x, x->ndim > 1 ? 1 : 0); }

/* The sum of the targets' weights. */
static double total_weight(const Classes *c)
{
  const int64_t *target = tensor_data(c->target);
  const void *w = c->weight ? tensor_data(c->weight) : NULL;
  bool is_single = w && tensor_dtype(c->weight) == DTYPE_f32;
  double total = 0;
  for (int64_t i = 0; i < c->target->numel; i++) {
    int64_t t = target[i];
    if (t == c->ignore) continue;
    total += !w ? 1 : is_single ? (double)((const float *)w)[t - 1] : ((const double *)w)[t - 1];
  }
  return total;
}

static double scale_of(const Classes *c) { return c->reduction == MEAN ? 1 / total_weight(c) : 1; }

void launch_total_weight(Call *call, const ClassTargets *t, int64_t n, Tensor *y)
{
  if (!launch_runs(y)) return;
  Classes c = classes_of(call, t, (Slabs){1, n, 1}, tensor_dtype(y), SUM);
  store_single(y, total_weight(&c));
}

/* --------------------------------------------------------------- log-likelihoods */

/* Sums go on from sample to sample, so there is one item. A sum goes from double to y's own dtype at once. */
static void nll_all(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Classes *c = l->params;
  bool reduced = c->reduction != NO_REDUCTION;
  double totals[2] = {0, 0};
  l->k->loss->nll(c->s.outer, c->s.n, c->s.inner, operand_at(l, 0, 0), operand_at(l, 1, 0), operand_at(l, 2, 0),
                  c->ignore, reduced ? NULL : result_at(l, 0, 0), totals);
  if (reduced) store_single(l->y[0], c->reduction == MEAN ? totals[0] / totals[1] : totals[0]);
}

void launch_nll(Call *call, Tensor *x, const ClassTargets *t, Reduction reduction, Tensor *y)
{
  static const Driver one_each = {.run = nll_all, .operands = {DENSE, AS_INT64}};
  static const Driver reduced = {.run = nll_all, .results = {MOVED}, .operands = {DENSE, AS_INT64}};
  if (!launch_runs(y)) return;
  Classes c = classes_of(call, t, slabs_of_scores(x), tensor_dtype(x), reduction);
  launch(call, reduction == NO_REDUCTION ? &one_each : &reduced, tensor_dtype(x), TENSOR_LIST(y),
         TENSOR_LIST(x, c.target, c.weight), (Work){1, c.target->numel}, &c);
}

static void nll_backward_all(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Classes *c = l->params;
  l->k->loss->nll_backward(c->s.outer, c->s.n, c->s.inner, operand_at(l, 0, 0), c->reduction != NO_REDUCTION, c->scale,
                           operand_at(l, 1, 0), operand_at(l, 2, 0), c->ignore, result_at(l, 0, 0));
}

void launch_nll_backward(Call *call, Tensor *dy, const ClassTargets *t, Reduction reduction, Tensor *dx)
{
  static const Driver driver = {.run = nll_backward_all, .results = {ZEROED}, .operands = {DENSE, AS_INT64}};
  if (!launch_runs(dx)) return;
  Classes c = classes_of(call, t, slabs_of_scores(dx), tensor_dtype(dx), reduction);
  c.scale = scale_of(&c);
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(dy, c.target, c.weight),
         (Work){1, c.target->numel}, &c);
}

/* ----------------------------------------------------------------- cross entropy */

/* A power takes as long as two plain elements. */
static Work work_of(Slabs s) { return (Work){s.outer, 2 * s.n * s.inner}; }

static void cross_entropy_samples(const Launch *l, int64_t begin, int64_t end)
{
  const Classes *c = l->params;
  int64_t at = begin * c->s.inner, x_at = at * c->s.n;
  l->k->loss->cross_entropy(end - begin, c->s.n, c->s.inner, operand_at(l, 0, x_at), operand_at(l, 1, at),
                            operand_at(l, 2, 0), c->ignore, result_at(l, 0, at), result_at(l, 1, at));
}

void launch_cross_entropy(Call *call, Tensor *x, const ClassTargets *t, Reduction reduction, Tensor *y, Tensor *lse)
{
  static const Driver driver = {.run = cross_entropy_samples, .operands = {DENSE, AS_INT64}};
  DType dtype = tensor_dtype(x), compute = dtype_compute(dtype);
  if (!launch_runs(y)) return;
  Classes c = classes_of(call, t, slabs_of_scores(x), dtype, reduction);
  Tensor *losses = reduction == NO_REDUCTION ? y : new_beside(call, y, compute, tensor_shape(lse));
  launch(call, &driver, dtype, TENSOR_LIST(losses, lse), TENSOR_LIST(x, c.target, c.weight), work_of(c.s), &c);
  if (reduction == NO_REDUCTION) return;
  double total = 0;
  if (losses->numel)
    kernels_for(y, compute)->reduce->rows[REDUCE_SUM](1, losses->numel, 0, tensor_data(losses), &total);
  store_single(y, total * scale_of(&c));
}

static void cross_entropy_backward_samples(const Launch *l, int64_t begin, int64_t end)
{
  const Classes *c = l->params;
  bool is_single = c->reduction != NO_REDUCTION;
  int64_t at = begin * c->s.inner, x_at = at * c->s.n;
  l->k->loss->cross_entropy_backward(end - begin, c->s.n, c->s.inner, operand_at(l, 0, x_at), operand_at(l, 1, at),
                                     operand_at(l, 2, is_single ? 0 : at), is_single, c->scale, operand_at(l, 3, at),
                                     operand_at(l, 4, 0), c->ignore, result_at(l, 0, x_at));
}

void launch_cross_entropy_backward(Call *call, Tensor *dy, Tensor *x, Tensor *lse, const ClassTargets *t,
                                   Reduction reduction, Tensor *dx)
{
  static const Driver driver = {.run = cross_entropy_backward_samples, .operands = {DENSE, DENSE, DENSE, AS_INT64}};
  if (!launch_runs(dx)) return;
  Classes c = classes_of(call, t, slabs_of_scores(x), tensor_dtype(x), reduction);
  c.scale = scale_of(&c);
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(dx), TENSOR_LIST(x, lse, dy, c.target, c.weight), work_of(c.s),
         &c);
}
