/* Calls of programs by plans: which one fits, when one is made. */
#include "program/call.h"

#include <string.h>

#include "ops/shape/copy.h"
#include "program/hash.h"
#include "program/plan/plan.h"

enum { MOST_PLANS = 16, MOST_STEPS = 1 << 15 };

/* What is known of inputs of certain forms, by a hash of these and of the modes. */
typedef struct KeyPlan {
  uint64_t key, last;  /* when it was called last */
  bool seen, refused;  /* it was called before; there can be no plan */
  bool needs_elements; /* forms alone don't tell what the program does */
  Plan *plan;
} KeyPlan;

typedef struct ProgramPlans {
  Context *ctx;
  KeyPlan keys[MOST_PLANS];
  int n;
  uint64_t calls;
  bool busy;     /* a plan is running or being made: its memory is in use */
  bool branches; /* the program has branches or loops */
} ProgramPlans;

static void plans_free(void *data)
{
  ProgramPlans *plans = data;
  for (int i = 0; i < plans->n; i++)
    if (plans->keys[i].plan) plan_free(plans->keys[i].plan);
  memory_free(&plans->ctx->memory, plans, sizeof *plans);
}

static ProgramPlans *plans_of(Call *call, Program *p)
{
  if (!p->plans) {
    ProgramPlans *plans = core_allocate(call->ctx, sizeof *plans);
    *plans = (ProgramPlans){.ctx = call->ctx};
    for (int32_t i = 0; i < p->nsteps; i++) plans->branches |= p->steps[i].nbodies > 0;
    p->plans = plans;
    p->plans_free = plans_free;
  }
  return p->plans;
}

/* --------------------------------------------------------------------- keys */

/* Whether an input is a whole number or a truth value that branches and loops may go by: a plan is for that one. */
static bool decides(const ProgramPlans *plans, const Tensor *t)
{
  return plans->branches && t->numel == 1 && !dtype_is_inexact(tensor_dtype(t));
}

/* Of the inputs' forms, and the elements of those that decide, and the modes. */
static uint64_t key_of(const Context *ctx, const ProgramPlans *plans, const Program *p, const Argument *inputs)
{
  uint64_t key = hash_mixed(hash_mixed((uint64_t)ctx->autocast, (uint64_t)ctx->default_dtype), ctx->inference);
  for (int32_t i = 0; i < p->ninputs; i++) {
    const Tensor *t = inputs[i].tensor;
    key = hash_mixed(key, (uint64_t)t->dtype << 16 | (uint64_t)t->ndim << 1 | t->is_wrapped_number);
    for (int d = 0; d < t->ndim; d++) key = hash_mixed(hash_mixed(key, (uint64_t)t->shape[d]), (uint64_t)t->strides[d]);
    if (decides(plans, t)) key = hash_mixed(key, (uint64_t)tensor_item(t).i);
  }
  return key;
}

static KeyPlan *find_key(ProgramPlans *plans, uint64_t key)
{
  for (int i = 0; i < plans->n; i++)
    if (plans->keys[i].key == key) return &plans->keys[i];
  return NULL;
}

/* A place for another key: that of the one that was called last longest ago, if there are many. */
static KeyPlan *new_key(ProgramPlans *plans, uint64_t key)
{
  KeyPlan *k = &plans->keys[0];
  if (plans->n < MOST_PLANS) k = &plans->keys[plans->n++];
  else
    for (int i = 1; i < plans->n; i++)
      if (plans->keys[i].last < k->last) k = &plans->keys[i];
  if (k->plan) plan_free(k->plan);
  *k = (KeyPlan){.key = key};
  return k;
}

/* ------------------------------------------------------------ whether to plan */

static bool wants_gradient(const Context *ctx, const Program *p, const Argument *inputs)
{
  if (!ctx->grad_enabled) return false;
  for (int32_t i = 0; i < p->ninputs; i++)
    if (tensor_requires_grad(inputs[i].tensor)) return true;
  for (int32_t i = 0; i < p->nvalues; i++)
    if (p->values[i].tensor && tensor_requires_grad(p->values[i].tensor)) return true;
  return false;
}

/* Whether inputs and outputs are tensors with elements, and nothing else listens to what ops do. */
static bool may_plan(const Context *ctx, const Program *p, const Argument *inputs)
{
  if (ctx->transforms || ctx->recorder || ctx->anomaly) return false;
  for (int32_t i = 0; i < p->ninputs; i++)
    if (!inputs[i].tensor || inputs[i].tensor->device != DEVICE_CPU) return false;
  for (int32_t i = 0; i < p->noutputs; i++)
    if (p->outputs[i].value == NO_VALUE || p->values[p->outputs[i].value].is_sequence) return false;
  return !wants_gradient(ctx, p, inputs);
}

