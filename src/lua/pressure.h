/* Garbage collection for the sake of tensors' memory. */
#ifndef NNLUA_LUA_PRESSURE_H
#define NNLUA_LUA_PRESSURE_H

#include <lua.h>

#include "core/context.h"

/* Prepares a new context; may raise. */
void pressure_init(lua_State *L, Context *ctx);

/* Whether there is so much garbage, or may be, that pressure_relieve should look. */
static inline bool pressure_is_high(const Memory *m)
{
  return m->allocated > m->limit || m->small_since > m->small_limit || m->medium_since > m->medium_limit;
}

/* Lets Lua collect garbage, as much as is worth it. */
void pressure_relieve(lua_State *L, Context *ctx);

/*
 * Before a tensor's userdata is made, not after it: a collection in between would make it older than its tensor, and
 * what lives through two young collections goes with a full one only.
 */
static inline void pressure_look(lua_State *L, Context *ctx)
{
  if (pressure_is_high(&ctx->memory) && !ctx->scope) pressure_relieve(L, ctx);
}

/* What was made in a scope is no garbage that anyone need look for. */
void pressure_scope_ended(lua_State *L, Context *ctx);

/* Before a backward reads its arguments: collects what its graph's userdata hold. */
void pressure_before_backward(lua_State *L, Context *ctx);

/* Memory has run out: collects all garbage and gives back what is kept for reuse. Whether that can help. */
bool pressure_reclaim(Context *ctx);

#endif
