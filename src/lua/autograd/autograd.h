/* What the files of this folder give to open.c, which makes nl.autograd of them, and to each other. */
#ifndef NNLUA_LUA_AUTOGRAD_AUTOGRAD_H
#define NNLUA_LUA_AUTOGRAD_AUTOGRAD_H

#include "autograd/node.h"
#include "lua/binding.h"

/* Lists of functions end with a row of NULLs. */
extern const luaL_Reg gradient_methods[], /* gradient_fields.c: requires_grad_, detach_, retain_grad */
  backward_functions[];                   /* backward.c: backward, grad */

/* x.data = other, without a look at what other is (gradient_fields.c). */
void replace_data(lua_State *L, Tensor *t, const Tensor *other);

/* Adds get_gradient_edge and increment_version to autograd.graph, on top of the stack (gradient_edge.c). */
void open_gradient_edge(lua_State *L);

/* Pushes the tensor that a gradient edge at an index stands for; false, and nothing, if it is none. */
bool push_edge_tensor(lua_State *L, int index);

/* Adds queue_callback to autograd.graph, on top of the stack (backward_callbacks.c). */
void open_backward_callbacks(lua_State *L);

/* Calls what was queued in the backward that has just ended, if it is done; forgets it if not. */
void run_queued_callbacks(lua_State *L, Context *ctx, bool done);

/* loss:backward() */
int tensor_backward(lua_State *L);

/* autograd.grad with is_grads_batched: its merged arguments are all of the stack; grad is autograd.grad. */
int batched_grad(lua_State *L, lua_CFunction grad);

/*
 * register_multi_grad_hook(tensors, fn, mode = "all"): once a backward pass that reaches any of the tensors, fn gets a
 * table of all gradients that it brings, nl.none for the others, when the last has come; with mode "any" the first.
 */
int register_multi_grad_hook(lua_State *L);

/* Sets the core's callbacks of anomaly mode. */
void open_anomaly(Context *ctx);

/*
 * Adds to nl.autograd, on top of the stack, Function and once_differentiable, and sets the core's callback. Functions
 * with a backward of their own:
 *
 *   local Exp = nl.autograd.Function("Exp")
 *   function Exp.forward(ctx, x) local y = x:exp() ctx:save_for_backward(y) return y end
 *   function Exp.backward(ctx, dy) return dy * ctx.saved_tensors[1] end
 *   local y = Exp.apply(x)
 */
void open_custom_function(lua_State *L);

/* The running backward of a host's node: the gradients of its outputs, and (references) of its inputs. */
typedef struct Applying {
  Call *call;
  Node *node;
  Tensor *const *dy;
  Tensor **dx;
} Applying;

#endif
