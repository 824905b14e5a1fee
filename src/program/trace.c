/* Records networks as programs. */
#include "program/trace.h"

#include <string.h>

#include "core/recorder.h"
#include "ops/shape/copy.h"
#include "program/pointer_map.h"
#include "program/shaped.h"

struct Trace {
  Recorder recorder; /* first: a recorder is its trace */
  Recorder inside;   /* where only forms are recorded: has what runs inside of calls do so, too */
  Context *ctx;
  ProgramBuilder *builder;
  PointerMap captured;  /* storages that were there before, with what the network was given */
  PointerMap dependent; /* storages whose elements may differ from run to run */
  PointerMap read;      /* captured ones whose elements were read: they must not change afterwards */
  Tensor *before;       /* the first tensor made by the trace: older ones follow it in the list of live ones */
  Tensors operands;     /* of the running op, */
  uint32_t *versions;   /* and their versions before it */
  bool grad_enabled;    /* modes when it began */
  DType autocast;
};

static bool is_dependent(const Trace *t, const Tensor *x) { return pointer_map_has(&t->dependent, x->storage); }

static void set_dependent(Call *call, Trace *t, const Tensor *x)
{
  if (!x->storage) return;
  if (pointer_map_has(&t->read, x->storage))
    raise(call, "a tensor is changed here whose elements were read before in this trace: what was read is not the same "
                "at each run");
  pointer_map_set(call, &t->dependent, x->storage, 0);
}

static void set_captured(Call *call, Trace *t, const Tensor *x)
{
  if (x->storage) pointer_map_set(call, &t->captured, x->storage, 0);
}

/* ---------------------------------------------------------------- operands */

/* Whether a tensor was made since the trace began. */
static bool is_young(const Trace *t, const Tensor *x)
{
  for (const Tensor *live = t->ctx->live; live && live != t->before; live = live->next_live)
    if (live == x) return true;
  return false;
}

/* A tensor that was made meanwhile by no op: each run begins with a copy of its elements. */
static void take_young(Call *call, Trace *t, Tensor *x)
{
  ValueId result;
  Tensor *copy = op(clone, x);
  builder_row(call, t->builder, op_find("clone"), &(struct clone_args){copy}, false, 0, &result);
  builder_bind(call, t->builder, x, result);
  builder_describe(call, t->builder, result, tensor_dtype(x), tensor_shape(x));
}

/* Makes a tensor known that isn't. */
static void take_operand(Call *call, Trace *t, Tensor *x)
{
  if (!x || builder_value_of(t->builder, x) != NO_VALUE) return;
  if (is_dependent(t, x))
    raise(call, "a trace doesn't see where a tensor comes from: its elements depend on the inputs, but no op made it. "
                "x.data, a nl.autograd.Function or a module's backward hook may have");
  if (x->is_wrapped_number || !x->storage) return;
  if (is_young(t, x)) {
    take_young(call, t, x);
    return;
  }
  builder_tensor(call, t->builder, VALUE_BUFFER, NULL, x); /* whoever else has it may change it */
  set_captured(call, t, x);
}

/* Lists the tensors among the arguments of the op that begins. */
static void list_operands(Call *call, Trace *t, const void *args)
{
  const OpPlan *plan = op_plan(call->op);
  int64_t n = 0;
  for (int i = 0; i < plan->ntensors; i++)
    n += plan->tensors[i].is_list ? ((const Tensors *)((const char *)args + plan->tensors[i].offset))->n : 1;
  t->operands = (Tensors){arena_allocate(call->ctx, (size_t)(n + 1) * sizeof(Tensor *)), 0};
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    Tensors list = {(Tensor **)place, 1};
    if (plan->tensors[i].is_list) list = *(const Tensors *)place;
    for (int64_t k = 0; k < list.n; k++)
      if (list.v[k]) t->operands.v[t->operands.n++] = list.v[k];
  }
}

static bool any_dependent(const Trace *t)
{
  for (int64_t i = 0; i < t->operands.n; i++)
    if (is_dependent(t, t->operands.v[i])) return true;
  return false;
}

/* ---------------------------------------------------------------- recording */

static bool differs(const void *trace, const Tensor *x) { return is_dependent(trace, x); }

static void trace_begins(Recorder *r, Call *call, const void *args)
{
  Trace *t = (Trace *)r;
  list_operands(call, t, args);
  for (int64_t i = 0; i < t->operands.n; i++) take_operand(call, t, t->operands.v[i]);
  if (shaped_by_elements(call->op, args, differs, t))
    raise(call, "the shape of the result depends on elements that depend on the inputs: that can't be traced");
  t->versions = arena_allocate(call->ctx, (size_t)(t->operands.n + 1) * sizeof *t->versions);
  for (int64_t i = 0; i < t->operands.n; i++) t->versions[i] = tensor_version(t->operands.v[i]);
}

/* What may differ from run to run once the op has run. */
static void spread_dependence(Call *call, Trace *t, Tensors results)
{
  bool depends = op_plan(call->op)->draws || any_dependent(t);
  for (int64_t i = 0; i < results.n; i++)
    if (depends) set_dependent(call, t, results.v[i]);
  for (int64_t i = 0; i < t->operands.n; i++) {
    const Tensor *x = t->operands.v[i];
    if (tensor_version(x) == t->versions[i]) continue;
    if (depends || pointer_map_has(&t->captured, x->storage)) set_dependent(call, t, x);
  }
}

