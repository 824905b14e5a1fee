/* Makes programs. */
#include "program/builder.h"

#include <string.h>

#include "program/block.h"
#include "program/tensor_map.h"

enum { MOST_NESTED = 64 };

/* A list that grows within the program's blocks. */
typedef struct Vector {
  void *v;
  int32_t n, room;
} Vector;

struct ProgramBuilder {
  Context *ctx;
  ProgramBuilder *outer;
  int depth;
  Block *blocks;
  Vector values, steps, inputs, outputs, symbols;
  Vector taken;      /* of a body: the outer value that each input is; NO_VALUE of those that it declared itself */
  TensorMap numbers; /* tensors that are values */
  const char *node;
  bool has_sequences;
};

/* Makes sure that one more can be appended without failing. */
static void make_room(Call *call, ProgramBuilder *b, Vector *v, size_t size)
{
  if (v->n < v->room) return;
  if (v->n > INT32_MAX / 2) raise(call, "a program of more than 2^30 parts is too large");
  int32_t room = v->room ? 2 * v->room : 8;
  void *larger = blocks_allocate(call->ctx, &b->blocks, (size_t)room * size);
  if (v->n) memcpy(larger, v->v, (size_t)v->n * size);
  v->v = larger;
  v->room = room;
}

/* A new element at a vector's end, zeroed. */
static void *appended(Call *call, ProgramBuilder *b, Vector *v, size_t size)
{
  make_room(call, b, v, size);
  return memset((char *)v->v + (size_t)v->n++ * size, 0, size);
}

static Value *value_at(const ProgramBuilder *b, ValueId value) { return (Value *)b->values.v + value; }

static const char *copied_text(Call *call, ProgramBuilder *b, const char *text)
{
  return blocks_copy(call->ctx, &b->blocks, text, text ? strlen(text) + 1 : 0);
}

/* ---------------------------------------------------------------- builders */

ProgramBuilder *builder_new(Call *call, ProgramBuilder *outer)
{
  int depth = outer ? outer->depth + 1 : 0;
  if (depth > MOST_NESTED) raise(call, "the bodies of a program may be nested %d deep", MOST_NESTED);
  ProgramBuilder *b = core_allocate(call->ctx, sizeof *b);
  *b = (ProgramBuilder){.ctx = call->ctx, .outer = outer, .depth = depth};
  return b;
}

/* What the steps' and values' references are; a program that was built has them instead. */
static void release_parts(ProgramBuilder *b)
{
  for (int32_t i = 0; i < b->values.n; i++) tensor_release(value_at(b, i)->tensor);
  for (int32_t i = 0; i < b->steps.n; i++) {
    const Step *s = (Step *)b->steps.v + i;
    for (int32_t k = 0; k < s->nbodies; k++) program_release(s->bodies[k].program);
  }
}

void builder_free(ProgramBuilder *b)
{
  if (!b) return;
  Context *ctx = b->ctx;
  release_parts(b);
  tensor_map_free(ctx, &b->numbers);
  blocks_free(ctx, b->blocks);
  memory_free(&ctx->memory, b, sizeof *b);
}

ProgramBuilder *builder_outer(const ProgramBuilder *b) { return b->outer; }

void builder_at(Call *call, ProgramBuilder *b, const char *node) { b->node = copied_text(call, b, node); }

/* ------------------------------------------------------------------ values */

static ValueId new_value(Call *call, ProgramBuilder *b, ValueKind kind)
{
  Value *v = appended(call, b, &b->values, sizeof *v);
  *v = (Value){.kind = (uint8_t)kind, .dtype = DTYPE_NONE, .ndim = -1, .step = -1};
  return b->values.n - 1;
}

void builder_describe(Call *call, ProgramBuilder *b, ValueId value, DType dtype, Ints shape)
{
  Value *v = value_at(b, value);
  if (shape.n > MAX_DIMS) raise(call, "a tensor has up to %d dimensions, not %lld", MAX_DIMS, (long long)shape.n);
  const int64_t *copy = NULL;
  if (shape.n >= 0)
    copy = blocks_copy(call->ctx, &b->blocks, shape.v ? shape.v : &(int64_t){0}, (size_t)shape.n * sizeof *shape.v);
  v->dtype = dtype;
  v->shape = copy;
  v->ndim = shape.n < 0 ? -1 : (int8_t)shape.n;
}

