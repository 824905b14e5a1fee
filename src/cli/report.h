/* What the interpreter says on stderr. */
#ifndef NNLUA_CLI_REPORT_H
#define NNLUA_CLI_REPORT_H

#include <lua.h>

/* The name that opens each message; NULL for none, as at the prompt. */
void report_set_program(const char *name);

void report_message(const char *message);

/* Prints and pops the error on the stack if the status is one. Returns the status. */
int report_status(lua_State *L, int status);

/* A message handler: makes any error object a text, with a traceback. */
int report_traceback(lua_State *L);

#endif
