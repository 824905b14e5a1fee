/* nnlua.program.core: programs as userdata, and running them. */
#include "lua/program/program.h"

#include <string.h>

#include "lua/call.h"
#include "lua/open.h"
#include "ops/shape/copy.h"
#include "program/call.h"

#define PROGRAM_NAME "nnlua.ProgramData"

static int program_gc(lua_State *L)
{
  ProgramBox *box = userdata_test(L, 1, KIND_PROGRAM, sizeof *box);
  if (!box) return 0;
  program_release(box->program);
  box->program = NULL;
  return 0;
}

static int program_deepcopy(lua_State *L);

ProgramBox *push_program_box(lua_State *L)
{
  ProgramBox *box = lua_newuserdatauv(L, sizeof *box, PROGRAM_USER_VALUES);
  *box = (ProgramBox){KIND_PROGRAM, false, NULL};
  push_gc_metatable(L, PROGRAM_NAME, program_gc);
  lua_pushcfunction(L, program_deepcopy);
  lua_setfield(L, -2, "__deepcopy");
  lua_setmetatable(L, -2);
  return box;
}

Program *program_check(lua_State *L, int index)
{
  const ProgramBox *box = userdata_test(L, index, KIND_PROGRAM, sizeof *box);
  if (!box || !box->program) user_error(L, "a program was expected, got %s", luaL_typename(L, index));
  return box->program;
}

typedef struct Copying {
  Program *program;
  Tensor **tensors, **in_place_of;
  lua_Integer n;
  ProgramBox *box;
} Copying;

static void copy_work(Call *call, void *data)
{
  const Copying *c = data;
  c->box->program = program_copy(call, c->program, c->tensors, c->in_place_of, c->n);
}

/* __deepcopy(program, copy_value, memo): the program with copies of its parameters and buffers */
static int program_deepcopy(lua_State *L)
{
  Copying c = {.program = program_check(L, 1)};
  lua_settop(L, 3);
  if (lua_getiuservalue(L, 1, PROGRAM_TENSORS) != LUA_TTABLE)
    return luaL_error(L, "a program's user values were changed");
  c.n = (lua_Integer)lua_rawlen(L, 4);
  c.box = push_program_box(L);
  lua_createtable(L, (int)c.n, 0);
  c.tensors = lua_newuserdatauv(L, (size_t)(2 * c.n + 1) * sizeof *c.tensors, 0);
  c.in_place_of = c.tensors + c.n;
  for (lua_Integer i = 0; i < c.n; i++) {
    lua_pushvalue(L, 2);
    lua_rawgeti(L, 4, i + 1);
    c.in_place_of[i] = tensor_check(L, -1);
    lua_pushvalue(L, 3);
    lua_call(L, 2, 1);
    c.tensors[i] = tensor_check(L, -1);
    lua_rawseti(L, 6, i + 1);
  }
  core_run(L, context_of(L), copy_work, &c);
  lua_settop(L, 6);
  lua_setiuservalue(L, 5, PROGRAM_TENSORS);
  c.box->is_shaped = ((const ProgramBox *)lua_touserdata(L, 1))->is_shaped;
  lua_getiuservalue(L, 1, PROGRAM_SHAPED);
  lua_setiuservalue(L, 5, PROGRAM_SHAPED);
  return 1;
}

/* ------------------------------------------------------------------- inputs */

/* One argument; a sequence's tensors go into userdata that it pushes. */
static Argument input_at(lua_State *L, const Value *v, int index)
{
  Argument a = {NULL, {NULL, -1}};
  if (lua_isnoneornil(L, index) || is_none(L, index)) return a;
  if (!v->is_sequence) {
    a.tensor = tensor_test(L, index);
    if (!a.tensor) user_error(L, "input '%s': a tensor is expected, got %s", v->name, luaL_typename(L, index));
    return a;
  }
  if (!lua_istable(L, index))
    user_error(L, "input '%s': a table of tensors is expected, got %s", v->name, luaL_typename(L, index));
  a.list.n = (int64_t)lua_rawlen(L, index);
  if (a.list.n > INT32_MAX)
    user_error(L, "input '%s': a list of %I elements is too long", v->name, (LUAI_UACINT)a.list.n);
  a.list.v = lua_newuserdatauv(L, (size_t)(a.list.n ? a.list.n : 1) * sizeof *a.list.v, 0);
  for (int64_t i = 0; i < a.list.n; i++) {
    lua_rawgeti(L, index, i + 1);
    a.list.v[i] = tensor_test(L, -1);
    if (!a.list.v[i]) user_error(L, "input '%s': element %d is no tensor", v->name, (int)i + 1);
    lua_pop(L, 1);
  }
  return a;
}

