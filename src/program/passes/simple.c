/* Constants, dead code, common code, and what is kept from run to run. */
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

/* ------------------------------------------------------------------ common code */

static bool same_scalar(Scalar a, Scalar b)
{
  if (a.kind != b.kind) return false;
  if (a.kind <= SCALAR_INT) return a.i == b.i;
  return memcmp(&a.re, &b.re, sizeof a.re) == 0 && (a.kind != SCALAR_COMPLEX || memcmp(&a.im, &b.im, sizeof a.im) == 0);
}

static bool same_list(const Ints *a, const Ints *b)
{
  return a->n == b->n && (a->n <= 0 || memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v) == 0);
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static size_t bytes_of_value(ArgKind kind)
{
  switch (kind) {
    case ARG_BOOL: return sizeof(bool);
    case ARG_OPT_BOOL: return sizeof(int8_t);
    case ARG_TYPE: return sizeof(DType);
    case ARG_DEVICE: return sizeof(Device);
    case ARG_REAL: return sizeof(double);
    default: return sizeof(int64_t);
  }
}

/* Whether one argument, which holds no tensors, is the same in both; those that do are told by their operands. */
static bool same_argument(const ArgSpec *spec, const char *a, const char *b)
{
  switch (argument_holds(spec)) {
    case HOLDS_TENSOR: return !*(Tensor *const *)a == !*(Tensor *const *)b;
    case HOLDS_TENSORS: return ((const Tensors *)a)->n == ((const Tensors *)b)->n;
    case POINTS_TO_LIST: return same_list((const Ints *)a, (const Ints *)b);
    case POINTS_TO_TEXT: return same_text(*(const char *const *)a, *(const char *const *)b);
    default: break;
  }
  if (spec->kind == ARG_SCALAR) return same_scalar(*(const Scalar *)a, *(const Scalar *)b);
  return memcmp(a, b, bytes_of_value(spec->kind)) == 0;
}

static bool same_steps(const PlanStep *a, const PlanStep *b)
{
  if (a->op != b->op || a->noperands != b->noperands || a->nresults != b->nresults) return false;
  for (int32_t k = 0; k < a->noperands; k++)
    if (a->operands[k].value != b->operands[k].value) return false;
  for (int i = 0; i < a->op->nargs; i++) {
    const ArgSpec *spec = &a->op->args[i];
    if (!same_argument(spec, (const char *)a->args + spec->offset, (const char *)b->args + spec->offset)) return false;
  }
  return true;
}

/* Whether it doesn't matter when a step runs: what it reads and makes is never changed. */
static bool is_timeless(const Plan *plan, const PlanStep *s)
{
  if (!is_pure(s) || !results_stay(plan, s) || !makes_results(plan, s)) return false;
  for (int32_t k = 0; k < s->noperands; k++)
    if (root_of(plan, s->operands[k].value)->is_written) return false;
  return true;
}

/* Operands that are the same number become one value, so that what is made of them is told to be the same. */
static void join_numbers(Plan *plan)
{
  for (int32_t v = 0; v < plan->nvalues; v++) {
    const PlanValue *value = &plan->values[v];
    if (value->kind != PLAN_CONSTANT || value->step >= 0 || !value->now || !value->now->is_wrapped_number) continue;
    for (int32_t u = 0; u < v; u++) {
      const PlanValue *other = &plan->values[u];
      if (other->kind != PLAN_CONSTANT || other->step >= 0 || !other->now || !other->now->is_wrapped_number) continue;
      if (other->now->dtype != value->now->dtype || !same_scalar(tensor_item(other->now), tensor_item(value->now)))
        continue;
      plan_replace(plan, v, u);
      break;
    }
  }
}

void pass_common(Call *call, Plan *plan)
{
  (void)call;
  join_numbers(plan);
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (!is_timeless(plan, s)) continue;
    for (int32_t k = 0; k < i; k++) {
      PlanStep *before = &plan->steps[k];
      if (before->is_gone || !same_steps(before, s) || !is_timeless(plan, before)) continue;
      for (int32_t r = 0; r < s->nresults; r++) plan_replace(plan, s->results[r], before->results[r]);
      s->is_gone = true;
      break;
    }
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
    bool kept = s->noperands > 0 && !s->is_view && is_timeless(plan, s);
    for (int32_t k = 0; k < s->noperands && kept; k++) kept = pass_is_lasting(plan, s->operands[k].value);
    if (kept) plan_keep(plan, s);
  }
}

/* ----------------------------------------------------------------------- packed */

/* The weight of a product or convolution that is packed before it is used, by its name among the row's arguments. */
static const char *weight_name(const Op *op)
{
  static const char *const rows[][2] = {{"linear", "weight"}, {"convolve", "weight"}, {"convolve_input", "weight"},
                                        {"mm", "mat2"},       {"addmm", "mat2"},      {"recurrent_layer", "w_hh"}};
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
