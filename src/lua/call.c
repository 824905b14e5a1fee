/* Calls of ops from Lua: the row that fits, its arguments, its results as userdata. */
#include "lua/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/autograd/carriers.h"
#include "lua/parse.h"
#include "lua/pressure.h"
#include "lua/tensor/tensor.h"

/* ---------------------------------------------------------------- overloads */

/* Raises what is wrong with the arguments: for one row the problem, for several all of them. */
static int no_overload(lua_State *L, const Group *g, int top)
{
  Parsed p;
  luaL_Buffer b;
  if (g->count == 1) {
    parse_arguments(L, g->ops[0], top, g->is_operator, &p);
    return user_error(L, "%s%s: %s", g->name, op_suffix(g->ops[0]), p.problem);
  }
  for (int i = 0; i < g->count; i++)
    if (!parse_arguments(L, g->ops[i], top, g->is_operator, &p) && p.is_clear)
      return user_error(L, "%s%s: %s", g->name, op_suffix(g->ops[0]), p.problem);
  luaL_buffinit(L, &b);
  for (int i = 0; i < g->count; i++) {
    luaL_addstring(&b, "\n  ");
    push_signature(L, g->ops[i]);
    luaL_addvalue(&b);
    luaL_addstring(&b, ": ");
    luaL_addlstring(&b, g->ops[i]->doc, strcspn(g->ops[i]->doc, "\n"));
  }
  luaL_pushresult(&b);
  parse_arguments(L, g->ops[0], top, g->is_operator, &p);
  return user_error(L, "%s%s: no form takes these arguments (%s); there are%s", g->name, op_suffix(g->ops[0]),
                    p.problem, lua_tostring(L, -1));
}

enum { FEW_BYTES = 64 };

/* Tensors (and a number among operands) and nothing else, which is most calls: no parsing to speak of. */
static bool take_tensors(lua_State *L, const Group *g, int top, Parsed *p)
{
  const Op *op = g->ops[0];
  if (top == 0 || top > g->most || top < g->least) return false;
  if (op->args_size <= FEW_BYTES) memcpy(p->args, g->defaults, FEW_BYTES); /* of a constant size: no call */
  else memcpy(p->args, g->defaults, op->args_size);
  p->nnumbers = 0;
  p->flags = 0;
  p->as_table = false;
  for (int i = 0; i < top; i++) {
    const TensorBox *box = box_test(L, i + 1);
    const ArgSpec *spec = &op->args[i];
    if (box) {
      *(Tensor **)(p->args + spec->offset) = box->tensor;
      p->flags |= box->flags;
      continue;
    }
    bool takes_number = spec->kind == ARG_OPERAND && !(op->forms & TENSORS_ONLY) && (i > 0 || g->is_operator)
                        && !p->nnumbers;
    if (!takes_number || !scalar_test(L, i + 1, &p->numbers[0].value)) return false;
    p->numbers[p->nnumbers++].offset = spec->offset;
  }
  return true;
}

/* Prepares take_tensors for the group's first row. */
static void plan_tensors(Group *g)
{
  const Op *op = g->ops[0];
  int leading = 0, required = 0;
  while (leading < op->nargs && argument_holds(&op->args[leading]) == HOLDS_TENSOR) leading++;
  for (int i = 0; i < op->nargs; i++)
    if (op->args[i].required) required = i + 1;
  if (required == 0 || required > leading || op->args_size > sizeof g->defaults) return;
  g->least = required;
  g->most = leading;
  parse_defaults(op, g->defaults);
}

static const Op *choose(lua_State *L, const Group *g, int top, Parsed *p)
{
  if (take_tensors(L, g, top, p)) return g->ops[0];
  for (int i = 0; i < g->count; i++) {
    if (parse_arguments(L, g->ops[i], top, g->is_operator, p)) return g->ops[i];
    lua_settop(L, top);
  }
  no_overload(L, g, top);
  return NULL;
}

/* ------------------------------------------------------------------ results */

static TensorBox *box_at(lua_State *L, int index) { return lua_touserdata(L, index); }

static bool list_carries(lua_State *L, int index)
{
  bool carries = false;
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  for (lua_Integer i = 1; i <= n && !carries; i++) {
    lua_rawgeti(L, index, i);
    const TensorBox *box = box_test(L, -1);
    carries = box && box->flags;
    lua_pop(L, 1);
  }
  return carries;
}

