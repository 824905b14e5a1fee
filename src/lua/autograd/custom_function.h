/*
 * Functions with a backward of their own:
 *
 *   local Exp = nl.autograd.Function("Exp")
 *   function Exp.forward(ctx, x) local y = x:exp() ctx:save_for_backward(y) return y end
 *   function Exp.backward(ctx, dy) return dy * ctx.saved_tensors[1] end
 *   local y = Exp.apply(x)
 *
 * For the aliases at a module's border see border.h.
 */
#ifndef NNLUA_LUA_FUNCTION_H
#define NNLUA_LUA_FUNCTION_H

#include "lua/binding.h"

/* Adds Function and once_differentiable to nl.autograd, and sets the core's callback. */
void open_function(lua_State *L, int nl);

/* The running backward of a host's node: the gradients of its outputs, and (references) of its inputs. */
typedef struct Applying {
  Call *call;
  struct Node *node;
  Tensor *const *dy;
  Tensor **dx;
} Applying;

#endif
