/* Where files are written to, as a userdata that the collector closes. */
#ifndef NNLUA_LUA_FILES_OUTPUT_H
#define NNLUA_LUA_FILES_OUTPUT_H

#include <lua.h>

#include "io/output.h"

/* Pushes an output to the path at an argument's index, or to memory where nil is. */
Output *push_output(lua_State *L, int index);

/* What it is called in messages. */
const char *output_name(lua_State *L, int index);

/* Ends it: a file is whole, of memory the bytes are pushed. Returns how many values were pushed. */
int finish_output(lua_State *L, int index, Output *o);

#endif
