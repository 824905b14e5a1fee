/* Messages on stderr, with the name that the program was called by, and what the user may have meant. */
#include "cli/report.h"

#include "cli/traceback.h"

#include <lauxlib.h>
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

/* The message on top of the stack with a suggestion, where a program that uses nnlua called what is not there. */
static void suggest(lua_State *L)
{
  const char *message = lua_tostring(L, -1);
  int top = lua_gettop(L);
  if (message == NULL || strstr(message, "attempt to call a nil value (") == NULL) return;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "nnlua") == LUA_TTABLE
      && luaL_loadstring(L, "local message = ... "
                            "return require 'nnlua.prompt.hints'.with_suggestion(message, {})")
           == LUA_OK) {
    lua_pushvalue(L, top);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) lua_replace(L, top);
  }
  lua_settop(L, top);
}

int report_status(lua_State *L, int status)
{
  if (status != LUA_OK) {
    suggest(L);
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
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  push_traceback(L, message, 1);
  return 1;
}
