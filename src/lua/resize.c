/* x:resize_(size) and x:resize_as_(other): another shape for the memory that a tensor has, or for more. */
#include "autograd/inplace.h"
#include "core/shape.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/size.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"

typedef struct Resizing {
  Tensor *t;
  Ints shape;
} Resizing;

/* The elements of t, as they lie in memory, in the first places of a new tensor of zeros. */
static Tensor *in_more_memory(Call *call, Tensor *t, Ints shape, int64_t room)
{
  Tensor *larger = op(zeros, shape, tensor_dtype(t), (Device)t->device, false);
  Ints n = INTS(room);
  if (room > 0) op_(copy, tensor_view(call, larger, n, INTS(1), 0), tensor_view(call, t, n, INTS(1), t->offset), false);
  return larger;
}

static void resize(Call *call, void *data)
{
  Resizing *r = data;
  Tensor *t = r->t;
  int64_t strides[MAX_DIMS], wanted = shape_numel(call, r->shape);
  shape_contiguous_strides(r->shape, strides);
  int64_t room = t->storage ? (int64_t)(t->storage->bytes / dtype_size(tensor_dtype(t))) - t->offset : 0;
  bool fits = t->device == DEVICE_META || wanted <= room;
  Tensor *other = fits && t->storage ? tensor_view(call, t, r->shape, (Ints){strides, r->shape.n}, t->offset)
                                     : in_more_memory(call, t, r->shape, t->device == DEVICE_META ? 0 : room);
  tensor_replace_data(call, t, other);
}

static int run(lua_State *L, const char *function, Tensor *t, Ints shape)
{
  if (tensor_requires_grad(t))
    return user_error(
      L, "%s: the tensor requires a gradient, whose shape would be another one; reshape gives a new one", function);
  if (!shape_equal(tensor_shape(t), shape)) core_run(L, t->ctx, resize, &(Resizing){t, shape});
  lua_settop(L, 1);
  return 1;
}

/* x:resize_(2, 3), x:resize_({2, 3}) */
static int tensor_resize(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  int64_t sizes[MAX_DIMS];
  Ints given;
  if (size_test(L, 2, &given)) return run(L, "resize_", t, given);
  bool table = lua_istable(L, 2);
  int64_t n = table ? (int64_t)lua_rawlen(L, 2) : lua_gettop(L) - 1;
  if (n > MAX_DIMS) return user_error(L, "resize_: a tensor has at most %d dimensions", MAX_DIMS);
  for (int i = 0; i < (int)n; i++) {
    if (table) lua_rawgeti(L, 2, i + 1);
    else lua_pushvalue(L, i + 2);
    int is_whole = 0;
    sizes[i] = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_whole) : -1;
    if (!is_whole || sizes[i] < 0)
      return user_error(L, "resize_: size %d is no size but %s", i + 1, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
  }
  return run(L, "resize_", t, (Ints){sizes, n});
}

static int tensor_resize_as(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  return run(L, "resize_as_", t, tensor_shape(tensor_check(L, 2)));
}

const luaL_Reg resize_methods[] = {{"resize_", tensor_resize}, {"resize_as_", tensor_resize_as}, {NULL, NULL}};
