/* Chains of pointwise rows become tails of products and convolutions, which run them on each part of their result as
   it is made, while the cache has it (PlannedChain). */
#include <string.h>

#include "program/passes/chain_step.h"

/* Rows that run what follows on parts of their result. */
static bool runs_tails(const Op *op)
{
  static const char *const rows[] = {"linear", "mm", "addmm", "convolve", "convolve_input"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(op->row, rows[i]) == 0) return true;
  return false;
}

bool pass_takes_tail(const Plan *plan, int32_t v)
{
  const PlanValue *value = &plan->values[v];
  if (value->kind != PLAN_RESULT || value->root != v || value->step < 0 || !value->noted || !value->seen) return false;
  if (value->readers != 1 || value->leaves || value->is_written || !value->seen->is_contiguous) return false;
  const PlanStep *s = &plan->steps[value->step];
  if (s->is_gone || s->is_kept || s->in_place || s->special || s->then) return false;
  if (!runs_tails(s->op)) return false;
  return tensor_dtype(value->seen) == DTYPE_f32 || tensor_dtype(value->seen) == DTYPE_f64;
}

static bool changes_memory(const PlanStep *s)
{
  if (!s->special) return s->in_place;
  return s->special->changes_memory || s->special->writes || s->special->hands_out;
}

/* Whether all else that a chain reads is there before a step, and stays what it is until the chain's own turn. */
static bool can_run_at(const Plan *plan, const PlanStep *chain, int32_t own, int32_t at)
{
  for (int32_t k = 0; k < chain->noperands; k++) {
    const int32_t v = chain->operands[k].value;
    if (v != own && plan->values[plan->values[v].root].step >= at) return false;
  }
  for (int32_t i = at; plan->steps + i < chain; i++)
    if (changes_memory(&plan->steps[i])) return false;
  return true;
}

/* The operand of a chain in whose place its result can be made, by the step that makes it; -1. */
static int32_t place_for(const Plan *plan, const PlanStep *chain)
{
  const PlanValue *y = &plan->values[chain->results[0]];
  for (int32_t k = 0; k < chain->noperands; k++) {
    const int32_t v = chain->operands[k].value;
    const PlanValue *x = &plan->values[v];
    if (pass_takes_tail(plan, v) && x->seen->dtype == y->seen->dtype && tensor_same_shape(x->seen, y->seen)
        && can_run_at(plan, chain, v, x->step))
      return k;
  }
  return -1;
}

/* Moves a chain to the step that makes its operand k. */
static void join(Plan *plan, PlanStep *chain, int32_t k)
{
  const int32_t at = plan->values[chain->operands[k].value].step, y = chain->results[0];
  PlanStep *s = &plan->steps[at];
  ChainStep *data = chain->data;
  PlanOperand *operands = plan_allocate(plan, (size_t)(s->noperands + chain->noperands) * sizeof *operands);
  memcpy(operands, s->operands, (size_t)s->noperands * sizeof *operands);
  for (int32_t i = 0; i < chain->noperands; i++)
    if (i != k) operands[s->noperands++] = chain->operands[i];
  s->operands = operands;
  s->then = plan_allocate(plan, sizeof *s->then);
  *s->then = (PlannedChain){.chain = data->chain, .operands = data->operands, .result = k};
  s->results[0] = y;
  plan->values[y].step = at;
  plan->values[y].noted = plan->values[chain->operands[k].value].noted;
  chain->special = NULL; /* what it would free is the other step's now */
  chain->is_gone = true;
}

void pass_tails(Call *call, Plan *plan)
{
  (void)call;
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (s->special != &chain_special || s->nresults != 1) continue;
    const int32_t k = place_for(plan, s);
    if (k >= 0) join(plan, s, k);
  }
  plan_compact(plan);
}
