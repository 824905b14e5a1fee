/* Training in plans: backwards of ops, gradients that arrive at leaves, and steps of optimizers. */
#include <string.h>

#include "ops/optim/step.h"
#include "program/plan/record.h"

/* ------------------------------------------------------------ backwards of ops */

/* The backward of a row: from its arguments, which are the step's, results and their gradients. */
typedef struct Gradient {
  Tensor **y, **dy, **dx;
  bool *wanted;
  int32_t ndx;
  Tensor **made;  /* those of dx that are the step's results */
  int32_t *edges; /* and where they stand in dx */
} Gradient;

static void run_gradient(Call *parent, Plan *plan, PlanStep *s)
{
  Context *ctx = parent->ctx;
  const Gradient *g = s->data;
  size_t mark = ctx->owned_count;
  Planned planned = plan_places(plan, s);
  Call shown = {.ctx = ctx, .op = s->shown};
  Call call = {.ctx = ctx, .op = s->op, .parent = s->shown == s->op ? NULL : &shown, .planned = &planned};
  for (int32_t i = 0; i < g->ndx; i++) g->dx[i] = NULL;
  op_gradients(&call, s->op, s->args, g->y, g->dy, g->wanted, g->dx);
  for (int32_t k = 0; k < s->nresults; k++) g->made[k] = g->dx[g->edges[k]];
  plan_take_results(&call, plan, s, g->made, mark);
}

static const PlanSpecial gradient_special = {
  .name = "backward", .is_of_op = true, .run = run_gradient, .makes_results = true};

/* The value of a result that a node has saved, which has a header of its own there. */
static void add_saved_result(Call *call, PlanRecord *r, PlanStep *s, Tensor **place)
{
  const Tensor *y = *place;
  int32_t v = y && y->storage ? value_of_storage(r, y->storage) : -1;
  const Tensor *seen = v >= 0 ? r->plan->values[v].seen : NULL;
  bool same = seen && seen->dtype == y->dtype && seen->offset == y->offset && tensor_same_shape(seen, y)
              && shape_equal(tensor_strides(seen), tensor_strides(y));
  if (same) s->operands[s->noperands++] = (PlanOperand){place, v};
  else record_operand(call, r, s, place);
}

/* A copy of a list in the plan's memory. */
static void *copied(PlanRecord *r, const void *list, int n, size_t size)
{
  return memcpy(plan_allocate(r->plan, ((size_t)n + 1) * size), list, (size_t)n * size);
}

static void record_gradient(Call *call, PlanRecord *r, const Differentiated *d)
{
  if (d->sequence <= r->sequence) {
    plan_record_refuse(r, "backward goes through a graph that was there before");
    return;
  }
  int32_t step = r->plan->nsteps;
  PlanStep *s = record_step(r, call);
  Gradient *g = plan_allocate(r->plan, sizeof *g);
  s->special = &gradient_special;
  s->data = g;
  r->plan->trains = true;
  *g = (Gradient){.y = copied(r, d->y, d->ny, sizeof(Tensor *)),
                  .dy = copied(r, d->dy, d->ndy, sizeof(Tensor *)),
                  .dx = copied(r, d->dx, d->ndx, sizeof(Tensor *)),
                  .wanted = copied(r, d->wanted, d->ndx, sizeof(bool)),
                  .made = plan_allocate(r->plan, ((size_t)d->ndx + 1) * sizeof(Tensor *)),
                  .edges = plan_allocate(r->plan, ((size_t)d->ndx + 1) * sizeof(int32_t)),
                  .ndx = d->ndx};
  record_arguments(call, r, s, d->args, d->has_elements, d->ny + d->ndy);
  for (int i = 0; i < d->ny; i++) add_saved_result(call, r, s, &g->y[i]);
  for (int i = 0; i < d->ndy; i++) record_operand(call, r, s, &g->dy[i]);
  int32_t n = 0;
  for (int i = 0; i < d->ndx; i++) {
    if (!d->dx[i]) continue;
    g->made[n] = d->dx[i];
    g->edges[n++] = i;
  }
  record_results(call, r, s, (Tensors){g->made, n}, step);
}

/* --------------------------------------------------------- gradients of leaves */

/* A gradient that arrives at a leaf, as the step's data; what the leaf has then is the step's result. */
enum { LEAF, GRADIENT, ARRIVAL_TENSORS };

static void run_arrival(Call *call, Plan *plan, PlanStep *s)
{
  Context *ctx = call->ctx;
  Tensor *const *tensors = s->data, *leaf = tensors[LEAF];
  size_t mark = ctx->owned_count;
  if (!s->is_last) scope_own(ctx, tensor_retain(tensors[GRADIENT])); /* it is read again: it can't become the leaf's */
  tensor_add_grad(call, leaf, tensors[GRADIENT]);
  Tensor *grad = leaf->grad;
  plan_take_results(call, plan, s, &grad, mark);
}

