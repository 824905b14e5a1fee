/* Constants, dead code, and what is kept from run to run. */
#include <string.h>

#include "program/passes/passes.h"

/* ------------------------------------------------------------------- questions */

/* Whether a step does nothing but compute its results. */
static bool is_pure(const PlanStep *s) { return !s->in_place && !s->special && !op_plan(s->op)->draws; }

static const PlanValue *root_of(const Plan *plan, int32_t v) { return &plan->values[plan->values[v].root]; }

/* Whether the memory that a step's results lie in is written by that step alone, and stays inside. */
static bool results_stay(const Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->nresults; k++) {
    const PlanValue *root = root_of(plan, s->results[k]);
    if (root->is_written || root->leaves) return false;
  }
  return true;
}

/* Whether each of a step's results is its own, not an operand. */
static bool makes_results(const Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->nresults; k++)
    if (plan->values[s->results[k]].step != s - plan->steps) return false;
  return true;
}

bool pass_is_timeless(const Plan *plan, const PlanStep *s)
{
  if (!is_pure(s) || !results_stay(plan, s) || !makes_results(plan, s)) return false;
  for (int32_t k = 0; k < s->noperands; k++)
    if (root_of(plan, s->operands[k].value)->is_written) return false;
  return true;
}

/* -------------------------------------------------------------------- constants */

static void make_constant(PlanValue *value, int32_t v)
{
  value->kind = PLAN_CONSTANT;
  value->root = v;
  value->step = -1;
  value->shift = 0;
  value->now = tensor_retain(value->seen);
}

void pass_constants(Call *call, Plan *plan)
{
  (void)call;
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    bool constant = is_pure(s) && results_stay(plan, s) && makes_results(plan, s);
    for (int32_t k = 0; k < s->nresults && constant; k++) constant = plan->values[s->results[k]].is_constant;
    if (!constant) continue;
    for (int32_t k = 0; k < s->nresults; k++) make_constant(&plan->values[s->results[k]], s->results[k]);
    s->is_gone = true;
  }
  plan_compact(plan);
}

/* -------------------------------------------------------------------- dead code */

static bool is_read(const Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->nresults; k++)
    if (plan->values[s->results[k]].readers > 0) return true;
  return false;
}

void pass_dead(Call *call, Plan *plan)
{
  (void)call;
  plan_survey(plan);
  for (int32_t i = plan->nsteps - 1; i >= 0; i--) {
    PlanStep *s = &plan->steps[i];
    if (!is_pure(s) || is_read(plan, s)) continue;
    for (int32_t k = 0; k < s->noperands; k++) plan->values[s->operands[k].value].readers--;
    s->is_gone = true;
  }
  plan_compact(plan);
}

/* ------------------------------------------------------------------------- kept */

bool pass_is_lasting(const Plan *plan, int32_t v)
{
  const PlanValue *value = &plan->values[v], *root = root_of(plan, v);
  if (root->is_written) return false;
  if (value->step >= 0 && root->leaves) return false; /* a view that leaves is made at each run */
  if (value->kind == PLAN_CONSTANT || value->kind == PLAN_CAPTURED) return true;
  return value->kind == PLAN_RESULT && root->step >= 0 && plan->steps[root->step].is_kept;
}

void pass_kept(Call *call, Plan *plan)
{
  (void)call;
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    bool kept = s->noperands > 0 && !s->is_view && pass_is_timeless(plan, s);
    for (int32_t k = 0; k < s->noperands && kept; k++) kept = pass_is_lasting(plan, s->operands[k].value);
    if (kept) plan_keep(plan, s);
  }
}

/* ----------------------------------------------------------------------- packed */

/* The weight of a product or convolution that is packed before it is used, by its name among the row's arguments. */
static const char *weight_name(const Op *op)
{
  static const char *const rows[][2] = {{"linear", "weight"}, {"convolve", "weight"}, {"convolve_input", "weight"},
                                        {"mm", "mat2"},       {"addmm", "mat2"},      {"recurrent_layer", "w_hh"},
                                        {"int_mm", "mat2"},   {"onnx_byte_conv", "w"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(op->row, rows[i][0]) == 0) return rows[i][1];
  return NULL;
}

/* The value at an argument of a name. */
static int32_t value_at(const PlanStep *s, const char *name)
{
  for (int i = 0; i < s->op->nargs; i++) {
    if (strcmp(s->op->args[i].name, name) != 0) continue;
    for (int32_t k = 0; k < s->noperands; k++)
      if ((const char *)s->operands[k].place == (const char *)s->args + s->op->args[i].offset)
        return s->operands[k].value;
  }
  return -1;
}

void pass_packed(Call *call, Plan *plan)
{
  (void)call;
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    const char *name = s->in_place || s->special || s->is_kept ? NULL : weight_name(s->op);
    int32_t weight = name ? value_at(s, name) : -1;
    if (weight < 0 || !pass_is_lasting(plan, weight)) continue;
    s->weight = weight;
    s->packed = plan_allocate(plan, sizeof *s->packed);
    s->packed->chunks = &plan->chunks;
  }
}
