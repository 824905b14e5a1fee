#include "cli/options.h"

#include "cli/report.h"
#include "cli/run.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* An option that takes no argument and has no text behind its letter. */
static bool parse_flag(Options *options, const char *option) {
  switch (option[1]) {
    case 'i': options->interactive = options->version = true; break;
    case 'v': options->version = true; break;
    case 'E': options->ignore_environment = true; break;
    case 'W': break;
    default: return false;
  }
  return option[2] == '\0';
}

static bool takes_argument(const char *option) {
  return option[1] == 'e' || option[1] == 'l';
}

bool options_parse(Options *options, char **argv) {
  *options = (Options){0};
  int i = argv[0] != NULL ? 1 : 0; /* a caller may leave out even the program's name */
  for (; argv[i] != NULL; i++) {
    const char *option = argv[i];
    options->script = i;
    if (option[0] != '-' || option[1] == '\0') return true;
    if (strcmp(option, "--") == 0) {
      options->script = i + 1;
      return true;
    }
    if (takes_argument(option)) {
      options->executes |= option[1] == 'e';
      if (option[2] != '\0') continue;
      i++;
      if (argv[i] == NULL || argv[i][0] == '-') return false;
    } else if (!parse_flag(options, option)) {
      return false;
    }
  }
  options->script = i;
  return true;
}

void options_usage(const char *program, const char *wrong_option) {
  const char *format = takes_argument(wrong_option) ? "'%s' needs argument\n" : "unrecognized option '%s'\n";
  fprintf(stderr, "%s: ", program);
  fprintf(stderr, format, wrong_option);
  fprintf(stderr,
          "usage: %s [options] [script [args]]\n"
          "Available options are:\n"
          "  -e stat   execute string 'stat'\n"
          "  -i        enter interactive mode after executing 'script'\n"
          "  -l mod    require library 'mod' into global 'mod'\n"
          "  -l g=mod  require library 'mod' into global 'g'\n"
          "  -v        show version information\n"
          "  -E        ignore environment variables\n"
          "  -W        turn warnings on\n"
          "  --        stop handling options\n"
          "  -         stop handling options and execute stdin\n",
          program);
}

void options_make_arg(lua_State *L, const Options *options, int argc, char **argv) {
  int zero = options->script < argc ? options->script : 0;
  lua_createtable(L, argc - zero, zero);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

/* "mod" or "name=mod" */
static int require_library(lua_State *L, const char *text) {
  const char *equals = strchr(text, '=');
  const char *module = equals != NULL ? equals + 1 : text;
  lua_pushlstring(L, text, equals != NULL ? (size_t)(equals - text) : strlen(text));
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = run_call(L, 1, 1);
  if (status == LUA_OK) {
    lua_setglobal(L, lua_tostring(L, -2));
    lua_pop(L, 1);
  }
  return report_status(L, status);
}

bool options_act(lua_State *L, const Options *options, char **argv) {
  for (int i = 1; i < options->script; i++) {
    const char *option = argv[i];
    if (takes_argument(option)) {
      const char *argument = option[2] != '\0' ? option + 2 : argv[++i];
      int status = option[1] == 'e' ? run_string(L, argument, "=(command line)") : require_library(L, argument);
      if (status != LUA_OK) return false;
    } else if (option[1] == 'W') {
      lua_warning(L, "@on", 0);
    }
  }
  return true;
}
