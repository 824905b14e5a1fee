/* The context of a state. */
#ifndef NNLUA_LUA_PREPARE_H
#define NNLUA_LUA_PREPARE_H

#include <lua.h>
#include <stdbool.h>

/*
 * Gives the state what nnlua keeps per interpreter, before anything with a finalizer is made, for what is made first is
 * closed last. Raises a Lua error when memory runs out. luaopen_nnlua does it too where it has not been done; calling
 * it again does nothing.
 */
void nnlua_prepare(lua_State *L);

/* Lets require find "nnlua" and its public parts ("nnlua.nn" and so on), without loading anything. */
void nnlua_preload(lua_State *L);

/* Whether a C function is how Lua code of nnlua's is called, for who reads the stack; NULL until there are modules. */
extern bool (*own_caller)(lua_CFunction f);

#endif
