/* The command line: which options stand where, and the ones that act in order (-e, -l, -W). */
#ifndef NNLUA_CLI_OPTIONS_H
#define NNLUA_CLI_OPTIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum {
  RUN_PROGRAM,   /* what lua does: scripts, -e, the prompt */
  RUN_TESTS,     /* nnlua test */
  RUN_BUILD,     /* nnlua build */
  RUN_PROCESSES, /* nnlua run */
  SHOW_HELP,
  SHOW_VERSION
} OptionsTask;

typedef enum { OPTION_UNKNOWN, OPTION_WITHOUT_ARGUMENT, OPTION_WITH_ARGUMENT, OPTION_NO_NUMBER } OptionsFault;

typedef struct {
  OptionsTask task;
  OptionsFault fault;      /* what is wrong with the option at `script` */
  bool interactive;        /* -i */
  bool version;            /* -v, or -i, whose prompt opens with it */
  bool executes;           /* -e */
  bool ignore_environment; /* -E */
  int threads;             /* --threads; 0: not given */
  bool profiles;           /* --profile */
  const char *trace;       /* --profile=trace; NULL: not given */
  int script;              /* argv's index of the script, or of "test" or "build"; argc if there is none */
} Options;

/* On false, options->script is the index of the option that is wrong. */
bool options_parse(Options *options, char **argv);

/* Says on stderr what is wrong, and what may have been meant. */
void options_usage(const char *program, const Options *options, char **argv);

/* The text of --help. */
void options_help(const char *program, FILE *out);

/* Makes the global arg: at 0 the script (without one, the interpreter), what follows from 1, what precedes below 0. */
void options_make_arg(lua_State *L, const Options *options, int argc, char **argv);

/* Does what -e, -l and -W say, in their order. False after an error, which has been reported. */
bool options_act(lua_State *L, const Options *options, char **argv);

#endif
