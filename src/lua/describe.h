/* nl.ops(): the op table as Lua tables, from which help, stubs, reference pages and specs are made. */
#ifndef NNLUA_LUA_DESCRIBE_H
#define NNLUA_LUA_DESCRIBE_H

#include "lua/binding.h"

int describe_ops(lua_State *L);

#endif
