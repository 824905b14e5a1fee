/* Batch norm that doesn't train, multiplied into the convolution, or transposed one, before it. */
#include <string.h>

#include "ops/math/arithmetic.h"
#include "ops/nn/batch_layer_norm.h"
#include "ops/nn/conv.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/ops.h"
#include "program/passes/passes.h"

enum { MOST_FACTORS = 8, FACTORS_OF_STEP = 3 };

typedef enum FactorKind { FACTOR_ADDED, FACTOR_TAKEN, FACTOR_MULTIPLIED } FactorKind;

/* What becomes of a convolution's result, channel by channel, as the step that makes the new weight and bias. */
typedef struct Fold {
  int n, rows; /* the weight's dimension of the result's channels */
  uint8_t kinds[MOST_FACTORS];
  Tensor *weight, *bias, *factors[MOST_FACTORS]; /* the operands */
} Fold;

/* A number for each channel, or one for all, as a vector. */
static Tensor *as_vector(Call *call, Tensor *t) { return op(reshape, t, INTS(t->numel)); }

static Tensor *bias_after(Call *call, const Fold *f, Tensor *bias)
{
  for (int i = 0; i < f->n; i++) {
    Tensor *t = as_vector(call, f->factors[i]);
    if (f->kinds[i] == FACTOR_MULTIPLIED) bias = bias ? op(mul, bias, t) : NULL;
    else if (f->kinds[i] == FACTOR_TAKEN) bias = bias ? op(sub, bias, t, scalar_int(1)) : op(neg, t);
    else bias = bias ? op(add, bias, t, scalar_int(1)) : t;
  }
  return bias;
}

/* Within the result: there is no room for a weight in between. */
static void make_weight(Call *call, const Fold *f, Tensor *y)
{
  int64_t shape[MAX_DIMS] = {0};
  for (int i = 0; i < y->ndim; i++) shape[i] = 1;
  op_(copy, y, f->weight, false);
  for (int i = 0; i < f->n; i++) {
    if (f->kinds[i] != FACTOR_MULTIPLIED) continue;
    shape[f->rows] = f->factors[i]->numel;
    op_(mul, y, op(reshape, f->factors[i], ((Ints){shape, y->ndim})));
  }
}

static void run_fold(Call *call, Plan *plan, PlanStep *s)
{
  const Fold *f = s->data;
  make_weight(call, f, plan->values[s->results[0]].now);
  Tensor *bias = bias_after(call, f, f->bias), *y = plan->values[s->results[1]].now;
  if (bias) op_(copy, y, bias, false);
  else op_(zero, y);
}

static const PlanSpecial fold_special = {.name = "folded batch_norm", .run = run_fold};

static Tensor **place_of(const PlanStep *s, const char *name)
{
  for (int i = 0; i < s->op->nargs; i++)
    if (strcmp(s->op->args[i].name, name) == 0) return (Tensor **)(void *)((char *)s->args + s->op->args[i].offset);
  return NULL;
}

static int32_t value_in(const PlanStep *s, Tensor *const *place)
{
  for (int32_t k = 0; k < s->noperands; k++)
    if (s->operands[k].place == place) return s->operands[k].value;
  return -1;
}

/* ---------------------------------------------------------------------- matching */

/* Whether x is a number for each channel of y, or one for all. */
static bool is_by_channel(const Tensor *y, const Tensor *x)
{
  if (x->numel == 1) return true;
  const int channel = x->ndim - y->ndim + 1;
  return channel >= 0 && x->ndim <= y->ndim && x->shape[channel] == y->shape[1] && x->numel == y->shape[1];
}

/* What is done to a value, one after the other, by operands that last. */
typedef struct Factors {
  int n;
  uint8_t kinds[FACTORS_OF_STEP];
  int32_t values[FACTORS_OF_STEP];
} Factors;

static bool is_factor(const Plan *plan, const Tensor *y, int32_t factor)
{
  const Tensor *x = plan->values[factor].seen;
  return pass_is_lasting(plan, factor) && is_by_channel(y, x) && (x->dtype == y->dtype || x->is_wrapped_number);
}

