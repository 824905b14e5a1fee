/* What `nnlua build` writes, and how such a file runs. */
#define _GNU_SOURCE
#include "cli/app.h"

#include "cli/report.h"
#include "cli/run.h"
#include "io/bundle.h"
#include "io/files.h"
#include "io/zip.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The one place that differs between nnlua and a program made by it: where the archive begins, or 0. build finds it by
   its seal, which therefore stands nowhere else. */
enum { SEAL_SIZE = 16 };
static const volatile struct {
  char seal[SEAL_SIZE];
  uint64_t begin;
} archive = {"\177nnlua archive\177", 0};

bool app_is_here(void) { return archive.begin != 0; }

/* ------------------------------------------------------------------ running */

bool app_open(lua_State *L, const char *program)
{
  if (bundle_open(program)) return true;
  lua_pushfstring(L, "the scripts and files in this executable can't be read from /proc/self/exe: %s", file_error());
  report_message(lua_tostring(L, -1));
  return false;
}

/* Pushes the chunk of a member; false if there is none. Errors are its own. */
static bool load_member(lua_State *L, const char *name, const char *chunk_name, int *status)
{
  Source bytes;
  if (!bundle_member(name, &bytes)) return false;
  *status = luaL_loadbuffer(L, bytes.memory, (size_t)bytes.size, chunk_name);
  source_close(&bytes);
  return true;
}

/* A searcher of require's. */
static int search_module(lua_State *L)
{
  int status;
  const char *name = luaL_checkstring(L, 1);
  lua_pushfstring(L, "modules/%s.lua", name);
  lua_pushfstring(L, "@%s.lua", luaL_gsub(L, name, ".", "/"));
  if (!load_member(L, lua_tostring(L, 2), lua_tostring(L, -1), &status)) {
    lua_pushfstring(L, "no module '%s' in the executable", name);
    return 1;
  }
  if (status != LUA_OK) return luaL_error(L, "error loading module '%s':\n\t%s", name, lua_tostring(L, -1));
  return 1;
}

static int close_file(lua_State *L)
{
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* Whether a path names a file in the executable, which then is pushed as io.open would push it. */
static bool push_file(lua_State *L, const char *path)
{
  Source bytes;
  if (!bundle_find(path, &bytes)) return false;
  source_close(&bytes);
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->closef = NULL;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  int descriptor = file_open_stream(path);
  stream->f = descriptor < 0 ? NULL : fdopen(descriptor, "r");
  if (!stream->f) file_close(descriptor);
  if (!stream->f) luaL_error(L, "%s: it can't be opened: %s", path, file_error());
  stream->closef = close_file;
  return true;
}

/* Calls the library's own function, the closure's upvalue, with all arguments. */
static int call_original(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int open_file(lua_State *L)
{
  const char *mode = lua_isnoneornil(L, 2) ? "r" : lua_tostring(L, 2);
  bool reads = mode && mode[0] == 'r' && !strchr(mode, '+');
  if (reads && lua_type(L, 1) == LUA_TSTRING && push_file(L, lua_tostring(L, 1))) return 1;
  return call_original(L);
}

/* As io.lines: its iterator is that of the file, which is closed with the loop. */
static int file_lines(lua_State *L)
{
  if (lua_type(L, 1) != LUA_TSTRING || !push_file(L, lua_tostring(L, 1))) return call_original(L);
  int file = lua_gettop(L);
  lua_getfield(L, file, "lines");
  lua_pushvalue(L, file);
  for (int i = 2; i < file; i++) lua_pushvalue(L, i);
  lua_call(L, file - 1, 1);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, file);
  return 4;
}

/* Pushes the chunk of a file in the executable that the first argument names, or what is wrong with it: the status; -1
   of any other. */
static int load_source(lua_State *L, const char *mode)
{
  Source bytes;
  if (lua_type(L, 1) != LUA_TSTRING || !bundle_find(lua_tostring(L, 1), &bytes)) return -1;
  lua_pushfstring(L, "@%s", lua_tostring(L, 1));
  int status = luaL_loadbufferx(L, bytes.memory, (size_t)bytes.size, lua_tostring(L, -1), mode);
  lua_remove(L, -2);
  source_close(&bytes);
  return status;
}

/* loadfile(path, mode, environment) */
static int load_file(lua_State *L)
{
  bool has_environment = !lua_isnone(L, 3);
  int status = load_source(L, luaL_optstring(L, 2, NULL));
  if (status < 0) return call_original(L);
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_environment) {
    lua_pushvalue(L, 3);
    if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  }
  return 1;
}

