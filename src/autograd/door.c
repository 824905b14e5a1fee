/* The door: every call of every op. See dispatch in ops/table/op.h. */
#include <string.h>

#include "autograd/autocast.h"
#include "autograd/inplace.h"
#include "autograd/node.h"
#include "autograd/transform.h"
#include "core/profiler.h"
#include "core/recorder.h"
#include "core/saved.h"
#include "core/text.h"
#include "ops/shape/copy.h"

/* Whether the op must be recorded, whether results are on the meta device, the innermost transform of an operand. */
typedef struct Survey {
  bool wants_grad, meta;
  Transform *transform;
} Survey;

/*
 * Whether a tensor may stand beside meta ones: a number; in pointwise ops, and in where, which their derivatives are
 * made of, any without dimensions, as in PyTorch.
 */
static bool fits_meta(const Op *op, const Tensor *t)
{
  if (t->ndim != 0) return false;
  bool elementwise = op->kind == OP_POINTWISE || op == where_row;
  return t->is_wrapped_number || (elementwise && !tensor_requires_grad(t));
}

static void survey_without_elements(Survey *s, const Tensor *t)
{
  if (!tensor_stands_in(t)) {
    s->meta = true;
    return;
  }
  Transform *transform = others_of(t)->transform;
  if (!s->transform || transform->number > s->transform->number) s->transform = transform;
}

static void survey_tensor(Survey *s, const Op *op, const Tensor *t, bool *cpu)
{
  if (!t) return;
  if (t->device == DEVICE_META) survey_without_elements(s, t);
  else if (!fits_meta(op, t)) *cpu = true;
  if (tensor_requires_grad(t) && dtype_is_inexact(tensor_dtype(t))) s->wants_grad = true;
}

/* Whether the call is made for a transform, or for one within it. */
static bool is_within(const Call *call, const Transform *t)
{
  for (; call; call = call->parent)
    if (call->transform && call->transform->number >= t->number) return true;
  return false;
}

/* The innermost batch that random numbers are drawn for, of stand-ins or of none: one that the call isn't made for. */
static Transform *transform_of_draw(const Call *call, Transform *of_operands)
{
  for (Transform *t = call->ctx->transforms; t && t != of_operands; t = t->next)
    if (t->kind == TRANSFORM_BATCH && !is_within(call->parent, t)) return t;
  return of_operands;
}

/* Raises on mixed devices. */
static Survey survey(Call *call, const Op *op, const void *args)
{
  Survey s = {false, false, NULL};
  bool cpu = false;
  const OpPlan *plan = op_plan(op);
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    if (plan->tensors[i].is_list) {
      const Tensors *list = place;
      for (int64_t k = 0; k < list->n; k++) survey_tensor(&s, op, list->v[k], &cpu);
    } else {
      survey_tensor(&s, op, *(Tensor *const *)place, &cpu);
    }
  }
  if (call->into && call->into->device != DEVICE_META) cpu = true;
  if (s.meta && cpu && op->kind != OP_COMPOSED && !(op->forms & ACROSS_DEVICES))
    raise(call, "tensors are on different devices: cpu and meta");
  if (call->ctx->transforms && plan->draws && op->kind != OP_COMPOSED)
    s.transform = transform_of_draw(call, s.transform);
  return s;
}

/* Results that share an argument's memory are views of it. */
static void tie_views(const Op *op, const void *args, Tensor *const *y, int64_t n, bool recording_on)
{
  if (op->nargs == 0 || op->args[0].kind != ARG_TENSOR || !op->backward) return;
  Tensor *of = *(Tensor *const *)args;
  for (int64_t i = 0; i < n; i++) {
    if (y[i] == of || y[i]->base || y[i]->storage != of->storage || !of->storage) continue;
    ViewKind kind = op->results == RESULTS_LIST ? VIEW_OF_LIST : recording_on ? VIEW_NORMAL : VIEW_OF_NO_GRAD;
    view_tie(y[i], of, kind);
  }
}

