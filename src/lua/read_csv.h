/* nl.utils.data.read_csv. */
#ifndef NNLUA_LUA_CSV_H
#define NNLUA_LUA_CSV_H

#include <lua.h>

int read_csv(lua_State *L);

#endif
