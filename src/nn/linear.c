/* Linear's forward in C: small networks spend their time around the product, not in it. */
#include "nn/forward.h"
#include "ops/linalg/matmul.h"

TensorBox *forward_input(lua_State *L, bool in_call)
{
  if (!in_call) module_check(L, 1);
  const int given = lua_gettop(L) - 1; /* self */
  if (given != 1) user_error(L, "%s: one input was expected, got %d", push_class_name(L, 1), given);
  TensorBox *x = box_test(L, 2);
  if (x) return x;
  if (lua_istable(L, 2)) { /* {input = x} */
    if (lua_getfield(L, 2, "input") != LUA_TNIL) lua_replace(L, 2);
    lua_settop(L, 2);
    x = box_test(L, 2);
  }
  if (!x) user_error(L, "%s: the input must be a tensor, not %s", push_class_name(L, 1), describe(L, 2));
  return x;
}

/* Puts the product in a box. Stack: the module, x, bias, weight, the box. */
static int multiply(lua_State *L, Context *ctx, TensorBox *box, uint32_t flags, Tensor *x, Tensor *weight, Tensor *bias)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call here = {.ctx = ctx}, *call = &here;
  box_fill(box, op(linear, x, weight, bias));
  entry_leave(ctx, &entry);
  return return_result(L, box, flags, 2, 3);
}

static int no_weight(lua_State *L)
{
  if (is_uninitialized(L, 4))
    return user_error(L, "%s: weight is uninitialized; calling the module, not its forward, gives it a shape",
                      push_class_name(L, 1));
  return user_error(L, "%s: weight is %s, not a tensor", push_class_name(L, 1), describe(L, 4));
}

/* forward(m, x): functional.linear(x, m.weight, m.bias) */
static int linear_module_forward(lua_State *L)
{
  bool in_call = runs_in_call(L);
  const TensorBox *x = forward_input(L, in_call);
  const ModuleBox *m = lua_touserdata(L, 1);
  push_attributes(L, 1);
  push_attribute(L, 3, in_call, CALL_WEIGHT, "weight");
  push_attribute(L, 3, in_call, CALL_BIAS, "bias");
  lua_replace(L, 3);
  const TensorBox *weight = box_test(L, 4), *bias = box_test(L, 3);
  if (!weight) return no_weight(L);
  if (!bias && !lua_isnil(L, 3))
    return user_error(L, "%s: bias is %s, not a tensor", push_class_name(L, 1), describe(L, 3));
  uint32_t flags = x->flags | weight->flags | (bias ? bias->flags : 0);
  TensorBox *box = push_result(L, m->nn->ctx, in_call);
  return multiply(L, m->nn->ctx, box, flags, x->tensor, weight->tensor, bias ? bias->tensor : NULL);
}

const luaL_Reg linear_functions[] = {
  {"linear_forward", linear_module_forward},
  {NULL, NULL},
};
