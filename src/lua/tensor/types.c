/* PyTorch's older ways to make tensors: nl.FloatTensor and its kin, and x:new(). */
#include <string.h>

#include "lua/call.h"
#include "lua/open.h"
#include "lua/tensor/size.h"

static const struct {
  const char *name;
  DType dtype; /* DTYPE_NONE: the default one */
} types[] = {{"Tensor", DTYPE_NONE},    {"FloatTensor", DTYPE_f32},     {"DoubleTensor", DTYPE_f64},
             {"HalfTensor", DTYPE_f16}, {"BFloat16Tensor", DTYPE_bf16}, {"ByteTensor", DTYPE_u8},
             {"CharTensor", DTYPE_i8},  {"ShortTensor", DTYPE_i16},     {"IntTensor", DTYPE_i32},
             {"LongTensor", DTYPE_i64}, {"BoolTensor", DTYPE_b8}};

/* The memory of a tensor without its history. */
static int same_elements(lua_State *L, const char *name, DType wanted)
{
  DType own = tensor_dtype(tensor_test(L, 1));
  if (wanted != DTYPE_NONE && own != wanted)
    return user_error(L, "%s: the tensor is of %s: write x:to(nl.%s)", name, dtype_name(own), dtype_name(wanted));
  lua_getfield(L, 1, "detach");
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static void check_sizes(lua_State *L, const char *name)
{
  for (int i = 1; i <= lua_gettop(L); i++) {
    if (lua_isinteger(L, i)) continue;
    user_error(L, "%s: sizes are integers, not %s; elements stand in a table: nl.%s {1, 2}", name,
               luaL_tolstring(L, i, NULL), name);
  }
}

/*
 * A tensor of the arguments on the stack: sizes, of unset elements; or one table of elements; or a tensor, for itself.
 * `name` is what errors call it.
 */
static int make(lua_State *L, Context *ctx, const char *name, DType dtype, Device device)
{
  Ints size;
  if (lua_gettop(L) == 1 && tensor_test(L, 1)) return same_elements(L, name, dtype);
  bool is_data = lua_gettop(L) == 1 && lua_type(L, 1) == LUA_TTABLE;
  if (!is_data && !(lua_gettop(L) == 1 && size_test(L, 1, &size))) check_sizes(L, name);
  if (lua_gettop(L) == 0) lua_pushinteger(L, 0);
  if (is_data) lua_pushcfunction(L, nl_tensor);
  else push_group(L, ctx, "empty", IN_NL);
  lua_insert(L, 1);
  lua_createtable(L, 0, 2);
  push_dtype(L, dtype == DTYPE_NONE ? ctx->default_dtype : dtype);
  lua_setfield(L, -2, "dtype");
  push_device(L, device);
  lua_setfield(L, -2, "device");
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

/* nl.FloatTensor(…) and so on; upvalue 1 says which. */
static int nl_typed_tensor(lua_State *L)
{
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
  return make(L, context_of(L), types[i].name, types[i].dtype, DEVICE_CPU);
}

int tensor_new_like(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  DType dtype = tensor_dtype(t);
  Device device = (Device)t->device;
  lua_remove(L, 1);
  return make(L, context_of(L), "new", dtype, device);
}

/* The dtype that a name such as "FloatTensor" stands for, with or without a library's name before it. */
static bool dtype_of_type(lua_State *L, const char *name, DType *dtype)
{
  const char *dot = strrchr(name, '.');
  if (dot) name = dot + 1;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (strcmp(name, types[i].name) != 0) continue;
    *dtype = types[i].dtype == DTYPE_NONE ? context_of(L)->default_dtype : types[i].dtype;
    return true;
  }
  return false;
}

static int push_type(lua_State *L, DType dtype)
{
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].dtype == dtype) return lua_pushfstring(L, "nnlua.%s", types[i].name), 1;
  lua_pushstring(L, dtype == DTYPE_c64 ? "nnlua.ComplexFloatTensor" : "nnlua.ComplexDoubleTensor");
  return 1;
}

/* x:type(): the name of its kind; x:type(dtype, …): as x:to, where a dtype may also be given by such a name, or by
   nl.FloatTensor and its kin. */
int tensor_type(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  DType dtype;
  if (lua_gettop(L) == 1) return push_type(L, tensor_dtype(t));
  if (lua_type(L, 2) == LUA_TSTRING) {
    if (!dtype_of_type(L, lua_tostring(L, 2), &dtype))
      return user_error(L, "type: \"%s\" is no kind of tensors; \"nnlua.FloatTensor\" is one", lua_tostring(L, 2));
    push_dtype(L, dtype);
    lua_replace(L, 2);
  } else if (lua_tocfunction(L, 2) == nl_typed_tensor) {
    lua_getupvalue(L, 2, 1);
    dtype = types[lua_tointeger(L, -1)].dtype;
    lua_pop(L, 1);
    push_dtype(L, dtype == DTYPE_NONE ? context_of(L)->default_dtype : dtype);
    lua_replace(L, 2);
  }
  lua_getfield(L, 1, "to");
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void open_tensor_types(lua_State *L)
{
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, nl_typed_tensor, 1);
    lua_setfield(L, -2, types[i].name);
  }
}
