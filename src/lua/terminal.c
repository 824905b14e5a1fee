#include "lua/system.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lua/csv.h"
#include "lua/embedded.h"
#include "lua/saving.h"

/* clock(): seconds that went by, since some time in the past */
static int monotonic_clock(lua_State *L)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
  return 1;
}

/* is_terminal(fd): whether a file descriptor is a terminal that moves its cursor */
static int is_terminal(lua_State *L)
{
  const char *kind = getenv("TERM");
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)) && kind && *kind && strcmp(kind, "dumb") != 0);
  return 1;
}

/* terminal_width(fd): its columns, 80 where that can't be told */
static int terminal_width(lua_State *L)
{
  struct winsize size;
  bool known = ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  lua_pushinteger(L, known ? size.ws_col : 80);
  return 1;
}

/* source(chunk): the text of a Lua source of the library, by the name that debug.getinfo gives it: "nnlua/nn.lua"; or nil.
 * Without an argument a list of all names. */
static int source(lua_State *L)
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

int open_system(lua_State *L)
{
  static const luaL_Reg functions[] = {{"clock", monotonic_clock}, {"is_terminal", is_terminal},
    {"terminal_width", terminal_width}, {"read_csv", read_csv}, {"write_tensors", write_tensors},
    {"read_tensors", read_tensors}, {"place_of", place_of}, {"source", source}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
