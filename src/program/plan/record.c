/* Recording: a plan's steps and values from ops as they run. */
#include <stdarg.h>
#include <string.h>

#include "core/text.h"
#include "launch/look.h"
#include "ops/table/ops.h"
#include "program/plan/record.h"
#include "program/shaped.h"

void plan_record_refuse(PlanRecord *r, const char *format, ...)
{
  if (r->reason[0]) return;
  char line[REASON_TEXT / 2] = "";
  if (r->line) r->line(r->ctx, line, sizeof line);
  int used = text_format(r->reason, sizeof r->reason, "%s", line);
  va_list arguments;
  va_start(arguments, format);
  text_vformat(r->reason + used, sizeof r->reason - (size_t)used, format, arguments);
  va_end(arguments);
}

void plan_record_bound(PlanRecord *r, int32_t steps) { r->most_steps = steps; }

const char *plan_record_reason(const PlanRecord *r) { return r->reason[0] ? r->reason : NULL; }

bool plan_record_is_older(const PlanRecord *r, const Tensor *t)
{
  for (const Tensor *young = r->ctx->live; young && young != r->newest; young = young->next_live)
    if (young == t) return false;
  return true;
}

/* ------------------------------------------------------------------- values */

int32_t value_of_storage(const PlanRecord *r, const Storage *s)
{
  const int32_t v = pointer_map_find(&r->storages, s);
  return v >= 0 && r->plan->values[v].seen->storage == s ? v : -1;
}

/* Whether a tensor of now has memory that the recording doesn't know and that others hold than tensors of now, such as
   views of it: x.data of one from outside. */
static bool shows_what_is_outside(const PlanRecord *r, const Tensor *t)
{
  if (!t->storage || t->storage->refs == 1 || value_of_storage(r, t->storage) >= 0) return false;
  int64_t holders = 0;
  for (const Tensor *young = r->ctx->live; young && young != r->newest; young = young->next_live)
    holders += young->storage == t->storage;
  return holders < t->storage->refs;
}

int32_t record_value(Call *call, PlanRecord *r, Tensor *t, PlanKind kind, int32_t step)
{
  Plan *plan = r->plan;
  int32_t root = t->storage ? value_of_storage(r, t->storage) : -1;
  PlanValue value = {.kind = (uint8_t)kind, .step = step, .next = -1};
  value.root = root >= 0 ? root : plan->nvalues;
  if (root >= 0) {
    const Tensor *base = plan->values[root].seen;
    value.shift = t->offset * (int64_t)dtype_size(tensor_dtype(t))
                  - base->offset * (int64_t)dtype_size(tensor_dtype(base));
    value.kind = plan->values[root].kind;
    value.next = plan->values[root].next;
    plan->values[root].next = plan->nvalues;
    if (t->dtype != base->dtype && value.kind != PLAN_RESULT)
      plan_record_refuse(r, "memory of the inputs is seen as of another dtype");
  }
  int32_t v = plan_value_new(plan, value);
  plan->values[v].seen = tensor_retain(t);
  tensor_map_set(call, &r->values, t, v);
  if (root < 0 && t->storage) pointer_map_set(call, &r->storages, t->storage, v);
  if (root < 0 && kind == PLAN_RESULT) record_hold(r, v);
  return v;
}

/* A tensor that no op of the recording made: it was there before, or Lua made it of numbers. */
static int32_t captured(Call *call, PlanRecord *r, Tensor *t)
{
  bool is_older = plan_record_is_older(r, t) && !t->is_wrapped_number;
  if (!is_older && shows_what_is_outside(r, t)) plan_record_refuse(r, "memory of a tensor from outside is seen anew");
  if (t->device == DEVICE_META) plan_record_refuse(r, "a meta tensor is read");
  int32_t v = record_value(call, r, t, is_older ? PLAN_CAPTURED : PLAN_CONSTANT, -1);
  PlanValue *value = &r->plan->values[v];
  if (is_older && value->kind != PLAN_CAPTURED) plan_record_refuse(r, "an input shares its memory with another tensor");
  value->is_header = value->root != v && !is_older; /* x.data */
  if (!value->is_header) value->now = tensor_retain(t);
  value->is_constant = value->kind == PLAN_CONSTANT;
  return v;
}

int32_t record_value_of(Call *call, PlanRecord *r, Tensor *t)
{
  int32_t v = tensor_map_find(&r->values, t);
  return v >= 0 ? v : captured(call, r, t);
}

