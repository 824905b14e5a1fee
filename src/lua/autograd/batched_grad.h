/* autograd.grad with is_grads_batched. */
#ifndef NNLUA_LUA_BATCHED_GRAD_H
#define NNLUA_LUA_BATCHED_GRAD_H

#include "lua/binding.h"

/* The merged arguments of autograd.grad are on the stack, and nothing else; grad is the function itself. */
int batched_grad(lua_State *L, lua_CFunction grad);

#endif
