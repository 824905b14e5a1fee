/* Messages on stderr, with the name that the program was called by, and what the user may have meant. */
#include "cli/report.h"

#include "cli/traceback.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *program;

void report_set_program(const char *name) { program = name; }

void report_message(const char *message)
{
  if (program != NULL) fprintf(stderr, "%s: ", program);
  fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

/* On the stack: the name of a function of nnlua.prompt.hints and its argument. Its result. */
static int call_hints(lua_State *L)
{
  lua_getglobal(L, "require");
  lua_pushliteral(L, "nnlua.prompt.hints");
  lua_call(L, 1, 1);
  lua_pushvalue(L, 1);
  lua_gettable(L, -2);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  return 1;
}

/* Pushes what such a function makes of the value at an index, if it makes a text; whether it does. */
static bool push_hint(lua_State *L, const char *function, int index)
{
  int top = lua_gettop(L);
  lua_pushcfunction(L, call_hints);
  lua_pushstring(L, function);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) return true;
  lua_settop(L, top);
  return false;
}

static bool has_loaded_nnlua(lua_State *L)
{
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  bool has = lua_getfield(L, -1, "nnlua") == LUA_TTABLE;
  lua_pop(L, 2);
  return has;
}

int report_status(lua_State *L, int status)
{
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    report_message(message != NULL ? message : "(error message is not a string)");
    lua_pop(L, 1);
  }
  return status;
}

int report_traceback(lua_State *L)
{
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    /* An object that knows its own text speaks for itself: its text stands alone. */
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    const char *contents = lua_type(L, 1) == LUA_TTABLE && push_hint(L, "contents", 1) ? lua_tostring(L, -1) : "";
    message = lua_pushfstring(L, "(error object is a %s value%s)", luaL_typename(L, 1), contents);
  } else if (strstr(message, "a nil value (") != NULL && has_loaded_nnlua(L) && push_hint(L, "with_suggestion", 1)) {
    message = lua_tostring(L, -1);
  }
  push_traceback(L, message, 1);
  return 1;
}
