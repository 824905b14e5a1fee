/*
 * nnlua run: processes by MPI's launcher, which this looks after: it tells their output apart, names the rank that
 * fails, and ends what the launcher leaves behind.
 */
#ifndef NNLUA_CLI_LAUNCHER_H
#define NNLUA_CLI_LAUNCHER_H

#include <lua.h>

/* For require: the module `nnlua.launcher`, whose run(words, is_tagged) starts one. */
int launcher_open_module(lua_State *L);

/* In a process that nnlua run has started: tells it who this is, and that it ends with an error. */
void launcher_greet(void);
void launcher_tell_failure(void);

#endif
