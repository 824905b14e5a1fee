/* coroutine.resume and coroutine.wrap as the library has them, but that Ctrl-C reaches the coroutine that runs: a hook
 * is a coroutine's own, and Lua does not tell a signal handler which one runs. */
#ifndef NNLUA_CLI_COROUTINE_H
#define NNLUA_CLI_COROUTINE_H

#include <lua.h>

/* Puts both in the place of the library's. */
void coroutine_open(lua_State *L);

#endif
