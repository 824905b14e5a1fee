/* Bytes of files and what is in folders, for what reads and writes formats in Lua: lua/nnlua/io, datasets, text. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/crc32c.h"
#include "io/files.h"
#include "io/gunzip.h"
#include "lua/open.h"
#include "lua/files/path.h"

/* Whatever happens, the collector frees a block of malloc's, */
static int free_block(lua_State *L)
{
  void **block = lua_touserdata(L, 1);
  free(*block);
  *block = NULL;
  return 0;
}

static void **push_block(lua_State *L)
{
  void **block = lua_newuserdatauv(L, sizeof *block, 0);
  *block = NULL;
  push_gc_metatable(L, "nnlua.Block", free_block);
  lua_setmetatable(L, -2);
  return block;
}

/* and closes a folder. */
static int close_folder(lua_State *L)
{
  Folder **folder = lua_touserdata(L, 1);
  folder_close(*folder);
  *folder = NULL;
  return 0;
}

/* read_bytes(function, path): all of a regular file as a string. It is opened twice, since making room may raise. */
static int read_bytes(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *path = path_argument(L, function, 2);
  uint64_t size, unused;
  luaL_Buffer buffer;
  int descriptor = file_open(path, &size);
  if (descriptor < 0) return user_error(L, "%s: %s: %s", function, path, file_error());
  file_close(descriptor);
  if (size > SIZE_MAX / 4) return user_error(L, "%s: %s: not enough memory", function, path);
  char *bytes = luaL_buffinitsize(L, &buffer, (size_t)size);
  descriptor = file_open(path, &unused);
  bool ok = descriptor >= 0 && file_read(descriptor, bytes, (size_t)size, 0);
  file_close(descriptor);
  if (!ok) return user_error(L, "%s: %s: %s", function, path, file_error());
  luaL_pushresultsize(&buffer, (size_t)size);
  return 1;
}

/* write_bytes(function, path, string): a file that is whole or, after a failure, as it was */
static int write_bytes(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *path = path_argument(L, function, 2);
  size_t n;
  const char *bytes = luaL_checklstring(L, 3, &n);
  NewFile file;
  bool ok = new_file_open(&file, path) && new_file_write(&file, bytes, n) && new_file_finish(&file);
  if (ok) return 0;
  const char *why = file_error();
  new_file_abandon(&file);
  return user_error(L, "%s: %s: %s", function, path, why);
}

/* gunzip(function, what, bytes): the bytes that gzip made these of, or these if it made none; `what` begins the error's
   text */
static int gunzip_bytes(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *what = luaL_checkstring(L, 2);
  char error[ERROR_TEXT];
  size_t n;
  uint8_t *made;
  const char *bytes = luaL_checklstring(L, 3, &n);
  lua_settop(L, 3);
  if (!is_gzip(bytes, n)) return 1;
  void **kept = push_block(L);
  bool ok = gunzip(bytes, n, &made, &n, error, sizeof error);
  *kept = ok ? made : NULL;
  core_prepare(L, context_of(L)); /* raises, if it was interrupted */
  if (!ok) return user_error(L, "%s: %s%s", function, what, error);
  lua_pushlstring(L, (const char *)made, n);
  free(made);
  *kept = NULL;
  return 1;
}

/* list_folder(function, path): the names in a folder, and as many booleans that tell which of them are folders */
static int list_folder(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *path = path_argument(L, function, 2);
  FolderEntry entry;
  lua_settop(L, 2);
  lua_newtable(L);
  lua_newtable(L);
  Folder **folder = lua_newuserdatauv(L, sizeof *folder, 0);
  *folder = NULL;
  push_gc_metatable(L, "nnlua.Folder", close_folder);
  lua_setmetatable(L, -2);
  *folder = folder_open(path);
  if (!*folder) return user_error(L, "%s: %s: %s", function, path, file_error());
  for (lua_Integer i = 1; folder_next(*folder, &entry); i++) {
    lua_pushstring(L, entry.name);
    lua_rawseti(L, 3, i);
    lua_pushboolean(L, entry.is_folder);
    lua_rawseti(L, 4, i);
  }
  folder_close(*folder);
  *folder = NULL;
  lua_settop(L, 4);
  return 2;
}

/* make_folder(function, path): makes a folder, and those that it is in, unless they are there */
static int make_folder(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *path = path_argument(L, function, 2);
  if (!folder_make(path)) return user_error(L, "%s: %s: %s", function, path, file_error());
  return 0;
}

/* crc32c(string): its checksum by Castagnoli's polynomial, as event files have it */
static int crc32c_of(lua_State *L)
{
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n);
  lua_pushinteger(L, crc32c(bytes, n));
  return 1;
}

/* host_and_process(): the machine's name and the process's number, by which files of several runs differ */
static int host_and_process(lua_State *L)
{
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0 || !*name) strcpy(name, "localhost");
  lua_pushstring(L, name);
  lua_pushinteger(L, getpid());
  return 2;
}

const luaL_Reg file_byte_functions[] = {{"read_bytes", read_bytes},
                                        {"write_bytes", write_bytes},
                                        {"gunzip", gunzip_bytes},
                                        {"list_folder", list_folder},
                                        {"make_folder", make_folder},
                                        {"crc32c", crc32c_of},
                                        {"host_and_process", host_and_process},
                                        {NULL, NULL}};
