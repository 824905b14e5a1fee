/* Linear's forward in C: small networks spend their time around the product, not in it. */
#include "lua/call.h"
#include "nn/module.h"

/* An attribute as reading m[name] gives it, at no cost where it is one of the instance. */
static Tensor *push_attribute(lua_State *L, int attributes, const char *name)
{
  if (lua_getfield(L, attributes, name) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_getfield(L, 1, name);
  }
  return tensor_test(L, -1);
}

/* Puts the product in a box. Stack: the module, its attributes, x, weight, bias, the box. */
static int multiply(lua_State *L, Context *ctx, TensorBox *box, Tensor *x, Tensor *weight, Tensor *bias)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call here = {.ctx = ctx}, *call = &here;
  box_fill(box, op(linear, x, weight, bias));
  entry_leave(ctx, &entry);
  finish_results(L, 3, 3, 6, 1);
  return 1;
}

/* forward(m, x): functional.linear(x, m.weight, m.bias) */
static int linear_module_forward(lua_State *L)
{
  const ModuleBox *m = module_check(L, 1);
  if (lua_gettop(L) != 2) return user_error(L, "Linear: one input was expected, got %d", lua_gettop(L) - 1);
  if (lua_istable(L, 2)) { /* {input = x} */
    if (lua_getfield(L, 2, "input") != LUA_TNIL) lua_replace(L, 2);
    lua_settop(L, 2);
  }
  Tensor *x = tensor_test(L, 2);
  if (!x) return user_error(L, "Linear: the input must be a tensor, not %s", describe(L, 2));
  lua_getiuservalue(L, 1, ATTRIBUTES);
  lua_insert(L, 2);
  Tensor *weight = push_attribute(L, 2, "weight");
  Tensor *bias = push_attribute(L, 2, "bias");
  if (!weight) return user_error(L, "Linear: weight is %s, not a tensor", describe(L, 4));
  TensorBox *box = push_box(L, m->nn->ctx);
  return multiply(L, m->nn->ctx, box, x, weight, bias);
}

const luaL_Reg linear_functions[] = {
  {"linear_forward", linear_module_forward},
  {NULL, NULL},
};
