/* Files that the prompt keeps between sessions: nnlua.state_file. */
#ifndef NNLUA_CLI_STATE_FILE_H
#define NNLUA_CLI_STATE_FILE_H

#include <lua.h>

/* Pushes the table of functions. */
int state_file_open(lua_State *L);

#endif
