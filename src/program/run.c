/* Runs a program plainly: row by row through the door. */
#include "program/run.h"

#include <string.h>

static const Tensors no_list = {NULL, -1};

Argument run_value(const Run *r, ValueId value)
{
  if (value == NO_VALUE) return (Argument){NULL, no_list};
  Tensor *t = r->program->values[value].tensor;
  return t ? (Argument){t, no_list} : cell_get(&r->cells, value);
}

Tensor *run_tensor(const Run *r, ValueId value)
{
  Tensor *t = run_value(r, value).tensor;
  if (!t) raise(r->call, "a value that is read is absent, or a sequence where a tensor is wanted");
  return t;
}

void run_keep(const Run *r, const Step *s, size_t mark, const Argument *results)
{
  cells_keep(r->call, &r->cells, mark, s->results, results, s->nresults);
}

/* ------------------------------------------------------------------- rows */

/* The tensors of one place; a list goes into the room if it is long enough, else into the arena. */
static void fill_place(const Run *r, const Step *s, const Place *place, bool is_list, void *into, Tensor **room,
                       int32_t *left)
{
  const ValueId *operands = s->operands + place->first;
  if (!is_list) {
    Tensor *t = operands[0] == NO_VALUE ? NULL : run_value(r, operands[0]).tensor;
    memcpy(into, &t, sizeof t);
    return;
  }
  Tensors list = {room, place->n};
  if (place->is_sequence) {
    list = run_value(r, operands[0]).list;
    if (list.n < 0) raise(r->call, "a sequence of tensors is expected where there is none");
  } else if (place->n > *left) {
    list.v = arena_allocate(r->call->ctx, (size_t)place->n * sizeof *list.v);
  } else {
    *left -= place->n;
  }
  for (int32_t k = 0; !place->is_sequence && k < place->n; k++) list.v[k] = run_value(r, operands[k]).tensor;
  memcpy(into, &list, sizeof list);
}

/* Raises where a tensor that the row must have is absent: an input or an optional value that isn't there. */
static void check_required(const Run *r, const Op *op, const void *args)
{
  for (int i = 0; i < op->nargs; i++) {
    if (!op->args[i].required || argument_holds(&op->args[i]) != HOLDS_TENSOR) continue;
    if (!*(Tensor *const *)((const char *)args + op->args[i].offset))
      raise(r->call, "the value for argument '%s' of %s is absent", op->args[i].name, op->name);
  }
}

/* The integers that follow from the inputs' sizes; lists are copied before they are changed. */
static void fill_bound(const Run *r, const Step *s, char *args)
{
  uint32_t copied = 0;
  for (int32_t i = 0; i < s->nbindings; i++) {
    const Binding *b = &s->bindings[i];
    int64_t value = size_of_expression(r->call, &b->size, r->sizes);
    void *place = args + s->op->args[b->argument].offset;
    if (argument_holds(&s->op->args[b->argument]) == HOLDS_TENSOR) {
      Tensor **number = place;
      bool is_whole = dtype_is_integral(tensor_dtype(*number));
      *number = tensor_from_number(r->call, is_whole ? scalar_int(value) : scalar_float((double)value));
      continue;
    }
    if (b->element < 0) {
      if (s->op->args[b->argument].kind == ARG_SCALAR) ((Scalar *)place)->i = value;
      else memcpy(place, &value, sizeof value);
      continue;
    }
    Ints *list = place;
    if (!(copied & argument_bit(b->argument))) *list = arena_ints(r->call->ctx, list->v, list->n);
    copied |= argument_bit(b->argument);
    ((int64_t *)list->v)[b->element] = value;
  }
}

/* The results as the step's values: one each, or a sequence of all. */
static void keep_results(const Run *r, const Step *s, size_t mark, Tensors y)
{
  Argument few[MAX_RESULTS], *results = few;
  bool is_sequence = s->op->results == RESULTS_LIST && s->nresults == 1
                     && r->program->values[s->results[0]].is_sequence;
  if (is_sequence) {
    results[0] = (Argument){NULL, y};
  } else {
    if (y.n != s->nresults)
      raise(r->call, "%s gives %lld results, where the program was made with %d", s->op->name, (long long)y.n,
            s->nresults);
    if (y.n > MAX_RESULTS) results = arena_allocate(r->call->ctx, (size_t)y.n * sizeof *results);
    for (int64_t i = 0; i < y.n; i++) results[i] = (Argument){y.v[i], no_list};
  }
  run_keep(r, s, mark, results);
}

static void run_row(const Run *r, const Step *s)
{
  Context *ctx = r->call->ctx;
  const Op *op = s->op;
  const OpPlan *plan = op_plan(op);
  ArgsRoom args;
  Tensor *list_room[32], *room[MAX_RESULTS];
  int32_t left = sizeof list_room / sizeof *list_room;
  const int32_t all = left;
  memcpy(args.bytes, s->args, op->args_size);
  for (int i = 0; i < plan->ntensors; i++)
    fill_place(r, s, &s->places[i], plan->tensors[i].is_list, args.bytes + plan->tensors[i].offset,
               list_room + (all - left), &left);
  check_required(r, op, args.bytes);
  fill_bound(r, s, args.bytes);
  size_t mark = ctx->owned_count;
  bool grad = ctx->grad_enabled;
  DType autocast = ctx->autocast;
  if (s->no_grad) ctx->grad_enabled = false;
  if (s->autocast == AUTOCAST_SET) ctx->autocast = s->autocast_dtype;
  Tensor *into = s->in_place ? *(Tensor **)args.bytes : NULL;
  Tensors y = dispatch(r->call, op, args.bytes, into, room);
  ctx->grad_enabled = grad;
  ctx->autocast = autocast;
  keep_results(r, s, mark, y);
}

/* ------------------------------------------------------------------ programs */

static void run_steps(const Run *r)
{
  Context *ctx = r->call->ctx;
  const char *outside = ctx->node;
  for (int32_t i = 0; i < r->program->nsteps; i++) {
    const Step *s = &r->program->steps[i];
    check_interrupt(r->call);
    ctx->node = s->node ? s->node : outside;
    if (s->kind == STEP_ROW) run_row(r, s);
    else run_control(r, s);
    for (int32_t k = 0; k < s->ndying; k++) cell_drop(&r->cells, s->dying[k]);
  }
  ctx->node = outside;
}

static void run(Call *call, const Program *p, const Argument *inputs, Argument *outputs, const int64_t *sizes)
{
  Context *ctx = call->ctx;
  size_t mark = ctx->owned_count;
  Run r = {call, p, cells_open(call, p->nvalues, p->has_sequences), sizes};
  cells_keep(call, &r.cells, ctx->owned_count, p->inputs, inputs, p->ninputs);
  run_steps(&r);
  for (int32_t i = 0; i < p->noutputs; i++) outputs[i] = run_value(&r, p->outputs[i].value);
  arguments_keep(call, mark, outputs, p->noutputs);
}

void run_body(Call *call, const Program *p, const Argument *inputs, Argument *outputs)
{
  run(call, p, inputs, outputs, NULL);
}

void program_run(Call *call, const Program *p, const Argument *inputs, Argument *outputs)
{
  int64_t *sizes = arena_allocate(call->ctx, (size_t)(p->nsymbols ? p->nsymbols : 1) * sizeof *sizes);
  program_check_inputs(call, p, inputs, sizes);
  run(call, p, inputs, outputs, sizes);
}
