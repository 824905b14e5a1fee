/* nnlua.program.core: builders of programs and their values; lua/nnlua/program/builder.lua is made of these. */
#include <string.h>

#include "lua/open.h"
#include "lua/parse.h"
#include "lua/program/program.h"
#include "lua/tensor/size.h"

#define BUILDER_NAME "nnlua.ProgramBuilder"
#define VALUE_NAME "a value of a program"

/* A builder; built, it has none any more. Its user value is the builder outside. */
typedef struct BuilderBox {
  uint32_t kind;
  ProgramBuilder *builder;
} BuilderBox;
enum { BUILDER_OUTER = 1 };

/* A value of a builder. Its user values: the userdata of the tensor that stands for it, and the builder. */
typedef struct ValueBox {
  uint32_t kind;
  ValueId id;
} ValueBox;
enum { VALUE_STAND_IN = 1, VALUE_BUILDER, VALUE_USER_VALUES = 2 };

static int builder_gc(lua_State *L)
{
  BuilderBox *box = userdata_test(L, 1, KIND_PROGRAM_BUILDER, sizeof *box);
  if (!box) return 0;
  builder_free(box->builder);
  box->builder = NULL;
  return 0;
}

static BuilderBox *box_check(lua_State *L, int index)
{
  BuilderBox *box = userdata_test(L, index, KIND_PROGRAM_BUILDER, sizeof *box);
  if (!box) luaL_error(L, "a builder of programs was expected");
  if (!box->builder) user_error(L, "this builder's program has been built: make another builder");
  return box;
}

static ProgramBuilder *builder_check(lua_State *L, int index) { return box_check(L, index)->builder; }

typedef struct NewBuilder {
  ProgramBuilder *outer, *made;
} NewBuilder;

static void new_builder_work(Call *call, void *data)
{
  NewBuilder *n = data;
  n->made = builder_new(call, n->outer);
}

/* new_builder(outer): a builder; of a body, if one outside is given */
static int new_builder(lua_State *L)
{
  lua_settop(L, 1);
  NewBuilder n = {lua_isnil(L, 1) ? NULL : builder_check(L, 1), NULL};
  BuilderBox *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (BuilderBox){KIND_PROGRAM_BUILDER, NULL};
  push_gc_metatable(L, BUILDER_NAME, builder_gc);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, BUILDER_OUTER);
  core_run(L, context_of(L), new_builder_work, &n);
  box->builder = n.made;
  return 1;
}

/* ------------------------------------------------------------------- values */

static ValueBox *value_test(lua_State *L, int index)
{
  return userdata_test(L, index, KIND_PROGRAM_VALUE, sizeof(ValueBox));
}

static void push_value_metatable(lua_State *L)
{
  if (!luaL_newmetatable(L, VALUE_NAME)) return;
  lua_pushliteral(L, VALUE_NAME);
  lua_setfield(L, -2, "__name");
}

typedef struct StandIn {
  ProgramBuilder *builder;
  ValueId value;
} StandIn;

static Tensor *make_stand_in(Call *call, void *data)
{
  const StandIn *s = data;
  return builder_stand_in(call, s->builder, s->value);
}

/* Pushes a value of the builder at an index. */
static void push_value(lua_State *L, int builder, ValueId id)
{
  builder = lua_absindex(L, builder);
  ValueBox *box = lua_newuserdatauv(L, sizeof *box, VALUE_USER_VALUES);
  *box = (ValueBox){KIND_PROGRAM_VALUE, id};
  push_value_metatable(L);
  lua_setmetatable(L, -2);
  push_made(L, context_of(L), make_stand_in, &(StandIn){builder_check(L, builder), id});
  lua_setiuservalue(L, -2, VALUE_STAND_IN);
  lua_pushvalue(L, builder);
  lua_setiuservalue(L, -2, VALUE_BUILDER);
}

/* Whether the value at an index is one of the builder or of one outside; raises if it is one of another. */
static void check_reach(lua_State *L, const ProgramBuilder *b, int index)
{
  lua_getiuservalue(L, index, VALUE_BUILDER);
  const BuilderBox *box = userdata_test(L, -1, KIND_PROGRAM_BUILDER, sizeof *box);
  const ProgramBuilder *of = box ? box->builder : NULL;
  lua_pop(L, 1);
  for (; b && of; b = builder_outer(b))
    if (b == of) return;
  user_error(L, "a value is of another builder, or of the body of a branch or loop that has ended");
}

