/* Tensors as text, as PyTorch shows them. */
#ifndef NNLUA_LUA_PRINT_H
#define NNLUA_LUA_PRINT_H

#include "lua/binding.h"

/* __tostring of tensors. */
int tensor_tostring(lua_State *L);

/* nl.set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode) */
int nl_set_printoptions(lua_State *L);

#endif
