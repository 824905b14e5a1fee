/* nl.memory_allocated() and its kin, and what the specs need to see of the core. */
#ifndef NNLUA_LUA_MEMORY_H
#define NNLUA_LUA_MEMORY_H

#include "lua/binding.h"

extern const luaL_Reg memory_functions[];

#endif