/* Puts the values of a table of inputs by name in their order in its place. */
static void spread_named(lua_State *L, const Program *p, int table)
{
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    bool known = false;
    for (int32_t i = 0; i < p->ninputs && !known; i++)
      known = lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), p->values[p->inputs[i]].name) == 0;
    if (!known) user_error(L, "the program has no input '%s'", luaL_tolstring(L, -2, NULL));
  }
  for (int32_t i = 0; i < p->ninputs; i++) lua_getfield(L, table, p->values[p->inputs[i]].name);
  lua_remove(L, table);
}

/* Whether the one argument is a table of inputs by their names. */
static bool is_named(lua_State *L, int index)
{
  if (lua_gettop(L) != index || lua_type(L, index) != LUA_TTABLE || lua_rawlen(L, index) > 0) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return false;
  lua_pop(L, 2);
  return true;
}

/* ------------------------------------------------------------------ outputs */

enum { FEW = 8 };

/* A run: arguments, results, and where the results' tensors go: into userdata, or, where there are many of them, or it
   isn't known how many, into a bag. */
typedef struct Running {
  Program *program;
  const Argument *inputs;
  Argument *outputs;
  TensorBox *boxes[FEW];
  Bag *bag; /* NULL: into the boxes */
  bool for_host;
} Running;

/* Gives outputs that lie in an input's memory, which is the host's, memory of their own. */
static void copy_shared(Call *call, const Program *p, const Argument *inputs, Argument *outputs)
{
  for (int32_t i = 0; i < p->noutputs; i++)
    for (int32_t k = 0; k < p->ninputs && outputs[i].tensor; k++)
      if (outputs[i].tensor->storage == inputs[k].tensor->storage) outputs[i].tensor = op(clone, outputs[i].tensor);
}

static void call_for_host(Call *call, const Running *r)
{
  Context *ctx = call->ctx;
  bool grad = ctx->grad_enabled;
  ctx->grad_enabled = false;
  program_call(call, r->program, r->inputs, r->outputs);
  copy_shared(call, r->program, r->inputs, r->outputs);
  ctx->grad_enabled = grad;
}

static void fill_bag(Call *call, const Running *r)
{
  int64_t n = 0, used = 0;
  for (int32_t i = 0; i < r->program->noutputs; i++)
    n += r->outputs[i].list.n >= 0 ? r->outputs[i].list.n : r->outputs[i].tensor != NULL;
  Tensors all = {arena_allocate(call->ctx, (size_t)(n ? n : 1) * sizeof *all.v), n};
  for (int32_t i = 0; i < r->program->noutputs; i++) {
    const Argument *y = &r->outputs[i];
    if (y->tensor) all.v[used++] = y->tensor;
    for (int64_t k = 0; k < y->list.n; k++) all.v[used++] = y->list.v[k];
  }
  bag_fill(call, r->bag, all);
}

static void run_work(Call *call, void *data)
{
  const Running *r = data;
  if (r->for_host) call_for_host(call, r);
  else program_call(call, r->program, r->inputs, r->outputs);
  if (r->bag) {
    fill_bag(call, r);
    return;
  }
  for (int32_t i = 0; i < r->program->noutputs; i++)
    if (r->outputs[i].tensor) box_fill(r->boxes[i], r->outputs[i].tensor);
}

/* Pushes which of n values of the stack is this tensor, if one is. */
static bool push_same(lua_State *L, const Tensor *t, int first, int n)
{
  for (int k = first; k < first + n; k++) {
    if (tensor_test(L, k) != t) continue;
    lua_pushvalue(L, k);
    return true;
  }
  return false;
}

