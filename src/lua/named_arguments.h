/* Arguments of functions that are no ops: positional ones and a last table of named ones, merged. */
#ifndef NNLUA_LUA_NAMED_ARGUMENTS_H
#define NNLUA_LUA_NAMED_ARGUMENTS_H

#include "lua/binding.h"

/*
 * Replaces the arguments from `first` to the top by one value a name, in the order of `names` (which NULL ends): what
 * was given in its place or by name, nil where nothing or nl.none was. Raises on too many arguments, unknown names and
 * names given twice; `function` stands in the messages. Returns how many names there are.
 */
int arguments_merge(lua_State *L, const char *function, int first, const char *const names[]);

/* A merged value that must be true, false or nil (then it is `otherwise`). */
bool argument_bool(lua_State *L, const char *function, const char *name, int index, bool otherwise);

#endif
