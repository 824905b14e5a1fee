/* Activations' forwards in C, as they cost little more than being called. */
#include "nn/forward.h"
#include "ops/math/activation.h"
#include "ops/math/exponential.h"
#include "ops/math/trigonometric.h"

typedef enum Activation { RELU, TANH, SIGMOID } Activation;

static Tensor *activate(Call *call, Activation which, Tensor *x)
{
  switch (which) {
    case TANH: return op(tanh, x);
    case SIGMOID: return op(sigmoid, x);
    default: return op(relu, x, false);
  }
}

static int apply_activation(lua_State *L, Context *ctx, Activation which, const TensorBox *x, TensorBox *box)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  box_fill(box, activate(&call, which, x->tensor));
  entry_leave(ctx, &entry);
  return return_result(L, box, x->flags, 2, 1);
}

static int forward(lua_State *L, Activation which, bool in_call, const TensorBox *x)
{
  Context *ctx = ((ModuleBox *)lua_touserdata(L, 1))->nn->ctx;
  return apply_activation(L, ctx, which, x, push_result(L, ctx, in_call));
}

/* forward(m, x): relu(x), or x:relu_() if m.inplace is true */
static int relu_forward(lua_State *L)
{
  bool in_call = runs_in_call(L);
  const TensorBox *x = forward_input(L, in_call);
  push_attributes(L, 1);
  push_attribute(L, 3, in_call, CALL_INPLACE, "inplace");
  bool inplace = lua_toboolean(L, -1);
  lua_settop(L, 2);
  if (!inplace) return forward(L, RELU, in_call, x);
  lua_getfield(L, 2, "relu_");
  lua_insert(L, 2);
  lua_call(L, 1, 1);
  return 1;
}

/* forward(m, x) */
static int tanh_forward(lua_State *L)
{
  bool in_call = runs_in_call(L);
  return forward(L, TANH, in_call, forward_input(L, in_call));
}

static int sigmoid_forward(lua_State *L)
{
  bool in_call = runs_in_call(L);
  return forward(L, SIGMOID, in_call, forward_input(L, in_call));
}

const luaL_Reg activation_functions[] = {
  {"relu_forward", relu_forward},
  {"tanh_forward", tanh_forward},
  {"sigmoid_forward", sigmoid_forward},
  {NULL, NULL},
};