/* Pushes the next tensor of a bag. One of the arguments is that argument, and one that came before, with an index in
   the table `before`, is what that was. */
static void push_from_bag(lua_State *L, Context *ctx, Bag *bag, int64_t i, int first_arg, int nargs, int before)
{
  Tensor *t = bag->v[i];
  const bool is_shared = t->refs > 1;
  if (is_shared && push_same(L, t, first_arg, nargs)) return;
  if (is_shared && lua_rawgetp(L, before, t) != LUA_TNIL) return;
  if (is_shared) lua_pop(L, 1);
  box_fill(push_box(L, ctx), t);
  if (is_shared) {
    lua_pushvalue(L, -1);
    lua_rawsetp(L, before, t);
  }
  tensor_release(t);
  bag->v[i] = NULL;
}

static void push_all_from_bag(lua_State *L, Context *ctx, const Running *r, int first_arg, int nargs)
{
  int64_t used = 0;
  lua_newtable(L);
  const int before = lua_gettop(L);
  for (int32_t i = 0; i < r->program->noutputs; i++) {
    int64_t n = r->outputs[i].list.n;
    if (n < 0 && !r->outputs[i].tensor) lua_pushnil(L);
    else if (n < 0) push_from_bag(L, ctx, r->bag, used++, first_arg, nargs, before);
    else lua_createtable(L, (int)n, 0);
    for (int64_t k = 0; k < n; k++) {
      push_from_bag(L, ctx, r->bag, used++, first_arg, nargs, before);
      lua_rawseti(L, -2, k + 1);
    }
  }
}

/* Puts nil in the place of boxes that got nothing, and in the place of those that got the tensor of an argument or of
   a result before them that one. */
static void replace_boxes(lua_State *L, const Running *r, int first, int first_arg, int nargs)
{
  for (int i = 0; i < r->program->noutputs; i++) {
    const Tensor *t = r->boxes[i]->tensor;
    if (t && (t->refs == 1 || !(push_same(L, t, first_arg, nargs) || push_same(L, t, first, i)))) continue;
    if (!t) lua_pushnil(L);
    lua_replace(L, first + i);
  }
}

static bool any_flags(lua_State *L, int list)
{
  bool any = false;
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, list); i > 0 && !any; i--) {
    lua_rawgeti(L, list, i);
    const TensorBox *box = box_test(L, -1);
    any = box && box->flags;
    lua_pop(L, 1);
  }
  return any;
}

/* What the collector must see from the results: hooks of arguments and of the program's tensors, a list at an index. */
static void link_outputs(lua_State *L, int first, int n, int first_arg, int nargs, int tensors)
{
  for (int i = first; i < first + n; i++)
    if (tensor_test(L, i)) finish_results(L, first_arg, nargs, i, 1);
  if (!any_flags(L, tensors)) return;
  for (int i = first; i < first + n; i++)
    if (tensor_test(L, i)) finish_results(L, tensors, 1, i, 1);
}

int run_program(lua_State *L, int index, const Argument *inputs, int first_arg, int nargs, bool for_host)
{
  Argument few[FEW];
  Program *p = program_check(L, index);
  Context *ctx = p->ctx;
  luaL_checkstack(L, p->noutputs + 12, "too many outputs");
  if (lua_getiuservalue(L, index, PROGRAM_TENSORS) != LUA_TTABLE)
    return luaL_error(L, "a program's user values were changed");
  int tensors = lua_gettop(L);
  Running r = {.program = p, .inputs = inputs, .outputs = few, .for_host = for_host};
  if (p->noutputs > FEW || p->has_sequences) {
    r.outputs = lua_newuserdatauv(L, (size_t)(p->noutputs + 1) * sizeof *r.outputs, 0);
    r.bag = push_bag(L, ctx);
  } else {
    for (int32_t i = 0; i < p->noutputs; i++) r.boxes[i] = push_box(L, ctx);
  }
  core_run(L, ctx, run_work, &r);
  int first = r.bag ? lua_gettop(L) + 2 : tensors + 1; /* the bag's are behind a table */
  if (r.bag) push_all_from_bag(L, ctx, &r, first_arg, nargs);
  else replace_boxes(L, &r, first, first_arg, nargs);
  link_outputs(L, first, p->noutputs, first_arg, nargs, tensors);
  return p->noutputs;
}

