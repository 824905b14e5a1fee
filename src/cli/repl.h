/* The prompt. */
#ifndef NNLUA_CLI_REPL_H
#define NNLUA_CLI_REPL_H

#include <lua.h>

/* Reads, runs and prints until the end of stdin. On a terminal nl, nn, F and optim are predefined. */
void repl_run(lua_State *L);

#endif