void builder_claim(Call *call, ProgramBuilder *b, ValueId value, DType dtype, Ints shape)
{
  builder_describe(call, b, value, dtype, shape);
  value_at(b, value)->is_claimed = true;
}

int64_t builder_symbol(Call *call, ProgramBuilder *b, const char *name)
{
  const char **names = b->symbols.v;
  for (int32_t i = 0; i < b->symbols.n; i++)
    if (strcmp(names[i], name) == 0) return symbol_size(i);
  const char *copy = copied_text(call, b, name);
  *(const char **)appended(call, b, &b->symbols, sizeof copy) = copy;
  return symbol_size(b->symbols.n - 1);
}

ValueId builder_input(Call *call, ProgramBuilder *b, const char *name, DType dtype, Ints shape, bool is_sequence)
{
  const char *copy = copied_text(call, b, name);
  make_room(call, b, &b->inputs, sizeof(ValueId));
  make_room(call, b, &b->taken, sizeof(ValueId));
  ValueId id = new_value(call, b, VALUE_INPUT);
  value_at(b, id)->name = copy;
  value_at(b, id)->is_sequence = is_sequence;
  b->has_sequences |= is_sequence;
  builder_describe(call, b, id, dtype, shape);
  *(ValueId *)appended(call, b, &b->inputs, sizeof id) = id;
  *(ValueId *)appended(call, b, &b->taken, sizeof id) = NO_VALUE;
  return id;
}

ValueId builder_tensor(Call *call, ProgramBuilder *b, ValueKind kind, const char *name, Tensor *t)
{
  const char *copy = copied_text(call, b, name);
  ValueId id = new_value(call, b, kind);
  value_at(b, id)->name = copy;
  value_at(b, id)->tensor = tensor_retain(t);
  builder_describe(call, b, id, tensor_dtype(t), tensor_shape(t));
  tensor_map_set(call, &b->numbers, t, id);
  return id;
}

void builder_bind(Call *call, ProgramBuilder *b, Tensor *t, ValueId value)
{
  tensor_map_set(call, &b->numbers, t, value);
}

Tensor *builder_stand_in(Call *call, ProgramBuilder *b, ValueId value)
{
  Tensor *t = tensor_new(call, DTYPE_f32, DEVICE_META, (Ints){NULL, 0});
  builder_bind(call, b, t, value);
  return t;
}

ValueId builder_value_of(const ProgramBuilder *b, const Tensor *t) { return tensor_map_find(&b->numbers, t); }

/* The value that a tensor is here or in a builder outside, where it becomes an input of all bodies in between. */
static ValueId value_within(Call *call, ProgramBuilder *b, Tensor *t)
{
  ValueId id = builder_value_of(b, t);
  if (id != NO_VALUE || !b->outer) return id;
  ValueId outside = value_within(call, b->outer, t);
  if (outside == NO_VALUE) return NO_VALUE;
  const Value *of = value_at(b->outer, outside);
  id = builder_input(call, b, of->name, of->dtype, NO_INTS, of->is_sequence);
  value_at(b, id)->may_be_absent = true;
  ((ValueId *)b->taken.v)[b->taken.n - 1] = outside;
  builder_bind(call, b, t, id);
  return id;
}

ValueId builder_operand(Call *call, ProgramBuilder *b, Tensor *t)
{
  if (!t) return NO_VALUE;
  ValueId id = value_within(call, b, t);
  return id != NO_VALUE ? id : builder_tensor(call, b, VALUE_CONSTANT, NULL, t);
}

/* ------------------------------------------------------------------- steps */

static ValueId *new_results(Call *call, ProgramBuilder *b, int32_t n, bool is_sequence)
{
  ValueId *ids = blocks_allocate(call->ctx, &b->blocks, (size_t)(n ? n : 1) * sizeof *ids);
  for (int32_t i = 0; i < n; i++) {
    ids[i] = new_value(call, b, VALUE_RESULT);
    value_at(b, ids[i])->is_sequence = is_sequence;
    value_at(b, ids[i])->step = b->steps.n;
  }
  b->has_sequences |= is_sequence && n > 0;
  return ids;
}

