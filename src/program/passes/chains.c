/* Pointwise rows on one another become one loop over tiles (launch/math/chain.h). */
#include <string.h>

#include "ops/table/pointwise.h"
#include "program/passes/chain_step.h"

enum { MOST_CHAINS = 16 };

/* Steps that may run together, where the last of them is; results of one shape. */
typedef struct Group {
  bool open;
  int n;
  int32_t steps[CHAIN_ROWS];
  int32_t shaped; /* a value of the results' shape */
} Group;

typedef struct Pass {
  Call *call;
  Plan *plan;
  int32_t *group_of; /* of each step; -1 */
  Group *groups;
  int32_t ngroups, nclosed; /* the first so many groups are closed */
} Pass;

/* ---------------------------------------------------------------------- operands */

/* Behind the leading dimensions that an operand lacks or has one of, those that it shares with the result, and then
   only such that it has one of. False if it lies otherwise. */
static bool describe_operand(const Tensor *y, const Tensor *x, ChainOperand *o)
{
  if (!x->is_contiguous || !x->storage || x->ndim > y->ndim) return false;
  int lacking = y->ndim - x->ndim, d = y->ndim - 1;
  *o = (ChainOperand){tensor_dtype(x), 1, 1};
  for (; d >= lacking && x->shape[d - lacking] == 1; d--) o->repeat *= y->shape[d];
  for (; d >= lacking && x->shape[d - lacking] == y->shape[d]; d--) o->period *= y->shape[d];
  if (o->period == 1) o->repeat = 1;
  for (; d >= lacking; d--)
    if (x->shape[d - lacking] != 1) return false;
  return true;
}

/* Whether a step is a pointwise row that a chain can have. */
static bool is_link(const Pass *p, const PlanStep *s)
{
  if (s->special || s->op->kind != OP_POINTWISE || s->in_place || s->is_kept || s->is_gone) return false;
  const PlanValue *y = &p->plan->values[s->results[0]];
  if (!y->seen || !y->seen->is_contiguous || y->seen->numel == 0 || y->seen->is_wrapped_number) return false;
  ChainOperand o;
  for (int32_t k = 0; k < s->noperands; k++) {
    const Tensor *x = p->plan->values[s->operands[k].value].seen;
    if (!x || !describe_operand(y->seen, x, &o)) return false;
  }
  return !y->is_written && s->noperands == s->op->pointwise->arity;
}

/* ------------------------------------------------------------------------ groups */

/* A step outside of a group reads or changes something of it: what the group has so far must run before. */
static void close_touched(Pass *p, const PlanStep *s)
{
  const Plan *plan = p->plan;
  for (int32_t k = 0; k < s->noperands; k++) {
    const PlanValue *root = &plan->values[plan->values[s->operands[k].value].root];
    if (root->step >= 0 && p->group_of[root->step] >= 0) p->groups[p->group_of[root->step]].open = false;
  }
  if (!s->in_place && !(s->special && s->special->changes_memory)) return;
  for (; p->nclosed < p->ngroups; p->nclosed++) p->groups[p->nclosed].open = false; /* it may write what they read */
}

static void merge_groups(Pass *p, int32_t from, int32_t into)
{
  Group *a = &p->groups[from], *b = &p->groups[into];
  for (int i = 0; i < a->n; i++) {
    p->group_of[a->steps[i]] = into;
    b->steps[b->n++] = a->steps[i];
  }
  a->n = 0;
  a->open = false;
}

/* The open group that makes one of a step's operands. */
static int32_t group_below(const Pass *p, const PlanStep *s, int32_t value)
{
  const PlanValue *v = &p->plan->values[value];
  if (v->root != value || v->step < 0) return -1;
  int32_t g = p->group_of[v->step];
  if (g < 0 || !p->groups[g].open || p->groups[g].n >= CHAIN_ROWS) return -1;
  const Tensor *y = p->plan->values[s->results[0]].seen;
  return tensor_same_shape(y, p->plan->values[p->groups[g].shaped].seen) ? g : -1;
}

static int32_t new_group(Pass *p, const PlanStep *s)
{
  p->groups[p->ngroups] = (Group){.open = true, .shaped = s->results[0]};
  return p->ngroups++;
}