/* Replaces a value on top of the stack by the tensor that stands for it, a sequence by a list of that alone. */
static void value_to_tensor(lua_State *L, const ProgramBuilder *b)
{
  check_reach(L, b, lua_gettop(L));
  lua_getiuservalue(L, -1, VALUE_BUILDER);
  const BuilderBox *of = lua_touserdata(L, -1);
  bool is_sequence = builder_value(of->builder, value_test(L, -2)->id)->is_sequence;
  lua_pop(L, 1);
  lua_getiuservalue(L, -1, VALUE_STAND_IN);
  if (is_sequence) {
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  lua_replace(L, -2);
}

/* Replaces what is on top of the stack, an argument of a row, where it is a value or a list that has values. */
static void replace_values(lua_State *L, const ProgramBuilder *b)
{
  if (value_test(L, -1)) value_to_tensor(L, b);
  if (lua_type(L, -1) != LUA_TTABLE) return;
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  int list = lua_gettop(L), copy = 0;
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    bool is_value = value_test(L, -1) != NULL;
    if (is_value && !copy) {
      lua_createtable(L, (int)n, 0);
      copy = list + 1;
      lua_insert(L, copy);
      for (lua_Integer k = 1; k < i; k++) {
        lua_rawgeti(L, list, k);
        lua_rawseti(L, copy, k);
      }
    }
    if (is_value) value_to_tensor(L, b);
    if (copy) lua_rawseti(L, copy, i);
    else lua_pop(L, 1);
  }
  if (copy) lua_replace(L, list);
}

/* The tensor of a value, or a tensor, at an index; NULL where nothing or nl.none is. What stands for the value is left
   on the stack. */
static Tensor *operand_at(lua_State *L, const ProgramBuilder *b, int index, const char *what)
{
  if (lua_isnoneornil(L, index) || is_none(L, index)) return NULL;
  if (value_test(L, index)) {
    check_reach(L, b, index);
    lua_getiuservalue(L, index, VALUE_STAND_IN);
    return tensor_test(L, -1);
  }
  Tensor *t = tensor_test(L, index);
  if (!t) user_error(L, "%s: a value or a tensor is expected, got %s", what, type_name(L, index));
  return t;
}

/* -------------------------------------------------------- inputs and constants */

/* What is said of a value: a dtype or DTYPE_NONE, and sizes, of which some have names. */
typedef struct Known {
  DType dtype;
  int64_t ndim; /* -1: the shape is not known */
  int64_t sizes[MAX_DIMS];
  const char *symbols[MAX_DIMS]; /* NULL: the size is a number, or not known */
} Known;

/* The sizes of a shape at an index: integers, names, false for what isn't known. */
static void sizes_at(lua_State *L, const char *who, int index, Known *known)
{
  Ints size;
  if (lua_isnoneornil(L, index)) return;
  bool is_size = size_test(L, index, &size);
  if (!is_size && !lua_istable(L, index)) user_error(L, "%s: a shape is a table, not %s", who, luaL_typename(L, index));
  int64_t n = is_size ? size.n : (int64_t)lua_rawlen(L, index);
  if (n > MAX_DIMS) user_error(L, "%s: a tensor has up to %d dimensions, not %d", who, MAX_DIMS, (int)n);
  for (int64_t d = 0; d < n; d++) {
    known->symbols[d] = NULL;
    known->sizes[d] = is_size ? size.v[d] : SIZE_UNKNOWN;
    if (is_size) continue;
    int is_integer = 0, type = lua_rawgeti(L, index, d + 1);
    if (type == LUA_TSTRING) known->symbols[d] = lua_tostring(L, -1); /* the table keeps it */
    else if (type == LUA_TNUMBER) known->sizes[d] = lua_tointegerx(L, -1, &is_integer);
    bool is_unknown = is_none(L, -1) || (type == LUA_TBOOLEAN && !lua_toboolean(L, -1));
    if (!known->symbols[d] && !is_unknown && (!is_integer || known->sizes[d] < 0))
      user_error(L, "%s: size %d of the shape is an integer, a name, or false where it isn't known", who, (int)d + 1);
    lua_pop(L, 1);
  }
  known->ndim = n;
}

