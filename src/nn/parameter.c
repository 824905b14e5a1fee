/* Parameters, and what conversions of modules do to tensors. */
#include "nn/module.h"

static bool flag(lua_State *L, int index, const char *name, bool dflt)
{
  if (lua_istable(L, index)) lua_getfield(L, index, name);
  else lua_pushvalue(L, index);
  bool value = lua_isnil(L, -1) ? dflt : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Fills a box with a leaf over the storage of t. */
static int fill_parameter(lua_State *L, Context *ctx, TensorBox *box, const Tensor *t, bool requires_grad)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  Tensor *p = t ? tensor_alias(&call, t) : tensor_new(&call, ctx->default_dtype, DEVICE_CPU, INTS(0));
  p->is_parameter = true;
  p->requires_grad = requires_grad;
  box_fill(box, p);
  entry_leave(ctx, &entry);
  return 1;
}

/* parameter(tensor or nil, requires_grad = true) */
static int parameter(lua_State *L)
{
  lua_settop(L, 2);
  const Tensor *t = tensor_test(L, 1);
  if (!t && !lua_isnil(L, 1)) return user_error(L, "Parameter: a tensor was expected, got %s", describe(L, 1));
  bool requires_grad = flag(L, 2, "requires_grad", true);
  if (t && requires_grad && !dtype_is_inexact(tensor_dtype(t)))
    return user_error(L, "Parameter: a tensor of %s can't require gradients: give requires_grad = false",
                      dtype_name(tensor_dtype(t)));
  Context *ctx = nn_state(L)->ctx;
  TensorBox *box = push_box(L, ctx);
  return fill_parameter(L, ctx, box, t, requires_grad);
}

static int is_parameter(lua_State *L)
{
  const Tensor *t = tensor_test(L, 1);
  lua_pushboolean(L, t && t->is_parameter);
  return 1;
}

static int is_tensor(lua_State *L)
{
  lua_pushboolean(L, tensor_test(L, 1) != NULL);
  return 1;
}

/* adopt(t, other): t becomes what other is, elements and dtype, and stays the same tensor */
static int adopt(lua_State *L)
{
  Tensor *t = tensor_check(L, 1), *other = tensor_check(L, 2);
  Context *ctx = t->ctx;
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  if (t != other) tensor_adopt(t, other);
  entry_leave(ctx, &entry);
  lua_settop(L, 1);
  return 1;
}

/* same_shape(a, b) */
static int same_shape(lua_State *L)
{
  lua_pushboolean(L, tensor_same_shape(tensor_check(L, 1), tensor_check(L, 2)));
  return 1;
}

/* category(t): 0 bool, 1 integers, 2 floating, 3 complex */
static int category(lua_State *L)
{
  DType d;
  const Tensor *t = tensor_test(L, 1);
  if (t) d = tensor_dtype(t);
  else if (!dtype_test(L, 1, &d)) return 0;
  lua_pushinteger(L, dtype_category(d));
  return 1;
}

const luaL_Reg parameter_functions[] = {
  {"parameter", parameter}, {"is_parameter", is_parameter}, {"is_tensor", is_tensor}, {"adopt", adopt},
  {"same_shape", same_shape}, {"category", category},
  {NULL, NULL},
};
