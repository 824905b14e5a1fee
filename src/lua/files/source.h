/* Where files are read from, as a userdata that the collector closes. */
#ifndef NNLUA_LUA_FILES_SOURCE_H
#define NNLUA_LUA_FILES_SOURCE_H

#include "io/source.h"
#include "lua/binding.h"

/* The source at an argument's index, and its name in messages, which lives as long. */
Source *source_check(lua_State *L, int index);
const char *source_name(lua_State *L, int index);

/* Pushes a userdata for a part of the source at an index, which it keeps; it is to be filled at once. */
Source *push_part(lua_State *L, int whole);

/*
 * Pushes a contiguous tensor with the elements that stand at a place of the source at an index; those of the other byte
 * order are turned. Where pages of a mapped file can be its elements as they are, they are.
 */
void push_stored_tensor(lua_State *L, Context *ctx, int index, uint64_t place, DType dtype, Ints shape, bool is_turned);

/* Numbers of so many bytes in the other byte order; a complex one is two of them. */
void stored_turn(char *data, size_t bytes, size_t size);

/* A bool is 0 or 1, whatever stands in a file. */
void stored_make_truths(unsigned char *data, size_t n);

#endif
