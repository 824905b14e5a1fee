/* Running a plan. */
#include <string.h>

#include "autograd/inplace.h"
#include "autograd/node.h"
#include "core/interrupt.h"
#include "core/profiler.h"
#include "core/text.h"
#include "launch/copy.h"
#include "launch/math/chain.h"
#include "program/plan/plan.h"

/* -------------------------------------------------------------------- forms */

static bool has_form(const Tensor *t, const Tensor *form)
{
  if (t->dtype != form->dtype || t->ndim != form->ndim || t->device != DEVICE_CPU) return false;
  for (int i = 0; i < t->ndim; i++)
    if (t->shape[i] != form->shape[i] || t->strides[i] != form->strides[i]) return false;
  return t->is_wrapped_number == form->is_wrapped_number;
}

/* Whether an input lies in the memory of another, or of a captured tensor, as none did in the recording. */
static bool share_memory(const Plan *plan, Tensor *const *inputs)
{
  for (int32_t i = 0; i < plan->ninputs; i++) {
    for (int32_t k = 0; k < i; k++)
      if (inputs[i]->storage == inputs[k]->storage) return true;
    for (int32_t k = 0; k < plan->ncaptured; k++)
      if (inputs[i]->storage == plan->values[plan->captured[k]].now->storage) return true;
  }
  return false;
}

GradientHistory plan_history_of(const Tensor *t)
{
  if (!tensor_requires_grad(t)) return NO_GRADIENT;
  if (!tensor_is_leaf(t) || !t->requires_grad) return HAS_GRAPH;
  return t->carrier ? IS_HOOKED_LEAF : IS_LEAF;
}

/* Whether inputs and captured tensors have to do with gradients what they had in the recording. */
static bool have_histories(const Plan *plan, Tensor *const *inputs)
{
  for (int32_t i = 0; i < plan->ninputs; i++)
    if (plan_history_of(inputs[i]) != plan->values[plan->inputs[i]].history) return false;
  for (int32_t i = 0; i < plan->ncaptured; i++) {
    const PlanValue *value = &plan->values[plan->captured[i]];
    if (plan_history_of(value->now) != value->history) return false;
  }
  return true;
}

bool plan_fits(const Plan *plan, Tensor *const *inputs)
{
  if (plan->changes && share_memory(plan, inputs)) return false;
  if (plan->trains && !have_histories(plan, inputs)) return false;
  for (int32_t i = 0; i < plan->ninputs; i++)
    if (!has_form(inputs[i], plan->values[plan->inputs[i]].form)) return false;
  for (int32_t i = 0; i < plan->ncaptured; i++) {
    const PlanValue *value = &plan->values[plan->captured[i]];
    if (!has_form(value->now, value->form)) return false;
  }
  return true;
}

bool plan_wants_gradient(const Plan *plan, Tensor *const *inputs)
{
  for (int32_t i = 0; i < plan->ninputs; i++)
    if (tensor_requires_grad(inputs[i])) return true;
  for (int32_t i = 0; i < plan->ncaptured; i++)
    if (tensor_requires_grad(plan->values[plan->captured[i]].now)) return true;
  return false;
}

/* -------------------------------------------------------------------- steps */

int32_t plan_count_steps(const Plan *plan)
{
  int32_t n = 0;
  for (int32_t i = 0; i < plan->nsteps; i++) n += !plan->steps[i].is_kept;
  return n;
}

static void take_operands(const Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->noperands; k++) *s->operands[k].place = plan->values[s->operands[k].value].now;
}

/* The value of a result that the step itself makes, anew; NULL of others. */
static PlanValue *new_value(const Plan *plan, const PlanStep *s, int32_t k)
{
  PlanValue *value = &plan->values[s->results[k]];
  return value->home == HOME_NEW && value->step == s - plan->steps ? value : NULL;
}

/* The run's reference to a new tensor. */
static void put_in_cell(const Plan *plan, PlanValue *value, Tensor *t)
{
  value->now = t;
  plan->ctx->owned[plan->cells + (size_t)value->cell] = t;
}

