/* Walks over a module, its children and their slots, without recursion: lists of names and values. */
#include "nn/module.h"

/* ---------------------------------------------------------------- children */

static bool slot_is(lua_State *L, int slots, lua_Integer i, int kinds)
{
  lua_rawgeti(L, slots, i);
  lua_rawget(L, slots);
  bool fits = (lua_tointeger(L, -1) & kinds) != 0;
  lua_pop(L, 1);
  return fits;
}

lua_Integer child_count(lua_State *L, int index)
{
  const ModuleBox *box = lua_touserdata(L, index);
  push_table_of(L, index, SLOTS);
  lua_Integer n = lua_isnil(L, -1) ? 0 : (lua_Integer)lua_rawlen(L, -1);
  lua_pop(L, 1);
  return n - box->tensors;
}

void push_child(lua_State *L, int index, lua_Integer i)
{
  const ModuleBox *box = lua_touserdata(L, index);
  if (!push_table_of(L, index, SLOTS)) return;
  int slots = lua_gettop(L);
  lua_Integer place = i, n = (lua_Integer)lua_rawlen(L, slots);
  if (box->tensors) {
    for (place = 1; place <= n; place++)
      if (slot_is(L, slots, place, SLOT_MODULE) && --i == 0) break;
  }
  push_attributes(L, index);
  if (lua_rawgeti(L, slots, place) == LUA_TSTRING) lua_rawget(L, -2);
  lua_replace(L, slots);
  lua_settop(L, slots);
}

/* ------------------------------------------------------------------- walks */

/*
 * A walk keeps on the stack: a list of modules still to visit, the last one first, each with its path; and the set of
 * those seen. Its work tables lie at consecutive indices from `base` on.
 */
typedef struct Walk {
  lua_State *L;
  int stack, seen; /* indices */
  lua_Integer waiting;
  bool once; /* visit each module once only */
} Walk;

static void walk_push(Walk *w) /* pops path and module */
{
  lua_rawseti(w->L, w->stack, w->waiting + 2);
  lua_rawseti(w->L, w->stack, w->waiting + 1);
  w->waiting += 2;
}

static Walk walk_open(lua_State *L, int index, const char *prefix, bool once)
{
  luaL_checkstack(L, 20, NULL);
  int top = lua_gettop(L);
  Walk w = {.L = L, .stack = top + 1, .seen = top + 2, .once = once};
  lua_newtable(L);
  lua_newtable(L);
  if (prefix) lua_pushstring(L, prefix);
  else lua_pushboolean(L, false);
  lua_pushvalue(L, index);
  walk_push(&w);
  return w;
}

/* Pushes the path and the module of the next place; false at the end. */
static bool walk_next(Walk *w)
{
  lua_State *L = w->L;
  while (w->waiting) {
    w->waiting -= 2;
    lua_rawgeti(L, w->stack, w->waiting + 1);
    lua_rawgeti(L, w->stack, w->waiting + 2);
    if (!w->once) return true;
    lua_pushvalue(L, -1);
    bool seen = lua_rawget(L, w->seen) != LUA_TNIL;
    lua_pop(L, 1);
    if (!seen) {
      lua_pushvalue(L, -1);
      lua_pushboolean(L, true);
      lua_rawset(L, w->seen);
      return true;
    }
    lua_pop(L, 2);
  }
  return false;
}

/* Pushes prefix and name joined, or false if there is no prefix: where paths are of no interest. */
static void push_path(lua_State *L, int prefix, int name)
{
  if (!lua_isstring(L, prefix)) {
    lua_pushboolean(L, false);
    return;
  }
  lua_pushvalue(L, prefix);
  if (lua_rawlen(L, prefix)) lua_pushliteral(L, ".");
  else lua_pushliteral(L, "");
  lua_pushvalue(L, name);
  lua_concat(L, 3);
}

/* Puts the children of the module on top of the stack (below it its path) on the list; the stack stays as it is. */
static void walk_into(Walk *w)
{
  lua_State *L = w->L;
  int module = lua_gettop(L), path = module - 1, slots = module + 1, attributes = module + 2;
  if (push_table_of(L, module, SLOTS)) {
    push_attributes(L, module);
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, slots); i >= 1; i--) {
      if (!slot_is(L, slots, i, SLOT_MODULE)) continue;
      lua_rawgeti(L, slots, i);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, attributes) != LUA_TNIL) {
        push_path(L, path, attributes + 1);
        lua_insert(L, -2);
        walk_push(w);
      }
      lua_settop(L, attributes);
    }
  }
  lua_settop(L, module);
}

static void append(lua_State *L, int list, lua_Integer *n) /* pops two values */
{
  lua_rawseti(L, list, *n + 2);
  lua_rawseti(L, list, *n + 1);
  *n += 2;
}

void push_module_list(lua_State *L, int index, const char *prefix, bool once)
{
  lua_newtable(L);
  int list = lua_gettop(L);
  lua_Integer n = 0;
  Walk w = walk_open(L, lua_absindex(L, index), prefix, once);
  while (walk_next(&w)) {
    walk_into(&w);
    append(L, list, &n);
  }
  lua_settop(L, list);
}

bool module_contains(lua_State *L, int index, int wanted)
{
  int top = lua_gettop(L);
  bool found = false;
  Walk w = walk_open(L, lua_absindex(L, index), NULL, true);
  while (!found && walk_next(&w)) {
    found = lua_rawequal(L, -1, wanted);
    walk_into(&w);
    lua_pop(L, 2);
  }
  lua_settop(L, top);
  return found;
}

