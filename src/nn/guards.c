/* What nl.compile compares before it runs a plan: the modules that the trace used, as they were then. */
#include "nn/compile.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static const char watched_key; /* its address is the registry's key of the set of modules that a trace has used */

enum { MOST_DEPTH = 4 };

/* The lists in a guard's table. */
enum { MODULES = 1, ATTRIBUTE_TABLES, OTHER_TABLES, SEEN };

/* ------------------------------------------------------------------- watching */

void note_use(lua_State *L, int index)
{
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &watched_key) == LUA_TTABLE) {
    lua_pushvalue(L, index);
    lua_pushboolean(L, true);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

void user_line(lua_State *L, char *text, size_t size)
{
  lua_Debug ar;
  text[0] = 0;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0 || is_own_code(&ar)) continue;
    text_format(text, size, "%s:%d: ", ar.short_src, ar.currentline);
    return;
  }
}

void note_change(lua_State *L, ModuleBox *box)
{
  NnState *nn = box->nn;
  box->changes++;
  if (!nn->watch || nn->was_changed || box->born == nn->watch) return;
  nn->was_changed = true;
  user_line(L, nn->change, sizeof nn->change);
}

void watch_begin(lua_State *L, NnState *nn)
{
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
  steps_watch(L, true);
  nn->watch = ++nn->watches;
  nn->was_changed = false;
}

void watch_end(lua_State *L, NnState *nn)
{
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
  steps_watch(L, false);
  nn->watch = 0;
}

/* ------------------------------------------------------------------- copying */

static void append(lua_State *L, int list) { lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1); }

/* Whether the table on top of the stack was copied already; it is from now on. */
static bool is_seen(lua_State *L, int guard)
{
  lua_rawgeti(L, guard, SEEN);
  lua_pushvalue(L, -2);
  bool seen = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, true);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return seen;
}

/* Adds the table on top of the stack, and those in it, to the lists of a guard; takes it off. */
static void copy_table(lua_State *L, int guard, int list, int depth)
{
  luaL_checkstack(L, 12, NULL);
  if (is_seen(L, guard)) {
    lua_pop(L, 1);
    return;
  }
  int table = lua_gettop(L), copy = table + 1;
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, table);) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, copy);
    if (lua_istable(L, -1) && depth < MOST_DEPTH) copy_table(L, guard, OTHER_TABLES, depth + 1);
    else lua_pop(L, 1);
  }
  lua_rawgeti(L, guard, list);
  lua_pushvalue(L, table);
  append(L, copy + 1);
  lua_pushvalue(L, copy);
  append(L, copy + 1);
  lua_settop(L, table - 1);
}

