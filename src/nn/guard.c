/*
 * Guards: what the methods of nnlua's own classes are wrapped in where they are written in Lua. A guard looks at self
 * first, so that a call with a dot, or on something else, is told at the user's line in words; one that levels also
 * tells there what Lua itself raises inside, as where a field was set to what can't be computed with. A guard that
 * levels ends tracebacks, so it is for methods that run no code of the user's.
 */
#include <string.h>

#include "core/text.h"
#include "nn/module.h"

enum { FUNCTION = 1, CLASS, NAME, LEVELS };

/* Whether the class on top of the stack, which it takes, is the guard's or comes from it. */
static bool comes_from_class(lua_State *L)
{
  while (!lua_rawequal(L, -1, lua_upvalueindex(CLASS))) {
    if (!lua_getmetatable(L, -1)) return lua_pop(L, 1), false;
    lua_pushliteral(L, "__index");
    bool has_parent = lua_rawget(L, -2) == LUA_TTABLE;
    lua_replace(L, -3);
    lua_pop(L, 1);
    if (!has_parent) return lua_pop(L, 1), false;
  }
  lua_pop(L, 1);
  return true;
}

static bool self_fits(lua_State *L)
{
  if (module_test(L, 1)) push_class_of(L, 1);
  else if (lua_type(L, 1) != LUA_TTABLE || !lua_getmetatable(L, 1)) return false;
  return comes_from_class(L);
}

static int refuse_self(lua_State *L)
{
  const char *name = lua_tostring(L, lua_upvalueindex(NAME));
  lua_settop(L, 1);
  if (!class_test(L, lua_upvalueindex(CLASS))) {
    lua_getfield(L, lua_upvalueindex(CLASS), "__name");
    const char *class = luaL_tolstring(L, -1, NULL), *got = describe(L, 1);
    return user_error(L, "%s: the first argument must be %s, not %s: call it with a colon, as object:%s()", name, class,
                      got, name);
  }
  if (!module_test(L, 1))
    return user_error(L, "%s: a module was expected first, got %s: call it with a colon, as net:%s()", name,
                      describe(L, 1), name);
  return user_error(L, "%s: this is not a method of %s: call it with a colon, as net:%s()", name, describe(L, 1), name);
}

/* The text behind "nnlua/….lua:12: " of an error that Lua itself raised in nnlua's code; else NULL. */
static const char *own_problem(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TSTRING) return NULL;
  const char *text = lua_tostring(L, index), *line = strstr(text, ".lua:");
  if (strncmp(text, "nnlua/", 6) != 0 || !line) return NULL;
  line += strlen(".lua:");
  while (is_digit(*line)) line++;
  return strncmp(line, ": ", 2) == 0 ? line + 2 : NULL;
}

/* Pushes Lua's words without the names of our variables, which the user doesn't know; a field's stays. */
static void push_problem(lua_State *L, const char *problem)
{
  const char *name = strstr(problem, " (");
  bool is_users = !name || strncmp(name, " (field '", 9) == 0;
  lua_pushlstring(L, problem, is_users ? strlen(problem) : (size_t)(name - problem));
}

/* Raises the error on top of the stack again, at the user's line if it names one of ours. */
static int raise_levelled(lua_State *L)
{
  const char *problem = own_problem(L, -1);
  if (!problem) return lua_error(L);
  push_problem(L, problem);
  problem = lua_tostring(L, -1);
  lua_getmetatable(L, 1);
  lua_getfield(L, -1, "__name");
  return user_error(L, "%s: %s met a value that it can't work with, as where a field was changed: %s",
                    luaL_tolstring(L, -1, NULL), lua_tostring(L, lua_upvalueindex(NAME)), problem);
}

static int levelled(lua_State *L, int status, lua_KContext context)
{
  (void)context;
  if (status != LUA_OK && status != LUA_YIELD) return raise_levelled(L);
  return lua_gettop(L) - 1; /* self */
}

static int called(lua_State *L, int status, lua_KContext context)
{
  (void)status, (void)context;
  return lua_gettop(L);
}

static int guarded(lua_State *L)
{
  if (!self_fits(L)) return refuse_self(L);
  bool levels = lua_toboolean(L, lua_upvalueindex(LEVELS));
  int arguments = lua_gettop(L);
  luaL_checkstack(L, 2, NULL);
  if (levels) lua_pushvalue(L, 1); /* stays behind, for the error */
  lua_pushvalue(L, lua_upvalueindex(FUNCTION));
  lua_rotate(L, 1, levels ? 2 : 1);
  if (levels) return levelled(L, lua_pcallk(L, arguments, LUA_MULTRET, 0, 0, levelled), 0);
  lua_callk(L, arguments, LUA_MULTRET, 0, called);
  return called(L, LUA_OK, 0);
}

void unguard(lua_State *L)
{
  if (lua_tocfunction(L, -1) != guarded) return;
  lua_getupvalue(L, -1, FUNCTION);
  lua_replace(L, -2);
}

bool is_own_caller(lua_CFunction f) { return f == guarded || f == module_call; }

/* Whether a function is a method written in Lua: its first argument is called self. */
static bool is_method(lua_State *L, int index)
{
  if (!lua_isfunction(L, index) || lua_iscfunction(L, index)) return false;
  lua_pushvalue(L, index);
  const char *first = lua_getlocal(L, NULL, 1);
  lua_pop(L, 1);
  return first && strcmp(first, "self") == 0;
}

/* guard(f, class, name, levels): the guard of a method written in Lua; anything else itself */
static int guard(lua_State *L)
{
  lua_settop(L, LEVELS);
  if (is_method(L, FUNCTION)) lua_pushcclosure(L, guarded, LEVELS);
  else lua_settop(L, 1);
  return 1;
}

/* unguarded(value): the function that a guard is of; anything else itself */
static int unguarded(lua_State *L)
{
  lua_settop(L, 1);
  unguard(L);
  return 1;
}

const luaL_Reg guard_functions[] = {{"guard", guard}, {"unguarded", unguarded}, {NULL, NULL}};
