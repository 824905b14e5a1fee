/* What a program consists of, as Lua tables: for printing it, and for who writes it to a file. */
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/program/program.h"

static void set_integer(lua_State *L, const char *field, lua_Integer value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

static void set_text(lua_State *L, const char *field, const char *text)
{
  if (!text) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_true(lua_State *L, const char *field, bool value)
{
  if (!value) return;
  lua_pushboolean(L, true);
  lua_setfield(L, -2, field);
}

/* Numbers of values count from 1 in Lua; false is none. */
static void push_id(lua_State *L, ValueId value)
{
  if (value == NO_VALUE) lua_pushboolean(L, false);
  else lua_pushinteger(L, value + 1);
}

static void push_ids(lua_State *L, const ValueId *ids, int32_t n)
{
  lua_createtable(L, n, 0);
  for (int32_t i = 0; i < n; i++) {
    push_id(L, ids[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* -------------------------------------------------------------------- values */

void push_program_shape(lua_State *L, const Program *p, const Value *v)
{
  lua_createtable(L, v->ndim, 0);
  for (int d = 0; d < v->ndim; d++) {
    int symbol = size_symbol(v->shape[d]);
    if (symbol >= 0) lua_pushstring(L, p->symbols[symbol]);
    else if (v->shape[d] >= 0) lua_pushinteger(L, v->shape[d]);
    else lua_pushliteral(L, "?");
    lua_rawseti(L, -2, d + 1);
  }
}

static void push_value(lua_State *L, const Program *p, const Value *v)
{
  static const char *const kinds[] = {[VALUE_INPUT] = "input",
                                      [VALUE_PARAMETER] = "parameter",
                                      [VALUE_BUFFER] = "buffer",
                                      [VALUE_CONSTANT] = "constant",
                                      [VALUE_RESULT] = "result"};
  lua_createtable(L, 0, 7);
  set_text(L, "kind", kinds[v->kind]);
  set_text(L, "name", v->name);
  set_true(L, "is_sequence", v->is_sequence);
  set_true(L, "optional", v->may_be_absent);
  set_true(L, "is_claimed", v->is_claimed);
  if (v->dtype != DTYPE_NONE) {
    push_dtype(L, v->dtype);
    lua_setfield(L, -2, "dtype");
  }
  if (v->ndim >= 0) {
    push_program_shape(L, p, v);
    lua_setfield(L, -2, "shape");
  }
  if (!v->tensor) return;
  push_tensor(L, v->tensor);
  lua_setfield(L, -2, "tensor");
  set_true(L, "is_number", v->tensor->is_wrapped_number);
}

/* ----------------------------------------------------------------- arguments */

static void push_scalar(lua_State *L, Scalar s)
{
  if (s.kind == SCALAR_NONE) lua_pushnil(L);
  else if (s.kind == SCALAR_BOOL) lua_pushboolean(L, s.i != 0);
  else if (s.kind == SCALAR_INT) lua_pushinteger(L, s.i);
  else lua_pushnumber(L, s.re);
}

static lua_Integer counted(const ArgSpec *spec, int64_t value)
{
  return value + (arg_traits[spec->kind].from_one && value >= 0);
}

static void push_list(lua_State *L, const ArgSpec *spec, Ints list)
{
  lua_createtable(L, (int)(list.n > 0 ? list.n : 0), 0);
  for (int64_t i = 0; i < list.n; i++) {
    if (spec->kind == ARG_NUMBERS) lua_pushnumber(L, ((const double *)(const void *)list.v)[i]);
    else if (list.v[i] == NO_INT) push_none(L);
    else lua_pushinteger(L, counted(spec, list.v[i]));
    lua_rawseti(L, -2, i + 1);
  }
}

/* Two lists of as many dimensions, which stand one behind the other. */
static void push_pair(lua_State *L, const ArgSpec *spec, Ints both)
{
  lua_createtable(L, 2, 0);
  for (int i = 0; i < 2; i++) {
    push_list(L, spec, (Ints){both.v + i * (both.n / 2), both.n / 2});
    lua_rawseti(L, -2, i + 1);
  }
}

/* Pushes an argument that holds no tensors, as a user would write it; nil: it isn't given. */
static void push_argument(lua_State *L, const ArgSpec *spec, const void *place)
{
  switch (spec->kind) {
    case ARG_SCALAR: push_scalar(L, *(const Scalar *)place); break;
    case ARG_REAL: lua_pushnumber(L, *(const double *)place); break;
    case ARG_BOOL: lua_pushboolean(L, *(const bool *)place); break;
    case ARG_OPT_BOOL:
      if (*(const int8_t *)place < 0) lua_pushnil(L);
      else lua_pushboolean(L, *(const int8_t *)place);
      break;
    case ARG_STRING: lua_pushstring(L, *(const char *const *)place); break;
    case ARG_TYPE:
      if (*(const DType *)place == DTYPE_NONE) lua_pushnil(L);
      else push_dtype(L, *(const DType *)place);
      break;
    case ARG_DEVICE:
      if (*(const Device *)place == DEVICE_NONE) lua_pushnil(L);
      else push_device(L, *(const Device *)place);
      break;
    case ARG_GENERATOR: lua_pushnil(L); break;
    case ARG_INT:
    case ARG_DIM:
    case ARG_POSITION:
      if (*(const int64_t *)place == NO_INT) lua_pushnil(L);
      else lua_pushinteger(L, counted(spec, *(const int64_t *)place));
      break;
    case ARG_DIM_PAIR: push_pair(L, spec, *(const Ints *)place); break;
    default:
      if (((const Ints *)place)->n < 0) lua_pushnil(L);
      else push_list(L, spec, *(const Ints *)place);
  }
}

/* {name =, kind =, and of tensors value = or values =, else constant =, given =} */
static void push_row_argument(lua_State *L, const Step *s, int i, const char *defaults)
{
  const Op *op = s->op;
  const ArgSpec *spec = &op->args[i];
  const OpPlan *plan = op_plan(op);
  lua_createtable(L, 0, 4);
  set_text(L, "name", spec->name);
  set_text(L, "kind", arg_traits[spec->kind].word);
  for (int k = 0; k < plan->ntensors; k++) {
    if (plan->tensors[k].arg != i) continue;
    const ValueId *ids = s->operands + s->places[k].first;
    if (plan->tensors[k].is_list && !s->places[k].is_sequence) push_ids(L, ids, s->places[k].n);
    else push_id(L, ids[0]);
    lua_setfield(L, -2, plan->tensors[k].is_list && !s->places[k].is_sequence ? "values" : "value");
    return;
  }
  const char *place = (const char *)s->args + spec->offset;
  push_argument(L, spec, place);
  push_argument(L, spec, defaults + spec->offset);
  bool is_list = lua_istable(L, -1) || lua_istable(L, -2);
  bool is_default = !spec->required && (is_list ? false : lua_rawequal(L, -1, -2));
  lua_pop(L, 1);
  lua_setfield(L, -2, "constant");
  set_true(L, "given", !is_default);
}

static void add_size_text(luaL_Buffer *b, const Program *p, const SizeExpression *e)
{
  for (int32_t i = 0; i < e->nterms; i++) {
    const SizeTerm *t = &e->terms[i];
    bool alone = t->nsymbols == 0;
    if (i && t->factor >= 0) luaL_addstring(b, " + ");
    else if (i) luaL_addstring(b, " - ");
    int64_t factor = i && t->factor < 0 ? -t->factor : t->factor;
    if (alone || factor != 1) {
      lua_pushfstring(b->L, alone ? "%I" : "%I * ", (LUAI_UACINT)factor);
      luaL_addvalue(b);
    }
    for (int32_t k = 0; k < t->nsymbols; k++) {
      if (k) luaL_addstring(b, " * ");
      luaL_addstring(b, p->symbols[t->symbols[k]]);
    }
  }
}

/* Pushes {argument =, element = (from 1; nil: the argument is one integer), size = "2 * N", divisor =}. */
static void push_binding(lua_State *L, const Program *p, const Binding *b)
{
  luaL_Buffer buffer;
  lua_createtable(L, 0, 4);
  set_integer(L, "argument", b->argument + 1);
  if (b->element >= 0) set_integer(L, "element", b->element + 1);
  luaL_buffinit(L, &buffer);
  if (b->size.divisor != 1) luaL_addchar(&buffer, '(');
  add_size_text(&buffer, p, &b->size);
  if (b->size.divisor != 1) {
    luaL_addstring(&buffer, ") / ");
    lua_pushfstring(L, "%I", (LUAI_UACINT)b->size.divisor);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  lua_setfield(L, -2, "size");
}

/* --------------------------------------------------------------------- steps */

static void push_contents(lua_State *L, const Program *p);

static void set_row(lua_State *L, const Program *p, const Step *s)
{
  ArgsRoom defaults;
  parse_defaults(s->op, defaults.bytes);
  set_text(L, "row", s->op->row);
  set_text(L, "name", s->op->name);
  set_true(L, "in_place", s->in_place);
  set_true(L, "no_grad", s->no_grad);
  lua_createtable(L, s->op->nargs, 0);
  for (int i = 0; i < s->op->nargs; i++) {
    push_row_argument(L, s, i, defaults.bytes);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "arguments");
  lua_createtable(L, s->nbindings, 0);
  for (int32_t i = 0; i < s->nbindings; i++) {
    push_binding(L, p, &s->bindings[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "bindings");
}

static void set_bodies(lua_State *L, const Step *s)
{
  lua_createtable(L, s->nbodies, 0);
  for (int32_t i = 0; i < s->nbodies; i++) {
    push_contents(L, s->bodies[i].program);
    push_ids(L, s->bodies[i].inputs, s->bodies[i].ninputs);
    lua_setfield(L, -2, "given"); /* the outer values that its inputs get; of a loop all but the first two */
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "bodies");
  if (s->kind == STEP_LOOP) set_integer(L, "carried", s->ncarried);
}

static void push_step(lua_State *L, const Program *p, const Step *s)
{
  static const char *const kinds[] = {
    [STEP_ROW] = "row",   [STEP_IF] = "if",         [STEP_LOOP] = "loop",   [STEP_SEQUENCE] = "sequence",
    [STEP_ITEM] = "item", [STEP_INSERT] = "insert", [STEP_ERASE] = "erase", [STEP_LENGTH] = "length"};
  lua_createtable(L, 0, 8);
  set_text(L, "kind", kinds[s->kind]);
  set_text(L, "node", s->node);
  push_ids(L, s->operands, s->noperands);
  lua_setfield(L, -2, "operands");
  push_ids(L, s->results, s->nresults);
  lua_setfield(L, -2, "results");
  if (s->kind == STEP_ROW) set_row(L, p, s);
  if (s->nbodies) set_bodies(L, s);
  if (s->kind == STEP_ITEM) set_integer(L, "position", s->position); /* from 0, where there is no operand for it */
}

static void push_contents(lua_State *L, const Program *p)
{
  luaL_checkstack(L, 24, "the program is nested too deep");
  lua_createtable(L, 0, 5);
  lua_createtable(L, p->nvalues, 0);
  for (int32_t i = 0; i < p->nvalues; i++) {
    push_value(L, p, &p->values[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "values");
  lua_createtable(L, p->nsteps, 0);
  for (int32_t i = 0; i < p->nsteps; i++) {
    push_step(L, p, &p->steps[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "steps");
  push_ids(L, p->inputs, p->ninputs);
  lua_setfield(L, -2, "inputs");
  lua_createtable(L, p->noutputs, 0);
  for (int32_t i = 0; i < p->noutputs; i++) {
    lua_createtable(L, 0, 2);
    set_text(L, "name", p->outputs[i].name);
    push_id(L, p->outputs[i].value);
    lua_setfield(L, -2, "value");
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "outputs");
}

/*
 * contents(program): {values =, steps =, inputs =, outputs =}. A value's number is where it stands in `values`, from 1.
 * Arguments are as in Lua: dimensions and positions from 1.
 */
static int contents(lua_State *L)
{
  push_contents(L, program_check(L, 1));
  return 1;
}

const luaL_Reg program_contents_functions[] = {{"contents", contents}, {NULL, NULL}};
