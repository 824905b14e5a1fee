/* The metatable of tensors: members, operators, properties. */
#ifndef NNLUA_LUA_TENSOR_H
#define NNLUA_LUA_TENSOR_H

#include "lua/binding.h"

/* Makes the metatable. Pushes the table of members, to which methods are added: name -> function. */
void open_tensor(lua_State *L, Context *ctx);

void push_tensor_metatable(lua_State *L);

#endif
