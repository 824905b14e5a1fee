/* Calls chunks under the message handler, and lets Ctrl-C interrupt them. */
#include "cli/run.h"

#include "cli/report.h"
#include "lua/interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static lua_State *volatile running; /* the coroutine that a signal interrupts */
static bool is_patient;

static void set_interrupt(void (*handler)(int))
{
  struct sigaction action = {.sa_handler = handler};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

static void raise_in_lua(lua_State *L, lua_Debug *record)
{
  (void)record;
  lua_sethook(L, NULL, 0, 0);
  interrupts_forget();
  luaL_error(L, "interrupted!");
}

/* A hook that the program has set stays. */
static void remove_hook(void)
{
  if (lua_gethook(running) == raise_in_lua) lua_sethook(running, NULL, 0, 0);
}

/* A signal handler may do no more than ask: by a hook, which raises at the next instruction, and by the request that
 * the core's loops look for. A second Ctrl-C ends the process, or at the prompt says how to: the program may be inside
 * a C function that gets nowhere near either. */
static void interrupt(int signal_number)
{
  static const char advice[] = "\n(waiting for a function written in C to end; Ctrl-\\ ends the session)\n";
  (void)signal_number;
  if (interrupts_request() && is_patient) {
    ssize_t written = write(STDERR_FILENO, advice, sizeof advice - 1);
    (void)written;
  }
  if (!is_patient) set_interrupt(SIG_DFL);
  lua_sethook(running, raise_in_lua, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void run_set_running(lua_State *L) { running = L; }

void run_set_patient(bool patient)
{
  is_patient = patient;
  set_interrupt(patient ? SIG_IGN : SIG_DFL);
}

int run_call_under(lua_State *L, int arguments, int results, lua_CFunction handler)
{
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, handler);
  lua_insert(L, base);
  running = L;
  interrupts_watch(L, remove_hook);
  set_interrupt(interrupt);
  int status = lua_pcall(L, arguments, results, base);
  set_interrupt(is_patient ? SIG_IGN : SIG_DFL);
  interrupts_ignore();
  remove_hook();
  lua_remove(L, base);
  return status;
}

int run_call(lua_State *L, int arguments, int results)
{
  return run_call_under(L, arguments, results, report_traceback);
}

static int run_loaded(lua_State *L, int status)
{
  if (status == LUA_OK) status = run_call(L, 0, 0);
  return report_status(L, status);
}

int run_string(lua_State *L, const char *text, const char *chunk_name)
{
  return run_loaded(L, luaL_loadbuffer(L, text, strlen(text), chunk_name));
}

int run_file(lua_State *L, const char *path) { return run_loaded(L, luaL_loadfile(L, path)); }

/* Pushes arg[1], arg[2]...: what the program has made of the table by now, not what the command line said. */
static int push_arguments(lua_State *L)
{
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + 3, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

int run_script(lua_State *L, const char *path)
{
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) {
    int count = push_arguments(L);
    status = run_call(L, count, 0);
  }
  return report_status(L, status);
}

int run_tests(lua_State *L) { return run_string(L, "require 'nnlua' require 'nnlua.testing.command'(arg)", "=(test)"); }
