/* Reads and writes the prompt's files, if they are files, and so that a failed write leaves the old one whole. */
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

/* Opens a file that is one: a pipe or a device may keep who opens or reads it waiting for ever. -1 if it can't. */
static int open_regular(const char *path, int flags)
{
  struct stat status;
  int file = open(path, O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0600);
  if (file < 0 || (fstat(file, &status) == 0 && S_ISREG(status.st_mode))) return file;
  close(file);
  return -1;
}

/* Opens, writes and closes; whether all went well. Others can't read it. */
static bool write_file(const char *path, int flags, const char *text, size_t length)
{
  int file = open_regular(path, O_WRONLY | O_CREAT | flags);
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

/* read(path, most): the last `most` bytes of a file, or all of it; nil if it can't be read */
static int read_end(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  off_t most = (off_t)luaL_checkinteger(L, 2);
  luaL_Buffer b;
  int file = open_regular(path, O_RDONLY);
  if (file < 0) return 0;
  off_t size = lseek(file, 0, SEEK_END);
  bool good = lseek(file, size > most ? size - most : 0, SEEK_SET) >= 0;
  luaL_buffinit(L, &b);
  while (good && most > 0) {
    ssize_t n = read(file, luaL_prepbuffer(&b), LUAL_BUFFERSIZE);
    if (n <= 0) break;
    luaL_addsize(&b, (size_t)n);
    most -= n;
  }
  close(file);
  luaL_pushresult(&b);
  return 1;
}

int state_file_open(lua_State *L)
{
  static const luaL_Reg functions[] = {{"append", append}, {"replace", replace}, {"read", read_end}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
