/* Reads the command line in two passes: what it says at all, and then what acts, in order. */
#include "cli/options.h"

#include "cli/report.h"
#include "cli/run.h"
#include "lua/spelling.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* An option that takes no argument and has no text behind its letter. */
static bool parse_flag(Options *options, const char *option)
{
  switch (option[1]) {
    case 'i': options->interactive = options->version = true; break;
    case 'v': options->version = true; break;
    case 'E': options->ignore_environment = true; break;
    case 'W': break;
    default: return false;
  }
  return option[2] == '\0';
}

static bool takes_argument(const char *option) { return option[1] == 'e' || option[1] == 'l'; }

static bool fail(Options *options, OptionsFault fault)
{
  options->fault = fault;
  return false;
}

static bool parse_threads(Options *options, const char *text)
{
  char *end;
  if (text == NULL) return fail(options, OPTION_WITHOUT_ARGUMENT);
  long n = strtol(text, &end, 10);
  if (end == text || *end != '\0' || n < 1 || n > INT_MAX) return fail(options, OPTION_NO_NUMBER);
  options->threads = (int)n;
  return true;
}

static bool parse_profile(Options *options, const char *trace)
{
  if (trace != NULL && *trace == '\0') return fail(options, OPTION_WITHOUT_ARGUMENT);
  options->profiles = true;
  options->trace = trace;
  return true;
}

static bool is_word(const char *text, size_t length, const char *word)
{
  return strlen(word) == length && strncmp(text, word, length) == 0;
}

/* An option that begins with "--"; *i is its index, moved on if its argument is a word of its own. */
static bool parse_long(Options *options, char **argv, int *i)
{
  const char *name = argv[*i] + 2, *equals = strchr(name, '=');
  size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
  if (is_word(name, length, "threads")) return parse_threads(options, equals != NULL ? equals + 1 : argv[++*i]);
  if (is_word(name, length, "profile")) return parse_profile(options, equals != NULL ? equals + 1 : NULL);
  bool is_help = is_word(name, length, "help");
  if (!is_help && !is_word(name, length, "version")) return fail(options, OPTION_UNKNOWN);
  if (equals != NULL) return fail(options, OPTION_WITH_ARGUMENT);
  if (options->task == RUN_PROGRAM) options->task = is_help ? SHOW_HELP : SHOW_VERSION;
  return true;
}

static bool parse_short(Options *options, char **argv, int *i)
{
  const char *option = argv[*i];
  if (!takes_argument(option)) return parse_flag(options, option) || fail(options, OPTION_UNKNOWN);
  options->executes |= option[1] == 'e';
  if (option[2] != '\0') return true;
  ++*i;
  return (argv[*i] != NULL && argv[*i][0] != '-') || fail(options, OPTION_WITHOUT_ARGUMENT);
}

/* The word at `script` is no option: a script, or a command. */
static bool finish_parsing(Options *options, char **argv)
{
  const char *word = argv[options->script];
  if (options->task == RUN_PROGRAM && word != NULL && strcmp(word, "test") == 0) options->task = RUN_TESTS;
  if (options->task == RUN_PROGRAM && word != NULL && strcmp(word, "build") == 0) options->task = RUN_BUILD;
  if (options->task == RUN_PROGRAM && word != NULL && strcmp(word, "run") == 0) options->task = RUN_PROCESSES;
  return true;
}

bool options_parse(Options *options, char **argv)
{
  *options = (Options){.task = RUN_PROGRAM};
  int i = argv[0] != NULL ? 1 : 0; /* a caller may leave out even the program's name */
  for (; argv[i] != NULL; i++) {
    const char *option = argv[i];
    options->script = i;
    if (option[0] != '-' || option[1] == '\0') return finish_parsing(options, argv);
    if (strcmp(option, "--") == 0) { /* a script called "test", too */
      options->script = i + 1;
      return true;
    }
    bool good = option[1] == '-' ? parse_long(options, argv, &i) : parse_short(options, argv, &i);
    if (!good) return false;
  }
  options->script = i;
  return true;
}

static const char usage_lines[] = "usage: %s [options] [script [args]]\n"
                                  "       %s [options] test [folders or files] [busted's options]\n"
                                  "       %s [options] build script -o program [files]\n"
                                  "       %s [options] run [-n N] [launcher's options --] script [args]\n";

