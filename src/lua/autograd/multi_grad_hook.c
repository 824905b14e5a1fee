/* One hook for the gradients of several tensors. */
#include <string.h>

#include "autograd/engine.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/hooks.h"
#include "lua/named_arguments.h"

/*
 * The state that the tensors' hooks share: the tensors at [1…n], n, fn, any; of the running pass its number
 * (pass), how many gradients are still to come (missing) and those that have (gradients).
 */
static lua_Integer get_integer(lua_State *L, int table, const char *name)
{
  lua_getfield(L, table, name);
  lua_Integer value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static void set_integer(lua_State *L, int table, const char *name, lua_Integer value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, table, name);
}

static const Node *node_of(const Tensor *t) { return t->grad_fn ? t->grad_fn : t->accumulator; }

static void begin_pass(lua_State *L, Context *ctx, int state, int n)
{
  lua_Integer missing = 0;
  lua_createtable(L, n, 1);
  set_integer(L, lua_gettop(L), "n", n);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, state, i);
    const Tensor *t = tensor_test(L, -1);
    missing += t && backward_reaches(ctx, node_of(t));
    lua_pop(L, 1);
    push_none(L);
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, state, "gradients");
  set_integer(L, state, "missing", missing);
  set_integer(L, state, "pass", (lua_Integer)backward_number(ctx));
}

/* The hook of one tensor; upvalues: the state, which tensor it is. */
static int gradient_came(lua_State *L)
{
  int state = lua_upvalueindex(1);
  Context *ctx = context_of(L);
  bool first = get_integer(L, state, "pass") != (lua_Integer)backward_number(ctx);
  if (first) begin_pass(L, ctx, state, (int)get_integer(L, state, "n"));
  lua_getfield(L, state, "any");
  bool any = lua_toboolean(L, -1);
  lua_Integer missing = get_integer(L, state, "missing") - 1;
  set_integer(L, state, "missing", missing);
  lua_getfield(L, state, "gradients");
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, lua_tointeger(L, lua_upvalueindex(2)));
  if (any ? !first : missing != 0) return 0;
  lua_getfield(L, state, "fn");
  lua_pushvalue(L, any ? 1 : -2);
  lua_call(L, 1, 0);
  if (missing == 0) {
    lua_pushnil(L);
    lua_setfield(L, state, "gradients");
  }
  return 0;
}

static bool wants_any(lua_State *L, int index)
{
  const char *mode = lua_isnil(L, index) ? "all" : lua_tostring(L, index);
  if (!mode || (strcmp(mode, "all") != 0 && strcmp(mode, "any") != 0))
    user_error(L, "register_multi_grad_hook: argument 'mode': \"all\" or \"any\" expected");
  return strcmp(mode, "any") == 0;
}

int register_multi_grad_hook(lua_State *L)
{
  static const char *const names[] = {"tensors", "fn", "mode", NULL};
  arguments_merge(L, "register_multi_grad_hook", 1, names);
  if (!lua_istable(L, 1))
    return user_error(L, "register_multi_grad_hook: argument 'tensors': a table of tensors expected");
  if (lua_isnil(L, 2)) return user_error(L, "register_multi_grad_hook: argument 'fn' is missing");
  bool any = wants_any(L, 3);
  int n = (int)lua_rawlen(L, 1);
  lua_createtable(L, n, 6);
  int state = lua_gettop(L);
  lua_pushvalue(L, 2);
  lua_setfield(L, state, "fn");
  lua_pushboolean(L, any);
  lua_setfield(L, state, "any");
  set_integer(L, state, "n", n);
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) { /* before any hook is there: one of them must not see half of the state */
    lua_rawgeti(L, 1, i);
    const Tensor *t = tensor_test(L, -1);
    if (!t) return user_error(L, "register_multi_grad_hook: element %d is no tensor", i);
    if (!tensor_requires_grad(t))
      return user_error(L, "register_multi_grad_hook: element %d doesn't require a gradient", i);
    lua_rawseti(L, state, i);
  }
  for (int i = 1; i <= n; i++) {
    lua_pushcfunction(L, tensor_register_hook);
    lua_rawgeti(L, state, i);
    lua_pushvalue(L, state);
    lua_pushinteger(L, i);
    lua_pushcclosure(L, gradient_came, 2);
    lua_call(L, 2, 1);
    lua_rawseti(L, state + 1, i);
  }
  push_joint_handle(L, state + 1);
  return 1;
}
