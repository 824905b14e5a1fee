#include "cli/report.h"

#include "cli/traceback.h"

#include <lauxlib.h>
#include <stdio.h>

static const char *program;

void report_set_program(const char *name) {
  program = name;
}

void report_message(const char *message) {
  if (program != NULL) fprintf(stderr, "%s: ", program);
  fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

int report_status(lua_State *L, int status) {
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    report_message(message != NULL ? message : "(error message is not a string)");
    lua_pop(L, 1);
  }
  return status;
}

int report_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    /* An object that knows its own text speaks for itself: its text stands alone. */
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  push_traceback(L, message, 1);
  return 1;
}