static const PlanSpecial arrival_special = {
  .name = "gradient of a leaf", .run = run_arrival, .makes_results = true, .changes_memory = true, .hands_out = true};

static void record_arrival(Call *call, PlanRecord *r, Tensor *leaf, Tensor *g)
{
  Plan *plan = r->plan;
  int32_t step = plan->nsteps;
  Tensor **tensors = copied(r, ((Tensor *[ARRIVAL_TENSORS]){[LEAF] = leaf, [GRADIENT] = g}), ARRIVAL_TENSORS,
                            sizeof(Tensor *));
  PlanStep *s = record_deed(call, r, &arrival_special, tensors, ARRIVAL_TENSORS);
  s->data = tensors;
  /* a value of its own, also where a gradient was there before: another one may be at another run */
  PlanValue value = {.kind = PLAN_RESULT, .step = step, .root = plan->nvalues, .next = -1};
  int32_t v = plan_value_new(plan, value);
  plan->values[v].seen = tensor_retain(leaf->grad);
  tensor_map_set(call, &r->values, leaf->grad, v);
  tensor_map_set(call, &r->gradients, leaf, 0);
  s->results[0] = v;
  s->nresults = 1;
}

/* Gradients that are dropped, or filled with zeros. */
typedef struct Clearing {
  Tensors leaves;
  bool drop;
} Clearing;

static void run_clearing(Call *call, Plan *plan, PlanStep *s)
{
  (void)plan;
  const Clearing *c = s->data;
  for (int64_t i = 0; i < c->leaves.n; i++) {
    Tensor *leaf = c->leaves.v[i], *grad = leaf->grad;
    if (!grad) continue;
    if (!c->drop) {
      gradient_clear(call, leaf);
      continue;
    }
    leaf->grad = NULL;
    tensor_release(grad);
  }
}

static const PlanSpecial clearing_special = {.name = "zero_grad", .run = run_clearing, .changes_memory = true};

static void record_clearing(Call *call, PlanRecord *r, Tensors leaves, bool drop)
{
  Clearing *c = plan_allocate(r->plan, sizeof *c);
  *c = (Clearing){{copied(r, leaves.v, (int)leaves.n, sizeof(Tensor *)), leaves.n}, drop};
  record_deed(call, r, &clearing_special, c->leaves.v, leaves.n)->data = c;
  for (int64_t i = 0; i < leaves.n && drop; i++) tensor_map_set(call, &r->gradients, leaves.v[i], 0);
}

static void looked(Recorder *recorder, const Tensor *leaf)
{
  PlanRecord *r = (PlanRecord *)recorder;
  if (tensor_map_find(&r->gradients, leaf) < 0)
    plan_record_refuse(r, "a gradient is looked at that was there before, or not");
}

/* ---------------------------------------------------------- steps of optimizers */

static void run_work(Call *call, Plan *plan, PlanStep *s)
{
  (void)plan;
  optimizer_step(call, ((const PlanWork *)s->data)->work);
}

static const PlanSpecial work_special = {.name = "step", .run = run_work, .changes_memory = true, .writes = true};

static void record_work(Call *call, PlanRecord *r, const OptimizerWork *work)
{
  Plan *plan = r->plan;
  PlanWork *w = plan_allocate(plan, sizeof *w), **last = &plan->work;
  w->work = copied(r, work, 1, sizeof *work);
  Tensor **params = plan_allocate(plan, ((size_t)work->n + 1) * sizeof *params);
  int64_t n = 0;
  for (int64_t i = 0; i < work->n; i++)
    if (work->entries[i].param) params[n++] = work->entries[i].param;
  record_deed(call, r, &work_special, params, n)->data = w;
  while (*last) last = &(*last)->next;
  *last = w;
}

/* ------------------------------------------------------------------- recording */

RECORDS(differentiated, record_gradient, const Differentiated *d, d)
RECORDS(accumulated, record_arrival, Tensor *leaf AND Tensor *g, leaf, g)
RECORDS(cleared, record_clearing, Tensors leaves AND bool drop, leaves, drop)
RECORDS(stepped, record_work, const OptimizerWork *work, work)

static void asked(Recorder *recorder) { ((PlanRecord *)recorder)->asks = true; }

void record_training(Recorder *r)
{
  r->differentiated = differentiated;
  r->accumulated = accumulated;
  r->cleared = cleared;
  r->stepped = stepped;
  r->looked = looked;
  r->asked = asked;
}

PlanWork *plan_record_work(const PlanRecord *r) { return r->plan->work; }

Node *record_history(Call *call, PlanRecord *r, const Tensor *output)
{
  if (!r->plan->trains || !output->grad_fn) return NULL;
  Node *spent = op_node_spent(call->ctx, output->grad_fn);
  if (!spent) plan_record_refuse(r, "a result is returned that a gradient could still go back from");
  return spent;
}
