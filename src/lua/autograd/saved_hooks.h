/* Hooks on the tensors that graphs save: nl.autograd.graph.saved_tensors_hooks and its kin. */
#ifndef NNLUA_LUA_AUTOGRAD_SAVED_HOOKS_H
#define NNLUA_LUA_AUTOGRAD_SAVED_HOOKS_H

#include "lua/binding.h"

/* Fills nl.autograd.graph, on top of the stack, and sets the core's callbacks. */
void open_saved_hooks(lua_State *L, Context *ctx);

#define PACKED_WAS_CHANGED "a pack hook has changed the tensor that it was given in place; change a clone of it"

/*
 * Pushes what the pack hook that holds now makes of the tensor at an index, with the hook that unpacks it: a table.
 * Pushes nothing and gives false if there is no hook. Gradients must not be recorded.
 */
bool push_packed_tensor(lua_State *L, Context *ctx, int index);

/* Pushes the tensor that the unpack hook makes of the table at an index; `name` stands in messages. */
Tensor *push_unpacked_tensor(lua_State *L, int packed, const char *name);

#endif