/* ---------------------------------------------------------------- arguments */

static int32_t count_tensors(const Op *op, const void *args)
{
  const OpPlan *p = op_plan(op);
  int64_t n = 0;
  for (int i = 0; i < p->ntensors; i++) {
    const void *place = (const char *)args + p->tensors[i].offset;
    n += p->tensors[i].is_list ? ((const Tensors *)place)->n : 1;
  }
  return (int32_t)n;
}

/* A tensor without elements, or a number. */
static int32_t form_of(Call *call, PlanRecord *r, Tensor *t)
{
  Tensor *form = t->is_wrapped_number ? t : tensor_ghost(call, t);
  plan_record_constant(call, r, form);
  return tensor_map_find(&r->values, form);
}

void record_operand(Call *call, PlanRecord *r, PlanStep *s, Tensor **place)
{
  if (*place) s->operands[s->noperands++] = (PlanOperand){place, record_value_of(call, r, *place)};
}

/* The same of the next argument, of which only the form may be wanted: has_elements, NULL: not so, says it. */
static void add_argument(Call *call, PlanRecord *r, PlanStep *s, Tensor **place, const bool **has_elements)
{
  bool has = !*has_elements || *(*has_elements)++;
  if (has) record_operand(call, r, s, place);
  else if (*place) s->operands[s->noperands++] = (PlanOperand){place, form_of(call, r, *place)};
}

void record_arguments(Call *call, PlanRecord *r, PlanStep *s, const void *args, const bool *has_elements, int32_t room)
{
  const Op *op = s->op;
  const OpPlan *p = op_plan(op);
  s->args = plan_allocate(r->plan, op->args_size);
  memcpy(s->args, args, op->args_size);
  if (p->points) args_copy_pointed(op, s->args, plan_allocate(r->plan, args_pointed_bytes(op, args) + 8));
  s->operands = plan_allocate(r->plan, (size_t)(count_tensors(op, args) + room) * sizeof *s->operands);
  for (int i = 0; i < p->ntensors; i++) {
    void *place = (char *)s->args + p->tensors[i].offset;
    if (!p->tensors[i].is_list) {
      add_argument(call, r, s, place, &has_elements);
      continue;
    }
    Tensors *list = place;
    Tensor **copy = plan_allocate(r->plan, (size_t)(list->n + 1) * sizeof *copy);
    for (int64_t k = 0; k < list->n; k++) copy[k] = list->v[k];
    list->v = copy;
    for (int64_t k = 0; k < list->n; k++) add_argument(call, r, s, &copy[k], &has_elements);
  }
}

/* ------------------------------------------------------------------ refusing */

/* Whether a tensor's elements are the same at every run. */
static bool is_constant(const PlanRecord *r, const Tensor *t)
{
  int32_t v = tensor_map_find(&r->values, t);
  if (v < 0 && t->is_wrapped_number) return true;
  if (v < 0 && (plan_record_is_older(r, t) || shows_what_is_outside(r, t))) return false;
  if (v < 0 && t->storage) v = value_of_storage(r, t->storage);
  if (v < 0) return true;
  return r->plan->values[v].is_constant && r->plan->values[r->plan->values[v].root].is_constant;
}

static bool operands_are_constant(const PlanRecord *r, const PlanStep *s)
{
  bool all = true;
  for (int32_t i = 0; i < s->noperands && all; i++) all = is_constant(r, r->plan->values[s->operands[i].value].seen);
  return all;
}

static void beside(Recorder *recorder, const Tensor *t, const char *what)
{
  PlanRecord *r = (PlanRecord *)recorder;
  if (r->reason[0]) return;
  if (!t) plan_record_refuse(r, "%s does what a program can't", what);
  else if (!is_constant(r, t)) plan_record_refuse(r, "%s reads elements that depend on the inputs", what);
}

static void looks(Recorder *recorder, Call *call, const void *args)
{
  if (call->op->forms & TELLS_LOOKS) return;
  const OpPlan *p = op_plan(call->op);
  for (int i = 0; i < p->ntensors; i++) {
    const void *place = (const char *)args + p->tensors[i].offset;
    Tensors list = p->tensors[i].is_list ? *(const Tensors *)place : (Tensors){(Tensor **)(uintptr_t)place, 1};
    for (int64_t k = 0; k < list.n; k++)
      if (list.v[k]) beside(recorder, list.v[k], call->op->name);
  }
}

