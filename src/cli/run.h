/* Running Lua code for the user: under a message handler, with Ctrl-C, errors reported. */
#ifndef NNLUA_CLI_RUN_H
#define NNLUA_CLI_RUN_H

#include <lua.h>
#include <stdbool.h>

/* lua_pcall under this message handler, and Ctrl-C raises "interrupted!" meanwhile. Reports nothing. */
int run_call_under(lua_State *L, int arguments, int results, lua_CFunction handler);

/* The same with a traceback in the error. */
int run_call(lua_State *L, int arguments, int results);

/* Whether a further Ctrl-C waits for the first one to be noticed, as at the prompt, rather than ends the process; and
 * whether one that comes when nothing runs is ignored. */
void run_set_patient(bool patient);

/* For a message handler: what Ctrl-C has asked for so far is done by the error that has come up. */
void run_settle(lua_State *L);

/* The coroutine that runs now: where Ctrl-C raises. */
void run_set_running(lua_State *L);

/* Load, run and report; the status is returned. A NULL path is stdin. */
int run_string(lua_State *L, const char *text, const char *chunk_name);
int run_file(lua_State *L, const char *path);

/* The same with the global arg's values as arguments. */
int run_script(lua_State *L, const char *path);

/* The same of a chunk on the stack, or of the error that there was instead. */
int run_script_chunk(lua_State *L, int status);

/* nnlua test: busted, with the global arg's values as its arguments. Exits itself where specs fail. */
int run_tests(lua_State *L);

/* nnlua build: makes a program of one file, as the global arg's values say. */
/* Begins the profile of --profile, with the path of its trace or NULL; and ends and tells it. */
int run_profile_begin(lua_State *L, const char *trace);
int run_profile_end(lua_State *L);

int run_build(lua_State *L);

/* nnlua run: processes by MPI's launcher, as the global arg's values say. Exits itself. */
int run_processes(lua_State *L);

#endif
