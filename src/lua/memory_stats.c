/* nl.memory_allocated() and its kin. */
#include "lua/open.h"

static int memory_allocated(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)context_of(L)->memory.allocated);
  return 1;
}

static int max_memory_allocated(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)context_of(L)->memory.peak);
  return 1;
}

static int reset_peak_memory_stats(lua_State *L)
{
  memory_reset_peak(&context_of(L)->memory);
  return 0;
}

static int memory_cached(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)context_of(L)->memory.cached);
  return 1;
}

/* nl.empty_cache(): gives free blocks that are kept for reuse back to the system. */
static int empty_cache(lua_State *L)
{
  memory_trim(&context_of(L)->memory);
  return 0;
}

/* nl.memory_stats(): counts of what lives in the core, for leak checks. */
static int memory_stats(lua_State *L)
{
  const Context *ctx = context_of(L);
  lua_createtable(L, 0, 6);
  const struct {
    const char *name;
    lua_Integer value;
  } stats[] = {{"allocated", (lua_Integer)ctx->memory.allocated}, {"cached", (lua_Integer)ctx->memory.cached},
               {"blocks", (lua_Integer)ctx->memory.live_blocks},  {"tensors", (lua_Integer)ctx->live_tensors},
               {"storages", (lua_Integer)ctx->live_storages},     {"nodes", (lua_Integer)ctx->live_nodes},
               {"allocations", ctx->memory.allocations}};
  for (size_t i = 0; i < sizeof stats / sizeof *stats; i++) {
    lua_pushinteger(L, stats[i].value);
    lua_setfield(L, -2, stats[i].name);
  }
  return 1;
}

/* nl._fail_allocation(k): the k-th allocation of the core from now on fails (0: none); the rest go on. For specs. */
static int fail_allocation(lua_State *L)
{
  context_of(L)->memory.fail_after = luaL_checkinteger(L, 1) - 1;
  return 0;
}

const luaL_Reg memory_functions[] = {{"memory_allocated", memory_allocated},
                                     {"max_memory_allocated", max_memory_allocated},
                                     {"reset_peak_memory_stats", reset_peak_memory_stats},
                                     {"memory_cached", memory_cached},
                                     {"empty_cache", empty_cache},
                                     {"memory_stats", memory_stats},
                                     {"_fail_allocation", fail_allocation},
                                     {NULL, NULL}};