static void record(Call *call, const Op *op, const void *args, Tensor **y, int64_t n)
{
  Node *node = op_node_new(call, op, args, (int)n);
  scope_own_node(call->ctx, node);
  for (int64_t i = 0; i < n; i++) {
    if (!dtype_is_inexact(tensor_dtype(y[i]))) continue;
    tensor_set_grad_fn(y[i], node, (int)i);
  }
  op_node_save_results(call, node, y, (int)n);
}

/* Runs the forward with recording off: only the op itself is recorded. */
static int64_t run_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform)
{
  Context *ctx = call->ctx;
  if (transform) {
    transform_forward(call, op, args, y, transform);
    return op->results == RESULTS_LIST ? call->list_count : op->results;
  }
  bool grad = ctx->grad_enabled, suspended = ctx->recording_suspended;
  ctx->grad_enabled = false;
  ctx->recording_suspended = true;
  op->forward(call, args, y);
  ctx->grad_enabled = grad;
  ctx->recording_suspended = suspended;
  return op->results == RESULTS_LIST ? call->list_count : op->results;
}

/* Leaves a call's scope: what it made is released but for the results, which go to the scope outside. */
static void close_scope(Context *ctx, size_t mark, Tensor *const *y, int64_t n)
{
  if (ctx->owned_count == mark + 1 && n == 1 && ctx->owned[mark] == y[0]) return; /* the common case */
  for (int64_t i = 0; i < n; i++) tensor_retain(y[i]);
  scope_release(ctx, mark);
  for (int64_t i = 0; i < n; i++) scope_own(ctx, y[i]);
}

/* The arguments with another first tensor, in a room. */
static const void *with_first(const Op *op, const void *args, Tensor *first, ArgsRoom *room)
{
  memcpy(room->bytes, args, op->args_size);
  memcpy(room->bytes, &first, sizeof first);
  return room->bytes;
}

/* An in-place form of a composed op: the result is computed, of a clone if the ops inside may save it, and copied if
   the last of them didn't write it where it belongs. */
static void run_composed_inplace(Call *call, const Op *op, const void *args, Tensor **y, bool recorded)
{
  ArgsRoom room;
  Tensor *into = call->into;
  call->into = NULL;
  if (recorded) args = with_first(op, args, op(clone, into), &room);
  else call->last_into = into;
  op->forward(call, args, y);
  call->into = into;
  result_check(call, tensor_dtype(y[0]), tensor_shape(y[0]));
  call->into = NULL;
  if (y[0] != into) op_(copy, into, y[0], false);
  y[0] = into;
}

/* What the op's backward needs of the old value is cloned before it is overwritten. */
static const void *save_overwritten(Call *call, const Op *op, const void *args, ArgsRoom *room)
{
  const OpPlan *plan = op_plan(op);
  if (!(plan->needs_any & argument_bit(0))) return args;
  uint32_t needs = 0;
  for (int i = 0; i < op->nargs; i++) {
    if (argument_holds(&op->args[i]) != HOLDS_TENSOR) continue;
    Tensor *t = *(Tensor *const *)((const char *)args + op->args[i].offset);
    if (t && tensor_requires_grad(t)) needs |= plan->needs[i];
  }
  if (!(needs & argument_bit(0))) return args;
  Tensor *into = *(Tensor *const *)args, *clone;
  bool grad = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  clone = op(clone, into);
  call->ctx->grad_enabled = grad;
  if (into->grad_fn) tensor_set_grad_fn(clone, tensor_grad_fn(call, into), into->output);
  return with_first(op, args, clone, room);
}

/* The graph of a change in place, complete before anything is changed. */
static InplacePlan plan_inplace(Call *call, const Op *op, const void *args)
{
  ArgsRoom room;
  Tensor *into = call->into;
  Node *node = op_node_new(call, op, save_overwritten(call, op, args, &room), 1);
  scope_own_node(call->ctx, node);
  op_node_save_results(call, node, &into, 1);
  return inplace_plan(call, into, node);
}

