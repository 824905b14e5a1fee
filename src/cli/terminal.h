/* The terminal, for the line editor: nnlua.terminal. */
#ifndef NNLUA_CLI_TERMINAL_H
#define NNLUA_CLI_TERMINAL_H

#include <lua.h>

/* Pushes the table of functions. Once for a process. */
int terminal_open(lua_State *L);

#endif
