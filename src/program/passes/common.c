/* What is computed twice is computed once: numbers and steps that are the same are found by a hash. */
#include <string.h>

#include "program/hash.h"
#include "program/passes/passes.h"

/* --------------------------------------------------------------------- the same */

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

/* ------------------------------------------------------------------------ hashes */

static uint64_t hash_scalar(uint64_t hash, Scalar x)
{
  double parts[] = {x.re, x.kind == SCALAR_COMPLEX ? x.im : 0};
  if (x.kind <= SCALAR_INT) return hash_mixed(hash_mixed(hash, (uint64_t)x.kind), (uint64_t)x.i);
  return hash_bytes(hash_mixed(hash, (uint64_t)x.kind), parts, sizeof parts);
}

/* Of what same_argument compares. */
static uint64_t hash_argument(uint64_t hash, const ArgSpec *spec, const char *a)
{
  const Ints *list = (const Ints *)(const void *)a;
  const char *text;
  switch (argument_holds(spec)) {
    case HOLDS_TENSOR:
    case HOLDS_TENSORS: return hash;
    case POINTS_TO_LIST: return list->n <= 0 ? hash : hash_bytes(hash, list->v, (size_t)list->n * sizeof *list->v);
    case POINTS_TO_TEXT: text = *(const char *const *)a; return text ? hash_bytes(hash, text, strlen(text)) : hash;
    default: break;
  }
  if (spec->kind == ARG_SCALAR) return hash_scalar(hash, *(const Scalar *)(const void *)a);
  return hash_bytes(hash, a, bytes_of_value(spec->kind));
}

static uint64_t hash_step(const PlanStep *s)
{
  uint64_t hash = (uintptr_t)s->op;
  for (int32_t k = 0; k < s->noperands; k++) hash = hash_mixed(hash, (uint64_t)s->operands[k].value);
  for (int i = 0; i < s->op->nargs; i++)
    hash = hash_argument(hash, &s->op->args[i], (const char *)s->args + s->op->args[i].offset);
  return hash;
}

/* Lists of numbers by hash: of those with one hash each leads to the one that was added before it. */
typedef struct Lists {
  int32_t *last, *before; /* -1: none */
  size_t mask;
} Lists;

static Lists new_lists(Call *call, int32_t n)
{
  Lists lists = {.mask = 1};
  while (lists.mask < (size_t)n) lists.mask *= 2;
  lists.last = arena_allocate(call->ctx, lists.mask * sizeof *lists.last);
  lists.before = arena_allocate(call->ctx, (size_t)(n + 1) * sizeof *lists.before);
  memset(lists.last, -1, lists.mask-- * sizeof *lists.last);
  return lists;
}

static int32_t first_of(const Lists *lists, uint64_t hash) { return lists->last[hash >> 20 & lists->mask]; }

static void add_to_list(Lists *lists, uint64_t hash, int32_t number)
{
  int32_t *last = &lists->last[hash >> 20 & lists->mask];
  lists->before[number] = *last;
  *last = number;
}

/* ----------------------------------------------------------------------- joining */

static bool is_number(const PlanValue *value)
{
  return value->kind == PLAN_CONSTANT && value->step < 0 && value->now && value->now->is_wrapped_number;
}

static bool same_number(const Tensor *a, const Tensor *b)
{
  return a->dtype == b->dtype && same_scalar(tensor_item(a), tensor_item(b));
}

/* Operands that are the same number become one value, so that what is made of them is told to be the same. `by` has
   for each value the one that stands for it. */
static void join_numbers(Call *call, const Plan *plan, int32_t *by)
{
  Lists lists = new_lists(call, plan->nvalues);
  for (int32_t v = 0; v < plan->nvalues; v++) {
    const Tensor *number = plan->values[v].now;
    by[v] = v;
    if (!is_number(&plan->values[v])) continue;
    const uint64_t hash = hash_scalar(number->dtype, tensor_item(number));
    int32_t u = first_of(&lists, hash);
    while (u >= 0 && !same_number(plan->values[u].now, number)) u = lists.before[u];
    if (u >= 0) by[v] = u;
    else add_to_list(&lists, hash, v);
  }
}

/* The step before that a step is the same as, of those that are timeless as it is; -1. */
static int32_t same_before(const Plan *plan, Lists *lists, int32_t step)
{
  const PlanStep *s = &plan->steps[step];
  const uint64_t hash = hash_step(s);
  int32_t k = first_of(lists, hash);
  while (k >= 0 && !same_steps(&plan->steps[k], s)) k = lists->before[k];
  if (k < 0) add_to_list(lists, hash, step);
  return k;
}

/* Outputs and what is a view of values that others stand for now; the steps' operands are theirs already. */
static void rename_values(Plan *plan, const int32_t *by)
{
  for (int32_t i = 0; i < plan->noutputs; i++) plan->outputs[i] = by[plan->outputs[i]];
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (value->root == v || by[value->root] == value->root) continue;
    const PlanValue *other = &plan->values[by[value->root]];
    value->root = other->root;
    value->shift += other->shift;
  }
}

void pass_common(Call *call, Plan *plan)
{
  int32_t *by = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *by);
  Lists lists = new_lists(call, plan->nsteps);
  join_numbers(call, plan, by);
  plan_survey(plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    for (int32_t k = 0; k < s->noperands; k++) s->operands[k].value = by[s->operands[k].value];
    const int32_t before = pass_is_timeless(plan, s) ? same_before(plan, &lists, i) : -1;
    if (before < 0) continue;
    for (int32_t r = 0; r < s->nresults; r++) by[s->results[r]] = plan->steps[before].results[r];
    s->is_gone = true;
  }
  rename_values(plan, by);
  plan_compact(plan);
}