/* What nothing reads any more is given back. */
static void let_go(Plan *plan, const PlanStep *s)
{
  for (int32_t i = 0; i < s->ndying; i++) {
    PlanValue *value = &plan->values[plan->dying[s->first_dying + i]];
    if (value->is_header) {
      storage_release(value->now->storage);
      value->now->storage = NULL;
    } else if (value->home == HOME_KEPT) {
      tensor_release(value->now);
      value->now = NULL;
    } else {
      Tensor **cell = &plan->ctx->owned[plan->cells + (size_t)value->cell], *t = *cell;
      *cell = NULL;
      tensor_release(t);
    }
  }
}

void plan_take_results(Call *call, Plan *plan, const PlanStep *s, Tensor *const *y, size_t mark)
{
  for (int32_t k = 0; k < s->nresults; k++) {
    PlanValue *value = &plan->values[s->results[k]];
    if (value->home == HOME_KEPT) {
      tensor_release(value->now);
      value->now = tensor_retain(y[k]);
    } else if (value->home == HOME_ARENA && y[k] != value->now) {
      launch_copy(call, value->now, y[k]);
    }
  }
  for (int32_t k = 0; k < s->nresults; k++)
    if (new_value(plan, s, k)) tensor_retain(y[k]);
  scope_release(call->ctx, mark);
  for (int32_t k = 0; k < s->nresults; k++) {
    PlanValue *value = new_value(plan, s, k);
    if (value) put_in_cell(plan, value, y[k]);
  }
  for (int32_t i = 0; i < s->nbound; i++) plan_bind(plan, plan->bound[s->first_bound + i]);
}

/* A tensor for a result of a special step that is made once. */
static Tensor *kept_result(Call *call, Plan *plan, const Tensor *form)
{
  if (form->is_contiguous) return chunk_tensor(call, &plan->chunks, tensor_dtype(form), tensor_shape(form));
  return tensor_new_strided(call, tensor_dtype(form), DEVICE_CPU, tensor_shape(form), tensor_strides(form));
}

/* Tensors for those results of a special step that have no place in the arena. */
static void new_results(Call *call, Plan *plan, const PlanStep *s)
{
  for (int32_t k = 0; k < s->nresults; k++) {
    PlanValue *value = &plan->values[s->results[k]];
    if (value->home == HOME_ARENA || (value->home == HOME_KEPT && value->now)) continue;
    const Tensor *form = value->form;
    size_t mark = call->ctx->owned_count;
    Tensor *t = value->home == HOME_KEPT
                  ? kept_result(call, plan, form)
                  : tensor_new_strided(call, tensor_dtype(form), DEVICE_CPU, tensor_shape(form), tensor_strides(form));
    value->now = tensor_retain(t);
    scope_release(call->ctx, mark);
    if (value->home == HOME_NEW) put_in_cell(plan, value, t);
  }
}

static void run_special(Call *call, Plan *plan, PlanStep *s)
{
  if (s->special->makes_results) {
    s->special->run(call, plan, s);
    return;
  }
  new_results(call, plan, s);
  s->special->run(call, plan, s);
  for (int32_t i = 0; i < s->nbound; i++) plan_bind(plan, plan->bound[s->first_bound + i]);
}

/* Views that were made of a header are views of what that lies in. */
static void tie_to_root(const Plan *plan, const PlanStep *s, Tensor *const *y)
{
  const PlanValue *of = s->noperands > 0 ? &plan->values[s->operands[0].value] : NULL;
  if (!of || !of->is_tied) return;
  for (int32_t k = 0; k < s->nresults; k++) {
    if (y[k]->base != of->now) continue;
    tensor_release(y[k]->base);
    view_tie(y[k], plan->values[of->root].now, (ViewKind)y[k]->view_kind);
  }
}

/* Through the door. Where nothing has gradients a view may still be changed in place later by what has: it is made in
   the caller's mode. */
static void run_plainly(Call *call, Plan *plan, const PlanStep *s)
{
  Context *ctx = call->ctx;
  size_t mark = ctx->owned_count;
  ctx->grad_enabled = plan->grad_outside && !plan->trains && !plan->is_apart && !s->in_place;
  Tensor *room[MAX_RESULTS], *into = s->in_place ? plan->values[s->results[0]].now : NULL;
  ctx->recording_suspended = false;
  Tensors y = dispatch(call, s->op, s->args, into, room);
  ctx->recording_suspended = true;
  ctx->grad_enabled = false;
  if (s->in_place) {
    scope_release(ctx, mark);
    return;
  }
  tie_to_root(plan, s, y.v);
  plan_take_results(call, plan, s, y.v, mark);
}

