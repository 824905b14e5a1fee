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

/* What Ctrl-C has asked for in this run: an error, which the program may have caught since; or, when it came again,
 * one at each instruction, which no pcall of the program's holds up. */
typedef enum { CALM, ASKED, RAISED, INSISTED } Wish;
static volatile sig_atomic_t wish;

static void set_interrupt(void (*handler)(int))
{
  struct sigaction action = {.sa_handler = handler};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

static void raise_in_lua(lua_State *L, lua_Debug *record);

static void set_hook(lua_State *L)
{
  lua_sethook(L, raise_in_lua, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* A hook that the program has set stays. */
static void remove_hook(lua_State *L)
{
  if (lua_gethook(L) == raise_in_lua) lua_sethook(L, NULL, 0, 0);
}

/* An error is being raised for a request: it has done its work, unless the user insists. */
static void note_raised(void)
{
  if (wish == ASKED) wish = RAISED;
  if (wish != INSISTED) {
    remove_hook(running);
  } else {
    interrupts_request();
    set_hook(running);
  }
}

static void raise_in_lua(lua_State *L, lua_Debug *record)
{
  (void)record;
  if (wish != ASKED && wish != INSISTED) { /* a coroutine that was begun while the hook was set has a copy of it */
    remove_hook(L);
    return;
  }
  interrupts_forget();
  note_raised();
  if (wish != INSISTED) remove_hook(L);
  interrupts_raise(L);
}

static void write_message(const char *text, size_t length)
{
  ssize_t written = write(STDERR_FILENO, text, length);
  (void)written;
}

/* A signal handler may do no more than ask: by a hook, which raises at the next instruction, and by the request that
 * the core's loops look for. A second Ctrl-C ends the process. At the prompt it goes past whatever catches errors, and
 * says how to leave if the first has had no effect yet: the program may be inside a C function that gets nowhere near
 * either. */
static void interrupt(int signal_number)
{
  static const char advice[] = "\n(waiting for a function written in C to end; Ctrl-\\ ends the session)\n";
  static const char farewell[] = "\ninterrupted!\n";
  if (interrupts_note()) return;
  bool is_first = wish == CALM;
  if (!is_first && !is_patient) {
    write_message(farewell, sizeof farewell - 1);
    set_interrupt(SIG_DFL);
    kill(getpid(), signal_number);
    return;
  }
  if (interrupts_request() && wish != RAISED) write_message(advice, sizeof advice - 1);
  wish = is_first ? ASKED : INSISTED;
  set_hook(running);
}

void run_set_running(lua_State *L)
{
  lua_State *before = running;
  running = L;
  if (wish != ASKED && wish != INSISTED) return;
  if (before != L) remove_hook(before);
  set_hook(L);
}

void run_settle(lua_State *L)
{
  interrupts_forget();
  if (wish != CALM) wish = RAISED;
  remove_hook(L);
}

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
  wish = CALM;
  interrupts_watch(L, note_raised);
  set_interrupt(interrupt);
  int status = lua_pcall(L, arguments, results, base);
  set_interrupt(is_patient ? SIG_IGN : SIG_DFL);
  interrupts_ignore();
  wish = CALM;
  remove_hook(L);
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

int run_script_chunk(lua_State *L, int status)
{
  if (status == LUA_OK) {
    int count = push_arguments(L);
    status = run_call(L, count, 0);
  }
  return report_status(L, status);
}

int run_script(lua_State *L, const char *path) { return run_script_chunk(L, luaL_loadfile(L, path)); }

int run_profile_begin(lua_State *L, const char *trace)
{
  static const char text[] = "require 'nnlua' require 'nnlua.profiler.command'.begin(...)";
  int status = luaL_loadbuffer(L, text, sizeof text - 1, "=nnlua --profile");
  lua_pushstring(L, trace);
  if (status == LUA_OK) status = run_call(L, 1, 0);
  return report_status(L, status);
}

int run_profile_end(lua_State *L) { return run_string(L, "require 'nnlua.profiler.command'.finish()", "=(profile)"); }

int run_build(lua_State *L) { return run_string(L, "require 'nnlua' require 'nnlua.build'(arg)", "=(build)"); }

int run_processes(lua_State *L)
{
  return run_string(L, "require 'nnlua' require 'nnlua.distributed.run'(arg)", "=(run)");
}

int run_tests(lua_State *L) { return run_string(L, "require 'nnlua' require 'nnlua.testing.command'(arg)", "=(test)"); }
