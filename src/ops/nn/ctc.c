/*
 * Connectionist temporal classification, by the forward-backward algorithm: Graves, Fernández, Gomez and Schmidhuber,
 * ICML 2006, equations 6 to 15. A target's states are its labels with a blank before, between and behind them; alpha is
 * the likelihood of all ways into a state, beta that of all ways on, both with the state's own step.
 */
#include <math.h>
#include <string.h>

#include "ops/math/pointwise.h"
#include "ops/nn/ctc.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* One sequence; likelihoods are logarithms. */
typedef struct Sequence {
  int64_t steps, states, blank;
  const int64_t *target;       /* from 1 */
  const double *probs;         /* of a step's classes, which lie side by side */
  int64_t step;                /* from one step to the next */
  double *alpha, *beta;        /* [steps, states] */
} Sequence;

static int64_t label_of(const Sequence *s, int64_t state) { return state % 2 ? s->target[state / 2] - 1 : s->blank; }

static double log_add(double a, double b)
{
  double high = a > b ? a : b, low = a > b ? b : a;
  return high == -INFINITY ? high : high + log1p(exp(low - high));
}

/* Whether a way may go from state - 2 to a state: past a blank between labels that differ. */
static bool may_skip(const Sequence *s, int64_t state)
{
  return state % 2 && state >= 2 && label_of(s, state) != label_of(s, state - 2);
}

static void fill_alpha(const Sequence *s)
{
  for (int64_t i = 0; i < s->states; i++) s->alpha[i] = i < 2 ? s->probs[label_of(s, i)] : -INFINITY;
  for (int64_t t = 1; t < s->steps; t++) {
    const double *before = s->alpha + (t - 1) * s->states;
    for (int64_t i = 0; i < s->states; i++) {
      double sum = before[i];
      if (i >= 1) sum = log_add(sum, before[i - 1]);
      if (may_skip(s, i)) sum = log_add(sum, before[i - 2]);
      s->alpha[t * s->states + i] = sum + s->probs[t * s->step + label_of(s, i)];
    }
  }
}

static void fill_beta(const Sequence *s)
{
  int64_t last = s->steps - 1;
  for (int64_t i = 0; i < s->states; i++)
    s->beta[last * s->states + i] = i >= s->states - 2 ? s->probs[last * s->step + label_of(s, i)] : -INFINITY;
  for (int64_t t = last - 1; t >= 0; t--) {
    const double *after = s->beta + (t + 1) * s->states;
    for (int64_t i = 0; i < s->states; i++) {
      double sum = after[i];
      if (i + 1 < s->states) sum = log_add(sum, after[i + 1]);
      if (i + 2 < s->states && may_skip(s, i + 2)) sum = log_add(sum, after[i + 2]);
      s->beta[t * s->states + i] = sum + s->probs[t * s->step + label_of(s, i)];
    }
  }
}

static double loss_of(const Sequence *s)
{
  if (s->steps == 0) return s->states == 1 ? 0 : INFINITY;
  const double *last = s->alpha + (s->steps - 1) * s->states;
  return -(s->states > 1 ? log_add(last[s->states - 1], last[s->states - 2]) : last[0]);
}

/* A batch as the rows are called with it. */
typedef struct Batch {
  int64_t steps, sequences, classes, longest; /* states of the longest target */
  const double *probs;
  const int64_t *targets;
  int64_t row;                                /* from one target to the next; 0: they follow each other */
  Ints input_lengths, target_lengths;
  int64_t blank;
} Batch;

static void check_batch(Call *call, const Tensor *x, const Tensor *targets, Ints in, Ints out, int64_t blank)
{
  int64_t total = 0, n = x->shape[1];
  if (in.n != n || out.n != n)
    raise(call, "there are %lld input_lengths and %lld target_lengths for a batch of %lld", (long long)in.n,
          (long long)out.n, (long long)n);
  if (blank < 0 || blank >= x->shape[2])
    raise(call, "blank %lld is no class: there are %lld, counted from 1", (long long)blank + 1, (long long)x->shape[2]);
  if (targets->dtype != DTYPE_i64 && targets->dtype != DTYPE_i32)
    raise(call, "targets are %s; int64 positions of classes are wanted", dtype_name(tensor_dtype(targets)));
  bool rows = targets->ndim == 2 && targets->shape[0] == n;
  for (int64_t i = 0; i < n; i++) {
    if (in.v[i] < 0 || in.v[i] > x->shape[0])
      raise(call, "input_lengths: number %lld is %lld, and there are %lld steps", (long long)i + 1, (long long)in.v[i],
            (long long)x->shape[0]);
    if (out.v[i] < 0 || (rows && out.v[i] > targets->shape[1]))
      raise(call, "target_lengths: number %lld is %lld, and targets have shape %s", (long long)i + 1, (long long)out.v[i],
            shape_text(call, tensor_shape(targets)));
    total += out.v[i];
  }
  if (!rows && (targets->ndim != 1 || targets->shape[0] != total))
    raise(call, "targets have shape %s; [%lld, longest] or all in a row, [%lld], is wanted",
          shape_text(call, tensor_shape(targets)), (long long)n, (long long)total);
}

