/*
 * The border of a module: aliases of tensors behind one node of the graph, whose backward calls a Lua function.
 *
 * A module with backward hooks makes two when it is called. At its entry it reserves a sequence number, wraps its
 * inputs with it, and after forward its outputs with a number of their own, tied to the first node:
 *
 *   sequence = border_reserve(ctx)                                 nl.autograd._reserve_sequence()
 *   inputs, entry  = border_node(args, on_inputs, sequence, none)  nl.autograd._border(args, on_inputs, sequence)
 *   outputs, _     = border_node(results, on_outputs, new, entry)  nl.autograd._border(results, on_outputs, nil, entry)
 *
 * The engine runs the highest number first, so on_outputs runs when the gradients of the results are known, and
 * on_inputs after every node made within the call: with nl.none for inputs that no gradient reached or that want
 * none, and even if no input wants any, since on_outputs's node waits for it. If only a weight's gradient is asked
 * for (autograd.grad), or no result requires a gradient, on_inputs does not run.
 *
 * The function gets a table of gradients {n = n, …} with nl.none where there is none. It returns nothing to keep
 * them, or a table of as many in their place. An alias is a view of the tensor, of the same storage and version
 * counter, and a change in place within the module goes through the border too.
 */
#ifndef NNLUA_LUA_AUTOGRAD_MODULE_BORDER_H
#define NNLUA_LUA_AUTOGRAD_MODULE_BORDER_H

#include "lua/binding.h"

/* A number that comes before those of all nodes made from now on. */
uint64_t border_reserve(Context *ctx);

/*
 * Pushes n values, those from `first` on with aliases in place of the tensors whose gradients are wanted, and then
 * the node (or nil if no gradients are recorded or, without `inside`, none is wanted). sequence 0: a new one.
 * inside is the index of the node of the entry, or 0.
 */
void border_node(lua_State *L, int first, int n, int function, uint64_t sequence, int inside);

/* Runs a border's backward; what the node's carrier has in `border` is the function. Part of Host.node_apply. */
struct Applying;
void border_apply(lua_State *L, struct Applying *a, int carrier);

/* What the node of the outputs sends to that of the inputs when it has run. */
void border_signal(Call *call, struct Node *node, Tensor **dx);

extern const luaL_Reg border_functions[];

#endif
