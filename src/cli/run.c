#include "cli/run.h"

#include "cli/report.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>

static lua_State *running; /* the state that a signal interrupts */

static void set_interrupt(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

static void raise_interrupted(lua_State *L, lua_Debug *record) {
  (void)record;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* A signal handler may do no more than set a hook, which raises at the next instruction. A second Ctrl-C ends the
 * process: the program may be inside a C function that never gets there. */
static void interrupt(int signal_number) {
  (void)signal_number;
  set_interrupt(SIG_DFL);
  lua_sethook(running, raise_interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

int run_call(lua_State *L, int arguments, int results) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, report_traceback);
  lua_insert(L, base);
  running = L;
  set_interrupt(interrupt);
  int status = lua_pcall(L, arguments, results, base);
  set_interrupt(SIG_DFL);
  lua_remove(L, base);
  return status;
}

static int run_loaded(lua_State *L, int status) {
  if (status == LUA_OK) status = run_call(L, 0, 0);
  return report_status(L, status);
}

int run_string(lua_State *L, const char *text, const char *chunk_name) {
  return run_loaded(L, luaL_loadbuffer(L, text, strlen(text), chunk_name));
}

int run_file(lua_State *L, const char *path) {
  return run_loaded(L, luaL_loadfile(L, path));
}

/* Pushes arg[1], arg[2]...: what the program has made of the table by now, not what the command line said. */
static int push_arguments(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + 3, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

int run_script(lua_State *L, const char *path) {
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) {
    int count = push_arguments(L);
    status = run_call(L, count, 0);
  }
  return report_status(L, status);
}