/* The dtype and shape at an index and the next. */
static void known_at(lua_State *L, const char *who, int index, Known *known)
{
  known->dtype = DTYPE_NONE, known->ndim = -1;
  if (!lua_isnoneornil(L, index) && !dtype_test(L, index, &known->dtype))
    user_error(L, "%s: a dtype such as nl.float32 is expected, got %s", who, type_name(L, index));
  sizes_at(L, who, index + 1, known);
}

/* The shape as builders take it: sizes with names become symbols. */
static Ints shape_of(Call *call, ProgramBuilder *b, Known *known)
{
  for (int64_t d = 0; d < known->ndim; d++)
    if (known->symbols[d]) known->sizes[d] = builder_symbol(call, b, known->symbols[d]);
  return (Ints){known->ndim < 0 ? NULL : known->sizes, known->ndim};
}

typedef struct NewInput {
  ProgramBuilder *builder;
  const char *name;
  Known known;
  bool is_sequence;
  ValueId id;
} NewInput;

static void input_work(Call *call, void *data)
{
  NewInput *n = data;
  Ints shape = shape_of(call, n->builder, &n->known);
  n->id = builder_input(call, n->builder, n->name, n->known.dtype, shape, n->is_sequence);
}

/* input(builder, name, dtype, shape, is_sequence): the value */
static int input(lua_State *L)
{
  NewInput n = {.builder = builder_check(L, 1), .name = luaL_checkstring(L, 2)};
  known_at(L, "input", 3, &n.known);
  n.is_sequence = lua_toboolean(L, 5);
  core_run(L, context_of(L), input_work, &n);
  push_value(L, 1, n.id);
  return 1;
}

typedef struct NewTensor {
  ProgramBuilder *builder;
  ValueKind kind;
  const char *name;
  Tensor *tensor;
  ValueId id;
} NewTensor;

static void tensor_work(Call *call, void *data)
{
  NewTensor *n = data;
  n->id = builder_tensor(call, n->builder, n->kind, n->name, n->tensor);
}

/* tensor(builder, kind, name, tensor): the value of a parameter, buffer or constant */
static int tensor(lua_State *L)
{
  static const char *const kinds[] = {"", "parameter", "buffer", "constant", NULL}; /* by ValueKind */
  NewTensor n = {.builder = builder_check(L, 1), .name = luaL_optstring(L, 3, NULL), .tensor = tensor_test(L, 4)};
  n.kind = (ValueKind)luaL_checkoption(L, 2, NULL, kinds);
  if (!n.tensor) return user_error(L, "%s: a tensor is expected, got %s", kinds[n.kind], type_name(L, 4));
  core_run(L, context_of(L), tensor_work, &n);
  push_value(L, 1, n.id);
  return 1;
}

static void at_work(Call *call, void *data)
{
  const NewTensor *n = data;
  builder_at(call, n->builder, n->name);
}

/* at(builder, name): where the next steps come from */
static int at(lua_State *L)
{
  NewTensor n = {.builder = builder_check(L, 1), .name = luaL_optstring(L, 2, NULL)};
  core_run(L, context_of(L), at_work, &n);
  return 0;
}

/* --------------------------------------------------------------------- rows */

typedef struct NewRow {
  ProgramBuilder *builder;
  const Op *op;
  Parsed *parsed;
  bool in_place;
  ValueId results[MAX_RESULTS];
} NewRow;

static void row_work(Call *call, void *data)
{
  NewRow *n = data;
  parse_make_numbers(call, n->parsed);
  builder_row(call, n->builder, n->op, n->parsed->args, n->in_place, -1, n->results);
}