/* A row that adds, takes away or multiplies, channel by channel. */
static Factors factor_of_arithmetic(const Plan *plan, const PlanStep *s, int32_t value)
{
  static const char *const rows[] = {"add", "sub", "mul"};
  size_t row = 0;
  while (row < 3 && strcmp(s->op->row, rows[row]) != 0) row++;
  if (row == 3 || s->noperands != 2) return (Factors){0};
  bool first = s->operands[0].value == value;
  int32_t factor = s->operands[first].value;
  if (factor == value || (!first && row == FACTOR_TAKEN) || !is_factor(plan, plan->values[value].seen, factor))
    return (Factors){0};
  if (row != FACTOR_MULTIPLIED && !scalar_equals(((const struct add_args *)s->args)->alpha, 1)) return (Factors){0};
  return (Factors){1, {(uint8_t)row}, {factor}};
}

/* (input - mean) * scale + shift, as batch norm has it in one. */
static Factors factors_of_map(const Plan *plan, const PlanStep *s, int32_t value)
{
  const struct channel_map_args *a = s->args;
  Factors f = {0};
  if (value_in(s, &a->input) != value) return f;
  Tensor *const *places[] = {&a->mean, &a->scale, &a->shift};
  static const uint8_t kinds[] = {FACTOR_TAKEN, FACTOR_MULTIPLIED, FACTOR_ADDED};
  for (int i = 0; i < FACTORS_OF_STEP; i++) {
    int32_t factor = value_in(s, places[i]);
    if (factor < 0) continue;
    const Tensor *x = plan->values[factor].seen, *y = plan->values[value].seen;
    if (!pass_is_lasting(plan, factor) || x->dtype != y->dtype || x->numel != y->shape[1]) return (Factors){0};
    f.kinds[f.n] = kinds[i];
    f.values[f.n++] = factor;
  }
  return f;
}

/* What a step does to a value; none if it does anything else. */
static Factors factors_of(const Plan *plan, const PlanStep *s, int32_t value)
{
  const PlanValue *result = &plan->values[s->results[0]];
  const Tensor *y = plan->values[value].seen;
  bool fits = !s->in_place && !s->is_kept && !s->special && s->nresults == 1 && !result->is_written && result->seen
              && tensor_same_shape(result->seen, y) && result->seen->dtype == y->dtype
              && shape_equal(tensor_strides(result->seen), tensor_strides(y));
  if (!fits) return (Factors){0};
  return strcmp(s->op->row, "channel_map") == 0 ? factors_of_map(plan, s, value) : factor_of_arithmetic(plan, s, value);
}

/* For each value that steps read one that does. */
static int32_t *list_readers(Call *call, const Plan *plan)
{
  int32_t *readers = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *readers);
  for (int32_t v = 0; v < plan->nvalues; v++) readers[v] = -1;
  for (int32_t i = 0; i < plan->nsteps; i++)
    for (int32_t k = 0; k < plan->steps[i].noperands; k++) readers[plan->steps[i].operands[k].value] = i;
  return readers;
}

/* The one step that reads a value, if nothing else does; -1. */
static int32_t only_reader(const Plan *plan, const int32_t *readers, int32_t v)
{
  const PlanValue *value = &plan->values[v];
  if (value->readers != 1 || value->leaves || value->is_written || value->root != v || readers[v] < 0) return -1;
  return plan->steps[readers[v]].is_gone ? -1 : readers[v];
}

/* ----------------------------------------------------------------------- folding */

static int32_t new_result(Call *call, Plan *plan, const Tensor *like, Ints shape, int32_t step)
{
  Tensor *t = tensor_new(call, tensor_dtype(like), DEVICE_META, shape), *ghost = tensor_ghost(call, t);
  const PlanValue value = {.kind = PLAN_RESULT, .root = plan->nvalues, .step = step, .noted = 1};
  const int32_t v = plan_value_new(plan, value);
  plan->values[v].seen = tensor_retain(t);
  plan->values[v].form = tensor_retain(ghost);
  return v;
}