static bool any_carries(lua_State *L, int first, int n)
{
  for (int i = first; i < first + n; i++) {
    const TensorBox *box = box_test(L, i);
    if (box) {
      if (box->flags) return true;
    } else if (lua_type(L, i) == LUA_TTABLE && list_carries(L, i)) {
      return true;
    }
  }
  return false;
}

/* A view's userdata keeps its base's: see carriers.h. */
static void link_base(lua_State *L, int arg, const TensorBox *from, int result, TensorBox *view)
{
  if (view->tensor->base == from->tensor) lua_pushvalue(L, arg);
  else if (view->tensor->base == from->tensor->base) lua_getiuservalue(L, arg, BASE);
  else return;
  lua_setiuservalue(L, result, BASE);
  view->flags |= BOX_VIEW;
}

static void link_bases(lua_State *L, int first_arg, int first_result, int nresults)
{
  const TensorBox *from = box_test(L, first_arg);
  for (int i = first_result; from && i < first_result + nresults; i++)
    if (box_at(L, i)->tensor->base) link_base(L, first_arg, from, i, box_at(L, i));
}

void push_packed(lua_State *L, int first, int n)
{
  lua_createtable(L, n, 1);
  for (int i = 0; i < n; i++) {
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
}

void finish_results(lua_State *L, int first_arg, int nargs, int first_result, int nresults)
{
  if (nargs > 0) link_bases(L, first_arg, first_result, nresults);
  if (any_carries(L, first_arg, nargs)) carriers_link(L, first_arg, nargs, first_result, nresults);
}

void finish_inplace(lua_State *L, int receiver, int first_arg, int nargs)
{
  if (any_carries(L, first_arg, nargs)) carriers_link_inplace(L, receiver, first_arg, nargs);
}

static int bag_gc(lua_State *L)
{
  Bag *bag = lua_touserdata(L, 1);
  for (int64_t i = 0; i < bag->n; i++) tensor_release(bag->v[i]);
  free(bag->v);
  bag->v = NULL;
  bag->n = 0;
  return 0;
}

Bag *push_bag(lua_State *L, Context *ctx)
{
  Bag *bag = lua_newuserdatauv(L, sizeof *bag, 0);
  *bag = (Bag){.ctx = ctx};
  push_gc_metatable(L, "nnlua.bag", bag_gc);
  lua_setmetatable(L, -2);
  return bag;
}

void bag_fill(Call *call, Bag *bag, Tensors list)
{
  bag->v = malloc((size_t)(list.n ? list.n : 1) * sizeof *bag->v);
  if (!bag->v) raise_no_memory(call->ctx, (size_t)list.n * sizeof *bag->v);
  for (int64_t i = 0; i < list.n; i++) bag->v[i] = tensor_retain(list.v[i]);
  bag->n = list.n;
}

enum { MOST_RESULTS = 200000 };

static int return_list(lua_State *L, Context *ctx, Bag *bag, const char *name, bool as_table, int top)
{
  int64_t n = bag->n;
  int bag_index = lua_gettop(L);
  if (as_table) {
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
      box_fill(push_box(L, ctx), bag->v[i]);
      finish_results(L, 1, top, lua_gettop(L), 1);
      lua_rawseti(L, -2, i + 1);
    }
    return 1;
  }
  if (n > MOST_RESULTS || !lua_checkstack(L, (int)n + 8))
    return user_error(L, "%s: %d results are too many for Lua's stack: ask for {as_table = true}", name, (int)n);
  for (int64_t i = 0; i < n; i++) box_fill(push_box(L, ctx), bag->v[i]);
  finish_results(L, 1, top, bag_index + 1, (int)n);
  return (int)n;
}

