/* Fields of a tensor that are worked out when they are read: x.shape, x.grad. */
#ifndef NNLUA_LUA_PROPERTY_H
#define NNLUA_LUA_PROPERTY_H

#include <lua.h>

typedef struct Property {
  const char *name;
  void (*get)(lua_State *L, int tensor_index);                  /* pushes one value */
  void (*set)(lua_State *L, int tensor_index, int value_index); /* NULL: can't be set */
} Property;

#endif
