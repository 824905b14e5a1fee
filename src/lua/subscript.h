/* What stands between the brackets of x[...]: positions, ranges, new axes, tensors. */
#ifndef NNLUA_LUA_INDEXING_H
#define NNLUA_LUA_INDEXING_H

#include "lua/binding.h"

/* x[index] for every index but a string: the tensor is at 1, the index at 2. */
int tensor_get_item(lua_State *L);

/* x[index] = value for every index but a string. */
int tensor_set_item(lua_State *L);

/* Pushes nl.newaxis, which stands for a new dimension of size 1 among indices. */
void push_newaxis(lua_State *L);

/* Pushes nl.ellipsis, which stands for as many whole dimensions as there are. */
void push_ellipsis(lua_State *L);

#endif