static void run_inplace(Call *call, const Op *op, const void *args, Tensor **y, Survey s)
{
  Context *ctx = call->ctx;
  Tensor *into = call->into;
  bool recorded = s.wants_grad && ctx->grad_enabled && dtype_is_inexact(tensor_dtype(into));
  inplace_check(call, into, recorded);
  InplacePlan plan;
  if (recorded) plan = plan_inplace(call, op, args);
  bool outer_change = ctx->changes_in_place;
  ctx->changes_in_place = true;
  run_forward(call, op, args, y, s.transform);
  if (y[0] != into) {
    bool grad = ctx->grad_enabled, suspended = ctx->recording_suspended;
    ctx->grad_enabled = false;
    ctx->recording_suspended = true; /* the op itself is recorded */
    call->into = NULL;
    op_(copy, into, y[0], false);
    ctx->grad_enabled = grad;
    ctx->recording_suspended = suspended;
    y[0] = into;
  } else if (into->storage) {
    into->storage->writes++;
    if (!into->is_unversioned) into->storage->version++;
  }
  ctx->changes_in_place = outer_change;
  if (!recorded) return;
  op_node_results_written(plan.node);
  inplace_commit(into, &plan);
}

static Tensors dispatch_unprofiled(Call *parent, const Op *op, const void *args, Tensor *into, Tensor **room);

/*
 * The in-place form of a view: the tensor takes over the view's geometry and history, and stays the same tensor. What
 * it is a view of, if it is one, it remains a view of. Only views of all elements have such a form: a smaller base
 * would not hold its own views.
 */
static void run_view_inplace(Call *call, const Op *op, const void *args, Tensor **y, Survey s)
{
  Tensor *into = call->into;
  if (s.transform) raise(call, "a tensor's shape can't be changed in place within nl.func's functions");
  tell_deed(call->ctx, op->name);
  inplace_check_view(call, into, s.wants_grad && call->ctx->grad_enabled);
  call->into = NULL;
  Tensor *view = dispatch_unprofiled(call, op, args, NULL, y).v[0];
  if (view != into) {
    if (!view->grad_fn) tensor_guard_form(call, into);
    saved_part(call, into);
    tensor_set_geometry(into, tensor_shape(view), tensor_strides(view), view->offset);
  }
  if (view->grad_fn && view != into) {
    tensor_set_grad_fn(into, view->grad_fn, view->output);
    if (into->base) into->history = into->base->history;
  }
  if (!into->is_unversioned && into->storage) into->storage->version++;
  y[0] = into;
}

/* An op that nl.autocast has a say in: with other operands, and with autocast off inside. */
static Tensors dispatch_cast(Call *parent, const Op *op, const void *args, AutocastPolicy policy, Tensor **room)
{
  Context *ctx = parent->ctx;
  DType mode = ctx->autocast;
  ArgsRoom converted;
  ctx->autocast = DTYPE_NONE;
  args = autocast_arguments(parent, op, args, policy, mode, &converted);
  Tensors results = dispatch_unprofiled(parent, op, args, NULL, room);
  ctx->autocast = mode;
  return results;
}

/* What stands for a tensor beside others without elements: numbers stay what they are. */
static Tensor *form_of(Call *call, const Op *op, Tensor *t)
{
  if (!t || t->device == DEVICE_META || fits_meta(op, t)) return t;
  return tensor_form(call, t);
}