static int call_list(lua_State *L, const Group *g, const Op *op, Parsed *p, int top)
{
  Context *ctx = g->ctx;
  Bag *bag = push_bag(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  Tensor *room[MAX_RESULTS];
  parse_make_numbers(&call, p);
  bag_fill(&call, bag, dispatch(&call, op, p->args, NULL, room));
  entry_leave(ctx, &entry);
  return return_list(L, ctx, bag, g->name, p->as_table, top);
}

/* Where the result is one of the arguments itself, its userdata stands for it. */
static void reuse_argument(lua_State *L, int top, int result)
{
  Tensor *t = box_at(L, result)->tensor;
  for (int i = 1; i <= top; i++) {
    if (tensor_test(L, i) != t) continue;
    lua_pushvalue(L, i);
    lua_replace(L, result);
    return;
  }
}

static int results_table(lua_State *L, int n)
{
  lua_createtable(L, n, 0);
  for (int i = n; i >= 1; i--) {
    lua_pushvalue(L, -1 - 1 - (n - i));
    lua_rawseti(L, -2, i);
  }
  return 1;
}

enum { METATABLE = 1 }; /* user value of a Group: the metatable of tensors */

static int changed(lua_State *L) { return luaL_error(L, "the upvalue of this function was changed"); }

/* As push_box, with the metatable from the group. */
static TensorBox *push_result(lua_State *L)
{
  TensorBox *box = lua_newuserdatauv(L, sizeof *box, TENSOR_USER_VALUES);
  box_init(box);
  if (lua_getiuservalue(L, lua_upvalueindex(1), METATABLE) != LUA_TTABLE) changed(L);
  lua_setmetatable(L, -2);
  return box;
}

static int call_plain(lua_State *L, const Group *g, const Op *op, Parsed *p, int top)
{
  Context *ctx = g->ctx;
  TensorBox *boxes[MAX_RESULTS];
  pressure_look(L, ctx);
  for (int i = 0; i < op->results; i++) boxes[i] = push_result(L);
  int first = lua_gettop(L) - op->results + 1;
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  Tensor *room[MAX_RESULTS];
  if (p->nnumbers) parse_make_numbers(&call, p);
  Tensors y = dispatch(&call, op, p->args, NULL, room);
  for (int i = 0; i < op->results; i++) box_fill(boxes[i], y.v[i]);
  entry_leave(ctx, &entry);
  if (boxes[0]->tensor->refs > 1) reuse_argument(L, top, first);
  const TensorBox *from = boxes[0]->tensor->base ? box_test(L, 1) : NULL;
  for (int i = 0; from && i < op->results; i++)
    if (boxes[i]->tensor->base) link_base(L, 1, from, first + i, boxes[i]);
  if (p->flags) carriers_link(L, 1, top, first, op->results);
  return p->as_table ? results_table(L, op->results) : op->results;
}

static int call_in_place(lua_State *L, const Group *g, const Op *op, Parsed *p, int top)
{
  Context *ctx = g->ctx;
  Tensor *into = *(Tensor **)p->args;
  if (!into || !box_test(L, 1)) return user_error(L, "%s_: a tensor is expected first", g->name);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  Tensor *room[MAX_RESULTS];
  if (p->nnumbers) parse_make_numbers(&call, p);
  dispatch(&call, op, p->args, into, room);
  entry_leave(ctx, &entry);
  if (p->flags) carriers_link_inplace(L, 1, 1, top);
  lua_pushvalue(L, 1);
  return 1;
}

/* F.relu(x, true), F.relu(x, {inplace = true}) */
static bool wants_in_place(const Op *op, const Parsed *p)
{
  bool inplace = false;
  if (op->forms & MAY_OVERWRITE) memcpy(&inplace, p->args + op->args[op->nargs - 1].offset, sizeof inplace);
  return inplace;
}

int op_call(lua_State *L)
{
  const Group *g = userdata_test(L, lua_upvalueindex(1), KIND_OP, sizeof *g);
  if (!g) return changed(L); /* the debug library can do that */
  Parsed p;
  int top = lua_gettop(L);
  const Op *op = choose(L, g, top, &p);
  if (g->in_place || wants_in_place(op, &p)) return call_in_place(L, g, op, &p, top);
  if (op->results == RESULTS_LIST) return call_list(L, g, op, &p, top);
  return call_plain(L, g, op, &p, top);
}

void push_group(lua_State *L, Context *ctx, const char *name, int form)
{
  Group *g = lua_newuserdatauv(L, sizeof *g, METATABLE);
  *g = (Group){.kind = KIND_OP, .ctx = ctx, .in_place = form == INPLACE, .is_operator = form & AS_OPERATOR};
  form &= ~AS_OPERATOR;
  for (const Op *op = op_first_named(name); op; op = op_next_named(op)) {
    if (!(op->forms & form)) continue;
    if (g->count == MAX_OVERLOADS) { /* only a new row's author gets here */
      fprintf(stderr, "nnlua: more than %d rows have the public name %s\n", MAX_OVERLOADS, name);
      abort();
    }
    g->name = op->name;
    g->ops[g->count++] = op;
  }
  plan_tensors(g);
  push_tensor_metatable(L);
  lua_setiuservalue(L, -2, METATABLE);
  lua_pushcclosure(L, op_call, 1);
}
