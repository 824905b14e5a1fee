/* Parameters, and what conversions of modules do to tensors. */
#include "lua/autograd/autograd.h"
#include "lua/named_arguments.h"
#include "lua/tensor/tensor.h"
#include "nn/module.h"

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
  static const char *const names[] = {"requires_grad", NULL};
  if (lua_gettop(L) == 0) lua_pushnil(L);
  const Tensor *t = tensor_test(L, 1);
  if (!t && !lua_isnil(L, 1)) return user_error(L, "Parameter: a tensor was expected, got %s", describe(L, 1));
  arguments_merge(L, "Parameter", 2, names);
  bool requires_grad = argument_bool(L, "Parameter", "requires_grad", 2, true);
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
  lua_pushboolean(L, t ? t->is_parameter : is_uninitialized(L, 1));
  return 1;
}

static int is_tensor(lua_State *L)
{
  lua_pushboolean(L, tensor_test(L, 1) != NULL);
  return 1;
}

/* ----------------------------------------------------------- uninitialized */

static void check_uninitialized(lua_State *L)
{
  if (!is_uninitialized(L, 1)) user_error(L, "an uninitialized Parameter was expected, got %s", describe(L, 1));
}

static int uninitialized_field(lua_State *L)
{
  int i = (int)luaL_checkinteger(L, 2);
  luaL_argcheck(L, i >= 1 && i <= TENSOR_USER_VALUES, 2, "out of range");
  return i;
}

/* uninitialized(metatable): see is_uninitialized. It has TENSOR_USER_VALUES fields, for Lua to use. */
static int uninitialized(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  TensorBox *box = lua_newuserdatauv(L, sizeof *box, TENSOR_USER_VALUES);
  *box = (TensorBox){.kind = KIND_UNINITIALIZED};
  lua_pushvalue(L, 1);
  lua_setmetatable(L, -2);
  return 1;
}

/* get_field(p, i) */
static int get_field(lua_State *L)
{
  check_uninitialized(L);
  lua_getiuservalue(L, 1, uninitialized_field(L));
  return 1;
}

/* set_field(p, i, value) */
static int set_field(lua_State *L)
{
  check_uninitialized(L);
  int i = uninitialized_field(L);
  lua_settop(L, 3);
  lua_setiuservalue(L, 1, i);
  return 0;
}

static int test_uninitialized(lua_State *L)
{
  lua_pushboolean(L, is_uninitialized(L, 1));
  return 1;
}

/* materialize(p, parameter): p becomes the tensor, and its userdata. Nothing may refer to the parameter's own. */
static int materialize(lua_State *L)
{
  check_uninitialized(L);
  const Tensor *t = tensor_check(L, 2);
  if (!t->is_parameter || t->grad_fn) return user_error(L, "a Parameter was expected");
  TensorBox *box = lua_touserdata(L, 1);
  for (int i = 1; i <= TENSOR_USER_VALUES; i++) {
    lua_pushnil(L);
    lua_setiuservalue(L, 1, i);
  }
  box_init(box);
  push_tensor_metatable(L);
  lua_setmetatable(L, 1);
  box->tensor = tensor_retain((Tensor *)t);
  lua_settop(L, 1);
  return 1;
}

/* ------------------------------------------------------------- conversions */

/* adopt(t, other): t becomes what other is, elements and dtype, and stays the same tensor */
static int adopt(lua_State *L)
{
  Tensor *t = tensor_check(L, 1), *other = tensor_check(L, 2);
  replace_data(L, t, other);
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
  {"parameter", parameter},         {"is_parameter", is_parameter},
  {"is_tensor", is_tensor},         {"adopt", adopt},
  {"same_shape", same_shape},       {"category", category},
  {"uninitialized", uninitialized}, {"is_uninitialized", test_uninitialized},
  {"get_field", get_field},         {"set_field", set_field},
  {"materialize", materialize},     {NULL, NULL},
};