static bool differs(const void *record, const Tensor *t) { return !is_constant(record, t); }

/* Why a step can't be part of a plan, or NULL. */
static const char *problem_of(const PlanRecord *r, const PlanStep *s, const Call *call)
{
  const Op *op = s->op;
  if (r->ctx->host.state != r->state) return "runs in another coroutine";
  if (r->ctx->transforms) return "runs within nl.func's functions";
  if (r->ctx->grad_enabled && !r->grad_enabled) return "runs where gradients are enabled inside";
  if (call->device != DEVICE_CPU && !r->recorder.forms_only) return "runs on the meta device";
  for (int i = 0; i < op->nargs; i++) {
    const void *argument = (const char *)s->args + op->args[i].offset;
    if (op->args[i].kind == ARG_GENERATOR && *(Generator *const *)argument) return "draws from a generator of its own";
    if (op->args[i].kind == ARG_DEVICE && *(const Device *)argument == DEVICE_META) return "makes a meta tensor";
  }
  if (op == as_strided_row && s->noperands > 0) {
    const PlanValue *root = &r->plan->values[r->plan->values[s->operands[0].value].root];
    if (root->kind == PLAN_INPUT || root->kind == PLAN_CAPTURED) return "takes its places from the whole memory";
  }
  if (shaped_by_elements(op, s->args, differs, r)) return "has a shape that depends on elements of its operands";
  return NULL;
}

/* ------------------------------------------------------------------- steps */

/* At which place the call asked for a result, counted from 1; 0: it made it otherwise. */
static uint8_t place_asked_for(const Call *call, const Tensor *t)
{
  for (int k = 0; k < call->planned->n; k++)
    if (call->planned->results[k] == t) return (uint8_t)(k + 1);
  return 0;
}

void record_results(Call *call, PlanRecord *r, PlanStep *s, Tensors results, int32_t step)
{
  s->results = plan_allocate(r->plan, (size_t)(results.n + 1) * sizeof *s->results);
  s->nresults = (int32_t)results.n;
  s->is_view = results.n > 0;
  bool constant = !s->special && !op_plan(s->op)->draws && operands_are_constant(r, s);
  for (int64_t i = 0; i < results.n; i++) {
    Tensor *t = results.v[i];
    int32_t v = tensor_map_find(&r->values, t);
    if (v < 0) {
      v = record_value(call, r, t, PLAN_RESULT, step);
      r->plan->values[v].noted = place_asked_for(call, t);
      r->plan->values[v].is_constant = constant;
    } else if (s->in_place && !constant) {
      r->plan->values[v].is_constant = r->plan->values[r->plan->values[v].root].is_constant = false;
    }
    s->results[i] = v;
    s->is_view &= r->plan->values[v].root != v || r->plan->values[v].step != step;
  }
}

/* The node that runs, in the plan's memory: the one of the step before where it is the same. */
static const char *node_of_step(const PlanRecord *r)
{
  Plan *plan = r->plan;
  const char *node = r->ctx->node, *last = plan->nsteps > 0 ? plan->steps[plan->nsteps - 1].node : NULL;
  if (!node || (last && strcmp(last, node) == 0)) return node ? last : NULL;
  size_t bytes = strlen(node) + 1;
  return memcpy(plan_allocate(plan, bytes), node, bytes);
}

PlanStep *record_step(PlanRecord *r, const Call *call)
{
  const char *node = node_of_step(r);
  PlanStep *s = plan_step_new(r->plan);
  s->node = node;
  s->op = s->shown = call->op;
  for (const Call *outer = call; outer; outer = outer->parent)
    if (outer->op) s->shown = outer->op;
  return s;
}

static void record_op(Call *call, PlanRecord *r, const void *args, Tensor *into, Tensors results)
{
  int32_t step = r->plan->nsteps;
  PlanStep *s = record_step(r, call);
  s->in_place = into != NULL;
  record_arguments(call, r, s, args, NULL, 1);
  if (r->ctx->grad_enabled || r->ctx->inference) r->plan->is_apart = false;
  const char *problem = problem_of(r, s, call);
  if (problem) {
    plan_record_refuse(r, "%s %s", call->op->name, problem);
    return;
  }
  record_results(call, r, s, results, step);
  for (int64_t i = 0; i < results.n; i++) /* a new leaf */
    if (!into && results.v[i]->requires_grad && !plan_record_is_older(r, results.v[i])) r->asks = true;
  if (s->in_place) s->is_view = false;
}

