/* Tensors from the bytes of strings. */
#ifndef NNLUA_LUA_BUFFER_H
#define NNLUA_LUA_BUFFER_H

#include "lua/binding.h"

/*
 * nl.frombuffer(string, dtype, count = -1, offset = 0, requires_grad = false): a new tensor of one dimension that holds
 * a string's bytes, from an offset in bytes on, as elements in the machine's order; all there are if count is negative.
 * Raises where the bytes are too few or no whole number of elements.
 */
int nl_frombuffer(lua_State *L);

#endif
