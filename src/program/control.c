/* The steps of a program that call no row: branches, loops, sequences. */
#include <string.h>

#include "core/recorder.h"
#include "ops/shape/cat_split.h"
#include "program/run.h"

static const Tensors no_list = {NULL, -1};

/* ----------------------------------------------------------- what is looked at */

/* The one element of a tensor that decides what is run. */
static Scalar element_of(const Run *r, ValueId value, const char *what)
{
  const Tensor *t = run_tensor(r, value);
  if (t->device != DEVICE_CPU) raise(r->call, "%s is known from elements alone: %s", what, why_no_elements(t));
  if (t->numel != 1) raise(r->call, "%s is a tensor of one element, not %lld", what, (long long)t->numel);
  tell_read(t, what);
  return tensor_item(t);
}

static bool truth_of(Scalar s) { return s.kind <= SCALAR_INT ? s.i != 0 : s.re != 0 || s.im != 0; }

static Tensor *new_number(Call *call, DType dtype, int64_t value)
{
  Tensor *t = tensor_new(call, dtype, DEVICE_CPU, (Ints){NULL, 0});
  if (dtype == DTYPE_b8) *(bool *)tensor_data(t) = value != 0;
  else *(int64_t *)tensor_data(t) = value;
  return t;
}

static Argument argument_of(Tensor *t) { return (Argument){t, no_list}; }

/* ---------------------------------------------------------------- branches */

static void run_if(const Run *r, const Step *s)
{
  Context *ctx = r->call->ctx;
  const Body *body = &s->bodies[truth_of(element_of(r, s->operands[0], "the condition of a branch")) ? 0 : 1];
  Argument *inputs = arena_allocate(ctx, (size_t)(body->ninputs + s->nresults + 1) * sizeof *inputs);
  Argument *outputs = inputs + body->ninputs;
  for (int32_t i = 0; i < body->ninputs; i++) inputs[i] = run_value(r, body->inputs[i]);
  size_t mark = ctx->owned_count;
  run_body(r->call, body->program, inputs, outputs);
  run_keep(r, s, mark, outputs);
}

/* ------------------------------------------------------------------- loops */

/* What a loop gathers: the tensors of all rounds, owned by the running scope one by one. */
typedef struct Gathered {
  Tensor **v;
  int64_t n, room;
} Gathered;

static void gather(Call *call, Gathered *g, Tensor *t)
{
  if (g->n == g->room) {
    int64_t room = g->room ? 2 * g->room : 8;
    Tensor **v = arena_allocate(call->ctx, (size_t)room * sizeof *v);
    if (g->n) memcpy(v, g->v, (size_t)g->n * sizeof *v);
    g->v = v;
    g->room = room;
  }
  g->v[g->n++] = t;
}

/* All rounds' tensors as one; of no round a tensor of what is known of them. */
static Tensor *gathered(Call *call, const Gathered *g, const Value *of)
{
  if (g->n > 0) return op(stack, (Tensors){g->v, g->n}, 0);
  int64_t shape[MAX_DIMS] = {0};
  int ndim = of->ndim >= 0 && of->ndim < MAX_DIMS ? of->ndim : 0;
  for (int d = 0; d < ndim; d++) shape[d + 1] = of->shape[d] > 0 ? of->shape[d] : 0;
  return tensor_new(call, of->dtype == DTYPE_NONE ? DTYPE_f32 : of->dtype, DEVICE_CPU, (Ints){shape, ndim + 1});
}

typedef struct Loop {
  const Run *run;
  const Step *step;
  const Program *body;
  int32_t ninputs, ngathered;
  Cells carried;         /* of the loop: one for each carried value */
  const ValueId *places; /* 0, 1, 2…: their numbers */
  Argument *inputs, *outputs;
  Gathered *gathered;
} Loop;

static Loop loop_open(const Run *r, const Step *s)
{
  Context *ctx = r->call->ctx;
  const Body *body = &s->bodies[0];
  Loop l = {.run = r, .step = s, .body = body->program, .ninputs = body->program->ninputs};
  l.ngathered = s->nresults - s->ncarried;
  ValueId *places = arena_allocate(ctx, (size_t)(s->ncarried + 1) * sizeof *places);
  for (int32_t i = 0; i < s->ncarried; i++) places[i] = i;
  l.places = places;
  l.inputs = arena_allocate(ctx, (size_t)(l.ninputs + l.body->noutputs + s->nresults) * sizeof *l.inputs);
  l.outputs = l.inputs + l.ninputs;
  l.gathered = arena_allocate(ctx, (size_t)(l.ngathered + 1) * sizeof *l.gathered);
  memset(l.gathered, 0, (size_t)(l.ngathered + 1) * sizeof *l.gathered);
  for (int32_t i = 0; i < body->ninputs; i++) l.inputs[2 + i] = run_value(r, body->inputs[i]);
  l.carried = cells_open(r->call, s->ncarried, l.body->has_sequences || r->program->has_sequences);
  cells_keep(r->call, &l.carried, ctx->owned_count, places, l.inputs + 2, s->ncarried);
  return l;
}

/* What a round says of the next one; nothing is yes. */
static bool goes_on_after(Call *call, const Tensor *condition)
{
  if (!condition) return true;
  if (condition->numel != 1 || condition->device != DEVICE_CPU)
    raise(call, "whether a loop goes on is a tensor of one element");
  tell_read(condition, "whether a loop goes on");
  return truth_of(tensor_item(condition));
}