/* The option that a wrong one may stand for, or NULL. */
static const char *meant(const char *option)
{
  static const char *const names[] = {"--help", "--profile", "--threads", "--version"};
  const char *name = option + strspn(option, "-");
  size_t length = strcspn(name, "=");
  if (strcmp(option, "-h") == 0 || strcmp(option, "-?") == 0) return "--help";
  if (strcmp(option, "-V") == 0) return "-v' or '--version";
  if (strcmp(option, "-c") == 0) return "-e";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bool is_start = length >= 3 && strncmp(name, names[i] + 2, length) == 0;
    if (length >= 3 && (is_start || spelling_distance(name, length, names[i] + 2) <= 2)) return names[i];
  }
  return NULL;
}

static void say_unknown(const char *option)
{
  const char *other = meant(option);
  fprintf(stderr, "unrecognized option '%s'", option);
  if (other != NULL) fprintf(stderr, "; did you mean '%s'?", other);
  fputc('\n', stderr);
}

void options_usage(const char *program, const Options *options, char **argv)
{
  const char *option = argv[options->script], *equals = strchr(option, '=');
  int length = (int)(equals != NULL ? (size_t)(equals - option) : strlen(option));
  fprintf(stderr, "%s: ", program);
  switch (options->fault) {
    case OPTION_UNKNOWN: say_unknown(option); break;
    case OPTION_WITHOUT_ARGUMENT: fprintf(stderr, "'%s' needs argument\n", option); break;
    case OPTION_WITH_ARGUMENT: fprintf(stderr, "'%.*s' takes no argument\n", length, option); break;
    case OPTION_NO_NUMBER:
      fprintf(stderr, "'%.*s' needs a number of threads, from 1 on, not '%s'\n", length, option,
              equals != NULL ? equals + 1 : argv[options->script + 1]);
      break;
  }
  fprintf(stderr, usage_lines, program, program, program, program);
  fprintf(stderr, "'%s --help' lists the options.\n", program);
}

void options_help(const char *program, FILE *out)
{
  fprintf(out, usage_lines, program, program, program, program);
  fputs("\n"
        "Runs a Lua script, with require \"nnlua\" at hand; without one, a prompt, or stdin.\n"
        "\n"
        "Available options are:\n"
        "  -e stat        execute string 'stat'\n"
        "  -i             enter interactive mode after executing 'script'\n"
        "  -l mod         require library 'mod' into global 'mod'\n"
        "  -l g=mod       require library 'mod' into global 'g'\n"
        "  -v             show version information\n"
        "  -E             ignore environment variables\n"
        "  -W             turn warnings on\n"
        "  --threads N    let large operations use N threads\n"
        "  --profile      show at the end where time went; --profile=FILE also writes a trace\n"
        "  --version      show nnlua's and Lua's version, LAPACK, instruction set and threads, and exit\n"
        "  --help         show this text, and exit\n"
        "  --             stop handling options\n"
        "  -              stop handling options and execute stdin\n"
        "\n"
        "test runs specs with busted: those in the folders spec, tests and test, or in those given.\n"
        "build makes a program of one file: the script, the modules that it requires, and files.\n"
        "run starts a script in N processes, which join each other over MPI.\n"
        "Scripts of these names are run as ./test, ./build and ./run. More: man nnlua\n",
        out);
}

void options_make_arg(lua_State *L, const Options *options, int argc, char **argv)
{
  int zero = options->script < argc ? options->script : 0;
  lua_createtable(L, argc - zero, zero);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

/* "mod" or "name=mod" */
static int require_library(lua_State *L, const char *text)
{
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

bool options_act(lua_State *L, const Options *options, char **argv)
{
  for (int i = 1; i < options->script; i++) {
    const char *option = argv[i];
    if (strcmp(option, "--threads") == 0) {
      i++;
    } else if (takes_argument(option)) {
      const char *argument = option[2] != '\0' ? option + 2 : argv[++i];
      int status = option[1] == 'e' ? run_string(L, argument, "=(command line)") : require_library(L, argument);
      if (status != LUA_OK) return false;
    } else if (option[1] == 'W') {
      lua_warning(L, "@on", 0);
    }
  }
  return true;
}