/* Pushes the arguments of a table: those in order, then one table of those by name; returns how many. */
static int spread_arguments(lua_State *L, const ProgramBuilder *b, int table)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, table);
  if (n > MAX_ARGUMENTS) user_error(L, "call: a row has up to %d arguments, not %d", MAX_ARGUMENTS, (int)n);
  luaL_checkstack(L, MAX_ARGUMENTS + 16, NULL);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, table, i);
    replace_values(L, b);
  }
  int named = 0;
  for (lua_pushnil(L); lua_next(L, table);) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lua_pop(L, 1);
      continue;
    }
    if (!named) {
      lua_newtable(L);
      lua_insert(L, -3);
      named = lua_gettop(L) - 2;
    }
    replace_values(L, b);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, named);
  }
  return (int)n + (named > 0);
}

/* call(builder, row, arguments, in_place): the values of its results */
static int call_row(lua_State *L)
{
  NewRow n = {.builder = builder_check(L, 1), .op = op_find(luaL_checkstring(L, 2)), .in_place = lua_toboolean(L, 4)};
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  if (!n.op) return user_error(L, "call: there is no row '%s'", lua_tostring(L, 2));
  if (n.in_place && !(n.op->forms & (INPLACE | MAY_OVERWRITE)))
    return user_error(L, "call_: '%s' has no in-place form", n.op->row);
  Parsed p;
  int top = spread_arguments(L, n.builder, 3);
  lua_rotate(L, 1, top);
  int builder = top + 1;
  if (!parse_arguments(L, n.op, top, true, &p)) return user_error(L, "call: %s: %s", n.op->row, p.problem);
  n.parsed = &p;
  core_run(L, context_of(L), row_work, &n);
  int results = n.in_place || n.op->results == RESULTS_LIST ? 1 : n.op->results;
  luaL_checkstack(L, results + 8, NULL);
  for (int i = 0; i < results; i++) push_value(L, builder, n.results[i]);
  return results;
}

/* -------------------------------------------------------------- other steps */

enum { MOST_OPERANDS = 3 };

typedef struct NewStep {
  ProgramBuilder *builder;
  StepKind kind;
  int n;
  int64_t position;
  Tensor **tensors;
  ValueId result;
} NewStep;

static void step_work(Call *call, void *data)
{
  NewStep *n = data;
  ValueId *operands = arena_allocate(call->ctx, (size_t)(n->n ? n->n : 1) * sizeof *operands);
  for (int i = 0; i < n->n; i++) operands[i] = builder_operand(call, n->builder, n->tensors[i]);
  Step s = {.kind = (uint8_t)n->kind, .operands = operands, .noperands = n->n, .position = n->position, .nresults = 1};
  builder_step(call, n->builder, &s, &n->result);
}

static int add_step(lua_State *L, NewStep *n)
{
  core_run(L, context_of(L), step_work, n);
  push_value(L, 1, n->result);
  return 1;
}

/* sequence(builder, list): the sequence of tensors */
static int sequence(lua_State *L)
{
  NewStep n = {.builder = builder_check(L, 1), .kind = STEP_SEQUENCE};
  luaL_checktype(L, 2, LUA_TTABLE);
  n.n = (int)lua_rawlen(L, 2);
  n.tensors = lua_newuserdatauv(L, (size_t)(n.n ? n.n : 1) * sizeof *n.tensors, 0);
  luaL_checkstack(L, 8, NULL);
  for (int i = 0; i < n.n; i++) {
    lua_rawgeti(L, 2, i + 1); /* the table keeps it */
    n.tensors[i] = operand_at(L, n.builder, lua_gettop(L), "sequence");
    if (!n.tensors[i]) return user_error(L, "sequence: element %d is absent", i + 1);
    lua_settop(L, 3);
  }
  return add_step(L, &n);
}

/* sequence_step(builder, kind, sequence, …): item (sequence, position), insert (sequence, tensor, position), erase
   (sequence, position), length (sequence). Of an item the position may be a number from 1, or from the end. */
