/* A state's running profile, for what is below lua. */
#ifndef NNLUA_LUA_PROFILER_H
#define NNLUA_LUA_PROFILER_H

#include "lua/binding.h"

struct Profiler;

/* Pushes the table of the modules that a running profile has seen, with their rows. It keeps them alive. */
void push_profiled_modules(lua_State *L, struct Profiler *p);

#endif
