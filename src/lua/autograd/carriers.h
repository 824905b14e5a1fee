/*
 * How the collector sees behind the graph. The graph is refcounted C and holds no Lua value: a hook that closes
 * over its own model would otherwise never be freed. Instead each node (or leaf) that has Lua values has a
 * *carrier*, a Lua table that holds them, and knows only its number. The registry's table number -> carrier is
 * weak; what keeps a carrier alive is the userdata of every tensor whose graph its node belongs to: in the user
 * value CARRIERS, which is nil, a carrier or a list of carriers and lists. Results share the list of their inputs,
 * so graphs without hooks cost nothing, and a list lives as long as the graph that it stands for.
 *
 * A carrier's fields: id, its number; [1…] lists of tensor hooks by output; [HOOKS_…] other hooks; owner, of a
 * leaf, a weak table with its userdata; class and context of a custom function; border of a module's border; packed,
 * what hooks made of saved tensors, by place; metadata, the user's own values.
 */
#ifndef NNLUA_LUA_AUTOGRAD_CARRIERS_H
#define NNLUA_LUA_AUTOGRAD_CARRIERS_H

#include "lua/binding.h"

void open_carriers(lua_State *L, Context *ctx);

/*
 * After an op: its results carry what its arguments (tensors, or tables of them) carry. To be called when the
 * flags of an argument's box are not 0: a view carries what its base does, which may have come later.
 */
void carriers_link(lua_State *L, int first_arg, int nargs, int first_result, int nresults);

/* The same for an argument that was changed in place: its base carries it too. */
void carriers_link_inplace(lua_State *L, int receiver, int first_arg, int nargs);

/* Pushes what the values at first… carry together: nil, a carrier or a list. */
void push_carried(lua_State *L, int first, int n);

/* Makes the tensor at an index carry the carrier or list at another (or nothing more, if that is nil). */
void carriers_give(lua_State *L, int index, int list);

/* Pushes a new carrier and returns its number. Nothing keeps it but the stack. */
int64_t push_new_carrier(lua_State *L, Context *ctx);

/* Pushes the carrier of a number, or nil if it is gone. */
bool push_carrier(lua_State *L, int64_t id);

/*
 * Keeps a carrier, or all in a list, until the core says that its node is gone or has been applied for the last
 * time: for graphs that no userdata stands for. (A hook registered on a tensor after others were computed from it:
 * they don't know.)
 */
void carriers_pin(lua_State *L, Context *ctx, int list);

/* Lets go of pinned carriers that the core has released. */
void carriers_drain(lua_State *L, Context *ctx);

/*
 * What a backward with create_graph makes may have any of the carriers that its roots and seeds carry behind it,
 * and those of what hooks return. Begin pushes the list that collects them (it must stay on the stack until the
 * end).
 */
void carriers_begin_backward(lua_State *L, int first, int n);
void carriers_end_backward(lua_State *L);
void carriers_note(lua_State *L, int index); /* of a tensor from a hook */
void push_backward_carriers(lua_State *L);   /* nil unless a backward with create_graph is running and there are any */

#endif
