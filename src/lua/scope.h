/* nl.scope: tensors that are released at the end of a block or call, without the collector. */
#ifndef NNLUA_LUA_SCOPE_H
#define NNLUA_LUA_SCOPE_H

#include "lua/binding.h"

/* Fills nl (at an index) with scope. */
void open_scope(lua_State *L, int nl);

/* Forgets a box that has a place in a list. */
void scope_forget(TensorBox *box);

/* The value at an index, a tensor or a table of such, outlives the scopes that it was made in. */
void scope_keep(lua_State *L, int index);

/* Frees what a context keeps for its scopes. */
void scopes_free(Context *ctx);

/* Whether there is a tensor that a scope has released at an index. */
static inline bool is_released(lua_State *L, int index)
{
  return userdata_test(L, index, KIND_RELEASED, sizeof(TensorBox)) != NULL;
}

#endif
