/*
 * Connectionist temporal classification, by the forward-backward algorithm: Graves, Fernández, Gomez and Schmidhuber,
 * ICML 2006, equations 6 to 15. A target's states are its labels with a blank before, between and behind them; alpha is
 * the likelihood of all ways into a state, beta that of all ways on, both with the state's own step.
 */
#include "launch/nn/ctc.h"

#include <math.h>

#include "core/shape.h"
#include "launch/launch.h"
#include "launch/look.h"

/* One sequence; likelihoods are logarithms. */
typedef struct Sequence {
  int64_t steps, states, blank;
  const int64_t *target; /* from 1 */
  const double *probs;   /* of a step's classes, which lie side by side */
  int64_t step;          /* from one step to the next */
  double *alpha, *beta;  /* [steps, states] */
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

/* A batch: its sequences share the room for likelihoods, so there is one item. */
typedef struct Batch {
  int64_t steps, sequences, classes;
  int64_t row; /* from one target to the next; 0: they follow each other */
  const int64_t *input_lengths, *target_lengths;
  int64_t blank;
  bool zero_infinity;
  double *alpha, *beta, *ways; /* beta and ways for gradients only */
} Batch;

/* Raises on a label that is no class. */
static void check_ctc_labels(Call *call, const Batch *b, const int64_t *target)
{
  for (int64_t n = 0; n < b->sequences; n++) {
    int64_t length = b->target_lengths[n];
    for (int64_t i = 0; i < length; i++)
      if (target[i] < 1 || target[i] > b->classes)
        raise(call, "target %lld is no class: there are %lld, counted from 1", (long long)target[i],
              (long long)b->classes);
    target += b->row ? b->row : length;
  }
}

void check_ctc_lengths(Call *call, const Tensor *x, const Tensor *labels, Ints in, Ints out)
{
  const int64_t n = x->shape[1];
  const bool rows = labels->ndim == 2 && labels->shape[0] == n;
  int64_t total = 0;
  for (int64_t i = 0; i < n; i++) {
    if (in.v[i] < 0 || in.v[i] > x->shape[0])
      raise(call, "input_lengths: number %lld is %lld, and there are %lld steps", (long long)i + 1, (long long)in.v[i],
            (long long)x->shape[0]);
    if (out.v[i] < 0 || (rows && out.v[i] > labels->shape[1]) || out.v[i] > INT64_MAX - total)
      raise(call, "target_lengths: number %lld is %lld, and targets have shape %s", (long long)i + 1,
            (long long)out.v[i], shape_text(call, tensor_shape(labels)));
    total += out.v[i];
  }
  if (!rows && (labels->ndim != 1 || labels->shape[0] != total))
    raise(call, "targets have shape %s; [%lld, longest] or all in a row, [%lld], is wanted",
          shape_text(call, tensor_shape(labels)), (long long)n, (long long)total);
}

/* The elements of a vector of lengths. */
static Ints lengths_in(Call *call, Tensor *t, const char *name)
{
  if (!can_look(t)) raise(call, "%s on the meta device have no numbers", name);
  return (Ints){tensor_data(contiguous_as(call, t, DTYPE_i64)), t->numel};
}

static Batch batch_of(Call *call, const Tensor *x, CtcTargets *t, bool zero_infinity)
{
  const Ints in = lengths_in(call, t->input_lengths, "input_lengths");
  const Ints out = lengths_in(call, t->target_lengths, "target_lengths");
  if (!can_look(t->labels)) raise(call, "targets on the meta device have no numbers");
  check_ctc_lengths(call, x, t->labels, in, out);
  t->labels = contiguous_as(call, t->labels, DTYPE_i64);
  Batch b = {.steps = x->shape[0],
             .sequences = x->shape[1],
             .classes = x->shape[2],
             .row = t->labels->ndim == 2 ? t->labels->shape[1] : 0,
             .input_lengths = in.v,
             .target_lengths = out.v,
             .blank = t->blank,
             .zero_infinity = zero_infinity};
  check_ctc_labels(call, &b, tensor_data(t->labels));
  return b;
}

/* Room for the likelihoods of the longest sequence. */
static double *likelihoods(Call *call, const Batch *b, const Tensor *like)
{
  int64_t longest = 0;
  for (int64_t n = 0; n < b->sequences; n++)
    if (b->target_lengths[n] > longest) longest = b->target_lengths[n];
  return tensor_data(new_beside(call, like, DTYPE_f64, INTS(b->steps, 2 * longest + 1)));
}

/* Sequence n, with alpha filled in; the targets before it are as long as `before`. */
static Sequence sequence_of(const Batch *b, const double *probs, const int64_t *labels, int64_t n, int64_t before)
{
  Sequence s = {
    b->input_lengths[n], 2 * b->target_lengths[n] + 1, b->blank, labels + (b->row ? n * b->row : before),
    probs + n * b->classes,   b->sequences * b->classes,         b->alpha,    b->beta};
  if (s.steps) fill_alpha(&s);
  return s;
}

/* ------------------------------------------------------------------------ losses */

static void losses_of_all(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Batch *b = l->params;
  double *loss = result_at(l, 0, 0);
  for (int64_t n = 0, before = 0; n < b->sequences; before += b->target_lengths[n++]) {
    Sequence s = sequence_of(b, operand_at(l, 0, 0), operand_at(l, 1, 0), n, before);
    loss[n] = loss_of(&s);
    if (b->zero_infinity && loss[n] == INFINITY) loss[n] = 0;
  }
}

void launch_ctc(Call *call, Tensor *log_probs, const CtcTargets *targets, bool zero_infinity, Tensor *losses)
{
  static const Driver driver = {.run = losses_of_all, .results = {AS_DOUBLE}, .operands = {AS_DOUBLE, AS_INT64}};
  CtcTargets t = *targets;
  if (!launch_runs(losses)) return;
  Batch b = batch_of(call, log_probs, &t, zero_infinity);
  b.alpha = likelihoods(call, &b, losses);
  launch(call, &driver, DTYPE_f64, TENSOR_LIST(losses), TENSOR_LIST(log_probs, t.labels), (Work){1, log_probs->numel},
         &b);
}

/* --------------------------------------------------------------------- gradients */

/* dx of one sequence: dy times e^p less the likelihood of all ways through a class, of the whole. */
static void sequence_gradient(const Batch *b, const Sequence *s, double dy, double *dx)
{
  double loss = loss_of(s), *ways = b->ways;
  if (s->steps == 0 || (b->zero_infinity && loss == INFINITY)) return;
  fill_beta(s);
  for (int64_t t = 0; t < s->steps; t++) {
    const double *p = s->probs + t * s->step;
    for (int64_t c = 0; c < b->classes; c++) ways[c] = -INFINITY;
    for (int64_t i = 0; i < s->states; i++) {
      int64_t c = label_of(s, i);
      ways[c] = log_add(ways[c], s->alpha[t * s->states + i] + s->beta[t * s->states + i]);
    }
    for (int64_t c = 0; c < b->classes; c++) {
      double through = ways[c] == -INFINITY && loss != INFINITY ? 0 : exp(ways[c] + loss - p[c]);
      dx[t * s->step + c] = (exp(p[c]) - through) * dy;
    }
  }
}

static void gradients_of_all(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Batch *b = l->params;
  const double *dy = operand_at(l, 2, 0);
  double *dx = result_at(l, 0, 0);
  for (int64_t n = 0, before = 0; n < b->sequences; before += b->target_lengths[n++]) {
    Sequence s = sequence_of(b, operand_at(l, 0, 0), operand_at(l, 1, 0), n, before);
    sequence_gradient(b, &s, dy[n], dx + n * b->classes);
  }
}

void launch_ctc_backward(Call *call, Tensor *dy, Tensor *log_probs, const CtcTargets *targets, bool zero_infinity,
                         Tensor *dx)
{
  static const Driver driver = {
    .run = gradients_of_all, .results = {AS_DOUBLE | ZEROED}, .operands = {AS_DOUBLE, AS_INT64, AS_DOUBLE}};
  CtcTargets t = *targets;
  if (!launch_runs(dx)) return;
  Batch b = batch_of(call, log_probs, &t, zero_infinity);
  b.alpha = likelihoods(call, &b, dx);
  b.beta = likelihoods(call, &b, dx);
  b.ways = tensor_data(new_beside(call, dx, DTYPE_f64, INTS(b.classes)));
  launch(call, &driver, DTYPE_f64, TENSOR_LIST(dx), TENSOR_LIST(log_probs, t.labels, dy), (Work){1, dx->numel}, &b);
}