/* The arguments of an op where only forms are recorded: if one has no elements, no other has, either. */
static const void *forms_of(Call *call, const void *args, ArgsRoom *room)
{
  const Op *op = call->op;
  const OpPlan *plan = op_plan(op);
  bool cpu = false;
  Survey s = {0};
  if (plan->draws) raise(call, "random numbers aren't drawn where only forms are recorded");
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    const Tensors one = {(Tensor **)(uintptr_t)place, 1}, *list = plan->tensors[i].is_list ? place : &one;
    for (int64_t k = 0; k < list->n; k++) survey_tensor(&s, op, list->v[k], &cpu);
  }
  if (call->into && call->into->device != DEVICE_META && (s.meta || !call->ctx->recording_suspended))
    raise(call, "nothing is changed where only forms are recorded");
  if (!s.meta || !cpu) return args;
  memcpy(room->bytes, args, op->args_size);
  for (int i = 0; i < plan->ntensors; i++) {
    Tensor **v = (Tensor **)(void *)(room->bytes + plan->tensors[i].offset);
    int64_t n = 1;
    if (plan->tensors[i].is_list) {
      Tensors *list = (Tensors *)(void *)v;
      Tensor **copy = arena_allocate(call->ctx, (size_t)(list->n + 1) * sizeof *copy);
      n = list->n;
      v = list->v = memcpy(copy, list->v, (size_t)n * sizeof *copy);
    }
    for (int64_t k = 0; k < n; k++) v[k] = form_of(call, op, v[k]);
  }
  return room->bytes;
}

/* Whether a recorder is to be told of the call; then what it makes is noted. Returns what it is to be run with. */
static __attribute__((noinline)) const void *note_results(Call *call, const void *args, Planned *noted, ArgsRoom *room)
{
  Recorder *r = call->ctx->recorder;
  const Op *op = call->op;
  const void *given = args;
  if (r->forms_only && op->kind != OP_COMPOSED) args = forms_of(call, args, room);
  if (call->ctx->recording_suspended) return args;
  if (op->kind != OP_COMPOSED) {
    *noted = (Planned){.noting = true};
    call->planned = noted;
  } else if (op->forms & DEPENDS_ON_DATA) {
    r->looks(r, call, given);
  }
  return args;
}

/*
 * A call under a recorder of whole calls. It sees nothing of what runs inside, and is back whatever happens there: an
 * error may be caught in Lua.
 */
static __attribute__((noinline)) Tensors dispatch_recorded(Call *parent, const Op *op, const void *args, Tensor *into,
                                                           Tensor **room)
{
  Context *ctx = parent->ctx;
  Recorder *recorder = ctx->recorder;
  Call call = {.ctx = ctx, .op = op, .into = into};
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    ctx->recorder = recorder;
    raise_again(ctx);
  }
  ctx->recorder = recorder->inside;
  recorder->begins(recorder, &call, args);
  Tensors results = dispatch_unprofiled(parent, op, args, into, room);
  recorder->ran(recorder, &call, args, into, results);
  ctx->recorder = recorder;
  ctx->entry = entry.outer; /* what was made stays */
  return results;
}

/* Whether a recorder of whole calls is to see what this one calls. */
static bool opens(Recorder *r, const Op *op)
{
  if (r->opens != op) return false;
  r->opens = NULL;
  return true;
}

