/* Paths that users give. */
#ifndef NNLUA_LUA_FILES_PATH_H
#define NNLUA_LUA_FILES_PATH_H

#include <lua.h>

/* The path at an argument's index; what is none is an error of the function that is named. */
const char *path_argument(lua_State *L, const char *function, int index);

#endif
