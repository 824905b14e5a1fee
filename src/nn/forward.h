/* What forward functions in C share. */
#ifndef NNLUA_NN_FORWARD_H
#define NNLUA_NN_FORWARD_H

#include "lua/call.h"
#include "lua/autograd/carriers.h"
#include "lua/pressure.h"
#include "nn/module.h"

/*
 * A forward in C without upvalues runs in the frame of module_call, and finds module_call's upvalues: interned names,
 * the metatable of tensors. Called as a function of its own, in a Lua method or behind hooks, it has none of them.
 */
static inline bool runs_in_call(lua_State *L) { return lua_type(L, lua_upvalueindex(CALL_TENSORS)) == LUA_TTABLE; }

/* Pushes an attribute as reading m[name] gives it, at no cost where it is one of the instance. */
static inline void push_attribute(lua_State *L, int attributes, bool in_call, int upvalue, const char *name)
{
  if (in_call) lua_pushvalue(L, lua_upvalueindex(upvalue));
  else lua_pushstring(L, name);
  if (lua_rawget(L, attributes) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_getfield(L, 1, name);
}

/* As push_box. */
static inline TensorBox *push_result(lua_State *L, Context *ctx, bool in_call)
{
  if (!in_call) return push_box(L, ctx);
  pressure_look(L, ctx);
  TensorBox *box = lua_newuserdatauv(L, sizeof *box, TENSOR_USER_VALUES);
  box_init(box);
  lua_pushvalue(L, lua_upvalueindex(CALL_TENSORS));
  lua_setmetatable(L, -2);
  return box;
}

/* As finish_results for the one result on top of the stack; flags are those of all arguments' boxes. */
static inline int return_result(lua_State *L, const TensorBox *box, uint32_t flags, int first_arg, int nargs)
{
  if (flags | (box->tensor->base != NULL)) finish_results(L, first_arg, nargs, lua_gettop(L), 1);
  return 1;
}

/* Brings the arguments (m, x) of a forward into place, where x may be {input = x}, and returns x. */
TensorBox *forward_input(lua_State *L, bool in_call);

#endif
