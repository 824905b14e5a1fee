/* Reads and writes files below the folder for state, so that a failure leaves the old one whole. */
#include "cli/state_file.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the folders that a path goes through, the user's alone. */
static void make_folders(lua_State *L, const char *path)
{
  for (const char *p = path; *p != '\0'; p++) {
    if (*p == '/' && p > path) {
      lua_pushlstring(L, path, (size_t)(p - path));
      mkdir(lua_tostring(L, -1), 0700);
      lua_pop(L, 1);
    }
  }
}

/* Opens, writes and closes; whether all went well. Others can't read it. */
static bool write_file(const char *path, int flags, const char *text, size_t length)
{
  int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (file < 0) return false;
  bool whole = write(file, text, length) == (ssize_t)length;
  return close(file) == 0 && whole;
}

/* append(path, text): adds a text to the end of a file in one piece; whether that worked */
static int append(lua_State *L)
{
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  make_folders(L, path);
  lua_pushboolean(L, write_file(path, O_APPEND, text, length));
  return 1;
}

/* replace(path, text): puts a file in the place of another, whole or not at all */
static int replace(lua_State *L)
{
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  const char *fresh = lua_pushfstring(L, "%s.%d", path, (int)getpid());
  bool written = write_file(fresh, O_TRUNC, text, length) && rename(fresh, path) == 0;
  if (!written) unlink(fresh);
  lua_pushboolean(L, written);
  return 1;
}

int state_file_open(lua_State *L)
{
  static const luaL_Reg functions[] = {{"append", append}, {"replace", replace}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
