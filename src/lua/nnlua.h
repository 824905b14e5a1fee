/* nnlua for C hosts. Link libnnlua.a, Lua 5.4 and OpenBLAS, or use nnlua.so through require. */
#ifndef NNLUA_H
#define NNLUA_H

#include <lua.h>

#define NNLUA_VERSION "0.1.0"

#define NNLUA_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Gives the state what nnlua keeps per interpreter. A host calls it right after luaL_newstate, before luaL_openlibs and
 * anything else with a finalizer: what is made first is closed last, and tensors in other finalizers still need it.
 * Raises a Lua error when memory runs out. luaopen_nnlua does it too where it has not been done; calling it again does
 * nothing.
 */
NNLUA_API void nnlua_prepare(lua_State *L);

/* Opens the library and leaves its table on the stack: what require "nnlua" calls. */
NNLUA_API int luaopen_nnlua(lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
