/* What our userdata are: the first word of each says it. */
#ifndef NNLUA_LUA_KINDS_H
#define NNLUA_LUA_KINDS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* One list for all, so that no two have the same number; the first is one that others hardly begin with. */
typedef enum UserdataKind {
  KIND_TENSOR = 0x6e6e5401,
  KIND_RELEASED,      /* was a tensor's, until nl.scope released it */
  KIND_UNINITIALIZED, /* a parameter without a shape: see nn/module.h */
  KIND_SIZE,
  KIND_SUBSCRIPT, /* nl.newaxis, nl.ellipsis */
  KIND_DTYPE,
  KIND_DEVICE,
  KIND_GENERATOR,
  KIND_NODE,
  KIND_MODE,
  KIND_HOOK_HANDLE,
  KIND_OP, /* the rows behind a function: its upvalue */
  KIND_MODULE,
  KIND_BUFFER,
  KIND_STEP_LIST,
  KIND_SCOPE,
  KIND_SCOPE_WATCH,
  KIND_TRANSFORM,
  KIND_WORKER,
  KIND_PROGRAM,
  KIND_PROGRAM_BUILDER,
  KIND_PROGRAM_VALUE,
  KIND_COMPILED, /* what nl.compile made */
  KIND_TRACE,
  KIND_WORK, /* a transfer between processes */
  KIND_PROFILE,
  KIND_CONTEXT, /* of a state: in the registry */
} UserdataKind;

/* The userdata of a kind at an index, or NULL if something else is there. It has at least so many bytes; light userdata
   have no length. */
static inline void *userdata_test(lua_State *L, int index, UserdataKind kind, size_t bytes)
{
  void *data = lua_touserdata(L, index);
  if (!data || lua_rawlen(L, index) < bytes) return NULL;
  return *(const uint32_t *)data == (uint32_t)kind ? data : NULL;
}

/* Pushes a user value that is a table or nil; anything else, which the debug library may have put there, is nil. */
static inline bool push_table_of(lua_State *L, int index, int place)
{
  if (lua_getiuservalue(L, index, place) == LUA_TTABLE) return true;
  lua_pop(L, 1);
  lua_pushnil(L);
  return false;
}

#endif
