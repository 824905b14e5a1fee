/* x:resize_(size) and x:resize_as_(other): another shape for the memory that a tensor has, or for more. */
#include <string.h>

#include "autograd/inplace.h"
#include "core/shape.h"
#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/tensor/size.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/memory_format.h"

typedef struct Resizing {
  Tensor *t;
  Ints shape;
  const char *format;
  Tensor *like; /* whose order in memory preserve_format takes; NULL: there is none */
} Resizing;

/* The strides that a tensor of the shape has in the format. */
static Ints strides_in(Call *call, const Resizing *r)
{
  DType dtype = tensor_dtype(r->t);
  if (r->like) return tensor_strides(op(empty_like, r->like, dtype, DEVICE_META, false));
  return tensor_strides(op(empty_in, r->shape, dtype, DEVICE_META, false, r->format));
}

/* The elements of t, as they lie in memory, in the first places of a new tensor of zeros. */
static Tensor *in_more_memory(Call *call, Tensor *t, Ints shape, Ints strides, int64_t room)
{
  Tensor *larger = op(zeros, INTS(shape_numel(call, shape)), tensor_dtype(t), (Device)t->device, false);
  larger = tensor_view(call, larger, shape, strides, 0);
  Ints n = INTS(room);
  if (room > 0) op_(copy, tensor_view(call, larger, n, INTS(1), 0), tensor_view(call, t, n, INTS(1), t->offset), false);
  return larger;
}

static void resize(Call *call, void *data)
{
  Resizing *r = data;
  Tensor *t = r->t;
  int64_t wanted = shape_numel(call, r->shape);
  Ints strides = strides_in(call, r);
  int64_t room = t->storage ? (int64_t)(t->storage->bytes / dtype_size(tensor_dtype(t))) - t->offset : 0;
  bool fits = t->device == DEVICE_META || wanted <= room;
  Tensor *other = fits && t->storage ? tensor_view(call, t, r->shape, strides, t->offset)
                                     : in_more_memory(call, t, r->shape, strides, t->device == DEVICE_META ? 0 : room);
  tensor_replace_data(call, t, other);
}

/* The format at an index, NULL if there is none, checked for a tensor of so many dimensions. */
static const char *check_format(lua_State *L, const char *function, int index, int64_t ndim)
{
  if (lua_isnil(L, index)) return NULL;
  const char *format = lua_tostring(L, index);
  if (!format
      || (strcmp(format, "contiguous_format") != 0 && strcmp(format, "preserve_format") != 0
          && strcmp(format, "channels_last") != 0 && strcmp(format, "channels_last_3d") != 0))
    user_error(L, "%s: memory_format is nl.contiguous_format, nl.channels_last or nl.channels_last_3d, not %s",
               function, format ? format : type_name(L, index));
  int64_t needs = strcmp(format, "channels_last") == 0 ? 4 : strcmp(format, "channels_last_3d") == 0 ? 5 : ndim;
  if (ndim != needs)
    user_error(L, "%s: %s is a layout of %I dimensions, not %I", function, format, (LUAI_UACINT)needs,
               (LUAI_UACINT)ndim);
  return format;
}

static int run(lua_State *L, const char *function, Resizing r)
{
  bool moves = r.format || !shape_equal(tensor_shape(r.t), r.shape);
  if (tensor_requires_grad(r.t))
    return user_error(
      L, "%s: the tensor requires a gradient, whose shape would be another one; reshape gives a new one", function);
  if (!r.format) r.format = "contiguous_format";
  if (moves) core_run(L, r.t->ctx, resize, &r);
  lua_settop(L, 1);
  return 1;
}

/* x:resize_(2, 3), x:resize_({2, 3}), and in a memory format x:resize_(2, 3, {memory_format = …}) */
static int tensor_resize(lua_State *L)
{
  static const char *const names[] = {"memory_format", NULL};
  Tensor *t = tensor_check(L, 1);
  int64_t sizes[MAX_DIMS];
  Ints given;
  if (lua_gettop(L) > 2 && lua_istable(L, -1)) arguments_merge(L, "resize_", lua_gettop(L), names);
  else lua_pushnil(L);
  int last = lua_gettop(L);
  bool table = lua_istable(L, 2);
  if (!size_test(L, 2, &given)) {
    int64_t n = table ? (int64_t)lua_rawlen(L, 2) : last - 2;
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
    given = (Ints){sizes, n};
  }
  const char *format = check_format(L, "resize_", last, given.n);
  if (format && strcmp(format, "preserve_format") == 0)
    return user_error(L, "resize_: there is no other tensor whose format could be preserved");
  return run(L, "resize_", (Resizing){t, given, format, NULL});
}

static int tensor_resize_as(lua_State *L)
{
  static const char *const names[] = {"the_template", "memory_format", NULL};
  Tensor *t = tensor_check(L, 1);
  arguments_merge(L, "resize_as_", 2, names);
  Tensor *other = tensor_check(L, 2);
  const char *format = check_format(L, "resize_as_", 3, other->ndim);
  bool preserves = format && strcmp(format, "preserve_format") == 0;
  return run(L, "resize_as_", (Resizing){t, tensor_shape(other), format, preserves ? other : NULL});
}

const luaL_Reg resize_methods[] = {{"resize_", tensor_resize}, {"resize_as_", tensor_resize_as}, {NULL, NULL}};
