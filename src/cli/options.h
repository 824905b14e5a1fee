/* The command line: which options stand where, and the ones that act in order (-e, -l, -W). */
#ifndef NNLUA_CLI_OPTIONS_H
#define NNLUA_CLI_OPTIONS_H

#include <lua.h>
#include <stdbool.h>

typedef struct {
  bool interactive;        /* -i */
  bool version;            /* -v, or -i, whose prompt opens with it */
  bool executes;           /* -e */
  bool ignore_environment; /* -E */
  int script;              /* argv's index of the script; argc if there is none */
} Options;

/* On false, options->script is the index of the option that is wrong. */
bool options_parse(Options *options, char **argv);

void options_usage(const char *program, const char *wrong_option);

/* Makes the global arg: at 0 the script (without one, the interpreter), what follows from 1, what precedes below 0. */
void options_make_arg(lua_State *L, const Options *options, int argc, char **argv);

/* Does what -e, -l and -W say, in their order. False after an error, which has been reported. */
bool options_act(lua_State *L, const Options *options, char **argv);

#endif
