/* The Lua sources of the library, as the build embeds them in the binary (cmake/embed.cmake). */
#ifndef NNLUA_LUA_EMBEDDED_H
#define NNLUA_LUA_EMBEDDED_H

#include <stddef.h>

typedef struct {
  const char *name;             /* as given to require: "nnlua.nn" */
  const char *chunk;            /* as given to luaL_loadbufferx: "@nnlua/nn.lua" */
  const unsigned char *source;  /* size bytes; a zero follows them */
  size_t size;
} EmbeddedModule;

/* Ends with a row whose name is NULL. */
extern const EmbeddedModule embedded_modules[];

#endif