static Batch batch_of(Call *call, Tensor *x, Tensor *targets, Ints in, Ints out, int64_t blank)
{
  Tensor *t = contiguous_as(call, targets, DTYPE_i64);
  Batch b = {x->shape[0], x->shape[1], x->shape[2], 1, tensor_data(contiguous_as(call, x, DTYPE_f64)), tensor_data(t),
             t->ndim == 2 ? t->shape[1] : 0, in, out, blank};
  const int64_t *target = b.targets;
  for (int64_t n = 0; n < b.sequences; n++) {
    for (int64_t i = 0; i < out.v[n]; i++)
      if (target[i] < 1 || target[i] > b.classes)
        raise(call, "target %lld is no class: there are %lld, counted from 1", (long long)target[i], (long long)b.classes);
    if (2 * out.v[n] + 1 > b.longest) b.longest = 2 * out.v[n] + 1;
    target += b.row ? b.row : out.v[n];
  }
  return b;
}

static double *likelihoods(Call *call, const Batch *b)
{
  return tensor_data(tensor_new(call, DTYPE_f64, DEVICE_CPU, INTS(b->steps, b->longest)));
}

/* Sequence n, with alpha filled in; the targets before it are as long as `before`. */
static Sequence sequence_of(const Batch *b, int64_t n, int64_t before, double *alpha)
{
  Sequence s = {b->input_lengths.v[n], 2 * b->target_lengths.v[n] + 1, b->blank,
                b->targets + (b->row ? n * b->row : before), b->probs + n * b->classes, b->sequences * b->classes, alpha,
                NULL};
  if (s.steps) fill_alpha(&s);
  return s;
}

FORWARD(ctc_losses)
{
  Tensor *x = a->log_probs;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), INTS(x->shape[1]));
  if (y[0]->device == DEVICE_META) return;
  Batch b = batch_of(call, x, a->targets, a->input_lengths, a->target_lengths, a->blank);
  Tensor *losses = tensor_new(call, DTYPE_f64, DEVICE_CPU, INTS(b.sequences));
  double *alpha = likelihoods(call, &b), *loss = tensor_data(losses);
  for (int64_t n = 0, before = 0; n < b.sequences; before += b.target_lengths.v[n++]) {
    Sequence s = sequence_of(&b, n, before, alpha);
    loss[n] = loss_of(&s);
    if (a->zero_infinity && loss[n] == INFINITY) loss[n] = 0;
  }
  launch_copy(call, y[0], losses);
}

BACKWARD(ctc_losses)
{
  GRAD(log_probs) = op(ctc_gradient, dy[0], a->log_probs, a->targets, a->input_lengths, a->target_lengths, a->blank,
                       a->zero_infinity);
}

/* dx of one sequence: dy times e^p less the likelihood of all ways through a class, of the whole. */
static void sequence_gradient(const Batch *b, Sequence *s, double dy, bool zero_infinity, double *ways, double *dx)
{
  double loss = loss_of(s);
  if (s->steps == 0 || (zero_infinity && loss == INFINITY)) return;
  fill_beta(s);
  for (int64_t t = 0; t < s->steps; t++) {
    const double *p = s->probs + t * s->step;
    for (int64_t c = 0; c < b->classes; c++) ways[c] = -INFINITY;
    for (int64_t i = 0; i < s->states; i++) {
      int64_t c = label_of(s, i);
      ways[c] = log_add(ways[c], s->alpha[t * s->states + i] + s->beta[t * s->states + i]);
    }
    for (int64_t c = 0; c < b->classes; c++)
      dx[t * s->step + c] = (exp(p[c]) - (ways[c] == -INFINITY && loss != INFINITY ? 0 : exp(ways[c] + loss - p[c]))) * dy;
  }
}

