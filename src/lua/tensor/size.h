/* nl.Size, the immutable list of integers that x.shape is. */
#ifndef NNLUA_LUA_TENSOR_SIZE_H
#define NNLUA_LUA_TENSOR_SIZE_H

#include "lua/binding.h"

/* Whether a Size is at the index; *size then points into it. */
bool size_test(lua_State *L, int index, Ints *size);

/* Pushes a shape as messages show it, "(2, 3)", and gives the text. */
const char *push_shape_text(lua_State *L, Ints shape);

#endif
