/* What the interpreter's command line asks and says of the library, before any Lua runs. */
#ifndef NNLUA_LUA_SETTINGS_H
#define NNLUA_LUA_SETTINGS_H

#include <stdio.h>

/* The number of threads that large operations use, as nl.set_num_threads. */
void settings_set_threads(int threads);

/* Writes the lines of --version: nnlua, Lua, LAPACK, instruction set, threads. */
void settings_describe(FILE *out);

#endif