static int sequence_step(lua_State *L)
{
  static const char *const kinds[] = {"item", "insert", "erase", "length", NULL};
  static const StepKind steps[] = {STEP_ITEM, STEP_INSERT, STEP_ERASE, STEP_LENGTH};
  static const int operands[] = {2, 3, 2, 1};
  Tensor *tensors[MOST_OPERANDS];
  int kind = luaL_checkoption(L, 2, NULL, kinds);
  NewStep n = {.builder = builder_check(L, 1), .kind = steps[kind], .n = operands[kind], .tensors = tensors};
  if (n.kind == STEP_ITEM && lua_type(L, 4) == LUA_TNUMBER) {
    n.position = luaL_checkinteger(L, 4);
    if (n.position == 0) return user_error(L, "item: positions count from 1, not from 0");
    if (n.position > 0) n.position--;
    lua_settop(L, 3);
  }
  lua_settop(L, 2 + n.n);
  for (int i = 0; i < n.n; i++) tensors[i] = operand_at(L, n.builder, 3 + i, kinds[kind]);
  bool lacks_position = n.kind == STEP_ITEM && !tensors[1] && n.position == 0 && lua_isnone(L, 4);
  if (!tensors[0] || lacks_position || (n.kind == STEP_INSERT && !tensors[1]))
    return user_error(L, "%s: an operand is absent", kinds[kind]);
  return add_step(L, &n);
}

/* ------------------------------------------------------------------- bodies */

typedef struct Bodies {
  ProgramBuilder *builder;
  StepKind kind;
  ProgramBuilder *of[2]; /* each is built into a program */
  ProgramBox *boxes[2];
  int nbodies, ncarried, nresults;
  Tensor *operands[2];
  Tensor **carried;
  ValueId *results;
} Bodies;

/* Builds a body, after which its builder is empty. */
static Body built_body(Call *call, const Bodies *all, int i)
{
  const ValueId *taken;
  int32_t declared = all->kind == STEP_LOOP ? 2 : 0, n = builder_taken(all->of[i], &taken);
  ValueId *inputs = arena_allocate(call->ctx, (size_t)(n + 1) * sizeof *inputs);
  for (int32_t k = declared; k < n; k++) inputs[k - declared] = taken[k];
  for (int k = 0; k < all->ncarried; k++) inputs[k] = builder_operand(call, all->builder, all->carried[k]);
  Program *p = builder_build(call, all->of[i]);
  all->boxes[i]->program = p;
  int given = p->noutputs - (all->kind == STEP_LOOP);
  if (given != all->nresults)
    raise(call, "the bodies of a branch or loop give %d values, and one gives %d", all->nresults, given);
  return (Body){p, inputs, n - declared};
}

static void bodies_work(Call *call, void *data)
{
  const Bodies *all = data;
  Body bodies[2] = {{0}};
  ValueId operands[2];
  for (int i = 0; i < 2; i++) operands[i] = builder_operand(call, all->builder, all->operands[i]);
  for (int i = 0; i < all->nbodies; i++) bodies[i] = built_body(call, all, i);
  Step s = {.kind = (uint8_t)all->kind,
            .operands = operands,
            .noperands = all->kind == STEP_IF ? 1 : 2,
            .bodies = bodies,
            .nbodies = all->nbodies,
            .ncarried = all->ncarried,
            .nresults = all->nresults};
  builder_step(call, all->builder, &s, all->results);
  const Program *p = bodies[0].program;
  for (int i = 0; i < all->nresults; i++) {
    ValueId output = p->outputs[i + (all->kind == STEP_LOOP)].value;
    if (output != NO_VALUE && p->values[output].is_sequence) builder_set_sequence(all->builder, all->results[i]);
  }
}

/* Adds the step; the bodies' builders are at the stack's indices from `first` on. */
static int add_bodies(lua_State *L, Bodies *all, int first)
{
  for (int i = 0; i < all->nbodies; i++) all->of[i] = builder_check(L, first + i);
  for (int i = 0; i < all->nbodies; i++) all->boxes[i] = push_program_box(L);
  all->results = lua_newuserdatauv(L, (size_t)(all->nresults + 1) * sizeof *all->results, 0);
  core_run(L, context_of(L), bodies_work, all);
  luaL_checkstack(L, all->nresults + 8, NULL);
  for (int i = 0; i < all->nresults; i++) push_value(L, 1, all->results[i]);
  return all->nresults;
}

