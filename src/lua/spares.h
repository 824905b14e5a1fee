/*
 * Userdata with finalizers that a call is done with, kept for the next call. In the atomic part of a collection Lua
 * goes over all dead ones of these at once, be the mode incremental or not: 60,000 tokens of no_grad took 6 ms.
 */
#ifndef NNLUA_LUA_SPARES_H
#define NNLUA_LUA_SPARES_H

#include <lua.h>
#include <stdbool.h>

/* Makes a place for some spare userdata in the registry, under the address of a key. */
void spares_init(lua_State *L, const char *key);

/* Pushes a spare one and returns true, or pushes nothing. */
bool spare_take(lua_State *L, const char *key);

/* Keeps the one at an index, if there is room for it. No script may use it: what debug.getlocal gives of a running call
   must refuse what would reach the next call that has it (is_held_by_call). */
void spare_give(lua_State *L, const char *key, int index);

/* Whether a call of C that goes on in a coroutine has the value at an index. This call, and whoever makes it, are left
   out: what an error ends lies where that one's temporaries are. */
bool is_held_by_call(lua_State *L, lua_State *coroutine, int index);

#endif
