/* Tensors from Lua's values and back: nl.tensor, item, tolist, and questions about a tensor. */
#ifndef NNLUA_LUA_DATA_H
#define NNLUA_LUA_DATA_H

#include "lua/binding.h"

/* nl.tensor(data, {dtype, device, requires_grad}): a new tensor of what tables, numbers, booleans and tensors hold. */
int nl_tensor(lua_State *L);

/* The functions of nl and the methods of tensors of this file, and nl.set_printoptions. */
extern const luaL_Reg data_functions[], data_methods[];

/* Pushes a box with an alias of a tensor: its geometry and memory stay whatever Lua code does to the tensor. */
Tensor *push_snapshot(lua_State *L, Context *ctx, Tensor *t);

/* Whether a dtype can hold a number: an integer dtype has limits and no nan, and only a complex one complex numbers. */
bool number_fits(Scalar v, DType dtype);

#endif
