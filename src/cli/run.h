/* Running Lua code for the user: under a message handler, with Ctrl-C, errors reported. */
#ifndef NNLUA_CLI_RUN_H
#define NNLUA_CLI_RUN_H

#include <lua.h>

/* lua_pcall with a traceback in the error, and Ctrl-C raises "interrupted!" meanwhile. Reports nothing. */
int run_call(lua_State *L, int arguments, int results);

/* Load, run and report; the status is returned. A NULL path is stdin. */
int run_string(lua_State *L, const char *text, const char *chunk_name);
int run_file(lua_State *L, const char *path);

/* The same with the global arg's values as arguments. */
int run_script(lua_State *L, const char *path);

#endif
