/* The metatable of tensors: members, operators, properties. */
#ifndef NNLUA_LUA_TENSOR_H
#define NNLUA_LUA_TENSOR_H

#include "lua/binding.h"

/* Makes the metatable. Pushes the table of members, to which methods are added: name -> function. */
void open_tensor(lua_State *L, Context *ctx);

void push_tensor_metatable(lua_State *L);

/*
 * Finalizers are what costs most in collecting small tensors: a protected call each, and a second round of the
 * collector. A host with an allocator of its own can do without: it keeps `blocks` where its allocator finds it, calls
 * tensor_blocks_use before the library is opened, and tensor_block_freed for each block of blocks->size bytes that Lua
 * frees. The size becomes 0 when the context has gone, before `blocks` may.
 */
typedef struct TensorBlocks {
  size_t size;
} TensorBlocks;
void tensor_blocks_use(lua_State *L, TensorBlocks *blocks);

/* Releases the tensor if the block is the userdata of one. */
void tensor_block_freed(void *block, size_t size);

#endif
