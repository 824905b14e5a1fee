/* Nodes of the graph as Lua sees them: x.grad_fn. */
#ifndef NNLUA_LUA_AUTOGRAD_GRAD_FN_H
#define NNLUA_LUA_AUTOGRAD_GRAD_FN_H

#include "autograd/node.h"
#include "lua/binding.h"

void open_graph(lua_State *L);

/* Pushes a node (a reference is added) that is behind the tensor at an index, which it keeps. */
void push_node(lua_State *L, Node *node, int tensor);

/* The same for a node that is still to come: returns its place, for a counted reference. */
Node **push_node_place(lua_State *L, int tensor);

/* The node at an index, or NULL. */
Node *node_test(lua_State *L, int index);

#endif