static void trace_ran(Recorder *r, Call *call, const void *args, Tensor *into, Tensors results)
{
  Trace *t = (Trace *)r;
  ValueId few[MAX_RESULTS], *ids = few;
  Context *ctx = call->ctx;
  if (results.n > MAX_RESULTS) ids = arena_allocate(ctx, (size_t)results.n * sizeof *ids);
  builder_row(call, t->builder, call->op, args, into != NULL, (int32_t)results.n, ids);
  bool sets_autocast = ctx->autocast != t->autocast;
  builder_set_modes(t->builder, ctx->grad_enabled != t->grad_enabled || !t->grad_enabled,
                    sets_autocast ? AUTOCAST_SET : AUTOCAST_OF_CALLER, ctx->autocast);
  for (int64_t i = 0; i < results.n; i++) {
    builder_bind(call, t->builder, results.v[i], ids[i]);
    builder_describe(call, t->builder, ids[i], tensor_dtype(results.v[i]), tensor_shape(results.v[i]));
  }
  spread_dependence(call, t, results);
}

static void trace_beside(Recorder *r, const Tensor *x, const char *what)
{
  Trace *t = (Trace *)r;
  Call call = {.ctx = t->ctx};
  if (!x) raise(&call, "%s: that is nothing that a trace can record", what);
  if (is_dependent(t, x))
    raise(&call,
          "%s: the elements depend on the inputs, so what is done with them may differ from run to run: that "
          "can't be traced",
          what);
  if (pointer_map_has(&t->captured, x->storage)) pointer_map_set(&call, &t->read, x->storage, 0);
}

/* Of a row that is opened. */
static void trace_looks(Recorder *r, Call *call, const void *args)
{
  (void)r;
  (void)args;
  if (!(call->op->forms & TELLS_LOOKS)) raise(call, "the way depends on elements: that can't be traced");
}

/* ------------------------------------------------------------------- traces */

static void ran_inside(Recorder *r, Call *call, const void *args, Tensor *into, Tensors results)
{
  (void)r, (void)call, (void)args, (void)into, (void)results;
}
static void looks_inside(Recorder *r, Call *call, const void *args) { (void)r, (void)call, (void)args; }
static void beside_inside(Recorder *r, const Tensor *t, const char *what) { (void)r, (void)t, (void)what; }

static const Recorder forms_inside = {
  .forms_only = true, .ran = ran_inside, .looks = looks_inside, .beside = beside_inside};

Trace *trace_new(Call *call, bool forms_only)
{
  Context *ctx = call->ctx;
  if (ctx->recorder) raise_plain(ctx, "trace: another trace is under way");
  if (ctx->transforms) raise_plain(ctx, "trace: it can't be made within nl.func's functions");
  Trace *t = core_allocate(ctx, sizeof *t);
  *t = (Trace){.recorder = {.outermost = true,
                            .forms_only = forms_only,
                            .begins = trace_begins,
                            .ran = trace_ran,
                            .looks = trace_looks,
                            .beside = trace_beside},
               .inside = forms_inside,
               .ctx = ctx};
  if (forms_only) t->recorder.inside = &t->inside;
  t->grad_enabled = ctx->grad_enabled;
  t->autocast = ctx->autocast;
  return t;
}

void trace_input(Call *call, Trace *t, const char *name, Tensor *tensor)
{
  if (builder_value_of(t->builder, tensor) != NO_VALUE)
    raise_plain(call->ctx,
                "trace: two inputs are the same tensor, or an input is a parameter or buffer of the network");
  ValueId id = builder_input(call, t->builder, name, tensor_dtype(tensor), tensor_shape(tensor), false);
  builder_bind(call, t->builder, tensor, id);
  set_captured(call, t, tensor);
  set_dependent(call, t, tensor);
}

void trace_named(Call *call, Trace *t, ValueKind kind, const char *name, Tensor *tensor)
{
  builder_tensor(call, t->builder, kind, name, tensor);
  set_captured(call, t, tensor);
}

void trace_open(Call *call, Trace *t)
{
  t->builder = builder_new(call, NULL);
  t->before = tensor_retain(tensor_new(call, DTYPE_f32, DEVICE_META, (Ints){NULL, 0}));
}

void trace_begin(Trace *t, const Op *opens)
{
  t->recorder.opens = opens;
  t->ctx->recorder = &t->recorder;
}

void trace_end(Trace *t)
{
  if (t->ctx->recorder == &t->recorder) t->ctx->recorder = NULL;
}

void trace_output(Call *call, Trace *t, const char *name, Tensor *tensor)
{
  take_operand(call, t, tensor);
  builder_output(call, t->builder, name, builder_operand(call, t->builder, tensor));
}

Program *trace_finish(Call *call, Trace *t) { return builder_build(call, t->builder); }

void trace_free(Trace *t)
{
  if (!t) return;
  Context *ctx = t->ctx;
  trace_end(t);
  builder_free(t->builder);
  tensor_release(t->before);
  pointer_map_free(ctx, &t->captured);
  pointer_map_free(ctx, &t->dependent);
  pointer_map_free(ctx, &t->read);
  memory_free(&ctx->memory, t, sizeof *t);
}
