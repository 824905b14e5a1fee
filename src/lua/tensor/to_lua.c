/* x:item(), x:tolist() and x:tobytes(): a tensor's elements as Lua's values. */
#include "autograd/transform.h"
#include "lua/open.h"
#include "ops/shape/copy.h"

void need_elements(lua_State *L, const Tensor *t, const char *function)
{
  if (t->device == DEVICE_META) user_error(L, "%s: %s", function, why_no_elements(t));
  tell_reading(L, t, function);
}

static int tensor_item_method(lua_State *L)
{
  const Tensor *t = without_tangents(tensor_check(L, 1));
  need_elements(L, t, "item");
  if (t->numel != 1)
    return user_error(L, "item: the tensor has %I elements; only one becomes a number (see tolist)",
                      (LUAI_UACINT)t->numel);
  Scalar v = tensor_item(t);
  check_lost_files(L, t->ctx);
  switch (v.kind) {
    case SCALAR_BOOL: lua_pushboolean(L, v.i != 0); return 1;
    case SCALAR_INT: lua_pushinteger(L, v.i); return 1;
    case SCALAR_COMPLEX:
      lua_pushnumber(L, v.re);
      lua_pushnumber(L, v.im);
      return 2;
    default: lua_pushnumber(L, v.re); return 1;
  }
}

/* A complex number as nl.complex makes it. */
static void push_complex(lua_State *L, Context *ctx, Scalar v)
{
  const TensorBox *box = push_new_tensor(L, ctx, DTYPE_c128, DEVICE_CPU, (Ints){NULL, 0});
  box->tensor->is_wrapped_number = true;
  scalar_store(v, DTYPE_c128, tensor_data(box->tensor));
}

static void push_element(lua_State *L, const Tensor *t, const char *at)
{
  Scalar v = scalar_load(tensor_dtype(t), at);
  if (v.kind == SCALAR_BOOL) lua_pushboolean(L, v.i != 0);
  else if (v.kind == SCALAR_INT) lua_pushinteger(L, v.i);
  else if (v.kind == SCALAR_FLOAT) lua_pushnumber(L, v.re);
  else push_complex(L, t->ctx, v);
}

static void push_nested(lua_State *L, const Tensor *t, int dim, const char *at)
{
  if (dim == t->ndim) {
    push_element(L, t, at);
    return;
  }
  int64_t n = t->shape[dim], step = t->strides[dim] * (int64_t)dtype_size(tensor_dtype(t));
  if (n > INT32_MAX) user_error(L, "tolist: a dimension of %I is too large for a table", (LUAI_UACINT)n);
  luaL_checkstack(L, 4, "tolist");
  lua_createtable(L, (int)n, 0);
  for (int64_t i = 0; i < n; i++) {
    push_nested(L, t, dim + 1, at + i * step);
    lua_rawseti(L, -2, i + 1);
  }
}

static int tensor_tolist(lua_State *L)
{
  Tensor *t = without_tangents(tensor_check(L, 1));
  need_elements(L, t, "tolist");
  t = push_snapshot(L, context_of(L), t);
  push_nested(L, t, 0, tensor_data(t));
  check_lost_files(L, t->ctx);
  return 1;
}

static Tensor *make_contiguous(Call *call, void *data) { return op(contiguous, data); }

/* x:tobytes(): a string of the elements' bytes in order, as they are in memory; nl.frombuffer reads it. */
static int tensor_tobytes(lua_State *L)
{
  Tensor *t = without_tangents(tensor_check(L, 1));
  need_elements(L, t, "tobytes");
  t = push_snapshot(L, context_of(L), t);
  if (!t->is_contiguous) t = push_made(L, context_of(L), make_contiguous, t)->tensor;
  lua_pushlstring(L, t->numel ? tensor_data(t) : "", tensor_bytes(t));
  check_lost_files(L, t->ctx);
  return 1;
}

const luaL_Reg element_methods[] = {
  {"item", tensor_item_method}, {"tolist", tensor_tolist}, {"tobytes", tensor_tobytes}, {NULL, NULL}};