static void add_to_group(Pass *p, int32_t i)
{
  PlanStep *s = &p->plan->steps[i];
  int32_t g = -1;
  for (int32_t k = 0; k < s->noperands; k++) {
    int32_t below = group_below(p, s, s->operands[k].value);
    if (below < 0 || below == g) continue;
    if (g < 0) g = below;
    else if (p->groups[g].n + p->groups[below].n < CHAIN_ROWS) merge_groups(p, below, g);
  }
  if (g < 0) g = new_group(p, s);
  /* operands of other shapes, or of groups that are full, are made before */
  p->group_of[i] = -1;
  for (int32_t k = 0; k < s->noperands; k++) {
    const PlanValue *root = &p->plan->values[p->plan->values[s->operands[k].value].root];
    int32_t other = root->step >= 0 ? p->group_of[root->step] : -1;
    bool inside = other == g && p->plan->values[s->operands[k].value].root == s->operands[k].value;
    if (other >= 0 && !inside) p->groups[other].open = false;
    if (other == g && !inside) g = new_group(p, s);
  }
  p->groups[g].steps[p->groups[g].n++] = i;
  p->group_of[i] = g;
}

/* ------------------------------------------------------------------------- chains */

static void run_chain(Call *call, Plan *plan, PlanStep *s)
{
  (void)call;
  ChainStep *data = s->data;
  for (int32_t k = 0; k < s->nresults; k++) data->results[k] = plan->values[s->results[k]].now;
  launch_chain(data->chain, data->operands, data->results);
}

static void free_chain(Plan *plan, PlanStep *s)
{
  (void)plan;
  chain_free(((ChainStep *)s->data)->chain);
}

const PlanSpecial chain_special = {.name = "chain", .run = run_chain, .free = free_chain};

/* What a group comes to. */
typedef struct Draft {
  ChainRow rows[CHAIN_ROWS];
  ChainOperand operands[CHAIN_OPERANDS];
  int32_t values[CHAIN_OPERANDS], made[CHAIN_ROWS]; /* of operands; of rows */
  int noperands, nrows, results[CHAIN_RESULTS], nresults;
} Draft;

/* The number of a value in the draft: a row's, or an operand's, which may be new; -1 if there is no room. */
static int number_of(const Plan *plan, Draft *d, int32_t value, const Tensor *y)
{
  for (int i = 0; i < d->nrows; i++)
    if (d->made[i] == value) return CHAIN_OPERANDS + i;
  for (int i = 0; i < d->noperands; i++)
    if (d->values[i] == value) return i;
  if (d->noperands == CHAIN_OPERANDS) return -1;
  d->values[d->noperands] = value;
  describe_operand(y, plan->values[value].seen, &d->operands[d->noperands]);
  return d->noperands++;
}

static int count_params(const Op *op)
{
  int n = 0;
  for (int i = op->pointwise->arity; i < op->nargs && op->args[i].kind == ARG_SCALAR; i++) n++;
  return n;
}

static bool draft_row(Pass *p, Draft *d, const PlanStep *s)
{
  Plan *plan = p->plan;
  Call call = {.ctx = p->call->ctx, .op = s->op, .parent = p->call, .device = DEVICE_CPU};
  for (int32_t k = 0; k < s->noperands; k++) *s->operands[k].place = plan->values[s->operands[k].value].seen;
  PointwiseWay way = pointwise_way(&call, s->args);
  const Tensor *y = plan->values[s->results[0]].seen;
  if (tensor_dtype(y) != way.produced) return false;
  ChainRow *row = &d->rows[d->nrows];
  *row = (ChainRow){.choice = way.choice, .compute = way.compute, .produced = way.produced, .n = way.n};
  for (int k = 0; k < way.n; k++) {
    row->takes[k] = number_of(plan, d, s->operands[k].value, y);
    if (row->takes[k] < 0) return false;
  }
  int n = count_params(s->op);
  if (n && way.params) {
    Scalar *copy = plan_allocate(plan, (size_t)n * sizeof *copy);
    memcpy(copy, way.params, (size_t)n * sizeof *copy);
    row->params = copy;
  }
  d->made[d->nrows++] = s->results[0];
  return true;
}

/* How many of the group's own rows read a value. */
static int32_t readers_inside(const Plan *plan, const Group *g, int32_t value)
{
  int32_t n = 0;
  for (int i = 0; i < g->n; i++)
    for (int32_t k = 0; k < plan->steps[g->steps[i]].noperands; k++)
      n += plan->steps[g->steps[i]].operands[k].value == value;
  return n;
}

/* Whether anything outside of the group wants a value. */
static bool is_wanted(const Plan *plan, const Group *g, int32_t value)
{
  if (plan->values[value].leaves) return true;
  return plan->values[value].readers > readers_inside(plan, g, value);
}

