/*
 * Calling a module that has forward hooks: pre-hooks, forward, hooks. One loop over what is next, so that each of them
 * may yield. Backward hooks and those that run after errors are hooks.lua's.
 */
#include "nn/module.h"

/* The frame of such a call; the values are those that forward takes, then those that it gave. */
enum { SELF = 1, FORWARD, ARGUMENTS /* as hooks see them */, GLOBAL_LIST, OWN_LIST, PLACE, VALUES };

typedef enum Stage { BEFORE, WITHIN, AFTER } Stage;

/* Where in the loop a call is: kept on the stack while a hook runs. */
typedef struct Place {
  int32_t next;
  int32_t values;
} Place;

static void save_place(lua_State *L, Place p)
{
  lua_pushinteger(L, (lua_Integer)p.next << 32 | p.values);
  lua_replace(L, PLACE);
}

static Place saved_place(lua_State *L)
{
  lua_Integer packed = lua_tointeger(L, PLACE);
  return (Place){(int32_t)(packed >> 32), (int32_t)(packed & INT32_MAX)};
}

/* Puts the list of a kind, from the table of lists or nil on top of the stack, at `slot`. */
static void take_list(lua_State *L, HookKind kind, int slot)
{
  if (!lua_isnil(L, -1)) {
    lua_rawgeti(L, -1, kind);
    lua_remove(L, -2);
  }
  lua_replace(L, slot);
}

/* The hooks of a kind that there are now: lists are never changed, only replaced. */
static void take_lists(lua_State *L, HookKind kind)
{
  const ModuleBox *box = lua_touserdata(L, SELF);
  if (box->nn->global_hooks) lua_rawgetp(L, LUA_REGISTRYINDEX, &global_hooks_key);
  else lua_pushnil(L);
  take_list(L, kind, GLOBAL_LIST);
  push_table_of(L, SELF, HOOKS);
  take_list(L, kind, OWN_LIST);
}

/* Pushes the i-th hook, from 0, of the two lists; false behind the last one. */
static bool push_hook(lua_State *L, lua_Integer i)
{
  lua_Integer global = (lua_Integer)lua_rawlen(L, GLOBAL_LIST);
  bool is_global = i < global;
  lua_Integer n = is_global ? global : global + (lua_Integer)lua_rawlen(L, OWN_LIST);
  if (i >= n) return false;
  lua_rawgeti(L, is_global ? GLOBAL_LIST : OWN_LIST, is_global ? i + 1 : i - global + 1);
  return true;
}

/* Puts the values into a new table {n = …} for the hooks to see. */
static void list_arguments(lua_State *L, int n)
{
  push_packed(L, VALUES, n);
  lua_replace(L, ARGUMENTS);
}

/* What a hook returned, on top of the values, replaces them unless it is nothing or nil alone. */
static bool take_returned(lua_State *L, Place *p)
{
  luaL_checkstack(L, 8, "too many values");
  int returned = lua_gettop(L) - (VALUES - 1) - p->values;
  if (returned == 0) return false;
  if (returned == 1 && lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_rotate(L, VALUES, returned);
  lua_pop(L, p->values);
  p->values = returned;
  for (int i = VALUES; i < VALUES + returned; i++) {
    if (!is_none(L, i)) continue;
    lua_pushnil(L);
    lua_replace(L, i);
  }
  return true;
}

static int resume(lua_State *L, int status, lua_KContext context);

static lua_KContext context_of_stage(uint32_t depth, Stage stage) { return (lua_KContext)(depth << 2 | stage); }

/* Runs the hooks of a stage from a place on; the place is where the values are then. */
static void run_hooks(lua_State *L, uint32_t depth, Stage stage, Place *p)
{
  luaL_checkstack(L, p->values + 8, "too many values");
  while (push_hook(L, p->next)) {
    int shown = stage == AFTER ? p->values : 0;
    p->next++;
    save_place(L, *p);
    lua_pushvalue(L, SELF);
    lua_pushvalue(L, ARGUMENTS);
    for (int i = 0; i < shown; i++) lua_pushvalue(L, VALUES + i);
    lua_callk(L, 2 + shown, LUA_MULTRET, context_of_stage(depth, stage), resume);
    if (take_returned(L, p) && stage == BEFORE) list_arguments(L, p->values);
    luaL_checkstack(L, p->values + 8, "too many values");
  }
}

static int finish(lua_State *L, uint32_t depth, Place *p)
{
  ModuleBox *box = lua_touserdata(L, SELF);
  run_hooks(L, depth, AFTER, p);
  box->nn->depth = depth;
  return p->values;
}

static int after_forward(lua_State *L, uint32_t depth)
{
  Place p = {0, lua_gettop(L) - (VALUES - 1)};
  luaL_checkstack(L, 8, "too many values");
  take_lists(L, HOOK_POST);
  return finish(L, depth, &p);
}

static int run_forward(lua_State *L, uint32_t depth, Place *p)
{
  run_hooks(L, depth, BEFORE, p);
  lua_pushvalue(L, FORWARD);
  lua_pushvalue(L, SELF);
  lua_rotate(L, VALUES, 2);
  lua_callk(L, p->values + 1, LUA_MULTRET, context_of_stage(depth, WITHIN), resume);
  return after_forward(L, depth);
}

/* Goes on after a hook, or forward, that yielded. */
static int resume(lua_State *L, int status, lua_KContext context)
{
  (void)status;
  uint32_t depth = (uint32_t)context >> 2;
  Stage stage = (Stage)(context & 3);
  if (stage == WITHIN) return after_forward(L, depth);
  Place p = saved_place(L);
  if (take_returned(L, &p) && stage == BEFORE) list_arguments(L, p.values);
  return stage == BEFORE ? run_forward(L, depth, &p) : finish(L, depth, &p);
}

int hooked_call(lua_State *L, uint32_t depth)
{
  Place p = {0, lua_gettop(L) - 2}; /* the stack: the module, arguments, forward */
  luaL_checkstack(L, 2 * p.values + 12, "too many arguments");
  lua_insert(L, FORWARD);
  for (int slot = ARGUMENTS; slot < VALUES; slot++) lua_pushnil(L);
  lua_rotate(L, ARGUMENTS, VALUES - ARGUMENTS);
  list_arguments(L, p.values);
  take_lists(L, HOOK_PRE);
  return run_forward(L, depth, &p);
}
