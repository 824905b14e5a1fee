/* A state's running profile, for what is below lua. */
#ifndef NNLUA_LUA_PROFILER_H
#define NNLUA_LUA_PROFILER_H

#include "lua/binding.h"

struct Profiler;

/* Pushes a running profile and the table of the modules that it has seen, with their rows. It keeps them alive. */
void push_profiled_modules(lua_State *L, struct Profiler *p);

#endif
