/* The dtypes that operations give: promote_types, result_type, can_cast. */
#include "lua/open.h"
#include "lua/parse.h"
#include "ops/table/ops.h"
#include "ops/table/pointwise.h"

static DType check_dtype(lua_State *L, int index, const char *function)
{
  DType d;
  if (!dtype_test(L, index, &d))
    user_error(L, "%s: argument %d: a dtype expected, as nl.float32, got %s", function, index, type_name(L, index));
  return d;
}

static int nl_promote_types(lua_State *L)
{
  DType a = check_dtype(L, 1, "promote_types"), b = check_dtype(L, 2, "promote_types");
  push_dtype(L, dtype_promote(a, b));
  return 1;
}

/* Kinds of numbers go up only: bool, integers, floating ones, complex ones. */
static int nl_can_cast(lua_State *L)
{
  DType from = check_dtype(L, 1, "can_cast"), to = check_dtype(L, 2, "can_cast");
  lua_pushboolean(L, dtype_category(from) <= dtype_category(to));
  return 1;
}

typedef struct Pair {
  Tensor *tensors[2]; /* NULL: a number */
  Scalar numbers[2];
  DType result;
} Pair;

static void find_result_type(Call *call, void *data)
{
  Pair *pair = data;
  for (int i = 0; i < 2; i++)
    if (!pair->tensors[i]) pair->tensors[i] = tensor_from_number(call, pair->numbers[i]);
  pair->result = promote_operands(call, pair->tensors, 2);
  bool numbers = pair->tensors[0]->is_wrapped_number && pair->tensors[1]->is_wrapped_number;
  if (numbers && dtype_is_floating(pair->result)) pair->result = call->ctx->default_dtype;
}

static int nl_result_type(lua_State *L)
{
  Pair pair = {{NULL, NULL}, {NO_SCALAR, NO_SCALAR}, DTYPE_NONE};
  for (int i = 0; i < 2; i++) {
    int index = i + 1, type = lua_type(L, index);
    pair.tensors[i] = tensor_test(L, index);
    if (pair.tensors[i]) continue;
    if (type == LUA_TBOOLEAN) pair.numbers[i] = scalar_bool(lua_toboolean(L, index));
    else if (type != LUA_TNUMBER)
      return user_error(L, "result_type: argument %d: a tensor or a number expected, got %s", index,
                        type_name(L, index));
    else if (lua_isinteger(L, index)) pair.numbers[i] = scalar_int(lua_tointeger(L, index));
    else pair.numbers[i] = scalar_float(lua_tonumber(L, index));
  }
  core_run(L, context_of(L), find_result_type, &pair);
  push_dtype(L, pair.result);
  return 1;
}

const luaL_Reg promotion_functions[] = {
  {"promote_types", nl_promote_types}, {"can_cast", nl_can_cast}, {"result_type", nl_result_type}, {NULL, NULL}};