static void ran(Recorder *recorder, Call *call, const void *args, Tensor *into, Tensors results)
{
  PlanRecord *r = (PlanRecord *)recorder;
  Entry entry;
  if (r->reason[0]) return;
  if (r->plan->nsteps >= r->most_steps) {
    if (recorder->forms_only) raise(call, "more than %d steps are too many for a plan", r->most_steps);
    plan_record_refuse(r, "there are more than %d steps", r->most_steps);
    return;
  }
  if (!ENTER(record_busy(r), &entry)) {
    record_drop(r);
    return;
  }
  record_op(call, r, args, into, results);
  record_let_go(call, r);
  record_done(r, &entry);
}

PlanStep *record_deed(Call *call, PlanRecord *r, const PlanSpecial *special, Tensor **tensors, int64_t n)
{
  PlanStep *s = record_step(r, call);
  s->special = special;
  s->operands = plan_allocate(r->plan, ((size_t)n + 1) * sizeof *s->operands);
  s->results = plan_allocate(r->plan, sizeof *s->results); /* for one */
  for (int64_t i = 0; i < n; i++) record_operand(call, r, s, &tensors[i]);
  return s;
}

/* -------------------------------------------------------------------- checks */

/* A check that is made again at each run: of the tensor that its only operand stands for. */
typedef struct Check {
  Tensor *t;
  ElementCheck *check;
  const char *text;
} Check;

static void run_check(Call *call, Plan *plan, PlanStep *s)
{
  (void)plan;
  const Check *c = s->data;
  Call shown = {.ctx = call->ctx, .op = s->shown};
  c->check(&shown, c->t, c->text);
}

static const PlanSpecial check_special = {.name = "check", .run = run_check};

static void record_check(Call *call, PlanRecord *r, Tensor *t, ElementCheck *check, const char *text)
{
  if (is_constant(r, t)) return;
  Check *c = plan_allocate(r->plan, sizeof *c);
  size_t bytes = strlen(text) + 1;
  *c = (Check){t, check, memcpy(plan_allocate(r->plan, bytes), text, bytes)};
  record_deed(call, r, &check_special, &c->t, 1)->data = c;
}

RECORDS(checked, record_check, Tensor *t AND ElementCheck *check AND const char *text, t, check, text)

/* -------------------------------------------------------------------- memory */

Context *record_busy(PlanRecord *r)
{
  r->busy = true;
  return r->ctx;
}

void record_done(PlanRecord *r, const Entry *entry)
{
  r->ctx->entry = entry->outer; /* what was made goes with the op's scope */
  r->busy = false;
}

static void free_recorded(PlanRecord *r)
{
  tensor_map_free(r->ctx, &r->values);
  tensor_map_free(r->ctx, &r->gradients);
  pointer_map_free(r->ctx, &r->storages);
  if (r->plan) plan_free(r->plan);
  r->plan = NULL;
}

void record_drop(PlanRecord *r)
{
  r->busy = false;
  plan_record_refuse(r, "there was no memory for a recording");
  free_recorded(r);
}

static bool give_up(Recorder *recorder)
{
  PlanRecord *r = (PlanRecord *)recorder;
  if (r->busy || !r->plan) return false;
  record_drop(r);
  return true;
}

/* ------------------------------------------------------------------ records */

static void open_plan(Call *call, PlanRecord *r, Tensor *const *inputs, int32_t n)
{
  r->plan = core_allocate(r->ctx, sizeof *r->plan);
  *r->plan = (Plan){.ctx = r->ctx, .is_apart = r->grad_enabled};
  Plan *plan = r->plan;
  plan->inputs = plan_allocate(plan, (size_t)(n + 1) * sizeof *plan->inputs);
  plan->ninputs = n;
  for (int32_t i = 0; i < n; i++) {
    int32_t v = tensor_map_find(&r->values, inputs[i]);
    plan->inputs[i] = v >= 0 ? v : record_value(call, r, inputs[i], PLAN_INPUT, -1);
    if (v >= 0 || value_is_view(plan, plan->inputs[i])) plan_record_refuse(r, "two inputs share their memory");
  }
}

