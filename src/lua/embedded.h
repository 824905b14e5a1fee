/* The Lua sources of the library, as the build embeds them in the binary (cmake/embed.cmake). */
#ifndef NNLUA_LUA_EMBEDDED_H
#define NNLUA_LUA_EMBEDDED_H

#include <lua.h>
#include <stddef.h>

typedef struct {
  const char *name;            /* as given to require: "nnlua.nn" */
  const char *chunk;           /* as given to luaL_loadbufferx: "@nnlua/nn.lua" */
  const unsigned char *source; /* size bytes; a zero follows them */
  size_t size;
} EmbeddedModule;

/* A source compiled (string.dump). */
typedef struct {
  const char *bytes; /* NULL where nothing could be compiled while building */
  size_t size;
} EmbeddedChunk;

/* Ends with a row whose name is NULL. */
extern const EmbeddedModule embedded_modules[];

/* Those of the modules, in the same order. */
extern const EmbeddedChunk embedded_chunks[];

/* The module of a name, or NULL. */
const EmbeddedModule *embedded_find(const char *name);

/* Pushes what a module returns; it runs once. */
void embedded_push(lua_State *L, const EmbeddedModule *m);

/* Puts a loader for each module into the table at an index (not a relative one). */
void embedded_preload(lua_State *L, int preload);

#endif