/* Puts a step at the end; what it points to is the builder's already. */
static Step *add_step(Call *call, ProgramBuilder *b, const Step *step)
{
  Step *s = appended(call, b, &b->steps, sizeof *s);
  *s = *step;
  s->node = b->node;
  for (int32_t i = 0; i < s->nbodies; i++) program_retain(s->bodies[i].program);
  return s;
}

static void *copied_args(Call *call, ProgramBuilder *b, const Op *op, const void *args)
{
  size_t bytes = ((size_t)op->args_size + 7) & ~(size_t)7;
  char *copy = blocks_allocate(call->ctx, &b->blocks, bytes + args_pointed_bytes(op, args));
  memcpy(copy, args, op->args_size);
  args_copy_pointed(op, copy, copy + bytes);
  for (int i = 0; i < op->nargs; i++) {
    void *place = copy + op->args[i].offset;
    if (argument_holds(&op->args[i]) == HOLDS_TENSOR) memset(place, 0, sizeof(Tensor *));
    if (argument_holds(&op->args[i]) == HOLDS_TENSORS) memset(place, 0, sizeof(Tensors));
    if (op->args[i].kind == ARG_GENERATOR && *(Generator **)place)
      raise(call, "%s: a program draws from the default generator: give it none", op->name);
  }
  return copy;
}

/* Whether a list of tensors is one that stands for a sequence: alone in the list, its value is a sequence. */
static bool is_sequence_place(const ProgramBuilder *b, const ValueId *operands, int32_t n)
{
  return n == 1 && operands[0] != NO_VALUE && value_at(b, operands[0])->is_sequence;
}

static void copy_operands(Call *call, ProgramBuilder *b, const Op *op, const void *args, Step *s)
{
  const OpPlan *plan = op_plan(op);
  int64_t n = 0;
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    n += plan->tensors[i].is_list ? ((const Tensors *)place)->n : 1;
  }
  if (n > INT32_MAX) raise(call, "%s: a list of %lld tensors is too long", op->name, (long long)n);
  ValueId *operands = blocks_allocate(call->ctx, &b->blocks, (size_t)(n ? n : 1) * sizeof *operands);
  Place *places = blocks_allocate(call->ctx, &b->blocks, (size_t)(plan->ntensors + 1) * sizeof *places);
  int32_t used = 0;
  for (int i = 0; i < plan->ntensors; i++) {
    const void *place = (const char *)args + plan->tensors[i].offset;
    Tensors list = {(Tensor **)place, 1};
    if (plan->tensors[i].is_list) list = *(const Tensors *)place;
    for (int64_t k = 0; k < list.n; k++) operands[used + k] = builder_operand(call, b, list.v[k]);
    places[i] = (Place){used, (int32_t)list.n, false};
    places[i].is_sequence = plan->tensors[i].is_list && is_sequence_place(b, operands + used, places[i].n);
    if (!plan->tensors[i].is_list && is_sequence_place(b, operands + used, 1))
      raise(call, "%s: a tensor is expected where a sequence is given", op->name);
    used += (int32_t)list.n;
  }
  s->operands = operands;
  s->noperands = used;
  s->places = places;
}

void builder_row(Call *call, ProgramBuilder *b, const Op *op, const void *args, bool in_place, int32_t n,
                 ValueId *results)
{
  Step s = {.kind = STEP_ROW, .op = op, .in_place = in_place};
  s.args = copied_args(call, b, op, args);
  copy_operands(call, b, op, args, &s);
  bool as_sequence = op->results == RESULTS_LIST && n < 0;
  s.nresults = in_place || as_sequence ? 1 : op->results == RESULTS_LIST ? n : op->results;
  s.results = new_results(call, b, s.nresults, as_sequence);
  add_step(call, b, &s);
  memcpy(results, s.results, (size_t)s.nresults * sizeof *results);
}

void builder_step(Call *call, ProgramBuilder *b, const Step *step, ValueId *results)
{
  Step s = *step;
  s.operands = blocks_copy(call->ctx, &b->blocks, s.operands, (size_t)s.noperands * sizeof *s.operands);
  if (s.nbodies) {
    Body *bodies = blocks_copy(call->ctx, &b->blocks, s.bodies, (size_t)s.nbodies * sizeof *s.bodies);
    for (int32_t i = 0; i < s.nbodies; i++)
      bodies[i].inputs = blocks_copy(call->ctx, &b->blocks, bodies[i].inputs,
                                     (size_t)bodies[i].ninputs * sizeof *bodies[i].inputs);
    s.bodies = bodies;
  }
  bool gives_sequence = s.kind == STEP_SEQUENCE || s.kind == STEP_INSERT || s.kind == STEP_ERASE;
  s.results = new_results(call, b, s.nresults, gives_sequence);
  add_step(call, b, &s);
  memcpy(results, s.results, (size_t)s.nresults * sizeof *results);
}

