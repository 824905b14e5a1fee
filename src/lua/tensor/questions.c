/* What a tensor is like: x:size(), x:stride(), x:numel(), x:is_contiguous() and their kin. */
#include <string.h>

#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/parse.h"

/* A dimension from Lua as a 0-based one. */
static int check_dim(lua_State *L, int index, const Tensor *t, const char *function)
{
  int is_integer;
  lua_Integer dim = lua_tointegerx(L, index, &is_integer);
  int n = t->ndim ? t->ndim : 1;
  if (!is_integer || lua_type(L, index) != LUA_TNUMBER)
    user_error(L, "%s: argument 'dim': an integer expected, got %s", function, type_name(L, index));
  if (dim == 0) user_error(L, "%s: argument 'dim' is 0: dimensions count from 1", function);
  if (dim > n || dim < -n)
    user_error(L, "%s: dimension %I is out of range for a tensor of %d dimension%s", function, (LUAI_UACINT)dim,
               t->ndim, t->ndim == 1 ? "" : "s");
  return (int)(dim < 0 ? dim + n : dim - 1);
}

/* The dimension at 2 or named dim; -1 if there is none. */
static int optional_dim(lua_State *L, const Tensor *t, const char *function)
{
  static const char *const names[] = {"dim", NULL};
  arguments_merge(L, function, 2, names);
  if (lua_isnil(L, 2)) return -1;
  int dim = check_dim(L, 2, t, function);
  if (t->ndim == 0) user_error(L, "%s: a 0-dim tensor has no dimension 1", function);
  return dim;
}

/* All numbers, or that of the dimension asked for. */
static int push_sizes(lua_State *L, const Tensor *t, Ints sizes, const char *function)
{
  int dim = optional_dim(L, t, function);
  if (dim < 0) push_size(L, sizes);
  else lua_pushinteger(L, sizes.v[dim]);
  return 1;
}

static int tensor_size(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  return push_sizes(L, t, tensor_shape(t), "size");
}

static int tensor_stride(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  return push_sizes(L, t, tensor_strides(t), "stride");
}

#define INTEGER_METHOD(name, value)           \
  static int name(lua_State *L)               \
  {                                           \
    const Tensor *t = tensor_check(L, 1);     \
    lua_pushinteger(L, (lua_Integer)(value)); \
    return 1;                                 \
  }
#define BOOLEAN_METHOD(name, value)       \
  static int name(lua_State *L)           \
  {                                       \
    const Tensor *t = tensor_check(L, 1); \
    lua_pushboolean(L, value);            \
    return 1;                             \
  }
INTEGER_METHOD(tensor_numel, t->numel)
INTEGER_METHOD(tensor_dim, t->ndim)
INTEGER_METHOD(tensor_storage_offset, t->offset)
INTEGER_METHOD(tensor_element_size, dtype_size(tensor_dtype(t)))
INTEGER_METHOD(tensor_get_device, t ? -1 : 0) /* which one of several: as PyTorch's of the CPU and of meta */
INTEGER_METHOD(tensor_data_ptr, t->numel ? (intptr_t)tensor_data(t) : 0)
BOOLEAN_METHOD(tensor_floating, dtype_is_floating(tensor_dtype(t)))
BOOLEAN_METHOD(tensor_signed, t->dtype != DTYPE_b8 && t->dtype != DTYPE_u8)
BOOLEAN_METHOD(tensor_complex, dtype_is_complex(tensor_dtype(t)))
BOOLEAN_METHOD(tensor_lazy, t == NULL)      /* whether something is left to be conjugated or negated later: never */
BOOLEAN_METHOD(tensor_elsewhere, t == NULL) /* whether it is in memory of another kind: never */
BOOLEAN_METHOD(tensor_inference, t->is_inference)

/* Whether elements follow each other in memory in the order of dimensions, the last one fastest. */
static bool lies_in_order(const Tensor *t, const int *order)
{
  int64_t expected = 1;
  for (int i = t->ndim - 1; i >= 0; i--) {
    int d = order[i];
    if (t->shape[d] != 1 && t->strides[d] != expected) return false;
    expected *= t->shape[d];
  }
  return true;
}

static int tensor_contiguous(lua_State *L)
{
  static const char *const names[] = {"memory_format", NULL};
  static const int images[] = {0, 2, 3, 1}, volumes[] = {0, 2, 3, 4, 1};
  const Tensor *t = tensor_check(L, 1);
  arguments_merge(L, "is_contiguous", 2, names);
  const char *format = lua_isnoneornil(L, 2) ? "contiguous_format" : lua_tostring(L, 2);
  if (format && strcmp(format, "contiguous_format") == 0) lua_pushboolean(L, t->is_contiguous);
  else if (format && strcmp(format, "channels_last") == 0) lua_pushboolean(L, t->ndim == 4 && lies_in_order(t, images));
  else if (format && strcmp(format, "channels_last_3d") == 0)
    lua_pushboolean(L, t->ndim == 5 && lies_in_order(t, volumes));
  else
    return user_error(L,
                      "is_contiguous: memory_format is nl.contiguous_format, nl.channels_last or "
                      "nl.channels_last_3d, not %s",
                      format ? format : type_name(L, 2));
  return 1;
}