/* Calls the program at an index on the values from `first` on, or on one table of them by name. */
static int run_on_values(lua_State *L, int index, int first)
{
  Argument few[FEW], *inputs = few;
  const Program *p = program_check(L, index);
  if (is_named(L, first)) spread_named(L, p, first);
  int given = lua_gettop(L) - first + 1;
  if (given > p->ninputs) return user_error(L, "the program takes %d inputs, and %d are given", (int)p->ninputs, given);
  luaL_checkstack(L, p->ninputs + 8, "too many inputs");
  if (p->ninputs > FEW) inputs = lua_newuserdatauv(L, (size_t)p->ninputs * sizeof *inputs, 0);
  for (int32_t i = 0; i < p->ninputs; i++)
    inputs[i] = i < given ? input_at(L, &p->values[p->inputs[i]], first + i) : (Argument){NULL, {NULL, -1}};
  return run_program(L, index, inputs, first, given, false);
}

/* run(program, …): its outputs for inputs in order, or for one table of them by their names */
static int run(lua_State *L) { return run_on_values(L, 1, 2); }

/* The forward of modules that are programs: their field `data` is the program itself. */
static int forward(lua_State *L)
{
  luaL_checkstack(L, 4, NULL);
  if (lua_type(L, 1) != LUA_TUSERDATA)
    return user_error(L, "forward: a program was expected, got %s", luaL_typename(L, 1));
  lua_getfield(L, 1, "data");
  program_check(L, -1);
  lua_replace(L, 1);
  const ProgramBox *box = lua_touserdata(L, 1);
  if (!box->is_shaped) return run_on_values(L, 1, 2);
  int n = lua_gettop(L);
  lua_getiuservalue(L, 1, PROGRAM_SHAPED);
  lua_insert(L, 1);
  lua_call(L, n, LUA_MULTRET);
  return lua_gettop(L);
}

/* set_shaped(program, function): forward calls function(program, …) */
static int set_shaped(lua_State *L)
{
  program_check(L, 1);
  lua_settop(L, 2);
  ((ProgramBox *)lua_touserdata(L, 1))->is_shaped = true;
  lua_setiuservalue(L, 1, PROGRAM_SHAPED);
  return 0;
}

/* ---------------------------------------------------------------- questions */

/* Pushes {name =, dtype =, shape =, is_sequence =, optional =}. */
static void push_border(lua_State *L, const Program *p, const char *name, ValueId value)
{
  lua_createtable(L, 0, 5);
  if (name) {
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
  }
  if (value == NO_VALUE) return;
  const Value *v = &p->values[value];
  if (v->dtype != DTYPE_NONE) {
    push_dtype(L, v->dtype);
    lua_setfield(L, -2, "dtype");
  }
  if (v->ndim >= 0) {
    push_program_shape(L, p, v);
    lua_setfield(L, -2, "shape");
  }
  lua_pushboolean(L, v->is_sequence);
  lua_setfield(L, -2, "is_sequence");
  lua_pushboolean(L, v->may_be_absent);
  lua_setfield(L, -2, "optional");
}

/* borders(program): its inputs and its outputs, a list each */
static int borders(lua_State *L)
{
  const Program *p = program_check(L, 1);
  lua_createtable(L, p->ninputs, 0);
  for (int32_t i = 0; i < p->ninputs; i++) {
    push_border(L, p, p->values[p->inputs[i]].name, p->inputs[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_createtable(L, p->noutputs, 0);
  for (int32_t i = 0; i < p->noutputs; i++) {
    push_border(L, p, p->outputs[i].name, p->outputs[i].value);
    lua_rawseti(L, -2, i + 1);
  }
  return 2;
}

int open_program_core(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"run", run}, {"forward", forward}, {"set_shaped", set_shaped}, {"borders", borders}, {NULL, NULL}};
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, program_builder_functions, 0);
  luaL_setfuncs(L, program_trace_functions, 0);
  luaL_setfuncs(L, program_contents_functions, 0);
  return 1;
}