static void sort_steps(Group *g)
{
  for (int i = 1; i < g->n; i++)
    for (int k = i; k > 0 && g->steps[k - 1] > g->steps[k]; k--) {
      int32_t t = g->steps[k];
      g->steps[k] = g->steps[k - 1];
      g->steps[k - 1] = t;
    }
}

/* Rows' numbers stand behind the operands'. */
static void number_rows(Draft *d)
{
  for (int i = 0; i < d->nrows; i++)
    for (int k = 0; k < d->rows[i].n; k++)
      if (d->rows[i].takes[k] >= CHAIN_OPERANDS) d->rows[i].takes[k] += d->noperands - CHAIN_OPERANDS;
}

static bool draft_group(Pass *p, const Group *g, Draft *d)
{
  for (int i = 0; i < g->n; i++)
    if (!draft_row(p, d, &p->plan->steps[g->steps[i]])) return false;
  for (int i = 0; i < d->nrows; i++) {
    if (!is_wanted(p->plan, g, d->made[i])) continue;
    if (d->nresults == CHAIN_RESULTS) return false;
    d->results[d->nresults++] = i;
  }
  number_rows(d);
  return d->nresults > 0;
}

/* Puts a chain in the place of the group's last step, if there can be one. What may fail comes before it is made: then
   the step owns it. */
static void put_chain(Pass *p, const Group *g, const Draft *d)
{
  Plan *plan = p->plan;
  int32_t last = g->steps[g->n - 1];
  ChainStep *data = plan_allocate(plan, sizeof *data);
  PlanOperand *operands = plan_allocate(plan, (size_t)(d->noperands + 1) * sizeof *operands);
  int32_t *results = plan_allocate(plan, (size_t)d->nresults * sizeof *results);
  const int64_t numel = plan->values[d->made[0]].seen->numel;
  data->chain = chain_new(d->rows, d->nrows, d->operands, d->noperands, d->results, d->nresults, numel);
  if (!data->chain) return;
  for (int i = 0; i < g->n; i++) plan->steps[g->steps[i]].is_gone = g->steps[i] != last;
  PlanStep *s = &plan->steps[last];
  s->special = &chain_special;
  s->data = data;
  s->operands = operands;
  s->noperands = d->noperands;
  for (int k = 0; k < d->noperands; k++) s->operands[k] = (PlanOperand){&data->operands[k], d->values[k]};
  s->results = results;
  s->nresults = d->nresults;
  for (int k = 0; k < d->nresults; k++) {
    s->results[k] = d->made[d->results[k]];
    PlanValue *value = &plan->values[s->results[k]];
    value->step = last;
    value->noted = 1;
    if (!value->form) value->form = tensor_retain(tensor_ghost(p->call, value->seen));
  }
}

/* A row alone is a chain where a step before it can take it. */
static bool is_worth_it(const Pass *p, const Group *g)
{
  if (g->n != 1) return g->n > 1;
  const PlanStep *s = &p->plan->steps[g->steps[0]];
  for (int32_t k = 0; k < s->noperands; k++)
    if (pass_takes_tail(p->plan, s->operands[k].value)) return true;
  return false;
}

static void chain_sorted(Pass *p, const Group *g)
{
  Draft d = {.noperands = 0};
  if (!is_worth_it(p, g)) return;
  if (draft_group(p, g, &d)) {
    put_chain(p, g, &d);
  } else if (g->n > 1) { /* it reads or gives too much for one */
    Group half = {.n = g->n / 2}, rest = {.n = g->n - half.n};
    memcpy(half.steps, g->steps, (size_t)half.n * sizeof *half.steps);
    memcpy(rest.steps, g->steps + half.n, (size_t)rest.n * sizeof *rest.steps);
    chain_sorted(p, &half);
    chain_sorted(p, &rest);
  }
}

static void chain_group(Pass *p, Group *g)
{
  sort_steps(g);
  chain_sorted(p, g);
}

void pass_chains(Call *call, Plan *plan)
{
  plan_survey(plan);
  Pass p = {.call = call, .plan = plan};
  p.group_of = plan_allocate(plan, (size_t)(plan->nsteps + 1) * sizeof *p.group_of);
  p.groups = plan_allocate(plan, (size_t)(2 * plan->nsteps + 1) * sizeof *p.groups);
  for (int32_t i = 0; i < plan->nsteps; i++) p.group_of[i] = -1;
  for (int32_t i = 0; i < plan->nsteps; i++) {
    if (is_link(&p, &plan->steps[i])) add_to_group(&p, i);
    else close_touched(&p, &plan->steps[i]);
  }
  for (int32_t g = 0; g < p.ngroups; g++) chain_group(&p, &p.groups[g]);
  plan_compact(plan);
}
