/* Numbers as texts in what the binding says. */
#ifndef NNLUA_LUA_NUMBER_TEXT_H
#define NNLUA_LUA_NUMBER_TEXT_H

#include <lua.h>

/* Pushes a float as Lua writes it, but with a point in every locale; for user_error, whose %f asks the locale. */
const char *push_number_text(lua_State *L, double value);

#endif