Planned plan_places(const Plan *plan, const PlanStep *s)
{
  Planned planned = {.n = 0};
  for (int32_t k = 0; k < s->nresults; k++) {
    const PlanValue *value = &plan->values[s->results[k]];
    bool is_operand = value->step != (int32_t)(s - plan->steps); /* which the step hands on as it is */
    if (is_operand || value->home != HOME_ARENA || !value->noted) continue;
    planned.results[value->noted - 1] = value->now;
    if (planned.n < value->noted) planned.n = value->noted;
  }
  return planned;
}

static PlanStamp stamp_of(const Tensor *t) { return (PlanStamp){t->storage, t->storage ? t->storage->writes : 0}; }

static bool same_stamp(PlanStamp a, PlanStamp b) { return a.storage == b.storage && a.writes == b.writes; }

/* A weight that has changed is packed anew. */
static void look_at_weight(const Plan *plan, PlanStep *s)
{
  const PlanValue *value = &plan->values[s->weight];
  PlanStamp stamp = stamp_of(value->kind == PLAN_CAPTURED ? value->now : plan->values[value->root].now);
  if (!same_stamp(stamp, s->weight_stamp)) s->packed->is_filled = false;
  s->weight_stamp = stamp;
}

static void run_row(Call *parent, Plan *plan, PlanStep *s)
{
  Context *ctx = parent->ctx;
  size_t mark = ctx->owned_count;
  Planned planned = plan_places(plan, s);
  Call shown = {.ctx = ctx, .op = s->shown};
  Call call = {.ctx = ctx, .op = s->op, .parent = &shown, .device = DEVICE_CPU, .planned = &planned};
  Tensor *room[MAX_RESULTS];
  if (s->in_place) {
    Tensor *into = call.into = plan->values[s->results[0]].now;
    s->op->forward(&call, s->args, room);
    if (room[0] != into) launch_copy(&call, into, room[0]);
    scope_release(ctx, mark);
    return;
  }
  if (s->packed) {
    look_at_weight(plan, s);
    planned.packed = s->packed;
  }
  if (s->then) {
    planned.then = s->then;
    s->then->is_done = false;
  }
  s->op->forward(&call, s->args, room);
  if (s->then && !s->then->is_done) {
    s->then->operands[s->then->result] = room[0];
    launch_chain(s->then->chain, s->then->operands, room);
  }
  plan_take_results(&call, plan, s, s->op->results == RESULTS_LIST ? call.list : room, mark);
}

static void run_untimed(Call *call, Plan *plan, PlanStep *s)
{
  take_operands(plan, s);
  if (s->special) run_special(call, plan, s);
  else if (s->is_plain) run_plainly(call, plan, s);
  else run_row(call, plan, s);
}

typedef struct ProfiledStep {
  Call *call;
  Plan *plan;
  PlanStep *step;
} ProfiledStep;

static void run_timed(void *data)
{
  const ProfiledStep *s = data;
  run_untimed(s->call, s->plan, s->step);
}

/* A step while a profile runs, called as its op. */
static __attribute__((noinline)) void run_profiled(Call *call, Plan *plan, PlanStep *s)
{
  Context *ctx = call->ctx;
  ProfileFrame frame;
  char text[64];
  const char *name = s->special ? s->special->name : s->op->name;
  if (s->special && s->special->is_of_op) {
    text_format(text, sizeof text, "%s of %s", name, s->op->name);
    name = text;
  }
  profile_begin(ctx, &frame, profile_clock(), PROFILE_OP, name, ctx->host.state);
  profile_run(ctx, &frame, run_timed, &(ProfiledStep){call, plan, s});
  profile_end(ctx, &frame, profile_clock(), NULL);
}

static void run_step(Call *call, Plan *plan, PlanStep *s)
{
  if (call->ctx->profiler && !s->is_plain) run_profiled(call, plan, s); /* the door times plain ones */
  else run_untimed(call, plan, s);
}

