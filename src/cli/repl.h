/* The prompt. */
#ifndef NNLUA_CLI_REPL_H
#define NNLUA_CLI_REPL_H

#include <lua.h>
#include <stdbool.h>

/* Reads, runs and prints until the end of stdin. nl, nn, F, optim and help are predefined; on a terminal the user's
 * init.lua is run unless the environment is to be ignored. False if the prompt itself kept failing. */
bool repl_run(lua_State *L, bool ignores_environment);

#endif
