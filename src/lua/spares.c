/* Userdata that are used again. */
#include "lua/spares.h"

#include <lauxlib.h>

enum { MOST_SPARES = 8, LOOKED_THROUGH = 1000 }; /* levels of a stack: to find each takes as long as it is deep */

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

static bool frame_has(lua_State *L, lua_State *of, const lua_Debug *frame, int index)
{
  for (int n = 1; lua_checkstack(of, 1) && lua_getlocal(of, frame, n); n++) {
    if (of != L) lua_xmove(of, L, 1);
    const bool same = lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    if (same) return true;
  }
  return false;
}

bool is_held_by_call(lua_State *L, lua_State *coroutine, int index)
{
  lua_Debug frame;
  index = lua_absindex(L, index);
  luaL_checkstack(L, 1, NULL);
  for (int level = coroutine == L ? 2 : 0; level < LOOKED_THROUGH && lua_getstack(coroutine, level, &frame); level++) {
    lua_getinfo(coroutine, "S", &frame);
    if (*frame.what == 'C' && frame_has(L, coroutine, &frame, index)) return true;
  }
  return false;
}
