/* What progress bars and the prompt ask the system: what the terminal is like, and the time. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
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

/* terminal_size(fd): its columns and rows, 80 and 24 where that can't be told; its width and height in pixels, 0 where
   it doesn't say */
static int terminal_size(lua_State *L)
{
  struct winsize size;
  bool known = ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  lua_pushinteger(L, known ? size.ws_col : 80);
  lua_pushinteger(L, known ? size.ws_row : 24);
  lua_pushinteger(L, known ? size.ws_xpixel : 0);
  lua_pushinteger(L, known ? size.ws_ypixel : 0);
  return 4;
}

/* Reads what a terminal answers until a letter ends it or nothing comes any more. */
static size_t read_answer(char *answer, size_t size, char last, int milliseconds)
{
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  size_t n = 0;
  while (n < size && poll(&input, 1, milliseconds) == 1) {
    ssize_t got = read(STDIN_FILENO, answer + n, size - n);
    if (got <= 0) break;
    n += (size_t)got;
    if (answer[n - 1] == last) break;
  }
  return n;
}

/* ask_terminal(query, last, milliseconds): what the terminal answers, up to a letter; nil where nobody may ask: there
   is no terminal at both ends, another process has it, or something was typed that is still to be read */
static int ask_terminal(lua_State *L)
{
  size_t length;
  const char *query = luaL_checklstring(L, 1, &length), *last = luaL_checkstring(L, 2);
  int milliseconds = (int)luaL_checkinteger(L, 3);
  struct pollfd typed = {STDIN_FILENO, POLLIN, 0};
  struct termios before;
  char answer[512];
  bool may_ask = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp()
                 && poll(&typed, 1, 0) == 0 && tcgetattr(STDIN_FILENO, &before) == 0;
  if (!may_ask) return 0;
  struct termios quiet = before;
  quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &quiet) != 0) return 0;
  size_t n = write(STDOUT_FILENO, query, length) == (ssize_t)length
               ? read_answer(answer, sizeof answer, *last, milliseconds)
               : 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
  lua_pushlstring(L, answer, n);
  return 1;
}

const luaL_Reg terminal_functions[] = {{"clock", monotonic_clock},         {"is_terminal", is_terminal},
                                       {"terminal_width", terminal_width}, {"terminal_size", terminal_size},
                                       {"ask_terminal", ask_terminal},     {NULL, NULL}};
