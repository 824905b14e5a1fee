/* Outputs for what writes files in Lua: a file in its place, or a string. */
#include "lua/files/output.h"

#include "lua/open.h"
#include "lua/files/path.h"

static int close_output(lua_State *L)
{
  output_close(lua_touserdata(L, 1));
  return 0;
}

const char *output_name(lua_State *L, int index) { return lua_isnil(L, index) ? "the buffer" : lua_tostring(L, index); }

static void failed(lua_State *L, int index)
{
  user_error(L, "save: %s: it can't be written: %s", output_name(L, index), file_error());
}

Output *push_output(lua_State *L, int index)
{
  const char *path = lua_isnil(L, index) ? NULL : path_argument(L, "save", index);
  Output *o = lua_newuserdatauv(L, sizeof *o, 0);
  *o = (Output){.file.descriptor = -1};
  push_gc_metatable(L, "nnlua.Output", close_output);
  lua_setmetatable(L, -2);
  if (!output_open(o, path)) failed(L, index);
  return o;
}

int finish_output(lua_State *L, int index, Output *o)
{
  if (!output_finish(o)) failed(L, index);
  if (lua_isnil(L, index)) lua_pushlstring(L, o->memory ? o->memory : "", o->size);
  output_close(o);
  return lua_isnil(L, index);
}