/* One round; returns whether another follows. */
static bool loop_round(Loop *l, int64_t round)
{
  Call *call = l->run->call;
  Context *ctx = call->ctx;
  int32_t ncarried = l->step->ncarried;
  check_interrupt(call);
  size_t mark = ctx->owned_count;
  l->inputs[0] = argument_of(new_number(call, DTYPE_i64, round));
  l->inputs[1] = argument_of(new_number(call, DTYPE_b8, true));
  for (int32_t i = 0; i < ncarried; i++) l->inputs[2 + i] = cell_get(&l->carried, i);
  run_body(call, l->body, l->inputs, l->outputs);
  bool goes_on = goes_on_after(call, l->outputs[0].tensor);
  /* what is gathered is owned before the round's scope goes, and stays beyond its end */
  scope_room(ctx, (size_t)l->ngathered);
  Argument *gathered_now = l->outputs + 1 + ncarried;
  for (int32_t i = 0; i < l->ngathered; i++) {
    if (!gathered_now[i].tensor) raise(call, "what a loop gathers is a tensor, not a sequence");
    gather(call, &l->gathered[i], gathered_now[i].tensor);
  }
  for (int32_t i = 0; i < l->ngathered; i++) tensor_retain(gathered_now[i].tensor);
  cells_keep(call, &l->carried, mark, l->places, l->outputs + 1, ncarried);
  for (int32_t i = 0; i < l->ngathered; i++) scope_own(ctx, gathered_now[i].tensor);
  return goes_on;
}

static void run_loop(const Run *r, const Step *s)
{
  size_t mark = r->call->ctx->owned_count;
  int64_t most = INT64_MAX;
  bool goes_on = true;
  if (s->operands[0] != NO_VALUE) most = scalar_integer(element_of(r, s->operands[0], "a loop's number of rounds"));
  if (s->operands[1] != NO_VALUE) goes_on = truth_of(element_of(r, s->operands[1], "a loop's condition"));
  Loop l = loop_open(r, s);
  for (int64_t round = 0; goes_on && round < most; round++) goes_on = loop_round(&l, round);
  Argument *results = l.outputs + l.body->noutputs;
  for (int32_t i = 0; i < s->ncarried; i++) results[i] = cell_get(&l.carried, i);
  for (int32_t i = 0; i < l.ngathered; i++) {
    const Value *of = &l.body->values[l.body->outputs[1 + s->ncarried + i].value];
    results[s->ncarried + i] = argument_of(gathered(r->call, &l.gathered[i], of));
  }
  run_keep(r, s, mark, results);
}

/* --------------------------------------------------------------- sequences */

static Tensors sequence_of(const Run *r, ValueId value)
{
  Tensors list = run_value(r, value).list;
  if (list.n < 0) raise(r->call, "a sequence of tensors is expected where there is none");
  return list;
}

/* A position from 0, or from the end of n, that is less than a limit. */
static int64_t position_of(const Run *r, ValueId value, int64_t position, int64_t n, int64_t limit)
{
  if (value != NO_VALUE) position = scalar_integer(element_of(r, value, "a position in a sequence"));
  int64_t from_start = position < 0 ? position + n : position;
  if (from_start < 0 || from_start >= limit)
    raise(r->call, "position %lld (from 0) is not in a sequence of %lld tensors", (long long)position, (long long)n);
  return from_start;
}

/* A list with room for n tensors, in the arena. */
static Tensors new_list(const Run *r, int64_t n)
{
  return (Tensors){arena_allocate(r->call->ctx, (size_t)(n ? n : 1) * sizeof(Tensor *)), n};
}

static Argument made_sequence(const Run *r, const Step *s)
{
  Tensors list = new_list(r, s->noperands);
  for (int32_t i = 0; i < s->noperands; i++) list.v[i] = run_tensor(r, s->operands[i]);
  return (Argument){NULL, list};
}

static Argument item(const Run *r, const Step *s)
{
  Tensors list = sequence_of(r, s->operands[0]);
  return argument_of(list.v[position_of(r, s->operands[1], s->position, list.n, list.n)]);
}

static Argument inserted(const Run *r, const Step *s)
{
  Tensors list = sequence_of(r, s->operands[0]), longer = new_list(r, list.n + 1);
  int64_t at = position_of(r, s->operands[2], list.n, list.n, list.n + 1);
  for (int64_t i = 0; i < at; i++) longer.v[i] = list.v[i];
  longer.v[at] = run_tensor(r, s->operands[1]);
  for (int64_t i = at; i < list.n; i++) longer.v[i + 1] = list.v[i];
  return (Argument){NULL, longer};
}

static Argument erased(const Run *r, const Step *s)
{
  Tensors list = sequence_of(r, s->operands[0]);
  int64_t at = position_of(r, s->operands[1], -1, list.n, list.n), n = 0;
  Tensors shorter = new_list(r, list.n - 1);
  for (int64_t i = 0; i < list.n; i++)
    if (i != at) shorter.v[n++] = list.v[i];
  return (Argument){NULL, shorter};
}

void run_control(const Run *r, const Step *s)
{
  size_t mark = r->call->ctx->owned_count;
  Argument result;
  switch ((StepKind)s->kind) {
    case STEP_IF: run_if(r, s); return;
    case STEP_LOOP: run_loop(r, s); return;
    case STEP_SEQUENCE: result = made_sequence(r, s); break;
    case STEP_ITEM: result = item(r, s); break;
    case STEP_INSERT: result = inserted(r, s); break;
    case STEP_ERASE: result = erased(r, s); break;
    default: result = argument_of(new_number(r->call, DTYPE_i64, sequence_of(r, s->operands[0]).n));
  }
  run_keep(r, s, mark, &result);
}
