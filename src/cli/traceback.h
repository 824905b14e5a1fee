/* The stack as a text, as luaL_traceback gives it, without frames of nnlua's own. */
#ifndef NNLUA_CLI_TRACEBACK_H
#define NNLUA_CLI_TRACEBACK_H

#include <lua.h>

/* Pushes the message with the traceback from a level on. NNLUA_TRACEBACK=full in the environment: all frames. */
void push_traceback(lua_State *L, const char *message, int level);

#endif