/* branch(builder, condition, yes, no, n): the n values that the one body or the other gives */
static int branch(lua_State *L)
{
  Bodies all = {
    .builder = builder_check(L, 1), .kind = STEP_IF, .nbodies = 2, .nresults = (int)luaL_checkinteger(L, 5)};
  lua_settop(L, 5);
  all.operands[0] = operand_at(L, all.builder, 2, "branch");
  if (!all.operands[0]) return user_error(L, "branch: the condition is absent");
  return add_bodies(L, &all, 3);
}

/* loop(builder, rounds, condition, carried, body, n): n values, the carried ones and what was gathered */
static int loop(lua_State *L)
{
  Bodies all = {
    .builder = builder_check(L, 1), .kind = STEP_LOOP, .nbodies = 1, .nresults = (int)luaL_checkinteger(L, 6)};
  luaL_checktype(L, 4, LUA_TTABLE);
  lua_settop(L, 6);
  all.operands[0] = operand_at(L, all.builder, 2, "loop");
  all.operands[1] = operand_at(L, all.builder, 3, "loop");
  all.ncarried = (int)lua_rawlen(L, 4);
  all.carried = lua_newuserdatauv(L, (size_t)(all.ncarried + 1) * sizeof *all.carried, 0);
  for (int i = 0; i < all.ncarried; i++) {
    lua_rawgeti(L, 4, i + 1); /* the table keeps it */
    int index = lua_gettop(L);
    all.carried[i] = operand_at(L, all.builder, index, "loop");
    lua_settop(L, index - 1);
  }
  return add_bodies(L, &all, 5);
}

/* ------------------------------------------------------------------ the end */

typedef struct NewOutput {
  ProgramBuilder *builder;
  const char *name;
  Tensor *tensor;
  Known known;
} NewOutput;

static void output_work(Call *call, void *data)
{
  NewOutput *n = data;
  const ValueId id = builder_operand(call, n->builder, n->tensor);
  const Value *v = id == NO_VALUE ? NULL : builder_value(n->builder, id);
  if (v && v->kind == VALUE_RESULT && v->dtype == DTYPE_NONE && v->ndim < 0)
    builder_claim(call, n->builder, id, n->known.dtype, shape_of(call, n->builder, &n->known));
  builder_output(call, n->builder, n->name, id);
}

/* output(builder, name, value, dtype, shape): what is said of it holds where nothing is known, until it isn't so */
static int output(lua_State *L)
{
  NewOutput n = {.builder = builder_check(L, 1), .name = luaL_optstring(L, 2, NULL)};
  lua_settop(L, 5);
  n.tensor = operand_at(L, n.builder, 3, "output");
  known_at(L, "output", 4, &n.known);
  core_run(L, context_of(L), output_work, &n);
  return 0;
}

typedef struct Building {
  ProgramBuilder *builder;
  ProgramBox *box;
} Building;

static void build_work(Call *call, void *data)
{
  const Building *b = data;
  b->box->program = builder_build(call, b->builder);
}

/* build(builder, tensors): the program; tensors is a list of those of its parameters and buffers */
static int build(lua_State *L)
{
  BuilderBox *box = box_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  Building b = {box->builder, push_program_box(L)};
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, PROGRAM_TENSORS);
  core_run(L, context_of(L), build_work, &b);
  builder_free(box->builder);
  box->builder = NULL;
  return 1;
}

/* is_value(value), is_sequence(value) */
static int is_value(lua_State *L)
{
  lua_pushboolean(L, value_test(L, 1) != NULL);
  return 1;
}

static int is_sequence(lua_State *L)
{
  const ValueBox *value = value_test(L, 1);
  bool is = false;
  if (value) {
    lua_getiuservalue(L, 1, VALUE_BUILDER);
    is = builder_value(builder_check(L, -1), value->id)->is_sequence;
  }
  lua_pushboolean(L, is);
  return 1;
}

const luaL_Reg program_builder_functions[] = {{"new_builder", new_builder},
                                              {"input", input},
                                              {"tensor", tensor},
                                              {"at", at},
                                              {"call", call_row},
                                              {"sequence", sequence},
                                              {"sequence_step", sequence_step},
                                              {"branch", branch},
                                              {"loop", loop},
                                              {"output", output},
                                              {"build", build},
                                              {"is_value", is_value},
                                              {"is_sequence", is_sequence},
                                              {NULL, NULL}};