/* The step that makes the new weight and bias; returns its number. */
static int32_t add_fold(Call *call, Plan *plan, const Fold *draft, int32_t weight, int32_t bias, const int32_t *factors)
{
  int32_t at = plan->nsteps;
  PlanStep *s = plan_step_new(plan);
  Fold *f = plan_allocate(plan, sizeof *f);
  *f = *draft;
  s->op = s->shown = op_find("mul");
  s->special = &fold_special;
  s->data = f;
  s->operands = plan_allocate(plan, (MOST_FACTORS + 2) * sizeof *s->operands);
  s->operands[s->noperands++] = (PlanOperand){&f->weight, weight};
  if (bias >= 0) s->operands[s->noperands++] = (PlanOperand){&f->bias, bias};
  for (int i = 0; i < f->n; i++) s->operands[s->noperands++] = (PlanOperand){&f->factors[i], factors[i]};
  s->results = plan_allocate(plan, 2 * sizeof *s->results);
  s->nresults = 2;
  const Tensor *w = plan->values[weight].seen;
  int32_t made[2] = {new_result(call, plan, w, tensor_shape(w), at),
                     new_result(call, plan, w, INTS(w->shape[f->rows]), at)};
  memcpy(plan->steps[at].results, made, sizeof made);
  plan_keep(plan, &plan->steps[at]);
  return at;
}

static void give_operand(Plan *plan, PlanStep *s, Tensor **place, int32_t value)
{
  for (int32_t k = 0; k < s->noperands; k++)
    if (s->operands[k].place == place) {
      s->operands[k].value = value;
      return;
    }
  PlanOperand *more = plan_allocate(plan, (size_t)(s->noperands + 1) * sizeof *more);
  memcpy(more, s->operands, (size_t)s->noperands * sizeof *more);
  more[s->noperands++] = (PlanOperand){place, value};
  s->operands = more;
}

static void fold_into(Call *call, Plan *plan, const int32_t *readers, int32_t at)
{
  PlanStep *conv = &plan->steps[at];
  int32_t weight = value_in(conv, place_of(conv, "weight")), bias = value_in(conv, place_of(conv, "bias"));
  if (!pass_is_lasting(plan, weight) || (bias >= 0 && !pass_is_lasting(plan, bias))) return;
  Fold f = {.rows = strcmp(conv->op->row, "convolve_input") == 0};
  int32_t factors[MOST_FACTORS], gone[MOST_FACTORS], result = conv->results[0], last = result;
  int ngone = 0;
  for (int32_t reader; (reader = only_reader(plan, readers, last)) >= 0 && f.n + FACTORS_OF_STEP <= MOST_FACTORS;) {
    Factors more = factors_of(plan, &plan->steps[reader], last);
    if (more.n == 0) break;
    memcpy(f.kinds + f.n, more.kinds, (size_t)more.n);
    memcpy(factors + f.n, more.values, (size_t)more.n * sizeof *factors);
    f.n += more.n;
    gone[ngone++] = reader;
    last = plan->steps[reader].results[0];
  }
  if (f.n == 0) return;
  int32_t made = add_fold(call, plan, &f, weight, bias, factors);
  conv = &plan->steps[at];
  give_operand(plan, conv, place_of(conv, "weight"), plan->steps[made].results[0]);
  give_operand(plan, conv, place_of(conv, "bias"), plan->steps[made].results[1]);
  for (int i = 0; i < ngone; i++) plan->steps[gone[i]].is_gone = true;
  conv->results[0] = last;
  plan->values[last].step = at;
  plan->values[last].noted = plan->values[result].noted;
}

/* Of transposed ones only those without groups, whose weight has the channels of all groups in one dimension. */
static bool is_convolution(const PlanStep *s)
{
  if (strcmp(s->op->row, "convolve_input") == 0) return ((const struct convolve_input_args *)s->args)->groups == 1;
  return strcmp(s->op->row, "convolve") == 0;
}

void pass_batch_norm(Call *call, Plan *plan)
{
  plan_survey(plan);
  const int32_t n = plan->nsteps, *readers = list_readers(call, plan);
  for (int32_t i = 0; i < n; i++) {
    const PlanStep *s = &plan->steps[i];
    if (!s->special && !s->is_kept && !s->in_place && is_convolution(s)) fold_into(call, plan, readers, i);
  }
  plan_compact(plan);
}
