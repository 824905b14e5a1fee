/* What progress bars and the prompt ask the system: what the terminal is like, and the time. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lua/open.h"

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

/* terminal_size(fd): its columns and rows, 80 and 24 where that can't be told */
static int terminal_size(lua_State *L)
{
  struct winsize size;
  bool known = ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  lua_pushinteger(L, known ? size.ws_col : 80);
  lua_pushinteger(L, known ? size.ws_row : 24);
  return 2;
}

const luaL_Reg terminal_functions[] = {{"clock", monotonic_clock},
                                       {"is_terminal", is_terminal},
                                       {"terminal_width", terminal_width},
                                       {"terminal_size", terminal_size},
                                       {NULL, NULL}};
