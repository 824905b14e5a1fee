/* nl.frombuffer: tensors from the bytes of strings. */
#include <string.h>

#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/parse.h"

/* A count of bytes or elements: the integer at an index, or `otherwise` if nothing is there. */
static lua_Integer quantity(lua_State *L, const char *name, int index, lua_Integer otherwise)
{
  int is_integer;
  if (lua_isnil(L, index)) return otherwise;
  lua_Integer n = lua_tointegerx(L, index, &is_integer);
  if (!is_integer || lua_type(L, index) != LUA_TNUMBER)
    user_error(L, "frombuffer: argument '%s': an integer expected, got %s", name, type_name(L, index));
  return n;
}

/*
 * nl.frombuffer(string, dtype, count = -1, offset = 0, requires_grad = false): a new tensor of one dimension that holds
 * a string's bytes, from an offset in bytes on, as elements in the machine's order; all there are if count is negative.
 */
int nl_frombuffer(lua_State *L)
{
  static const char *const names[] = {"dtype", "count", "offset", "requires_grad", NULL};
  size_t length;
  if (lua_type(L, 1) != LUA_TSTRING) return user_error(L, "frombuffer: a string expected, got %s", luaL_typename(L, 1));
  const char *bytes = lua_tolstring(L, 1, &length);
  arguments_merge(L, "frombuffer", 2, names);
  DType dtype;
  if (!dtype_test(L, 2, &dtype))
    return user_error(L, "frombuffer: argument 'dtype': a dtype such as nl.uint8 expected");
  lua_Integer count = quantity(L, "count", 3, -1), offset = quantity(L, "offset", 4, 0);
  bool requires_grad = argument_bool(L, "frombuffer", "requires_grad", 5, false);
  const lua_Integer size = (lua_Integer)dtype_size(dtype);
  if (offset < 0 || offset > (lua_Integer)length)
    return user_error(L, "frombuffer: offset %I is outside of the string's %I bytes", offset, (lua_Integer)length);
  lua_Integer rest = (lua_Integer)length - offset;
  if (count < 0 && rest % size)
    return user_error(L, "frombuffer: %I bytes are no whole number of %s elements of %I bytes", rest, dtype_name(dtype),
                      size);
  if (count < 0) count = rest / size;
  if (count > rest / size)
    return user_error(L, "frombuffer: %I elements of %I bytes are more than the %I bytes there are", count, size, rest);
  if (requires_grad && !dtype_is_inexact(dtype))
    return user_error(L, "frombuffer: a %s tensor can't require gradients", dtype_name(dtype));
  Tensor *t = push_new_tensor(L, context_of(L), dtype, DEVICE_CPU, INTS(count))->tensor;
  if (count) memcpy(tensor_data(t), bytes + offset, (size_t)(count * size));
  if (dtype == DTYPE_b8)
    for (int64_t i = 0; i < count; i++) ((uint8_t *)tensor_data(t))[i] = bytes[offset + i] != 0;
  t->requires_grad = requires_grad;
  return 1;
}