static int do_file(lua_State *L)
{
  lua_settop(L, 1);
  int status = load_source(L, NULL);
  if (status < 0) return call_original(L);
  if (status != LUA_OK) return lua_error(L);
  lua_replace(L, 1);
  lua_settop(L, 1);
  lua_call(L, 0, LUA_MULTRET);
  return lua_gettop(L);
}

/* Puts a function in the place of one of the library's, which it calls for files that aren't in the executable. */
static void wrap(lua_State *L, const char *library, const char *name, lua_CFunction function)
{
  lua_getglobal(L, library);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void app_prepare(lua_State *L)
{
  wrap(L, "io", "open", open_file);
  wrap(L, "io", "lines", file_lines);
  wrap(L, LUA_GNAME, "loadfile", load_file);
  wrap(L, LUA_GNAME, "dofile", do_file);
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* behind that of package.preload */
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search_module);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

int app_run(lua_State *L)
{
  int status;
  if (!load_member(L, "main.lua", "@main.lua", &status)) {
    lua_pushliteral(L, "the executable has no main.lua");
    status = LUA_ERRRUN;
  }
  return run_script_chunk(L, status);
}

/* ----------------------------------------------------------------- building */

/* A new executable that is being written. */
typedef struct Building {
  Output output;
  ZipWriter zip;
  char *executable; /* the bytes of this one */
} Building;

static int abandon(lua_State *L)
{
  Building *b = lua_touserdata(L, 1);
  zip_abandon(&b->zip);
  output_close(&b->output);
  free(b->executable);
  b->executable = NULL;
  return 0;
}

static int fail(lua_State *L, const char *path)
{
  lua_pushfstring(L, "%s: it can't be written: %s", path, file_error());
  return lua_error(L);
}

/* This executable's bytes, with the archive's place noted: at its end, where pages begin. */
static bool copy_executable(Building *b)
{
  enum { PAGE = 4096 };
  Source own;
  if (!source_open(&own, "/proc/self/exe")) return false;
  uint64_t begin = (own.size + PAGE - 1) / PAGE * PAGE;
  b->executable = calloc(1, (size_t)begin);
  bool good = b->executable ? source_read(&own, b->executable, own.size, 0) : file_fail(ENOMEM);
  char seal[SEAL_SIZE];
  for (int i = 0; i < SEAL_SIZE; i++) seal[i] = archive.seal[i];
  char *at = good ? memmem(b->executable, (size_t)own.size, seal, SEAL_SIZE) : NULL;
  source_close(&own);
  if (!at) return good && file_cut_off();
  memcpy(at + SEAL_SIZE, &begin, sizeof begin);
  return output_write(&b->output, b->executable, (size_t)begin);
}

/* Adds the member {name, bytes} on the stack, or {name, false, path}: the bytes of a file. */
static void add_member(lua_State *L, Building *b, const char *out)
{
  size_t name_size, size;
  Source file = NO_SOURCE;
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  lua_rawgeti(L, -3, 3);
  const char *path = lua_tostring(L, -1), *text = lua_tolstring(L, -2, &size),
             *name = luaL_checklstring(L, -3, &name_size);
  if (path && !source_map(&file, path, NULL)) {
    lua_pushfstring(L, "%s: it can't be read: %s", path, file_error());
    lua_error(L);
  }
  ZipPiece piece = path ? (ZipPiece){file.memory, (size_t)file.size} : (ZipPiece){text, size};
  bool written = zip_add(&b->zip, name, name_size, &piece, 1);
  source_close(&file);
  if (!written) fail(L, out);
}

/* write(path, members): a program of members {name, bytes}, or {name, false, path of a file} */
static int write_app(lua_State *L)
{
  const char *out = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  Building *b = lua_newuserdatauv(L, sizeof *b, 0);
  memset(b, 0, sizeof *b);
  lua_newtable(L);
  lua_pushcfunction(L, abandon);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  int guard = lua_gettop(L);
  bool begun = output_open(&b->output, out);
  if (!begun || !copy_executable(b)) return fail(L, out);
  zip_begin(&b->zip, &b->output);
  for (lua_Integer i = 1, n = luaL_len(L, 2); i <= n; i++) {
    lua_rawgeti(L, 2, i);
    add_member(L, b, out);
    lua_settop(L, guard);
  }
  if (!zip_end(&b->zip) || !output_finish(&b->output)) return fail(L, out);
  mode_t mask = umask(0);
  umask(mask);
  if (chmod(out, 0777 & ~mask) != 0) {
    lua_pushfstring(L, "%s: %s", out, strerror(errno));
    return lua_error(L);
  }
  lua_pushcfunction(L, abandon);
  lua_pushvalue(L, guard);
  lua_call(L, 1, 0);
  return 0;
}

int app_open_module(lua_State *L)
{
  static const luaL_Reg functions[] = {{"write", write_app}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