PlanRecord *plan_record_open(Call *call, Tensor *const *inputs, int32_t n, bool forms_only, PlanLine line)
{
  Context *ctx = call->ctx;
  Entry entry;
  PlanRecord *r = core_allocate(ctx, sizeof *r);
  *r = (PlanRecord){
    .recorder =
      {.forms_only = forms_only, .ran = ran, .looks = looks, .beside = beside, .checked = checked, .give_up = give_up},
    .ctx = ctx,
    .state = ctx->host.state,
    .line = line,
    .most_steps = INT32_MAX};
  r->grad_enabled = ctx->grad_enabled;
  r->sequence = ctx->sequence;
  record_training(&r->recorder);
  r->newest = tensor_retain(ctx->live);
  if (!ENTER(ctx, &entry)) {
    plan_record_free(r);
    raise_again(ctx);
  }
  open_plan(call, r, inputs, n);
  entry_leave(ctx, &entry);
  r->open = true;
  ctx->recorder = &r->recorder;
  return r;
}

void plan_record_constant(Call *call, PlanRecord *r, Tensor *t)
{
  if (r->reason[0] || tensor_map_find(&r->values, t) >= 0) return;
  int32_t v = record_value(call, r, t, PLAN_CONSTANT, -1); /* which may move all values */
  PlanValue *value = &r->plan->values[v];
  value->now = tensor_retain(t);
  value->is_constant = true;
}

void plan_record_close(PlanRecord *r)
{
  if (r->open) r->ctx->recorder = NULL;
  r->open = false;
}

void plan_record_free(PlanRecord *r)
{
  plan_record_close(r);
  free_recorded(r);
  tensor_release(r->newest);
  memory_free(&r->ctx->memory, r, sizeof *r);
}

/* Constants that are changed in place would be others at the next run. */
static bool changes_constants(const Plan *plan)
{
  for (int32_t i = 0; i < plan->nsteps; i++)
    if (plan->steps[i].in_place && plan->values[plan->steps[i].results[0]].kind == PLAN_CONSTANT) return true;
  return false;
}

/* The forms of inputs and captured tensors, to compare with. */
static void note_forms(Call *call, Plan *plan)
{
  plan->captured = plan_allocate(plan, (size_t)(plan->nvalues + 1) * sizeof *plan->captured);
  plan->stamps = plan_allocate(plan, (size_t)(plan->nvalues + 1) * sizeof *plan->stamps);
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (value->step >= 0 || value->kind > PLAN_CAPTURED || value->is_header) continue;
    value->form = tensor_retain(tensor_ghost(call, value->seen));
    value->history = plan_history_of(value->seen);
    if (value->kind == PLAN_CAPTURED) plan->captured[plan->ncaptured++] = v;
  }
}

Plan *plan_record_finish(Call *call, PlanRecord *r, Tensor *const *outputs, int32_t n)
{
  plan_record_close(r);
  Plan *plan = r->plan;
  if (r->reason[0]) return NULL;
  plan->outputs = plan_allocate(plan, (size_t)(n + 1) * sizeof *plan->outputs);
  plan->noutputs = n;
  for (int32_t i = 0; i < n; i++) {
    int32_t v = record_value_of(call, r, outputs[i]);
    plan->outputs[i] = v;
    const PlanValue *root = &plan->values[plan->values[v].root];
    const PlanKind kind = root->kind;
    if (plan->values[v].is_header || (outputs[i]->is_unversioned && !root->seen->is_unversioned))
      plan_record_refuse(r, "x.data is returned, or a view of it");
    if (plan->trains && outputs[i]->base && (kind == PLAN_INPUT || kind == PLAN_CAPTURED))
      plan_record_refuse(r, "a view of what was there before is returned, which a run makes without its history");
    if (kind == PLAN_CONSTANT)
      plan_record_refuse(r, "a tensor made of numbers is returned, which is to be another one each time");
  }
  for (int32_t i = 0; i < n; i++) plan->is_apart &= !tensor_requires_grad(outputs[i]);
  plan->histories = plan_allocate(plan, (size_t)(n + 1) * sizeof *plan->histories);
  for (int32_t i = 0; i < n; i++)
    if (plan->values[plan->outputs[i]].kind == PLAN_RESULT) plan->histories[i] = record_history(call, r, outputs[i]);
  if (r->asks && !plan->trains) plan_record_refuse(r, "it changes itself what gradients are wanted of");
  if (changes_constants(plan)) plan_record_refuse(r, "a tensor made of numbers is changed in place");
  if (r->reason[0]) return NULL;
  note_forms(call, plan);
  plan_survey(plan);
  r->plan = NULL;
  return plan;
}