/* ---------------------------------------------------------------------- runs */

/* Whether elements of captured tensors are others than at the last run of the kept steps; notes them. */
static bool captured_changed(Plan *plan)
{
  bool changed = !plan->is_kept;
  for (int32_t i = 0; i < plan->ncaptured; i++) {
    if (!plan->values[plan->captured[i]].is_stamped) continue;
    PlanStamp stamp = stamp_of(plan->values[plan->captured[i]].now);
    changed |= !same_stamp(stamp, plan->stamps[i]);
    plan->stamps[i] = stamp;
  }
  return changed;
}

static void run_kept(Call *call, Plan *plan)
{
  if (!captured_changed(plan)) return;
  plan->is_kept = false;
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (!s->is_kept) continue;
    run_step(call, plan, s);
    if (s->ndying) let_go(plan, s);
  }
  for (int32_t i = 0; i < plan->nsteps; i++)
    if (plan->steps[i].packed) plan->steps[i].packed->is_filled = false;
  plan->is_kept = true;
}

static void run_all(Call *call, Plan *plan)
{
  const char *outside = call->ctx->node;
  if (plan->keeps) run_kept(call, plan);
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    check_interrupt(call);
    if (s->is_kept) continue;
    call->ctx->node = s->node ? s->node : outside;
    run_step(call, plan, s);
    if (s->ndying) let_go(plan, s);
  }
  call->ctx->node = outside;
}

static void run_all_timed(void *data)
{
  const ProfiledStep *s = data;
  run_all(s->call, s->plan);
}

static __attribute__((noinline)) void run_all_profiled(Call *call, Plan *plan)
{
  Context *ctx = call->ctx;
  ProfileFrame frame;
  profile_begin(ctx, &frame, profile_clock(), PROFILE_CALL, "plan", ctx->host.state);
  profile_run(ctx, &frame, run_all_timed, &(ProfiledStep){call, plan, NULL});
  profile_end(ctx, &frame, profile_clock(), NULL);
}

static void give_outputs(Context *ctx, const Plan *plan, Tensor **outputs, size_t mark)
{
  for (int32_t i = 0; i < plan->noutputs; i++) outputs[i] = tensor_retain(plan->values[plan->outputs[i]].now);
  scope_release(ctx, mark);
  for (int32_t i = 0; i < plan->noutputs; i++) {
    scope_own(ctx, outputs[i]);
    if (plan->histories[i]) tensor_set_grad_fn(outputs[i], plan->histories[i], 0);
  }
}

/* Headers let go of what the run was given. */
static void unbind(Plan *plan)
{
  for (int32_t i = 0; i < plan->nbound; i++) {
    PlanValue *value = &plan->values[plan->bound[i]];
    Tensor *t = value->now;
    if (plan->values[value->root].home == HOME_KEPT) continue;
    storage_release(t->storage);
    t->storage = NULL;
  }
}

void plan_run(Call *call, Plan *plan, Tensor *const *inputs, Tensor **outputs)
{
  Context *ctx = call->ctx;
  size_t mark = ctx->owned_count;
  bool grad = ctx->grad_enabled, suspended = ctx->recording_suspended;
  DType autocast = ctx->autocast;
  plan->grad_outside = grad;
  ctx->grad_enabled = false;
  ctx->recording_suspended = true;
  ctx->autocast = DTYPE_NONE;
  for (int32_t i = 0; i < plan->ninputs; i++) plan->values[plan->inputs[i]].now = inputs[i];
  plan->cells = mark;
  scope_room(ctx, (size_t)plan->ncells);
  for (int32_t i = 0; i < plan->ncells; i++) scope_own(ctx, NULL);
  for (int32_t i = 0; i < plan->nbound_first; i++) plan_bind(plan, plan->bound[i]);
  if (ctx->profiler) run_all_profiled(call, plan);
  else run_all(call, plan);
  give_outputs(ctx, plan, outputs, mark);
  if (plan->nbound) unbind(plan);
  ctx->grad_enabled = grad;
  ctx->recording_suspended = suspended;
  ctx->autocast = autocast;
}
