/* Gradients from Lua: fields and methods of tensors, nl.autograd. */
#ifndef NNLUA_LUA_AUTOGRAD_H
#define NNLUA_LUA_AUTOGRAD_H

#include "lua/binding.h"
#include "lua/property.h"

/* x.grad and its kin; a row without name ends them. */
extern const Property autograd_properties[];

/*
 * Makes nl.autograd in the table at `nl` and adds methods of tensors to the one at `members`; sets the core's
 * callbacks.
 */
void open_autograd(lua_State *L, int nl, int members);

#endif
