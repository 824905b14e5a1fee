/* nnlua: the interpreter. What lua does, and require "nnlua" needs no installed file. */
#include "cli/allocator.h"
#include "cli/app.h"
#include "cli/coroutine.h"
#include "cli/launcher.h"
#include "cli/options.h"
#include "cli/repl.h"
#include "cli/report.h"
#include "cli/run.h"
#include "lua/settings.h"
#include "cli/state_file.h"
#include "cli/terminal.h"
#include "lua/distributed.h"
#include "lua/launched.h"
#include "lua/nnlua.h"
#include "lua/prepare.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_version(void)
{
  printf("%s\nnnlua %s\n", LUA_COPYRIGHT, NNLUA_VERSION);
  fflush(stdout);
}

static void open_libraries(lua_State *L, const Options *options)
{
  luaL_checkversion(L);
  nnlua_prepare(L);
  allocator_release_tensors(L);
  if (options->ignore_environment) { /* package.path and package.cpath ask for this */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  coroutine_open(L);
  nnlua_preload(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, terminal_open);
  lua_setfield(L, -2, "nnlua.terminal");
  lua_pushcfunction(L, state_file_open);
  lua_setfield(L, -2, "nnlua.state_file");
  lua_pushcfunction(L, app_open_module);
  lua_setfield(L, -2, "nnlua.app");
  lua_pushcfunction(L, launcher_open_module);
  lua_setfield(L, -2, "nnlua.launcher");
  lua_pop(L, 1);
}

/* The program in LUA_INIT_5_4 or else LUA_INIT: Lua text, or @ and the name of a file. */
static int run_init(lua_State *L)
{
  static const char *const names[] = {"=LUA_INIT" LUA_VERSUFFIX, "=LUA_INIT"};
  for (int i = 0; i < 2; i++) {
    const char *text = getenv(names[i] + 1);
    if (text != NULL) return text[0] == '@' ? run_file(L, text + 1) : run_string(L, text, names[i]);
  }
  return LUA_OK;
}

/* A script named "-" is stdin, but for one that follows "--". */
static const char *script_path(const Options *options, char **argv)
{
  const char *name = argv[options->script];
  return strcmp(name, "-") == 0 && strcmp(argv[options->script - 1], "--") != 0 ? NULL : name;
}

static bool run_command_line(lua_State *L, const Options *options, int argc, char **argv)
{
  bool has_script = options->script < argc;
  if (!options->ignore_environment && run_init(L) != LUA_OK) return false;
  if (!options_act(L, options, argv)) return false;
  if (options->task == RUN_TESTS) return run_tests(L) == LUA_OK;
  if (options->task == RUN_BUILD) return run_build(L) == LUA_OK;
  if (options->task == RUN_PROCESSES) return run_processes(L) == LUA_OK;
  if (has_script && run_script(L, script_path(options, argv)) != LUA_OK) return false;
  if (options->interactive) {
    return repl_run(L, options->ignore_environment);
  } else if (!has_script && !options->executes && !options->version) {
    if (!isatty(STDIN_FILENO)) return run_file(L, NULL) == LUA_OK;
    print_version();
    return repl_run(L, options->ignore_environment);
  }
  return true;
}

/* The same under --profile. */
static bool run_profiled(lua_State *L, const Options *options, int argc, char **argv)
{
  if (run_profile_begin(L, options->trace) != LUA_OK) return false;
  bool succeeded = run_command_line(L, options, argc, argv);
  return run_profile_end(L) == LUA_OK && succeeded;
}

/* What --help and --version ask for. */
static void show(const char *program, OptionsTask task)
{
  if (task == SHOW_HELP) options_help(program, stdout);
  else settings_describe(stdout);
  fflush(stdout);
}

enum { GC_STEP = 10 };

/*
 * Lua's modes: generational, as its own interpreter has it. Where a script wants the incremental one, steps come every
 * KB and not every 8, and so take an eighth as long: Lua's own may go over 50,000 objects, which takes up to 30 ms if
 * they are dead tensors.
 */
static void set_collector(lua_State *L)
{
  lua_gc(L, LUA_GCINC, 0, 0, GC_STEP);
  lua_gc(L, LUA_GCGEN, 0, 0);
}

/* Runs the program that stands in this executable (nnlua build): all words of the command line are its own. */
static bool run_app(lua_State *L, int argc, char **argv)
{
  const Options options = {.ignore_environment = true};
  if (!app_open(L, argv[0] != NULL ? argv[0] : "")) return false;
  open_libraries(L, &options);
  app_prepare(L);
  options_make_arg(L, &options, argc, argv);
  set_collector(L);
  lua_settop(L, 0);
  return app_run(L) == LUA_OK;
}

/* The whole program as a Lua function, so that running out of memory anywhere is an error like others: argc and argv on
 * the stack, true as its result if all went well. */
static int program(lua_State *L)
{
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  Options options;
  if (argv[0] != NULL && argv[0][0] != '\0') report_set_program(argv[0]);
  if (app_is_here()) {
    lua_pushboolean(L, run_app(L, argc, argv));
    return 1;
  }
  if (!options_parse(&options, argv)) {
    options_usage(argv[0], &options, argv);
    return 0;
  }
  if (options.threads > 0) settings_set_threads(options.threads);
  if (options.task == SHOW_HELP || options.task == SHOW_VERSION) {
    show(argv[0], options.task);
    lua_pushboolean(L, 1);
    return 1;
  }
  if (options.version && !(options.interactive && !isatty(STDIN_FILENO))) print_version();
  open_libraries(L, &options);
  options_make_arg(L, &options, argc, argv);
  set_collector(L);
  lua_settop(L, 0);
  lua_pushboolean(L, (options.profiles ? run_profiled : run_command_line)(L, &options, argc, argv));
  return 1;
}

int main(int argc, char **argv)
{
  report_set_program("nnlua");
  launched_claim();
  launcher_greet();
  lua_State *L = allocator_new_state();
  if (L == NULL) {
    report_message("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, program);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int status = lua_pcall(L, 2, 1, 0);
  bool succeeded = status == LUA_OK && lua_toboolean(L, -1);
  report_status(L, status);
  if (!succeeded) {
    launcher_tell_failure();
    distributed_give_up();
  }
  allocator_close_state(L);
  return succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
