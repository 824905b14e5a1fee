/* The modules written in Lua, whose sources are in the binary. */
#include "lua/embedded.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "core/text.h"
#include "lua/open.h"

static char modules_key; /* registry key, by address: name -> module */

const EmbeddedModule *embedded_find(const char *name)
{
  for (const EmbeddedModule *m = embedded_modules; m->name; m++)
    if (strcmp(m->name, name) == 0) return m;
  return NULL;
}

/* Leaves the module's function on the stack: of the compiled chunk, or of the text where the running Lua has another
   format of chunks. Returns the status of Lua's load. */
static int load_function(lua_State *L, const EmbeddedModule *m)
{
  const EmbeddedChunk *chunk = &embedded_chunks[m - embedded_modules];
  if (chunk->bytes) {
    int status = luaL_loadbufferx(L, chunk->bytes, chunk->size, m->chunk, "b");
    if (status != LUA_ERRSYNTAX) return status;
    lua_pop(L, 1);
  }
  Locale *before = locale_enter_plain();
  int status = luaL_loadbufferx(L, (const char *)m->source, m->size, m->chunk, "t");
  locale_leave_plain(before);
  return status;
}

/* Runs an embedded module once a state: busted reopens modules, and classes must stay the same. */
static int load_embedded(lua_State *L)
{
  const EmbeddedModule *m = lua_touserdata(L, lua_upvalueindex(1));
  luaL_checkstack(L, 4, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
  }
  if (lua_getfield(L, -1, m->name) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  if (load_function(L, m) != LUA_OK) return lua_error(L);
  lua_pushstring(L, m->name);
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, m->name);
  return 1;
}

static void push_loader(lua_State *L, const EmbeddedModule *m)
{
  lua_pushlightuserdata(L, (void *)m);
  lua_pushcclosure(L, load_embedded, 1);
}

void embedded_push(lua_State *L, const EmbeddedModule *m)
{
  push_loader(L, m);
  lua_call(L, 0, 1);
}

void embedded_preload(lua_State *L, int preload)
{
  for (const EmbeddedModule *m = embedded_modules; m->name; m++) {
    push_loader(L, m);
    lua_setfield(L, preload, m->name);
  }
}

/*
 * source(chunk): the text of a Lua source of the library, by the name that debug.getinfo gives it: "nnlua/nn.lua"; or
 * nil. Without an argument a list of all names.
 */
int embedded_source(lua_State *L)
{
  const char *wanted = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (!wanted) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  for (const EmbeddedModule *m = embedded_modules; m->name; m++) {
    const char *name = m->chunk + 1;
    if (wanted && strcmp(name, wanted) == 0) {
      lua_pushlstring(L, (const char *)m->source, m->size);
      return 1;
    }
    if (wanted) continue;
    lua_pushstring(L, name);
    lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
  }
  return wanted ? 0 : 1;
}
