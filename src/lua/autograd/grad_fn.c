/* x.grad_fn: nodes of the graph as userdata. */
#include "lua/autograd/grad_fn.h"

#include <string.h>

#include "lua/autograd/hooks.h"

static char node_meta; /* registry key, by address */

/* User value 1: the userdata of the tensor that the node was reached from. It carries what the graph does. */
typedef struct NodeBox {
  uint32_t kind;
  Node *node;
} NodeBox;

Node *node_test(lua_State *L, int index)
{
  const NodeBox *box = userdata_test(L, index, KIND_NODE, sizeof *box);
  return box ? box->node : NULL;
}

static Node *node_check(lua_State *L, const char *function)
{
  Node *n = node_test(L, 1);
  if (!n) user_error(L, "%s: a node of the graph expected, got %s", function, luaL_typename(L, 1));
  return n;
}

Node **push_node_place(lua_State *L, int tensor)
{
  tensor = lua_absindex(L, tensor);
  NodeBox *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (NodeBox){KIND_NODE, NULL};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &node_meta);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, tensor);
  lua_setiuservalue(L, -2, 1);
  return &box->node;
}

void push_node(lua_State *L, Node *node, int tensor) { *push_node_place(L, tensor) = node_retain(node); }

static int node_gc(lua_State *L)
{
  NodeBox *box = userdata_test(L, 1, KIND_NODE, sizeof *box);
  if (!box) return 0;
  Node *n = box->node;
  box->node = NULL;
  node_release(n);
  return 0;
}

static int node_lua_name(lua_State *L)
{
  lua_pushstring(L, node_name(node_check(L, "name")));
  return 1;
}

/* node:_sequence_nr(): a number that no other node of an op has; the later it was made, the greater. */
static int node_sequence(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)node_check(L, "_sequence_nr")->sequence);
  return 1;
}

static int node_tostring(lua_State *L)
{
  lua_pushfstring(L, "<%s>", node_name(node_check(L, "tostring")));
  return 1;
}

static int node_equal(lua_State *L)
{
  lua_pushboolean(L, node_test(L, 1) && node_test(L, 1) == node_test(L, 2));
  return 1;
}

/* Pushes the userdata of the tensor that the node at index 1 was reached from. */
static void push_tensor_of(lua_State *L)
{
  lua_getiuservalue(L, 1, 1);
  if (!tensor_test(L, -1)) user_error(L, "a node's user value was changed");
}

/* {{node, output}, …}: where the gradients of the inputs go on; nl.none for inputs that need none. */
static int push_next_functions(lua_State *L, const Node *n)
{
  lua_createtable(L, n->nedges, 0);
  push_tensor_of(L);
  int tensor = lua_gettop(L);
  for (int i = 0; i < n->nedges; i++) {
    lua_createtable(L, 2, 0);
    if (n->edges[i].node) push_node(L, n->edges[i].node, tensor);
    else push_none(L);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, n->edges[i].output + 1);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, tensor - 1, i + 1);
  }
  lua_pop(L, 1);
  return 1;
}

/* Pushes the carrier of the node at index 1, made if there is none, for hooks of a kind; 0: for other values. */
static void push_carrier_of(lua_State *L, Node *n, uint8_t kind)
{
  Context *ctx = n->ctx;
  push_tensor_of(L);
  int tensor = lua_gettop(L);
  Tensor *leaf = node_is_accumulator(n) ? accumulator_leaf(n) : NULL;
  if (leaf && tensor_test(L, tensor) != leaf) { /* its own values hold them */
    push_node_carrier(L, ctx, tensor, n, true);
    if (!leaf->carrier) leaf->carrier = n->carrier;
  } else if (leaf) {
    push_tensor_carrier(L, ctx, tensor, kind);
  } else {
    push_node_carrier(L, ctx, tensor, n, n->refs > 2); /* the tensor's reference and this userdata's */
  }
}

/* node.metadata: a table for the user's own values. */
static int push_metadata(lua_State *L, Node *n)
{
  push_carrier_of(L, n, 0);
  if (lua_getfield(L, -1, "metadata") == LUA_TTABLE) return 1;
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "metadata");
  return 1;
}

/* Node.register_hook and register_prehook; upvalues: the slot in the carrier, the kind of hook. */
static int node_register(lua_State *L)
{
  int slot = (int)lua_tointeger(L, lua_upvalueindex(1));
  uint8_t kind = (uint8_t)lua_tointeger(L, lua_upvalueindex(2));
  const char *name = slot == HOOKS_BEFORE ? "register_prehook" : "register_hook";
  Node *n = node_check(L, name);
  if (lua_isnoneornil(L, 2)) return user_error(L, "%s: argument 'hook' is missing", name);
  push_carrier_of(L, n, kind);
  n->hooks |= kind;
  add_hook(L, -1, slot, 2);
  return 1;
}

static int node_index(lua_State *L)
{
  Node *n = node_check(L, "index");
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "next_functions") == 0) return push_next_functions(L, n);
  if (strcmp(name, "metadata") == 0) return push_metadata(L, n);
  if (strcmp(name, "variable") == 0 && node_is_accumulator(n)) {
    Tensor *leaf = accumulator_leaf(n);
    if (!leaf) return 0;
    push_tensor_of(L);
    if (tensor_test(L, -1) != leaf) push_tensor(L, leaf);
    return 1;
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  return user_error(L, "a node of the graph has no field or method '%s'", name);
}

static void add_registration(lua_State *L, const char *name, int slot, int kind)
{
  lua_pushinteger(L, slot);
  lua_pushinteger(L, kind);
  lua_pushcclosure(L, node_register, 2);
  lua_setfield(L, -2, name);
}

void open_graph(lua_State *L)
{
  static const luaL_Reg events[] = {
    {"__gc", node_gc}, {"__tostring", node_tostring}, {"__eq", node_equal}, {NULL, NULL}};
  luaL_newlib(L, events);
  lua_pushliteral(L, "nnlua.Node");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "nnlua.Node"); /* what getmetatable gives: __gc is not for scripts */
  lua_setfield(L, -2, "__metatable");
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, node_lua_name);
  lua_setfield(L, -2, "name");
  lua_pushcfunction(L, node_sequence);
  lua_setfield(L, -2, "_sequence_nr");
  add_registration(L, "register_hook", HOOKS_AFTER, HOOKED_AFTER);
  add_registration(L, "register_prehook", HOOKS_BEFORE, HOOKED_BEFORE);
  lua_pushcclosure(L, node_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &node_meta);
}
