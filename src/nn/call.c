/* Calling a module: hooks, forward, hooks. Without hooks it costs two tests and one call. */
#include "nn/module.h"

/*
 * The frame of module_call keeps the module at index 1 while it runs: path.c finds it there.
 *
 * Lua allows some 200 nested C calls. A module takes one of them, and a C function without upvalues is called as part
 * of module_call, so that a Sequential takes one too. Beyond DEEP nested calls we ask before each whether there is room
 * left, to raise an error that says what nests. NnState.depth may be too large after errors and yields; then the stack
 * is counted anew.
 */
enum { DEEP = 100, ROOM = 6 };

static const char careful_call_key;
const char global_hooks_key;

static int use_room(lua_State *L)
{
  lua_Integer left = lua_tointeger(L, 1);
  if (left <= 1) return 0;
  lua_pushcfunction(L, use_room);
  lua_pushinteger(L, left - 1);
  lua_call(L, 1, 0);
  return 0;
}

static uint32_t count_module_calls(lua_State *L)
{
  lua_Debug frame;
  uint32_t n = 0;
  for (int level = 0; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "f", &frame);
    if (lua_tocfunction(L, -1) == module_call) n++;
    lua_pop(L, 1);
  }
  return n;
}

static void check_depth(lua_State *L, NnState *nn)
{
  nn->depth = count_module_calls(L);
  if (nn->depth < DEEP) return;
  lua_pushcfunction(L, use_room);
  lua_pushinteger(L, ROOM);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
  lua_pop(L, 1);
  user_error(L, "modules nest too deep: %d calls, beyond what Lua's C stack allows", (int)nn->depth);
}

/* ------------------------------------------------------------------ calling */

/* Pushes what forward is: the instance's, else the class's. */
static bool push_forward(lua_State *L, const ModuleBox *box)
{
  if (box->own_forward) {
    push_attributes(L, 1);
    lua_pushvalue(L, lua_upvalueindex(CALL_FORWARD));
    lua_rawget(L, -2);
    lua_replace(L, -2);
    return true;
  }
  lua_pushvalue(L, lua_upvalueindex(CALL_FORWARD));
  if (lua_gettable(L, lua_upvalueindex(CALL_CLASS)) == LUA_TNIL) return false;
  unguard(L);
  return true;
}

static int called(lua_State *L, int status, lua_KContext depth)
{
  (void)status;
  ModuleBox *box = lua_touserdata(L, 1);
  box->nn->depth = (uint32_t)depth;
  return lua_gettop(L) - 1;
}

/* Stack: the module, arguments, forward. What needs care is Lua's: careful_call(module, hooks, forward, ...). */
static int careful_call(lua_State *L, uint32_t depth)
{
  int arguments = lua_gettop(L) - 2;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &careful_call_key);
  lua_pushvalue(L, 1);
  push_table_of(L, 1, HOOKS);
  lua_pushvalue(L, -4); /* module, arguments, forward, careful_call, module, hooks, forward */
  lua_rotate(L, 2, 4);
  lua_pop(L, 1);
  lua_callk(L, arguments + 3, LUA_MULTRET, (lua_KContext)depth, called);
  return called(L, LUA_OK, (lua_KContext)depth);
}

static int no_forward(lua_State *L)
{
  const char *name = push_class_name(L, 1);
  if (child_count(L, 1) > 0)
    return user_error(L, "%s has no forward: call its modules one by one, or use a Sequential", name);
  return user_error(L, "%s has no forward: write function %s:forward(x)", name, name);
}

int module_call(lua_State *L)
{
  ModuleBox *box = module_check(L, 1);
  NnState *nn = box->nn;
  if (nn->ctx->profiler) {
    if (nn->timed != box) return profiled_call(L, nn);
    nn->timed = NULL;
  }
  if (nn->depth >= DEEP) check_depth(L, nn);
  uint32_t depth = nn->depth++;
  if (nn->watch) note_use(L, 1);
  int arguments = lua_gettop(L) - 1;
  if (!push_forward(L, box)) return no_forward(L);
  if (box->hooks | nn->global_hooks)
    return box->careful_hooks | nn->global_careful_hooks ? careful_call(L, depth) : hooked_call(L, depth);
  lua_CFunction f = lua_tocfunction(L, -1);
  if (f && !lua_getupvalue(L, -1, 1)) { /* in this frame */
    lua_pop(L, 1);
    int results = f(L);
    nn->depth = depth;
    return results;
  }
  if (f) lua_pop(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 2, 2);
  lua_callk(L, arguments + 1, LUA_MULTRET, (lua_KContext)depth, called);
  return called(L, LUA_OK, (lua_KContext)depth);
}

/* -------------------------------------------------------------- Sequential */

enum { FIRST_VALUE = 4 };

/* Whether the name on top of the stack is a child's, not a tensor's. */
static bool names_child(lua_State *L)
{
  lua_pushvalue(L, -1);
  lua_rawget(L, 2);
  bool is_child = lua_tointeger(L, -1) == SLOT_MODULE;
  lua_pop(L, 1);
  return is_child;
}

/* Calls children from the i-th slot on. Stack: the Sequential, its slots, its attributes, values. */
static int run_children(lua_State *L, int status, lua_KContext i)
{
  (void)status;
  const ModuleBox *box = lua_touserdata(L, 1);
  for (;;) {
    luaL_checkstack(L, 8, NULL); /* a child may have returned many values */
    if (lua_rawgeti(L, 2, (lua_Integer)i++) == LUA_TNIL) {
      lua_pop(L, 1);
      return lua_gettop(L) - FIRST_VALUE + 1;
    }
    if (box->tensors && !names_child(L)) {
      lua_pop(L, 1);
      continue;
    }
    if (lua_rawget(L, 3) == LUA_TNIL) return user_error(L, "a child of this Sequential is nil and can't be called");
    lua_insert(L, FIRST_VALUE);
    lua_callk(L, lua_gettop(L) - FIRST_VALUE, LUA_MULTRET, i, run_children);
  }
}

/* Sequential's forward: what a child returns, the next one takes. */
int sequential_forward(lua_State *L)
{
  if (lua_gettop(L) != 2) return user_error(L, "a Sequential takes one input, got %d", lua_gettop(L) - 1);
  if (!push_table_of(L, 1, SLOTS)) {
    lua_settop(L, 2);
    return 1;
  }
  push_attributes(L, 1);
  lua_rotate(L, 2, 2);
  return run_children(L, LUA_OK, 1);
}

static int checked_sequential_forward(lua_State *L)
{
  module_check(L, 1);
  return sequential_forward(L);
}

/* set_hooks(function, lists): what calls modules with hooks that need care, and the lists of global hooks */
static int set_hooks(lua_State *L)
{
  lua_settop(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &global_hooks_key);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &careful_call_key);
  return 0;
}

const luaL_Reg call_functions[] = {
  {"sequential_forward", checked_sequential_forward},
  {"set_hooks", set_hooks},
  {NULL, NULL},
};
