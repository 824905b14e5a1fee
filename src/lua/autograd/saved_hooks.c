/*
 * Saved-tensor hooks. A node whose saved tensors are packed has a carrier with what the hooks gave, at `packed` by
 * place. The carrier is pinned: it goes with the node, or when a backward has gone through it for the last time.
 */
#include "lua/autograd/saved_hooks.h"

#include "autograd/node.h"
#include "lua/autograd/carriers.h"
#include "lua/autograd/hooks.h"
#include "lua/autograd/modes.h"
#include "lua/named_arguments.h"
#include "lua/parse.h"
#include "lua/scope.h"

enum { PACKED = 1, UNPACK, FINGERPRINT = 4 }; /* fields of the table that stands for a packed tensor */

static Tensor *make_alias(Call *call, void *data) { return tensor_alias(call, data); }

bool push_packed_tensor(lua_State *L, Context *ctx, int index)
{
  Tensor *t = tensor_test(L, index);
  index = lua_absindex(L, index);
  luaL_checkstack(L, 8, NULL);
  if (!push_mode_value(L, ctx->saved_hooks)) { /* its scope was never closed, and is garbage now */
    lua_pop(L, 1);
    return false;
  }
  int hooks = lua_gettop(L);
  lua_rawgeti(L, hooks, 1);
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  if (tensor_test(L, -1) == t) { /* the tensor itself would hold the graph that holds it */
    push_made(L, ctx, make_alias, t);
    lua_replace(L, -2);
  }
  scope_keep(L, -1);
  lua_createtable(L, 2, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, PACKED);
  lua_rawgeti(L, hooks, 2);
  lua_rawseti(L, -2, UNPACK);
  lua_replace(L, hooks);
  return true;
}

Tensor *push_unpacked_tensor(lua_State *L, int packed, const char *name)
{
  packed = lua_absindex(L, packed);
  luaL_checkstack(L, 4, NULL);
  lua_rawgeti(L, packed, UNPACK);
  lua_rawgeti(L, packed, PACKED);
  lua_call(L, 1, 1);
  Tensor *t = tensor_test(L, -1);
  if (!t) user_error(L, "%s: an unpack hook must give a tensor, not %s", name, type_name(L, -1));
  return t;
}

/* ---------------------------------------------------------- the core's callbacks */

typedef struct Packing {
  Node *node;
  int place;
  Tensor *t; /* unpacked: a reference */
  int64_t fingerprint;
  bool done;
} Packing;

/* Pushes the table of what a node's hooks gave, made if there is none. */
static void push_packed_of(lua_State *L, Node *node)
{
  Context *ctx = node->ctx;
  if (!node->carrier || !push_carrier(L, node->carrier)) node->carrier = push_new_carrier(L, ctx);
  if (lua_getfield(L, -1, "packed") == LUA_TTABLE) return;
  lua_pop(L, 1);
  carriers_pin(L, ctx, -1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "packed");
}

static int run_pack(lua_State *L)
{
  Packing *p = lua_touserdata(L, 1);
  push_tensor(L, p->t);
  if (!push_packed_tensor(L, p->node->ctx, 2)) return 0;
  lua_pushinteger(L, p->fingerprint);
  lua_rawseti(L, -2, FINGERPRINT);
  push_packed_of(L, p->node);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, p->place + 1);
  p->done = true;
  return 0;
}

static bool pack(Call *call, Node *node, int place, Tensor *t, int64_t fingerprint)
{
  Packing p = {.node = node, .place = place, .t = t, .fingerprint = fingerprint};
  call_lua(call, run_pack, &p);
  return p.done;
}

static int run_unpack(lua_State *L)
{
  Packing *p = lua_touserdata(L, 1);
  const char *name = node_name(p->node);
  if (!push_carrier(L, p->node->carrier) || lua_getfield(L, -1, "packed") != LUA_TTABLE
      || lua_rawgeti(L, -1, p->place + 1) != LUA_TTABLE)
    return user_error(L, "%s: what a pack hook gave is gone", name);
  lua_rawgeti(L, -1, FINGERPRINT);
  p->fingerprint = lua_tointeger(L, -1);
  lua_pop(L, 1);
  p->t = tensor_retain(push_unpacked_tensor(L, -1, name));
  return 0;
}

static Tensor *unpack(Call *call, Node *node, int place, int64_t *fingerprint)
{
  Packing p = {.node = node, .place = place};
  call_lua(call, run_unpack, &p);
  *fingerprint = p.fingerprint;
  return scope_own(call->ctx, p.t);
}

/* ------------------------------------------------------------------- scopes */

/* Raises the message of the scope that forbids hooks, if one does. */
static void check_allowed(lua_State *L, Context *ctx)
{
  core_prepare(L, ctx);
  if (!ctx->no_saved_hooks || !push_mode_value(L, ctx->no_saved_hooks)) return;
  lua_rawgeti(L, -1, 1);
  user_error(L, "%s", lua_tostring(L, -1));
}