static Tensors dispatch_unprofiled(Call *parent, const Op *op, const void *args, Tensor *into, Tensor **room)
{
  Context *ctx = parent->ctx;
  Recorder *recorder = ctx->recorder;
  if (recorder && recorder->outermost && !opens(recorder, op)) return dispatch_recorded(parent, op, args, into, room);
  if (ctx->autocast != DTYPE_NONE && !into) {
    AutocastPolicy policy = autocast_policy(op);
    if (policy != AUTOCAST_NOTHING) return dispatch_cast(parent, op, args, policy, room);
  }
  Call call = {.ctx = ctx, .op = op, .parent = parent->op ? parent : parent->parent, .into = into};
  Planned noted;
  ArgsRoom forms;
  const void *given = args;
  size_t mark = ctx->owned_count;
  if (recorder) args = note_results(&call, args, &noted, &forms);
  Survey s = survey(&call, op, args);
  call.device = s.meta && !(recorder && recorder->forms_only && op->kind == OP_COMPOSED) ? DEVICE_META : DEVICE_CPU;
  call.transform = s.transform;
  int64_t n = 1;
  if (into && (op->forms & VIEW_INPLACE) == VIEW_INPLACE) {
    run_view_inplace(&call, op, args, room, s);
  } else if (op->kind == OP_COMPOSED && !(s.transform && op->forms & DEPENDS_ON_DATA)) {
    if (into) run_composed_inplace(&call, op, args, room, s.wants_grad && ctx->grad_enabled);
    else op->forward(&call, args, room);
    n = op->results == RESULTS_LIST ? call.list_count : op->results;
  } else if (into) {
    run_inplace(&call, op, args, room, s);
  } else {
    n = run_forward(&call, op, args, room, s.transform);
    Tensor **y = op->results == RESULTS_LIST ? call.list : room;
    if (!ctx->recording_suspended) tie_views(op, args, y, n, ctx->grad_enabled);
    if (s.wants_grad && ctx->grad_enabled && op->backward && !(n == 1 && y[0] == *(Tensor *const *)args))
      record(&call, op, args, y, n);
  }
  Tensor **y = op->results == RESULTS_LIST ? call.list : room;
  if (call.planned) ctx->recorder->ran(ctx->recorder, &call, given, into, (Tensors){y, n});
  close_scope(ctx, mark, y, n);
  return (Tensors){y, n};
}

/* -------------------------------------------------------------- profiling */

static void note_sizes(ProfileSizes *sizes, int argument, const Tensor *t)
{
  if (!t || sizes->n + 3 + t->ndim > PROFILE_SIZES) return;
  sizes->v[sizes->n++] = argument;
  sizes->v[sizes->n++] = t->dtype;
  sizes->v[sizes->n++] = t->ndim;
  for (int i = 0; i < t->ndim; i++) sizes->v[sizes->n++] = t->shape[i];
}

static void note_operand_sizes(ProfileSizes *sizes, const Op *op, const void *args)
{
  const OpPlan *plan = op_plan(op);
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    const Tensors one = {*(Tensor *const *)place ? (Tensor **)(uintptr_t)place : NULL, 1};
    const Tensors list = plan->tensors[i].is_list ? *(const Tensors *)place : one;
    for (int64_t k = 0; k < list.n && list.v; k++) note_sizes(sizes, plan->tensors[i].arg, list.v[k]);
  }
}

typedef struct ProfiledCall {
  Call *parent;
  const Op *op;
  const void *args;
  Tensor *into, **room;
  Tensors results;
} ProfiledCall;

static void run_profiled(void *data)
{
  ProfiledCall *c = data;
  c->results = dispatch_unprofiled(c->parent, c->op, c->args, c->into, c->room);
}

/* A call while a profile runs. */
static __attribute__((noinline)) Tensors dispatch_profiled(Call *parent, const Op *op, const void *args, Tensor *into,
                                                           Tensor **room)
{
  Context *ctx = parent->ctx;
  int64_t now = profile_clock();
  bool wants_sizes = ctx->profiler->wants_sizes;
  char name[64];
  if (into) text_format(name, sizeof name, "%s_", op->name);
  ProfileSizes sizes;
  sizes.n = 0;
  if (wants_sizes) note_operand_sizes(&sizes, op, args); /* now: the call may change them */
  ProfileFrame frame;
  profile_begin(ctx, &frame, now, PROFILE_OP, into ? name : op->name, ctx->host.state);
  ProfiledCall call = {parent, op, args, into, room, {NULL, 0}};
  profile_run(ctx, &frame, run_profiled, &call);
  now = profile_clock();
  if (wants_sizes && call.results.n > 0) note_sizes(&sizes, -1, call.results.v[0]);
  profile_end(ctx, &frame, now, wants_sizes ? &sizes : NULL);
  return call.results;
}

Tensors dispatch(Call *parent, const Op *op, const void *args, Tensor *into, Tensor **room)
{
  if (parent->ctx->profiler) return dispatch_profiled(parent, op, args, into, room);
  return dispatch_unprofiled(parent, op, args, into, room);
}
