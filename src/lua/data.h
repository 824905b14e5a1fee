/* Tensors from Lua's values and back: nl.tensor, item, tolist, and questions about a tensor. */
#ifndef NNLUA_LUA_DATA_H
#define NNLUA_LUA_DATA_H

#include "lua/binding.h"

/* nl.tensor(data, {dtype, device, requires_grad}): a new tensor of what tables, numbers, booleans and tensors hold. */
int nl_tensor(lua_State *L);

/* The functions of nl and the methods of tensors that data.c and compare.c define. */
extern const luaL_Reg data_functions[], data_methods[];

/* nl.equal(a, b): whether two tensors have the same shape and elements. */
int nl_equal(lua_State *L);

/* nl.allclose(a, b, rtol, atol, equal_nan): whether |a - b| <= atol + rtol * |b| for all elements, broadcast. */
int nl_allclose(lua_State *L);

/* Pushes a box with an alias of a tensor: its geometry and memory stay whatever Lua code does to the tensor. */
Tensor *push_snapshot(lua_State *L, Context *ctx, Tensor *t);

/* A dimension from Lua as a 0-based one; raises a Lua error that begins with the function's name. */
int check_dim(lua_State *L, int index, const Tensor *t, const char *function);

/* The index of a last table of named arguments, or 0; raises on names that are not among `known`. */
int named_arguments(lua_State *L, const char *function, const char *const known[]);

/* Pushes the argument at an index or of a name, nil if it was not given; raises if it was given twice. */
void push_argument(lua_State *L, int named, int index, const char *name, const char *function);

#endif
