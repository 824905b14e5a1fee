/* What files of ONNX write out in rows of arithmetic becomes rows of their own: activations, and frequent powers. */
#include <string.h>

#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "program/passes/passes.h"

/* Whether a value is a number that never changes, and which needn't be known to all its digits. */
static bool is_number(const Plan *plan, int32_t v, double number)
{
  const PlanValue *value = &plan->values[v];
  if (value->kind != PLAN_CONSTANT || value->root != v || !value->now || value->now->numel != 1) return false;
  if (!dtype_is_floating(tensor_dtype(value->now)) && !value->now->is_wrapped_number) return false;
  const double difference = scalar_real(tensor_item(value->now)) - number;
  return difference <= 1e-7 && difference >= -1e-7;
}

/* The step of a row that makes a value; of an inner one, which nothing but the pattern reads. -1 if it is another. */
static int32_t made_by(const Plan *plan, int32_t v, const char *row, bool is_inner)
{
  const PlanValue *value = &plan->values[v];
  if (value->root != v || value->step < 0 || value->is_written) return -1;
  if (is_inner && (value->readers != 1 || value->leaves)) return -1;
  const PlanStep *s = &plan->steps[value->step];
  const bool fits = !s->in_place && !s->special && !s->is_kept && !s->is_gone && s->noperands == 2;
  return fits && strcmp(s->op->row, row) == 0 ? value->step : -1;
}

/* The operand beside one that is a number; -1 if none is that. */
static int32_t beside_number(const Plan *plan, int32_t step, double number)
{
  if (step < 0) return -1;
  const PlanOperand *o = plan->steps[step].operands;
  return is_number(plan, o[1].value, number) ? o[0].value : is_number(plan, o[0].value, number) ? o[1].value : -1;
}

/* Steps that go, and what is left of them: y = row(x). */
typedef struct Pattern {
  int32_t steps[4], x;
  int n;
} Pattern;

/* The value that a row makes of another one and a number, as the next step outwards of a pattern; returns the other. */
static int32_t inside(const Plan *plan, Pattern *p, int32_t v, const char *row, double number)
{
  const int32_t step = v < 0 ? -1 : made_by(plan, v, row, true), other = beside_number(plan, step, number);
  if (other >= 0) p->steps[p->n++] = step;
  return other;
}

/* v = clip(x + 3, 0, 6) */
static bool is_clipped(const Plan *plan, Pattern *p, int32_t v)
{
  v = inside(plan, p, v, "minimum", 6);
  v = inside(plan, p, v, "maximum", 0);
  const int32_t sum = v;
  p->x = inside(plan, p, v, "add", 3);
  if (p->x < 0) return false;
  const struct add_args *a = plan->steps[plan->values[sum].step].args;
  return scalar_equals(a->alpha, 1);
}

/* v = x * clip(x + 3, 0, 6) */
static bool is_times_clipped(const Plan *plan, Pattern *p, int32_t v)
{
  const int32_t step = v < 0 ? -1 : made_by(plan, v, "mul", true);
  for (int k = 0; k < 2 && step >= 0; k++) {
    const PlanOperand *o = plan->steps[step].operands;
    *p = (Pattern){.n = 0};
    if (is_clipped(plan, p, o[k].value) && p->x == o[1 - k].value) {
      p->steps[p->n++] = step;
      return true;
    }
  }
  return false;
}

/* Whether a step is the last one of x * clip(x + 3, 0, 6) / 6. */
static bool is_hardswish(const Plan *plan, Pattern *p, int32_t step)
{
  const PlanStep *s = &plan->steps[step];
  const int32_t y = s->nresults == 1 ? s->results[0] : -1;
  if (y < 0 || (made_by(plan, y, "div", false) < 0 && made_by(plan, y, "mul", false) < 0)) return false;
  const bool divides = strcmp(s->op->row, "div") == 0;
  if (divides && !is_number(plan, s->operands[1].value, 6)) return false;
  if (!is_times_clipped(plan, p, beside_number(plan, step, divides ? 6 : 1.0 / 6))) return false;
  const PlanValue *root = &plan->values[plan->values[p->x].root]; /* it is read later than it was */
  if (root->is_written || (plan->trains && root->kind != PLAN_RESULT)) return false;
  const Tensor *from = plan->values[p->x].seen, *to = plan->values[y].seen;
  return from && to && from->dtype == to->dtype && dtype_is_floating(tensor_dtype(to)) && tensor_same_shape(from, to);
}

static void put_row(Plan *plan, PlanStep *s, const Pattern *p)
{
  struct hardswish_args *args = plan_allocate(plan, sizeof *args);
  s->op = s->shown = op_find("hardswish");
  s->args = args;
  s->operands = plan_allocate(plan, sizeof *s->operands);
  s->operands[0] = (PlanOperand){&args->x, p->x};
  s->noperands = 1;
  for (int i = 0; i < p->n; i++) plan->steps[p->steps[i]].is_gone = true;
}

/* Whether a step is a power with one of the exponents that have kernels of their own, in a tensor that is constant. */
static bool is_frequent_power(const Plan *plan, const PlanStep *s)
{
  static const double frequent[] = {2, 3, 0.5, -0.5, -1};
  if (plan->trains || s->is_gone || s->in_place || s->special || s->noperands != 2) return false;
  if (strcmp(s->op->row, "pow") != 0) return false;
  const Tensor *x = plan->values[s->operands[0].value].seen, *exponent = plan->values[s->operands[1].value].seen;
  if (!x || !exponent || exponent->ndim > 0 || exponent->is_wrapped_number || exponent->dtype != x->dtype) return false;
  if (!dtype_is_floating(tensor_dtype(x))) return false;
  for (size_t i = 0; i < sizeof frequent / sizeof *frequent; i++)
    if (is_number(plan, s->operands[1].value, frequent[i])) return true;
  return false;
}

/* An exponent that is a number, which rows look at, in the place of one that is a tensor. */
static void put_number(Call *call, Plan *plan, const PlanStep *s)
{
  Tensor *t = tensor_from_number(call, tensor_item(plan->values[s->operands[1].value].now));
  const PlanValue value = {.kind = PLAN_CONSTANT, .root = plan->nvalues, .step = -1, .is_constant = true};
  const int32_t v = plan_value_new(plan, value);
  plan->values[v].now = tensor_retain(t);
  plan->values[v].seen = tensor_retain(t);
  s->operands[1].value = v;
}

void pass_activations(Call *call, Plan *plan)
{
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    Pattern p;
    if (is_hardswish(plan, &p, i)) put_row(plan, &plan->steps[i], &p);
    if (is_frequent_power(plan, &plan->steps[i])) put_number(call, plan, &plan->steps[i]);
  }
  plan_compact(plan);
}
