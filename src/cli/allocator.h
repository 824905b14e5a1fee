/* The interpreter's memory for Lua's own objects: small blocks by size class, never given back while it runs. */
#ifndef NNLUA_CLI_ALLOCATOR_H
#define NNLUA_CLI_ALLOCATOR_H

#include <lua.h>

/* A new state over the allocator, with what luaL_newstate sets (panic, warnings); NULL without memory. */
lua_State *allocator_new_state(void);

/* Tensors of this state are released with the blocks of their userdata: see lua/tensor/tensor.h. May raise. */
void allocator_release_tensors(lua_State *L);

/* Closes the state and frees what the allocator kept. */
void allocator_close_state(lua_State *L);

#endif
