/* dtypes, nl.none and nl.finfo's kin: the constants of the API. */
#ifndef NNLUA_LUA_DTYPE_H
#define NNLUA_LUA_DTYPE_H

#include "lua/binding.h"

/* Makes the dtypes and nl.none and sets them in the table on top of the stack. */
void open_dtypes(lua_State *L);

#endif
