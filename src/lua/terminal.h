/* The module nnlua.system of what Lua's own library lacks: the terminal, a clock, files of numbers. */
#ifndef NNLUA_LUA_SYSTEM_H
#define NNLUA_LUA_SYSTEM_H

#include <lua.h>

int open_system(lua_State *L);

#endif