static int tensor_same_size(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  lua_pushboolean(L, tensor_same_shape(t, tensor_check(L, 2)));
  return 1;
}

/* Whether the one element of a tensor is not 0. */
static int tensor_nonzero(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  if (t->numel != 1)
    return user_error(L, "is_nonzero: a tensor of %I elements is neither true nor false; x:any() or x:all() tell",
                      (LUAI_UACINT)t->numel);
  if (t->device == DEVICE_META) return user_error(L, "is_nonzero: %s", why_no_elements(t));
  tell_reading(L, t, "is_nonzero");
  Scalar s = tensor_item(t);
  lua_pushboolean(L, s.kind <= SCALAR_INT ? s.i != 0 : s.re != 0 || s.im != 0);
  return 1;
}

/* Whether two tensors are the same elements of one memory, of one shape and order. */
static int tensor_is_set_to(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1), *other = tensor_check(L, 2);
  lua_pushboolean(L, t->storage == other->storage && t->offset == other->offset && tensor_same_shape(t, other)
                       && shape_equal(tensor_strides(t), tensor_strides(other)));
  return 1;
}

/* Whether strides, and where they are equal the places of dimensions, tell one order. */
static bool has_one_order(const Tensor *t)
{
  for (int a = 0; a < t->ndim; a++)
    for (int b = a + 1; b < t->ndim; b++)
      if (t->strides[a] == t->strides[b] || t->shape[a] == 1 || t->shape[b] == 1) return false;
  return true;
}

/* x:dim_order({ambiguity_check = …}): the dimensions from the outermost one in memory to the innermost. */
static int tensor_dim_order(lua_State *L)
{
  static const char *const names[] = {"ambiguity_check", NULL};
  const Tensor *t = tensor_check(L, 1);
  arguments_merge(L, "dim_order", 2, names);
  if (argument_bool(L, "dim_order", "ambiguity_check", 2, false) && !has_one_order(t))
    return user_error(L, "dim_order: strides %s tell no single order of dimensions",
                      (push_size(L, tensor_strides(t)), luaL_tolstring(L, -1, NULL)));
  int64_t order[MAX_DIMS];
  for (int i = 0; i < t->ndim; i++) {
    int k = i;
    for (; k > 0 && t->strides[order[k - 1] - 1] < t->strides[i]; k--) order[k] = order[k - 1];
    order[k] = i + 1;
  }
  push_size(L, (Ints){order, t->ndim});
  return 1;
}

static int nl_is_tensor(lua_State *L)
{
  luaL_checkany(L, 1);
  lua_pushboolean(L, tensor_test(L, 1) != NULL);
  return 1;
}

const luaL_Reg question_functions[] = {{"is_tensor", nl_is_tensor},
                                       {"numel", tensor_numel},
                                       {"is_floating_point", tensor_floating},
                                       {"is_complex", tensor_complex},
                                       {"is_conj", tensor_lazy},
                                       {"is_neg", tensor_lazy},
                                       {"is_signed", tensor_signed},
                                       {"is_same_size", tensor_same_size},
                                       {"is_nonzero", tensor_nonzero},
                                       {"get_device", tensor_get_device},
                                       {"is_inference", tensor_inference},
                                       {"is_distributed", tensor_elsewhere},
                                       {NULL, NULL}};

const luaL_Reg question_methods[] = {{"size", tensor_size},
                                     {"stride", tensor_stride},
                                     {"numel", tensor_numel},
                                     {"nelement", tensor_numel},
                                     {"dim", tensor_dim},
                                     {"ndimension", tensor_dim},
                                     {"storage_offset", tensor_storage_offset},
                                     {"element_size", tensor_element_size},
                                     {"get_device", tensor_get_device},
                                     {"data_ptr", tensor_data_ptr},
                                     {"is_contiguous", tensor_contiguous},
                                     {"is_floating_point", tensor_floating},
                                     {"is_complex", tensor_complex},
                                     {"is_conj", tensor_lazy},
                                     {"is_neg", tensor_lazy},
                                     {"is_signed", tensor_signed},
                                     {"is_same_size", tensor_same_size},
                                     {"is_nonzero", tensor_nonzero},
                                     {"is_inference", tensor_inference},
                                     {"is_distributed", tensor_elsewhere},
                                     {"is_pinned", tensor_elsewhere},
                                     {"is_shared", tensor_elsewhere},
                                     {"is_set_to", tensor_is_set_to},
                                     {"dim_order", tensor_dim_order},
                                     {NULL, NULL}};