static void note_stamps(lua_State *L, int guard, Guards *g)
{
  lua_rawgeti(L, guard, MODULES);
  g->n = (int)lua_rawlen(L, -1);
  free(g->stamps);
  g->stamps = malloc((size_t)(g->n + 1) * sizeof *g->stamps);
  if (!g->stamps) luaL_error(L, "not enough memory");
  for (int i = 0; i < g->n; i++) {
    lua_rawgeti(L, -1, i + 1);
    ModuleBox *box = lua_touserdata(L, -1);
    g->stamps[i] = (ModuleStamp){box, box->changes};
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void guards_push(lua_State *L)
{
  lua_createtable(L, SEEN, 0);
  for (int list = MODULES; list <= SEEN; list++) {
    lua_newtable(L);
    lua_rawseti(L, -2, list);
  }
}

void guards_add(lua_State *L, int guard, int module)
{
  luaL_checkstack(L, 12, NULL);
  module = lua_absindex(L, module);
  guard = lua_absindex(L, guard);
  push_attributes(L, module);
  lua_rawgeti(L, guard, SEEN);
  lua_pushvalue(L, -2);
  bool known = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  if (known) {
    lua_pop(L, 1);
    return;
  }
  copy_table(L, guard, ATTRIBUTE_TABLES, 0);
  lua_rawgeti(L, guard, MODULES);
  lua_pushvalue(L, module);
  append(L, lua_gettop(L) - 1);
  lua_pop(L, 1);
}

const char *guards_add_watched(lua_State *L, int guard, NnState *nn)
{
  guard = lua_absindex(L, guard);
  const char *hooked = NULL;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &watched_key) != LUA_TTABLE) return lua_pop(L, 1), NULL;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const ModuleBox *box = module_test(L, -2);
    if (!box || box->born == nn->watch) continue;
    if (box->hooks && !hooked) hooked = push_class_name(L, -2), lua_pop(L, 1);
    lua_pushvalue(L, -2);
    guards_add(L, guard, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return hooked;
}

/* Whether a tensor is in a table, below the stack's top; takes it off. */
static bool is_in_table(lua_State *L, const Tensor *t)
{
  bool found = false;
  int table = lua_gettop(L);
  for (lua_pushnil(L); !found && lua_next(L, table); lua_pop(L, 1)) found = tensor_test(L, -1) == t;
  lua_settop(L, table - 1);
  return found;
}

bool guards_have_tensor(lua_State *L, int guard, const Tensor *t)
{
  int top = lua_gettop(L);
  bool found = false;
  for (int list = ATTRIBUTE_TABLES; list <= OTHER_TABLES && !found; list++) {
    lua_rawgeti(L, guard, list);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i < n && !found; i += 2) {
      lua_rawgeti(L, top + 1, i);
      found = is_in_table(L, t);
    }
    lua_settop(L, top);
  }
  return found;
}

void guards_push_modules(lua_State *L, int guard) { lua_rawgeti(L, guard, MODULES); }

void guards_close(lua_State *L, int guard, Guards *g)
{
  guard = lua_absindex(L, guard);
  lua_newtable(L);
  lua_rawseti(L, guard, SEEN);
  note_stamps(L, guard, g);
  lua_rawgeti(L, guard, OTHER_TABLES);
  g->has_tables = lua_rawlen(L, -1) > 0;
  lua_pop(L, 1);
}

/* ------------------------------------------------------------------ comparing */

/* Whether a table is what its copy is; both on top of the stack. */
static bool is_as_copied(lua_State *L)
{
  int copy = lua_gettop(L), table = copy - 1;
  lua_Integer n = 0;
  for (lua_pushnil(L); lua_next(L, copy); n++) {
    lua_pushvalue(L, -2);
    lua_rawget(L, table);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (!same) return lua_settop(L, copy), false;
  }
  for (lua_pushnil(L); lua_next(L, table); n--) lua_pop(L, 1);
  return n == 0;
}

static bool are_as_copied(lua_State *L, int guard, int which)
{
  int top = lua_gettop(L);
  bool same = true;
  lua_rawgeti(L, guard, which);
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i < n && same; i += 2) {
    lua_rawgeti(L, top + 1, i);
    lua_rawgeti(L, top + 1, i + 1);
    same = is_as_copied(L);
    lua_settop(L, top + 1);
  }
  lua_settop(L, top);
  return same;
}

bool guards_hold(lua_State *L, int guard, Guards *g)
{
  bool stamps = true;
  guard = lua_absindex(L, guard);
  for (int i = 0; i < g->n && stamps; i++) stamps = g->stamps[i].box->changes == g->stamps[i].changes;
  if (!stamps) {
    for (int i = 0; i < g->n; i++)
      if (g->stamps[i].box->hooks) return false;
    if (!are_as_copied(L, guard, ATTRIBUTE_TABLES)) return false;
    for (int i = 0; i < g->n; i++) g->stamps[i].changes = g->stamps[i].box->changes;
  }
  return !g->has_tables || are_as_copied(L, guard, OTHER_TABLES);
}

bool guards_hold_all(lua_State *L, int guard)
{
  guard = lua_absindex(L, guard);
  return are_as_copied(L, guard, ATTRIBUTE_TABLES) && are_as_copied(L, guard, OTHER_TABLES);
}