/* -------------------------------------------------------------------- running */

static void run_plan(Call *call, Plan *plan, const Program *p, Tensor *const *inputs, Argument *outputs)
{
  Tensor **y = arena_allocate(call->ctx, (size_t)(p->noutputs + 1) * sizeof *y);
  plan_run(call, plan, inputs, y);
  for (int32_t i = 0; i < p->noutputs; i++) outputs[i] = (Argument){y[i], {NULL, -1}};
}

/* Tells a record the constants of a program and of its bodies. */
static void tell_constants(Call *call, PlanRecord *record, const Program *p)
{
  for (int32_t i = 0; i < p->nvalues; i++)
    if (p->values[i].kind == VALUE_CONSTANT) plan_record_constant(call, record, p->values[i].tensor);
  for (int32_t i = 0; i < p->nsteps; i++)
    for (int32_t k = 0; k < p->steps[i].nbodies; k++) tell_constants(call, record, p->steps[i].bodies[k].program);
}

/* The inputs that a plan takes: those that don't decide. `like` are the inputs or what stands for them. */
static Tensors plan_inputs(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs,
                           const Argument *like)
{
  Tensors in = {arena_allocate(call->ctx, (size_t)(p->ninputs + 1) * sizeof *in.v), 0};
  for (int32_t i = 0; i < p->ninputs; i++)
    if (!decides(plans, inputs[i].tensor)) in.v[in.n++] = like[i].tensor;
  return in;
}

/* The inputs with copies in the place of those that decide, so that nobody changes them; of the others their forms, as
   tensors on the meta device, if these are wanted. */
static Argument *with_copies(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs,
                             bool forms_only)
{
  Argument *all = arena_allocate(call->ctx, (size_t)(p->ninputs + 1) * sizeof *all);
  for (int32_t i = 0; i < p->ninputs; i++) {
    Tensor *t = inputs[i].tensor;
    all[i] = inputs[i];
    if (decides(plans, t)) all[i].tensor = op(clone, t);
    else if (forms_only) all[i].tensor = tensor_form(call, t);
  }
  return all;
}

/* Whether a run that broke off may have changed anything: a second one would do it again. */
static bool has_effects(const Program *p)
{
  for (int32_t i = 0; i < p->nsteps; i++) {
    const Step *s = &p->steps[i];
    if (s->in_place || s->nbodies > 0 || (s->op && op_plan(s->op)->draws)) return true;
  }
  return false;
}

/*
 * Runs the program row by row, of the inputs or of their forms only, and makes a plan of what it does; NULL if there
 * can be none. A run of forms gives no outputs.
 */
static Plan *record(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs, bool forms_only,
                    Argument *outputs)
{
  const Argument *all = with_copies(call, plans, p, inputs, forms_only);
  const Tensors in = plan_inputs(call, plans, p, inputs, all);
  PlanRecord *record = plan_record_open(call, in.v, (int32_t)in.n, forms_only, NULL);
  plan_record_bound(record, MOST_STEPS);
  Entry entry;
  if (!ENTER(call->ctx, &entry)) {
    plan_record_free(record);
    raise_again(call->ctx);
  }
  tell_constants(call, record, p);
  for (int32_t i = 0; i < p->ninputs; i++)
    if (decides(plans, inputs[i].tensor)) plan_record_constant(call, record, all[i].tensor);
  program_run(call, p, all, outputs);
  plan_record_close(record);
  Tensor **y = arena_allocate(call->ctx, (size_t)(p->noutputs + 1) * sizeof *y);
  for (int32_t i = 0; i < p->noutputs; i++) y[i] = outputs[i].tensor;
  Plan *plan = plan_record_finish(call, record, y, p->noutputs);
  call->ctx->entry = entry.outer; /* what was made stays */
  plan_record_free(record);
  return plan;
}

static void drop_plan(KeyPlan *k)
{
  if (k->plan) plan_free(k->plan);
  k->plan = NULL;
}

static void prepare(Call *call, KeyPlan *k)
{
  if (k->plan) plan_prepare(call, k->plan, "");
}

/* Makes a plan by a run of forms, which takes next to no time and memory and changes nothing; false if there is
   none. */