/* ------------------------------------------------------------------- slots */

static bool seen_before(lua_State *L, int seen, const void *p)
{
  if (lua_rawgetp(L, seen, p) != LUA_TNIL) {
    lua_pop(L, 1);
    return true;
  }
  lua_pop(L, 1);
  lua_pushboolean(L, true);
  lua_rawsetp(L, seen, p);
  return false;
}

static const void *identity(lua_State *L, int index)
{
  const Tensor *t = tensor_test(L, index);
  return t ? (const void *)t : lua_touserdata(L, index);
}

/*
 * Appends name and value of the slots of some kinds to a list; the module and its path are on top of the stack. A value
 * is taken once if `seen` is an index; empty slots are left out.
 */
static void append_slots(lua_State *L, int kinds, int list, lua_Integer *n, int seen)
{
  int module = lua_gettop(L), path = module - 1, slots = module + 1, attributes = module + 2;
  if (push_table_of(L, module, SLOTS)) {
    push_attributes(L, module);
    lua_Integer count = (lua_Integer)lua_rawlen(L, slots);
    for (lua_Integer i = 1; i <= count; i++) {
      if (!slot_is(L, slots, i, kinds)) continue;
      lua_rawgeti(L, slots, i);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, attributes) != LUA_TNIL && !(seen && seen_before(L, seen, identity(L, -1)))) {
        push_path(L, path, attributes + 1);
        lua_insert(L, -2);
        append(L, list, n);
      }
      lua_settop(L, attributes);
    }
  }
  lua_settop(L, module);
}

/* members(m, kinds, prefix, recurse, once): {name, value, …} of slots of some kinds; without a prefix no names */
static int members(lua_State *L)
{
  module_check(L, 1);
  int kinds = (int)luaL_checkinteger(L, 2);
  const char *prefix = luaL_optstring(L, 3, NULL);
  bool recurse = lua_toboolean(L, 4), once = lua_toboolean(L, 5);
  lua_newtable(L);
  lua_newtable(L);
  int seen = lua_gettop(L), list = seen - 1;
  lua_Integer n = 0;
  Walk w = walk_open(L, 1, prefix, once);
  while (walk_next(&w)) {
    if (recurse) walk_into(&w);
    append_slots(L, kinds, list, &n, once ? seen : 0);
    lua_pop(L, 2);
  }
  lua_settop(L, list);
  return 1;
}

/* modules(m, prefix, once): {path, module, …}, the module first; without a prefix no paths */
static int modules(lua_State *L)
{
  module_check(L, 1);
  push_module_list(L, 1, luaL_optstring(L, 2, NULL), lua_toboolean(L, 3));
  return 1;
}

/* slot_names(m, kinds): the names of all slots of some kinds, empty ones too */
static int slot_names(lua_State *L)
{
  module_check(L, 1);
  int kinds = (int)luaL_checkinteger(L, 2);
  lua_newtable(L);
  int list = lua_gettop(L);
  if (!push_table_of(L, 1, SLOTS)) return lua_settop(L, list), 1;
  lua_Integer n = 0, count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    if (!slot_is(L, list + 1, i, kinds)) continue;
    lua_rawgeti(L, list + 1, i);
    lua_rawseti(L, list, ++n);
  }
  lua_settop(L, list);
  return 1;
}

/* child_count(m) */
static int count_children(lua_State *L)
{
  module_check(L, 1);
  lua_pushinteger(L, child_count(L, 1));
  return 1;
}

/* child(m, i): the i-th child, from 1; nil if it is empty or there is none */
static int child(lua_State *L)
{
  module_check(L, 1);
  push_child(L, 1, luaL_checkinteger(L, 2));
  return 1;
}

/* train(m, mode): sets `training` in the module and all below it */
static int train(lua_State *L)
{
  module_check(L, 1);
  bool mode = lua_toboolean(L, 2);
  Walk w = walk_open(L, 1, NULL, true);
  while (walk_next(&w)) {
    walk_into(&w);
    push_attributes(L, -1);
    lua_pushboolean(L, mode);
    lua_setfield(L, -2, "training");
    note_change(L, lua_touserdata(L, -2));
    lua_pop(L, 3);
  }
  return 0;
}

/* --------------------------------------------------------------- iterators */

/* Upvalues: the list, the last place read, whether names are wanted. */
static int next_of_list(lua_State *L)
{
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  lua_pushinteger(L, i + 2);
  lua_replace(L, lua_upvalueindex(2));
  bool named = lua_toboolean(L, lua_upvalueindex(3));
  if (named) lua_rawgeti(L, lua_upvalueindex(1), i + 1);
  lua_rawgeti(L, lua_upvalueindex(1), i + 2);
  return named ? 2 : 1;
}

/* iterator(list, named): goes once through a list {name, value, …} */
static int iterator(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  bool named = lua_toboolean(L, 2);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushboolean(L, named);
  lua_pushcclosure(L, next_of_list, 3);
  return 1;
}

const luaL_Reg walk_functions[] = {
  {"members", members}, {"modules", modules}, {"slot_names", slot_names}, {"child_count", count_children},
  {"child", child},     {"train", train},     {"iterator", iterator},     {NULL, NULL},
};
