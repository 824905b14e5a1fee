/* nl.autograd.graph.register_multi_grad_hook: one hook for the gradients of several tensors. */
#ifndef NNLUA_LUA_MULTI_HOOK_H
#define NNLUA_LUA_MULTI_HOOK_H

#include "lua/binding.h"

/*
 * register_multi_grad_hook(tensors, fn, mode = "all"): once a backward pass that reaches any of the tensors, fn gets a
 * table of all gradients that it brings, nl.none for the others, when the last has come; with mode "any" the first.
 */
int register_multi_grad_hook(lua_State *L);

#endif