static bool plan_by_forms(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs, KeyPlan *k)
{
  Context *ctx = call->ctx;
  struct Profiler *profiler = ctx->profiler;
  const char *node = ctx->node;
  Entry entry;
  if (k->needs_elements) return false;
  ctx->profiler = NULL; /* the run is none of the user's */
  if (ENTER(ctx, &entry)) {
    Argument *outputs = arena_allocate(ctx, (size_t)(p->noutputs + 1) * sizeof *outputs);
    k->plan = record(call, plans, p, inputs, true, outputs);
    prepare(call, k);
    entry_leave(ctx, &entry);
  } else {
    drop_plan(k);
    ctx->profiler = profiler;
    ctx->node = node;
    if (ctx->error_is_interrupt) raise_again(ctx);
  }
  ctx->profiler = profiler;
  k->needs_elements = !k->plan;
  return k->plan;
}

/* Makes a plan by a run that gives the outputs. */
static void run_recording(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs,
                          Argument *outputs, KeyPlan *k)
{
  Context *ctx = call->ctx;
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    drop_plan(k);
    k->refused = true; /* for lack of memory, say, since a recording holds all that is made: it is not tried again */
    if (ctx->error_is_interrupt || has_effects(p)) raise_again(ctx);
    program_run(call, p, inputs, outputs);
    return;
  }
  k->plan = record(call, plans, p, inputs, false, outputs);
  prepare(call, k);
  k->refused = !k->plan;
  ctx->entry = entry.outer; /* what was made stays */
}

/* Whether a program, or what it runs, has a tensor with that memory. */
static bool has_memory(const Program *p, const Storage *s)
{
  for (int32_t i = 0; i < p->nvalues; i++)
    if (p->values[i].tensor && p->values[i].tensor->storage == s) return true;
  for (int32_t i = 0; i < p->nsteps; i++)
    for (int32_t k = 0; k < p->steps[i].nbodies; k++)
      if (has_memory(p->steps[i].bodies[k].program, s)) return true;
  return false;
}

/* Whether an input is, or shares its memory with, another or a parameter, buffer or constant of the program: a run with
   it is no example of runs with inputs apart from each other. */
static bool share_memory(const Program *p, Tensors in)
{
  for (int64_t i = 0; i < in.n; i++) {
    const Storage *s = in.v[i]->storage;
    for (int64_t k = 0; k < i; k++)
      if (in.v[k]->storage == s) return true;
    if (has_memory(p, s)) return true;
  }
  return false;
}

/* Whether there is a plan that fits, or one by forms could be made. Where one doesn't since inputs share memory, it is
   kept for others. */
static bool has_plan(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs, Tensors in,
                     KeyPlan *k)
{
  if (k->plan && plan_fits(k->plan, in.v)) return true;
  if (k->plan && share_memory(p, in)) return false;
  drop_plan(k);
  return plan_by_forms(call, plans, p, inputs, k) && plan_fits(k->plan, in.v);
}

/* Of the first call with inputs of some form there is no plan but by forms. */
static void call_planned(Call *call, const ProgramPlans *plans, const Program *p, const Argument *inputs,
                         Argument *outputs, KeyPlan *k, bool is_first)
{
  Tensors in = plan_inputs(call, plans, p, inputs, inputs);
  if (has_plan(call, plans, p, inputs, in, k)) run_plan(call, k->plan, p, in.v, outputs);
  else if (is_first || k->plan || share_memory(p, in)) program_run(call, p, inputs, outputs);
  else run_recording(call, plans, p, inputs, outputs, k);
}

static void run_or_plan(Call *call, Program *p, const Argument *inputs, Argument *outputs)
{
  Context *ctx = call->ctx;
  ProgramPlans *plans = may_plan(ctx, p, inputs) ? plans_of(call, p) : NULL;
  uint64_t key = plans && !plans->busy ? key_of(ctx, plans, p, inputs) : 0;
  KeyPlan *k = key ? find_key(plans, key) : NULL;
  if (key && !k) k = new_key(plans, key);
  const bool is_first = k && !k->seen, waits = is_first && plans->n > 1;
  if (k) k->seen = true;
  if (!k || waits || k->refused) {
    program_run(call, p, inputs, outputs);
    return;
  }
  k->last = ++plans->calls;
  plans->busy = true;
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    plans->busy = false;
    raise_again(ctx);
  }
  call_planned(call, plans, p, inputs, outputs, k, is_first);
  ctx->entry = entry.outer; /* what was made stays */
  plans->busy = false;
}

void program_call(Call *call, Program *p, const Argument *inputs, Argument *outputs)
{
  int64_t *sizes = arena_allocate(call->ctx, (size_t)(p->nsymbols ? p->nsymbols : 1) * sizeof *sizes);
  program_check_inputs(call, p, inputs, sizes);
  run_or_plan(call, p, inputs, outputs);
  program_check_claims(p, outputs, sizes);
}
