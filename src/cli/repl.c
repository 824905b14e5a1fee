/* The prompt is Lua (lua/nnlua/prompt.lua); here is what it needs of the interpreter, and the loop that survives it. */
#include "cli/repl.h"

#include "cli/report.h"
#include "cli/run.h"
#include "lua/nnlua.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char failing_key; /* in the registry: what looks at the stack when an error has come up, or nil */

/* The hook that the program has set. It is for the program: the prompt's own code runs without it. */
static struct {
  lua_Hook function;
  int mask, count;
} hook;

static void take_hook(lua_State *L)
{
  if (lua_gethook(L) == NULL) return;
  hook.function = lua_gethook(L);
  hook.mask = lua_gethookmask(L);
  hook.count = lua_gethookcount(L);
  lua_sethook(L, NULL, 0, 0);
}

static void give_hook(lua_State *L)
{
  if (hook.function != NULL) lua_sethook(L, hook.function, hook.mask, hook.count);
  hook.function = NULL;
}

/* Whether the error has come up in a hook: one of the uppermost calls is its. */
static bool is_in_hook(lua_State *L)
{
  enum { MOST = 50 };
  lua_Debug frame;
  for (int level = 1; level < MOST && lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "n", &frame);
    if (strcmp(frame.namewhat, "hook") == 0) return true;
  }
  return false;
}

/* The message handler. A hook that has failed would fail again at whatever is entered next, also at what takes it
 * away, so it is taken away here. */
static int look_and_trace(lua_State *L)
{
  bool in_hook = is_in_hook(L);
  run_settle(L);
  take_hook(L);
  if (in_hook) hook.function = NULL;
  if (in_hook && lua_type(L, 1) == LUA_TSTRING) {
    lua_pushfstring(L, "%s (in a hook, which is removed)", lua_tostring(L, 1));
    lua_replace(L, 1);
  }
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &failing_key) == LUA_TFUNCTION) lua_pcall(L, 0, 0, 0);
  lua_settop(L, 1);
  return report_traceback(L);
}

/* call(failing, f, …): runs f; true and its results, or false and the error as a text. `failing` is nil or a function
 * that is called on top of the stack that failed, where what runs is the program's. */
static int protected_call(lua_State *L)
{
  bool is_programs = !lua_isnil(L, 1);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &failing_key);
  lua_remove(L, 1);
  if (is_programs) give_hook(L);
  int status = run_call_under(L, lua_gettop(L) - 1, LUA_MULTRET, look_and_trace);
  take_hook(L);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, 1);
  return lua_gettop(L);
}

/* list_folder(path): the names in a folder, each with whether it is a folder; none if it can't be read. */
static int list_folder(lua_State *L)
{
  DIR *folder = opendir(luaL_checkstring(L, 1));
  lua_newtable(L);
  if (folder == NULL) return 1;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    lua_pushboolean(L, entry->d_type == DT_DIR);
    lua_setfield(L, -2, entry->d_name);
  }
  closedir(folder);
  return 1;
}

/* change_folder(path): the folder that is the current one then, or nil and why it can't be */
static int change_folder(lua_State *L)
{
  char folder[PATH_MAX];
  const char *path = luaL_checkstring(L, 1);
  if (chdir(path) != 0 || getcwd(folder, sizeof folder) == NULL) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(errno));
    return 2;
  }
  lua_pushstring(L, folder);
  return 1;
}

/* is_plain(): whether the terminal can only print lines */
static int is_plain(lua_State *L)
{
  const char *kind = getenv("TERM");
  lua_pushboolean(L, !isatty(STDOUT_FILENO) || kind == NULL || *kind == '\0' || strcmp(kind, "dumb") == 0);
  return 1;
}

static void set_boolean(lua_State *L, const char *name, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

/* The function prompt.start(host) on the stack: one step of the prompt. */
static int start(lua_State *L)
{
  static const luaL_Reg functions[] = {{"call", protected_call},
                                       {"list_folder", list_folder},
                                       {"change_folder", change_folder},
                                       {"is_plain", is_plain},
                                       {NULL, NULL}};
  bool plain, ignores_environment = lua_toboolean(L, 1);
  luaL_requiref(L, "nnlua", luaopen_nnlua, false);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "nnlua.prompt");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "start");
  luaL_newlib(L, functions);
  is_plain(L);
  plain = lua_toboolean(L, -1);
  lua_pop(L, 1);
  const char *no_colour = getenv("NO_COLOR");
  set_boolean(L, "interactive", isatty(STDIN_FILENO));
  set_boolean(L, "colours", isatty(STDIN_FILENO) && !plain && (no_colour == NULL || *no_colour == '\0'));
  set_boolean(L, "ignores_environment", ignores_environment);
  lua_call(L, 1, 1);
  return 1;
}

bool repl_run(lua_State *L, bool ignores_environment)
{
  enum { MOST_FAILURES = 10 };
  report_set_program(NULL);
  run_set_patient(true);
  lua_pushcfunction(L, start);
  lua_pushboolean(L, ignores_environment);
  if (report_status(L, lua_pcall(L, 1, 1, 0)) != LUA_OK) return false;
  int failures = 0;
  for (bool goes_on = true; goes_on && failures < MOST_FAILURES;) {
    lua_pushvalue(L, -1);
    int status = lua_pcall(L, 0, 1, 0);
    failures = status == LUA_OK ? 0 : failures + 1; /* a fault of the prompt itself, or no memory for it */
    if (report_status(L, status) != LUA_OK) continue;
    goes_on = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  lua_settop(L, 0);
  run_set_patient(false);
  return failures < MOST_FAILURES;
}
