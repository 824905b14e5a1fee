/* Userdata that are used again. */
#include "lua/spares.h"

enum { MOST_SPARES = 8 };

void spares_init(lua_State *L, const char *key)
{
  lua_createtable(L, MOST_SPARES, 0); /* so that no memory is wanted later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

bool spare_take(lua_State *L, const char *key)
{
  lua_Integer n = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) n = (lua_Integer)lua_rawlen(L, -1);
  if (n == 0) {
    lua_pop(L, 1);
    return false;
  }
  lua_rawgeti(L, -1, n);
  lua_pushnil(L);
  lua_rawseti(L, -3, n);
  lua_replace(L, -2);
  return true;
}

void spare_give(lua_State *L, const char *key, int index)
{
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE && lua_rawlen(L, -1) < MOST_SPARES) {
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  lua_pop(L, 1);
}
