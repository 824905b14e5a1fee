/* Programs in one file: a copy of this executable with an archive of scripts and files behind it (`nnlua build`). */
#ifndef NNLUA_CLI_APP_H
#define NNLUA_CLI_APP_H

#include <lua.h>
#include <stdbool.h>

/* Whether this executable is one. */
bool app_is_here(void);

/* Opens its archive; reports why not. */
bool app_open(lua_State *L, const char *program);

/* Makes its modules and files known to require, io.open, io.lines, loadfile and dofile. */
void app_prepare(lua_State *L);

/* Runs its script with the global arg's values as arguments; the status is returned. */
int app_run(lua_State *L);

/* For require: the module `nnlua.app`, whose write(path, members) makes one. */
int app_open_module(lua_State *L);

#endif