/* Opens a scope of the two hooks on top, and runs the function at `first` in it if there is one. */
static int open_hooks_scope(lua_State *L, Context *ctx, int first)
{
  check_allowed(L, ctx);
  lua_createtable(L, 2, 0);
  lua_insert(L, -3);
  lua_rawseti(L, -3, 2);
  lua_rawseti(L, -2, 1);
  push_value_token(L, ctx, MODE_SAVED_HOOKS, -1);
  lua_remove(L, -2);
  return run_or_token(L, first);
}

/* saved_tensors_hooks(pack_hook, unpack_hook, f, …); both may stand in a table of options. */
static int saved_tensors_hooks(lua_State *L)
{
  static const char *const names[] = {"pack_hook", "unpack_hook", NULL};
  int top = lua_gettop(L), hooks = 1, first = 3;
  if (lua_istable(L, 1) && !is_callable(L, 1)) {
    lua_pushvalue(L, 1);
    arguments_merge(L, "saved_tensors_hooks", top + 1, names);
    hooks = top + 1;
    first = 2;
  }
  for (int i = 0; i < 2; i++)
    if (!is_callable(L, hooks + i))
      return user_error(L, "saved_tensors_hooks: argument '%s': a function was expected, got %s", names[i],
                        type_name(L, hooks + i));
  check_function(L, "saved_tensors_hooks", first);
  lua_pushvalue(L, hooks);
  lua_pushvalue(L, hooks + 1);
  if (hooks > 1) { /* off the arguments of the function */
    lua_remove(L, hooks);
    lua_remove(L, hooks);
  }
  return open_hooks_scope(L, context_of(L), first);
}

static int pack_on_cpu(lua_State *L)
{
  lua_getfield(L, 1, "cpu");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int unpack_as_it_is(lua_State *L)
{
  lua_settop(L, 1);
  return 1;
}

/* save_on_cpu(pin_memory = false, device_type = "cuda", f, …): each may be left out; both may be options. */
static int save_on_cpu(lua_State *L)
{
  static const char *const names[] = {"pin_memory", "device_type", NULL};
  int first = 1, top = lua_gettop(L);
  if (lua_istable(L, 1) && !is_callable(L, 1)) {
    lua_pushvalue(L, 1);
    arguments_merge(L, "save_on_cpu", top + 1, names);
    argument_bool(L, "save_on_cpu", "pin_memory", top + 1, false);
    lua_settop(L, top);
    first = 2;
  } else {
    if (lua_isboolean(L, first) || (top > first && lua_isnil(L, first))) first++;
    if (lua_type(L, first) == LUA_TSTRING) first++;
  }
  check_function(L, "save_on_cpu", first);
  lua_pushcfunction(L, pack_on_cpu);
  lua_pushcfunction(L, unpack_as_it_is);
  return open_hooks_scope(L, context_of(L), first);
}

static int pack_by_clone(lua_State *L)
{
  lua_getfield(L, 1, "clone");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* allow_mutation_on_saved_tensors(f, …): what ops save is cloned, so that changes in place leave it as it was. */
static int allow_mutation_on_saved_tensors(lua_State *L)
{
  check_function(L, "allow_mutation_on_saved_tensors", 1);
  lua_pushcfunction(L, pack_by_clone);
  lua_pushcfunction(L, unpack_as_it_is);
  return open_hooks_scope(L, context_of(L), 1);
}

/* disable_saved_tensors_hooks(error_message, f, …) */
static int disable_saved_tensors_hooks(lua_State *L)
{
  Context *ctx = context_of(L);
  if (lua_type(L, 1) != LUA_TSTRING)
    return user_error(L, "disable_saved_tensors_hooks: argument 'error_message': a string was expected, got %s",
                      type_name(L, 1));
  check_function(L, "disable_saved_tensors_hooks", 2);
  core_prepare(L, ctx);
  if (ctx->saved_hooks) return user_error(L, "%s", lua_tostring(L, 1));
  lua_createtable(L, 1, 0); /* a string would stay in the table of values for good */
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  push_value_token(L, ctx, MODE_NO_SAVED_HOOKS, -1);
  lua_remove(L, -2);
  return run_or_token(L, 2);
}

void open_saved_hooks(lua_State *L, Context *ctx)
{
  static const luaL_Reg functions[] = {{"saved_tensors_hooks", saved_tensors_hooks},
                                       {"save_on_cpu", save_on_cpu},
                                       {"allow_mutation_on_saved_tensors", allow_mutation_on_saved_tensors},
                                       {"disable_saved_tensors_hooks", disable_saved_tensors_hooks},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  ctx->host.pack = pack;
  ctx->host.unpack = unpack;
}
