/*
 * autograd.graph's edges: where a tensor's gradient is computed, kept apart from what becomes of the tensor. An edge is
 * a list of a tensor with that history, by which autograd.grad and backward find it, its node and output_nr, which are
 * read by these names. (A table with names of its own would be taken for named arguments.)
 */
#include <string.h>

#include "autograd/node.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/carriers.h"
#include "lua/autograd/grad_fn.h"
#include "lua/parse.h"

static char edge_meta; /* registry key, by address */

enum { EDGE_TENSOR = 1, EDGE_NODE, EDGE_OUTPUT };

/* A tensor with the elements and the history of another one, whatever becomes of that. */
static Tensor *make_twin(Call *call, void *data)
{
  Tensor *t = data, *twin = tensor_alias(call, t);
  tensor_set_grad_fn(twin, tensor_grad_fn(call, t), t->output);
  return twin;
}

bool push_edge_tensor(lua_State *L, int index)
{
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  index = index < 0 ? index - 1 : index;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &edge_meta);
  bool is_edge = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  if (!is_edge) return false;
  lua_rawgeti(L, index < 0 ? index + 1 : index, EDGE_TENSOR);
  return true;
}

static int edge_index(lua_State *L)
{
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  int place = strcmp(name, "node") == 0 ? EDGE_NODE : strcmp(name, "output_nr") == 0 ? EDGE_OUTPUT : 0;
  if (!lua_istable(L, 1) || !place) return 0;
  lua_rawgeti(L, 1, place);
  return 1;
}

/* Puts the node that the tensor's gradient goes to at a place; raises in Lua if there is no memory. */
static void find_node(lua_State *L, Context *ctx, Tensor *t, Node **place)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) core_failed(L, ctx);
  Call call = {.ctx = ctx};
  *place = edge_of(&call, t).node;
  entry_leave(ctx, &entry);
}

/* get_gradient_edge(tensor) */
static int get_gradient_edge(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  if (!tensor_requires_grad(t)) return user_error(L, "get_gradient_edge: the tensor doesn't require a gradient");
  lua_settop(L, 1);
  lua_createtable(L, 3, 0);
  if (tensor_is_leaf(t)) {
    lua_pushvalue(L, 1);
  } else {
    push_made(L, t->ctx, make_twin, t);
    push_carried(L, 1, 1);
    carriers_give(L, 3, -1);
    lua_pop(L, 1);
  }
  Tensor *kept = tensor_test(L, -1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, 2, EDGE_TENSOR);
  find_node(L, t->ctx, kept, push_node_place(L, 3));
  lua_rawseti(L, 2, EDGE_NODE);
  lua_pushinteger(L, kept->output + 1);
  lua_rawseti(L, 2, EDGE_OUTPUT);
  lua_settop(L, 2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &edge_meta);
  lua_setmetatable(L, 2);
  return 1;
}

static void count_change(lua_State *L, int index)
{
  const Tensor *t = tensor_test(L, index);
  if (!t) user_error(L, "increment_version: a tensor or a list of tensors was expected, got %s", type_name(L, index));
  if (t->storage && !t->is_inference) t->storage->version++;
}

/* increment_version(tensor or list) */
static int increment_version(lua_State *L)
{
  lua_settop(L, 1);
  if (!lua_istable(L, 1)) {
    count_change(L, 1);
    return 0;
  }
  for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 1); i <= n; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, 1, i);
    count_change(L, -1);
  }
  return 0;
}

void open_gradient_edge(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"get_gradient_edge", get_gradient_edge}, {"increment_version", increment_version}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, edge_index);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua.GradientEdge");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &edge_meta);
}
