/* nl.Generator and the functions on the default one. */
#ifndef NNLUA_LUA_GENERATOR_H
#define NNLUA_LUA_GENERATOR_H

#include "lua/binding.h"

/* The generator at an index, or NULL. */
Generator *generator_test(lua_State *L, int index);

/* Sets Generator, manual_seed, seed, initial_seed, get_rng_state and set_rng_state in the table on top. */
void open_generator(lua_State *L);

#endif
