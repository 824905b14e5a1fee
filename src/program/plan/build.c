/* Steps and values of a plan: making, counting and replacing them. */
#include <stdlib.h>
#include <string.h>

#include "launch/math/chain.h"
#include "program/plan/plan.h"

void *plan_allocate(Plan *plan, size_t bytes)
{
  return memset(blocks_allocate(plan->ctx, &plan->blocks, bytes), 0, bytes);
}

/* A list with room for one more. */
static void *grown(Plan *plan, void *list, int32_t n, int32_t *room, size_t size)
{
  if (n < *room) return list;
  int32_t larger = *room ? 2 * *room : 64;
  void *copy = plan_allocate(plan, (size_t)larger * size);
  if (n) memcpy(copy, list, (size_t)n * size);
  *room = larger;
  return copy;
}

int32_t plan_value_new(Plan *plan, PlanValue value)
{
  plan->values = grown(plan, plan->values, plan->nvalues, &plan->values_room, sizeof value);
  plan->values[plan->nvalues] = value;
  return plan->nvalues++;
}

PlanStep *plan_step_new(Plan *plan)
{
  plan->steps = grown(plan, plan->steps, plan->nsteps, &plan->steps_room, sizeof *plan->steps);
  memset(&plan->steps[plan->nsteps], 0, sizeof *plan->steps);
  return &plan->steps[plan->nsteps++];
}

/* What a special step does to the memory of what it gets and makes. */
static void survey_special(Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->noperands && s->special->writes; k++)
    plan->values[plan->values[s->operands[k].value].root].is_written = plan->changes = true;
  if (!s->special->hands_out) return;
  PlanValue *last = &plan->values[s->operands[s->noperands - 1].value];
  last->leaves = plan->values[last->root].leaves = true;
  for (int32_t k = 0; k < s->nresults; k++)
    plan->values[s->results[k]].leaves = plan->values[s->results[k]].is_written = true;
}

/* What x.data lies in is read with it: no step makes it a view of that. */
static void count_reader(Plan *plan, int32_t v)
{
  plan->values[v].readers++;
  if (plan->values[v].is_header) plan->values[plan->values[v].root].readers++;
}

void plan_survey(Plan *plan)
{
  for (int32_t v = 0; v < plan->nvalues; v++) {
    plan->values[v].readers = 0;
    plan->values[v].is_written = plan->values[v].leaves = false;
  }
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (s->is_gone) continue;
    for (int32_t k = 0; k < s->noperands; k++) count_reader(plan, s->operands[k].value);
    if (s->special) survey_special(plan, s);
    if (!s->in_place) continue;
    PlanValue *root = &plan->values[plan->values[s->results[0]].root];
    root->is_written = true;
    plan->changes |= root->kind != PLAN_RESULT;
  }
  for (int32_t i = 0; i < plan->noutputs; i++) {
    PlanValue *value = &plan->values[plan->outputs[i]];
    value->readers++;
    value->leaves = plan->values[value->root].leaves = true;
  }
}

void plan_compact(Plan *plan)
{
  int32_t n = 0;
  for (int32_t i = 0; i < plan->nsteps; i++) {
    if (plan->steps[i].is_gone) continue;
    if (n != i) plan->steps[n] = plan->steps[i];
    for (int32_t k = 0; k < plan->steps[n].nresults && !plan->steps[n].in_place; k++)
      if (plan->values[plan->steps[n].results[k]].step == i) plan->values[plan->steps[n].results[k]].step = n;
    n++;
  }
  plan->nsteps = n;
}

void plan_keep(Plan *plan, PlanStep *s)
{
  s->is_kept = plan->keeps = true;
  for (int32_t k = 0; k < s->noperands; k++) {
    PlanValue *value = &plan->values[s->operands[k].value], *root = &plan->values[value->root];
    if (root->kind == PLAN_CAPTURED) root->is_stamped = true;
    if (value->kind == PLAN_CAPTURED) value->is_stamped = true; /* it may be given other memory than its root's */
  }
}

void plan_free(Plan *plan)
{
  Context *ctx = plan->ctx;
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (s->special && s->special->free) s->special->free(plan, s);
    if (s->then) chain_free(s->then->chain);
    if (s->packed) tensor_release(s->packed->memory);
  }
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    tensor_release(value->seen);
    tensor_release(value->form);
    if (value->kind != PLAN_INPUT || value->is_header) {
      if (value->home != HOME_NEW || value->step < 0 || value->is_header) tensor_release(value->now);
    }
  }
  for (int32_t i = 0; i < plan->noutputs && plan->histories; i++) node_release(plan->histories[i]);
  tensor_release(plan->arena);
  chunks_close(&plan->chunks);
  blocks_free(ctx, plan->blocks);
  memory_free(&ctx->memory, plan, sizeof *plan);
}
