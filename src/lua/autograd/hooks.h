/* Hooks on gradients, and how the core calls Lua. */
#ifndef NNLUA_LUA_AUTOGRAD_HOOKS_H
#define NNLUA_LUA_AUTOGRAD_HOOKS_H

#include "autograd/node.h"
#include "lua/binding.h"

/* Where a carrier keeps hooks that don't belong to one output; those of output i (from 0) stand at i + 1. */
enum { HOOKS_BEFORE = -1, HOOKS_AFTER = -2, HOOKS_ACCUMULATED = -3 };

/* Sets the core's callbacks. */
void open_hooks(lua_State *L, Context *ctx);

/* Methods of tensors. */
int tensor_register_hook(lua_State *L);
int tensor_register_post_accumulate_grad_hook(lua_State *L);

/* The node that a view comes from, brought up to date; NULL for a leaf. */
Node *current_node(lua_State *L, Tensor *t);

/*
 * Pushes the carrier of the node that a tensor at an index comes from (or of the leaf that it is), made if there
 * is none, and sees to it that it lives as long as it can be needed. kinds: the HOOKED_… that it is made for.
 */
void push_tensor_carrier(lua_State *L, Context *ctx, int index, uint8_t kinds);

/* The same for a node behind the tensor at an index; used tells whether other tensors were computed through it. */
void push_node_carrier(lua_State *L, Context *ctx, int index, Node *node, bool used);

/* Adds the function at an index to the carrier's hooks of a slot, and pushes the handle that removes it. */
void add_hook(lua_State *L, int carrier, int slot, int function);

/* Pushes a handle that removes all hooks whose handles are in the table at an index. */
void push_joint_handle(lua_State *L, int handles);

/*
 * Calls f(data) from the core under protection: for callbacks of Host. The modes are those of the core meanwhile. An
 * error, whatever its value, unwinds the core and is raised again where it was entered.
 */
void call_lua(Call *call, lua_CFunction f, void *data);

/* Pushes a gradient for Lua code, or nl.none: it carries what the running backward does. */
void push_gradient(lua_State *L, Context *ctx, Tensor *t);

/* Pushes a table of gradients, {n = n, …} with nl.none where there is none. */
void push_gradients(lua_State *L, Context *ctx, Tensor *const *v, int n);

/*
 * Reads gradients that Lua code has returned, a table of n, into v: an array of borrowed tensors. A tensor must
 * have the shape, dtype and device of the one it replaces, where there is one. `what` names the function in
 * messages.
 */
void read_gradients(lua_State *L, int index, Tensor **v, int n, const char *what);

/* "hook at file:line" of the function at an index, for messages. */
const char *push_function_place(lua_State *L, const char *what, int index);

#endif