void builder_set_modes(ProgramBuilder *b, bool no_grad, StepAutocast autocast, DType dtype)
{
  Step *s = (Step *)b->steps.v + b->steps.n - 1;
  s->no_grad = no_grad;
  s->autocast = (uint8_t)autocast;
  s->autocast_dtype = dtype;
}

void builder_set_sequence(ProgramBuilder *b, ValueId value)
{
  value_at(b, value)->is_sequence = true;
  b->has_sequences = true;
}

const Value *builder_value(const ProgramBuilder *b, ValueId value) { return value_at(b, value); }

int32_t builder_taken(const ProgramBuilder *b, const ValueId **outer)
{
  *outer = b->taken.v;
  return b->taken.n;
}

void builder_output(Call *call, ProgramBuilder *b, const char *name, ValueId value)
{
  const char *copy = copied_text(call, b, name);
  *(Output *)appended(call, b, &b->outputs, sizeof(Output)) = (Output){copy, value};
}

/* ---------------------------------------------------------------- the end */

/* Where values are read for the last time: dying of each step. */
static void find_last_uses(Call *call, ProgramBuilder *b)
{
  Step *steps = b->steps.v;
  int32_t *last = arena_allocate(call->ctx, (size_t)(b->values.n + 1) * sizeof *last);
  int32_t *count = arena_allocate(call->ctx, (size_t)(b->steps.n + 1) * sizeof *count);
  for (int32_t i = 0; i < b->values.n; i++) last[i] = value_at(b, i)->step; /* of what nobody reads its own step */
  for (int32_t i = 0; i < b->steps.n; i++) {
    count[i] = 0;
    for (int32_t k = 0; k < steps[i].noperands; k++)
      if (steps[i].operands[k] != NO_VALUE) last[steps[i].operands[k]] = i;
    for (int32_t k = 0; k < steps[i].nbodies; k++)
      for (int32_t j = 0; j < steps[i].bodies[k].ninputs; j++)
        if (steps[i].bodies[k].inputs[j] != NO_VALUE) last[steps[i].bodies[k].inputs[j]] = i;
  }
  const Output *outputs = b->outputs.v;
  for (int32_t i = 0; i < b->outputs.n; i++)
    if (outputs[i].value != NO_VALUE) last[outputs[i].value] = -1;
  for (int32_t i = 0; i < b->values.n; i++)
    if (last[i] >= 0 && !value_at(b, i)->tensor) count[last[i]]++;
  for (int32_t i = 0; i < b->steps.n; i++) {
    steps[i].dying = blocks_allocate(call->ctx, &b->blocks, (size_t)(count[i] + 1) * sizeof(ValueId));
    steps[i].ndying = 0;
  }
  for (int32_t i = 0; i < b->values.n; i++) {
    if (last[i] < 0 || value_at(b, i)->tensor) continue;
    Step *s = &steps[last[i]];
    ((ValueId *)s->dying)[s->ndying++] = i;
  }
}

Program *builder_build(Call *call, ProgramBuilder *b)
{
  find_last_uses(call, b);
  Program *p = core_allocate(call->ctx, sizeof *p);
  *p = (Program){.refs = 1,
                 .ctx = call->ctx,
                 .values = b->values.v,
                 .nvalues = b->values.n,
                 .steps = b->steps.v,
                 .nsteps = b->steps.n,
                 .inputs = b->inputs.v,
                 .ninputs = b->inputs.n,
                 .outputs = b->outputs.v,
                 .noutputs = b->outputs.n,
                 .symbols = b->symbols.v,
                 .nsymbols = b->symbols.n,
                 .blocks = b->blocks,
                 .has_sequences = b->has_sequences};
  tensor_map_free(b->ctx, &b->numbers);
  *b = (ProgramBuilder){.ctx = b->ctx, .outer = b->outer, .depth = b->depth};
  return p;
}