FORWARD(ctc_gradient)
{
  Tensor *x = a->log_probs;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  if (y[0]->device == DEVICE_META) return;
  Batch b = batch_of(call, x, a->targets, a->input_lengths, a->target_lengths, a->blank);
  Tensor *dx = tensor_new(call, DTYPE_f64, DEVICE_CPU, tensor_shape(x)), *dy = contiguous_as(call, a->dy, DTYPE_f64);
  double *alpha = likelihoods(call, &b), *beta = likelihoods(call, &b);
  double *ways = tensor_data(tensor_new(call, DTYPE_f64, DEVICE_CPU, INTS(b.classes)));
  launch_fill(call, dx, scalar_int(0));
  for (int64_t n = 0, before = 0; n < b.sequences; before += b.target_lengths.v[n++]) {
    Sequence s = sequence_of(&b, n, before, alpha);
    s.beta = beta;
    sequence_gradient(&b, &s, ((double *)tensor_data(dy))[n], a->zero_infinity, ways,
                      (double *)tensor_data(dx) + n * b.classes);
  }
  launch_copy(call, y[0], dx);
}

BACKWARD(ctc_gradient)
{
  if (WANTS(dy) || WANTS(log_probs)) raise(call, "its gradient has no gradient of its own");
}

/* -------------------------------------------------------------- what is public */

static Tensor *ctc_loss(Call *call, const struct ctc_loss_args *a)
{
  Tensor *x = a->log_probs, *targets = a->targets;
  bool single = x->ndim == 2;
  if (x->ndim != 2 && x->ndim != 3)
    raise(call, "log_probs has shape %s; [steps, batch, classes] or [steps, classes] is wanted",
          shape_text(call, tensor_shape(x)));
  if (!dtype_is_floating(tensor_dtype(x))) raise(call, "log_probs is %s; a floating point tensor is wanted",
                                                 dtype_name(tensor_dtype(x)));
  if (single) x = op(unsqueeze, x, 1);
  check_batch(call, x, targets, a->input_lengths, a->target_lengths, a->blank);
  Tensor *losses = op(ctc_losses, x, targets, a->input_lengths, a->target_lengths, a->blank, a->zero_infinity);
  if (strcmp(a->reduction, "mean") == 0) {
    Tensor *lengths = tensor_new(call, DTYPE_f64, DEVICE_CPU, INTS(x->shape[1]));
    for (int64_t i = 0; i < lengths->numel; i++)
      ((double *)tensor_data(lengths))[i] = a->target_lengths.v[i] > 0 ? (double)a->target_lengths.v[i] : 1;
    lengths = op(to_device, lengths, device_of(x), tensor_dtype(x), false, false);
    return op(mean, op(div, losses, lengths), NO_INTS, false, DTYPE_NONE);
  }
  if (strcmp(a->reduction, "sum") == 0) return op(sum, losses, NO_INTS, false, DTYPE_NONE);
  if (strcmp(a->reduction, "none") != 0)
    raise(call, "reduction is \"%s\"; it is \"none\", \"mean\" or \"sum\"", a->reduction);
  return single ? op(reshape, losses, ((Ints){NULL, 0})) : losses;
}

FORWARD(ctc_loss) { y[0] = ctc_loss(call, a); }

/* A tensor of lengths as a list. */
static Ints lengths_in(Call *call, Tensor *t, const char *name)
{
  if (t->device == DEVICE_META) raise(call, "%s on the meta device have no numbers", name);
  if (!dtype_is_integral(tensor_dtype(t)) || t->ndim > 1)
    raise(call, "%s are %s of shape %s; a vector of integers is wanted", name, dtype_name(tensor_dtype(t)),
          shape_text(call, tensor_shape(t)));
  return arena_ints(call->ctx, tensor_data(contiguous_as(call, t, DTYPE_i64)), t->numel);
}

FORWARD(ctc_loss_tensor)
{
  y[0] = ctc_loss(call, &(struct ctc_loss_args){a->log_probs, a->targets,
                                                lengths_in(call, a->input_lengths, "input_lengths"),
                                                lengths_in(call, a->target_lengths, "target_lengths"), a->blank,
                                                a->reduction, a->zero_infinity});
}
