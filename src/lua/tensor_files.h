/* Files of tensors: the C part of nl.save and nl.load, which are lua/nnlua/save.lua and load.lua. */
#ifndef NNLUA_LUA_SAVING_H
#define NNLUA_LUA_SAVING_H

#include <lua.h>

/*
 * write_tensors(path, names, tensors, texts): lists of names and of contiguous tensors; texts is a list of names and
 * values in turn. read_tensors(path): the same three lists. Tensors that are one and the same place of memory have the
 * same place_of(tensor), a string.
 */
int write_tensors(lua_State *L);
int read_tensors(lua_State *L);
int place_of(lua_State *L);

#endif
