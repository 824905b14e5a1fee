/* Positional and named arguments of functions that are no ops, merged. */
#include "lua/named_arguments.h"

#include "lua/spelling.h"

#include <string.h>

/* A last table with only string keys, at least one, holds named arguments. */
static bool is_named(lua_State *L, const char *function, int index)
{
  bool strings = false, others = false;
  if (lua_type(L, index) != LUA_TTABLE) return false;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING) strings = true;
    else others = true;
  }
  if (strings && others)
    user_error(L, "%s: a table has named arguments and others: write %s(a, {b, c}, {name = value})", function,
               function);
  return strings;
}

static int find_name(const char *const names[], const char *name)
{
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

static int unknown_name(lua_State *L, const char *function, const char *name, const char *const names[])
{
  luaL_Buffer b;
  Spelling spelling = spelling_of(name);
  luaL_buffinit(L, &b);
  for (int i = 0; names[i]; i++) {
    spelling_try(&spelling, names[i]);
    if (i) luaL_addstring(&b, ", ");
    luaL_addstring(&b, names[i]);
  }
  luaL_pushresult(&b);
  const char *known = lua_tostring(L, -1);
  if (!spelling.nearest) return user_error(L, "%s: unknown argument '%s' (known: %s)", function, name, known);
  return user_error(L, "%s: unknown argument '%s'; did you mean '%s'? (known: %s)", function, name, spelling.nearest,
                    known);
}

/* Moves the named arguments of the table at `named` to their places. */
static void place_named(lua_State *L, const char *function, int first, int named, const char *const names[])
{
  for (lua_pushnil(L); lua_next(L, named); lua_pop(L, 1)) {
    const char *name = lua_tostring(L, -2);
    int i = find_name(names, name);
    if (i < 0) unknown_name(L, function, name, names);
    if (!lua_isnil(L, first + i)) user_error(L, "%s: argument '%s' is given twice", function, name);
    lua_pushvalue(L, -1);
    lua_replace(L, first + i);
  }
}

int arguments_merge(lua_State *L, const char *function, int first, const char *const names[])
{
  int n = 0, top = lua_gettop(L);
  while (names[n]) n++;
  bool named = top >= first && is_named(L, function, top);
  int given = top - first + 1 - named;
  if (given > n) user_error(L, "%s: %d arguments given, at most %d are taken", function, given, n);
  luaL_checkstack(L, n + 8, NULL);
  if (named) { /* keep the table above the places */
    lua_pushvalue(L, top);
    lua_pushnil(L);
    lua_replace(L, top);
    while (lua_gettop(L) < first + n) {
      lua_pushnil(L);
      lua_insert(L, -2);
    }
    place_named(L, function, first, lua_gettop(L), names);
  }
  lua_settop(L, first + n - 1);
  for (int i = first; i < first + n; i++) {
    if (!is_none(L, i)) continue;
    lua_pushnil(L);
    lua_replace(L, i);
  }
  return n;
}

bool argument_bool(lua_State *L, const char *function, const char *name, int index, bool otherwise)
{
  if (lua_isnil(L, index)) return otherwise;
  if (!lua_isboolean(L, index))
    user_error(L, "%s: argument '%s': true or false expected, got %s", function, name, luaL_typename(L, index));
  return lua_toboolean(L, index);
}
