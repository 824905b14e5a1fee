/* nl.tensor and nl.as_tensor: tensors of what Lua's tables, numbers and booleans hold. */
#include <string.h>

#include "core/text.h"
#include "lua/named_arguments.h"
#include "lua/number_text.h"
#include "lua/open.h"
#include "lua/tensor/size.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"

/* ------------------------------------------------------- what nested tables hold */

/* What was found in nested lists: their shape, and the kinds of their leaves. */
typedef struct Survey {
  lua_State *L;
  Context *ctx;
  int ndim;
  bool bools, ints, floats;
  DType tensors; /* what tensors among the leaves promote to */
  int64_t shape[MAX_DIMS];
  int64_t path[MAX_DIMS]; /* where the walk is, counted from 1 */
} Survey;

/* "[2][3]": the entry that the walk stands at, `depth` lists deep. */
static const char *path_text(Survey *s, int depth)
{
  luaL_Buffer b;
  char part[32];
  luaL_buffinit(s->L, &b);
  for (int d = 0; d < depth; d++) {
    text_format(part, sizeof part, "[%lld]", (long long)s->path[d]);
    luaL_addstring(&b, part);
  }
  luaL_pushresult(&b);
  return lua_tostring(s->L, -1);
}

/* The length of a list; -1 if the value is none. A table with named fields only is no list. */
static int64_t list_length(lua_State *L, int index)
{
  Ints size;
  if (lua_type(L, index) != LUA_TTABLE) return size_test(L, index, &size) ? size.n : -1;
  return (int64_t)lua_rawlen(L, index);
}

/* Pushes an entry of a list and returns its type. */
static int list_entry(lua_State *L, int index, int64_t i)
{
  Ints size;
  if (lua_type(L, index) == LUA_TTABLE) return lua_rawgeti(L, index, i);
  if (size_test(L, index, &size) && i <= size.n) lua_pushinteger(L, size.v[i - 1]);
  else lua_pushnil(L);
  return lua_type(L, -1);
}

static void check_empty(Survey *s, int depth)
{
  lua_State *L = s->L;
  if (lua_type(L, -1) != LUA_TTABLE) return;
  lua_pushnil(L);
  if (!lua_next(L, -2)) return;
  lua_pop(L, 1);
  const char *field = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  const char *here = depth ? path_text(s, depth) : "the table";
  if (field) user_error(L, "tensor: %s has a field '%s', but data stand in lists", here, field);
  user_error(L, "tensor: %s doesn't begin at [1]", here);
}

/* The shape by the first entry of each list in turn; the value is on top of the stack. */
static void find_shape(Survey *s)
{
  lua_State *L = s->L;
  int top = lua_gettop(L);
  for (int64_t n; (n = list_length(L, -1)) >= 0;) {
    if (s->ndim == MAX_DIMS) user_error(L, "tensor: the tables are nested deeper than %d", MAX_DIMS);
    s->shape[s->ndim++] = n;
    if (n == 0) break;
    luaL_checkstack(L, 4, "tensor");
    list_entry(L, lua_gettop(L), 1);
  }
  lua_settop(L, top);
}

static int wrong_leaf(Survey *s, int depth)
{
  lua_State *L = s->L;
  const char *type = luaL_typename(L, -1), *article = lua_isnil(L, -1) ? "" : "a ";
  const char *here = depth ? path_text(s, depth) : "the argument";
  return user_error(L, "tensor: %s is %s%s; tensors are made of numbers, booleans and tensors of one element", here,
                    article, type);
}

/* nl.complex stands for a number: it is as precise as the default dtype, as a float is. */
static DType own_dtype(const Context *ctx, const Tensor *t)
{
  bool is_number = t->is_wrapped_number && dtype_is_complex(tensor_dtype(t));
  return is_number ? dtype_to_complex(ctx->default_dtype) : tensor_dtype(t);
}

static void see_tensor(Survey *s, const Tensor *t, int depth)
{
  lua_State *L = s->L;
  if (t->numel != 1)
    user_error(L, "tensor: %s is a tensor of %I elements, not one; see nl.stack and nl.cat", path_text(s, depth),
               (LUAI_UACINT)t->numel);
  if (t->device == DEVICE_META) user_error(L, "tensor: %s: %s", path_text(s, depth), why_no_elements(t));
  tell_reading(L, t, "tensor");
  DType dtype = own_dtype(s->ctx, t);
  s->tensors = s->tensors == DTYPE_NONE ? dtype : dtype_promote(s->tensors, dtype);
}

/* Notes the kind of the leaf on top of the stack. */
static void see_leaf(Survey *s, int type, int depth)
{
  if (type == LUA_TNUMBER) {
    if (lua_isinteger(s->L, -1)) s->ints = true;
    else s->floats = true;
  } else if (type == LUA_TBOOLEAN) {
    s->bools = true;
  } else {
    const Tensor *t = tensor_test(s->L, -1);
    if (!t) wrong_leaf(s, depth);
    see_tensor(s, t, depth);
  }
}

static int ragged(Survey *s, int depth, int64_t length)
{
  lua_State *L = s->L;
  const char *here = depth ? path_text(s, depth) : "the table";
  const char *type = tensor_test(L, depth ? -2 : -1) ? "tensor" : luaL_typename(L, depth ? -2 : -1);
  char first[8 * MAX_DIMS] = "";
  for (int d = 0; d < depth; d++) strcat(first, "[1]");
  if (depth == s->ndim) return user_error(L, "tensor: the table is ragged: %s is a table, but %s is not", here, first);
  if (length < 0) return user_error(L, "tensor: the table is ragged: %s is a %s, but %s is a table", here, type, first);
  return user_error(L, "tensor: the table is ragged: %s has %I entries, but %s has %I", here, (LUAI_UACINT)length,
                    first, (LUAI_UACINT)s->shape[depth]);
}

/* Walks the list on top of the stack, which is `depth` lists deep. */
static void see_list(Survey *s, int depth)
{
  lua_State *L = s->L;
  int64_t n = list_length(L, -1);
  if (n != s->shape[depth]) ragged(s, depth, n);
  if (n == 0) check_empty(s, depth);
  int list = lua_gettop(L);
  luaL_checkstack(L, 6, "tensor");
  for (int64_t i = 1; i <= n; i++) {
    s->path[depth] = i;
    int type = list_entry(L, list, i);
    if (depth + 1 < s->ndim) see_list(s, depth + 1);
    else if (type != LUA_TNUMBER && list_length(L, -1) >= 0) ragged(s, depth + 1, 0);
    else see_leaf(s, type, depth + 1);
    lua_pop(L, 1);
  }
}

/* Integers give int64, floats the default dtype, booleans bool, a mixture or nothing the default dtype. */
static DType dtype_found(const Survey *s)
{
  int kinds = s->bools + s->ints + s->floats;
  DType own = kinds == 1 && s->bools ? DTYPE_b8 : kinds == 1 && s->ints ? DTYPE_i64 : s->ctx->default_dtype;
  if (s->tensors == DTYPE_NONE) return own;
  return kinds == 0 ? s->tensors : dtype_promote(own, s->tensors);
}

/* ------------------------------------------------------------------- filling */

static int misfit(Survey *s, Scalar v, DType dtype, int depth)
{
  const char *here = depth ? path_text(s, depth) : "the number", *type = dtype_name(dtype);
  if (v.kind == SCALAR_COMPLEX) return user_error(s->L, "tensor: %s is complex, which %s can't hold", here, type);
  if (v.kind == SCALAR_FLOAT)
    return user_error(s->L, "tensor: %s is %s, which %s can't hold", here, push_number_text(s->L, v.re), type);
  return user_error(s->L, "tensor: %s is %I, which %s can't hold", here, (LUAI_UACINT)v.i, type);
}

/* Stores the leaf on top of the stack. */
static void store_leaf(Survey *s, int type, DType dtype, void *place, int depth)
{
  lua_State *L = s->L;
  Scalar v;
  if (type == LUA_TNUMBER) {
    v = lua_isinteger(L, -1) ? scalar_int(lua_tointeger(L, -1)) : scalar_float(lua_tonumber(L, -1));
  } else if (type == LUA_TBOOLEAN) {
    v = scalar_bool(lua_toboolean(L, -1));
  } else {
    const Tensor *t = tensor_test(L, -1);
    if (!t || t->numel != 1 || !tensor_data(t)) wrong_leaf(s, depth);
    v = tensor_item(t);
  }
  if (!scalar_fits(v, dtype)) misfit(s, v, dtype, depth);
  scalar_store(v, dtype, place);
}

static void fill_row(Survey *s, DType dtype, char *to, int depth)
{
  lua_State *L = s->L;
  int list = lua_gettop(L);
  int64_t n = s->shape[depth], step = (int64_t)dtype_size(dtype);
  for (int64_t i = 1; i <= n; i++, to += step) {
    int type = list_entry(L, list, i);
    if (type == LUA_TNUMBER && dtype == DTYPE_f32) {
      *(float *)to = (float)lua_tonumber(L, -1);
    } else if (type == LUA_TNUMBER && dtype == DTYPE_i64 && lua_isinteger(L, -1)) {
      *(int64_t *)to = lua_tointeger(L, -1);
    } else if (type == LUA_TNUMBER && dtype == DTYPE_f64) {
      *(double *)to = lua_tonumber(L, -1);
    } else {
      s->path[depth] = i;
      store_leaf(s, type, dtype, to, depth + 1);
    }
    lua_pop(L, 1);
  }
}

/*
 * Stores what is on top of the stack. A finalizer may have changed the tables since they were
 * surveyed, so that nothing but the shape is relied upon.
 */
static char *fill_nested(Survey *s, DType dtype, char *to, int depth)
{
  lua_State *L = s->L;
  if (depth == s->ndim) {
    store_leaf(s, lua_type(L, -1), dtype, to, depth);
    return to + dtype_size(dtype);
  }
  if (list_length(L, -1) < 0) user_error(L, "tensor: the table was changed while it was read");
  if (depth + 1 == s->ndim) {
    fill_row(s, dtype, to, depth);
    return to + s->shape[depth] * (int64_t)dtype_size(dtype);
  }
  int list = lua_gettop(L);
  for (int64_t i = 1; i <= s->shape[depth]; i++) {
    s->path[depth] = i;
    list_entry(L, list, i);
    to = fill_nested(s, dtype, to, depth + 1);
    lua_pop(L, 1);
  }
  return to;
}

/* ----------------------------------------------------------------- nl.tensor */

typedef struct Options {
  DType dtype;
  Device device;
  bool requires_grad;
} Options;

/* Reads into `o` what stands from argument 2 on. */
static void read_options(lua_State *L, const char *function, Options *o)
{
  static const char *const names[] = {"dtype", "device", "requires_grad", NULL};
  if (lua_gettop(L) == 0) user_error(L, "%s: argument 'data' is missing", function);
  if (lua_gettop(L) == 1) return;
  arguments_merge(L, function, 2, names);
  if (!lua_isnil(L, 2) && !dtype_test(L, 2, &o->dtype))
    user_error(L, "%s: argument 'dtype': a dtype such as nl.float32 expected, got %s", function, luaL_typename(L, 2));
  if (!lua_isnil(L, 3) && !device_test(L, 3, &o->device))
    user_error(L, "%s: argument 'device': %s", function, push_device_problem(L, 3));
  o->requires_grad = argument_bool(L, function, "requires_grad", 4, false);
}

typedef struct Copying {
  Tensor *of;
  DType dtype;
  Device device;
} Copying;

/* A copy without history. */
static Tensor *make_copy(Call *call, void *data)
{
  const Copying *c = data;
  Tensor *copy = op(to_device, op(detach, c->of), c->device, c->dtype, false, true);
  copy->is_wrapped_number = false;
  return copy;
}

static TensorBox *copy_tensor(lua_State *L, Context *ctx, Tensor *x, const Options *o)
{
  Copying c = {x, o->dtype, o->device};
  if (c.dtype == DTYPE_NONE) c.dtype = own_dtype(ctx, x);
  if (c.device == DEVICE_NONE) c.device = device_behind(x);
  return push_made(L, ctx, make_copy, &c);
}

static TensorBox *read_data(lua_State *L, Context *ctx, const Options *o)
{
  Survey s = {.L = L, .ctx = ctx, .tensors = DTYPE_NONE};
  find_shape(&s);
  if (s.ndim) see_list(&s, 0);
  else see_leaf(&s, lua_type(L, 1), 0);
  DType dtype = o->dtype == DTYPE_NONE ? dtype_found(&s) : o->dtype;
  Device device = o->device == DEVICE_NONE ? (Device)ctx->default_device : o->device;
  TensorBox *box = push_new_tensor(L, ctx, dtype, device, (Ints){s.shape, s.ndim});
  if (device == DEVICE_CPU && box->tensor->numel) {
    lua_pushvalue(L, 1);
    fill_nested(&s, dtype, tensor_data(box->tensor), 0);
    lua_pop(L, 1);
  }
  return box;
}

/* A new tensor of the data at 1 and the options behind them; those in `o` hold where nothing else is given. */
static int tensor_of_data(lua_State *L, const char *function, Options o)
{
  Context *ctx = context_of(L);
  read_options(L, function, &o);
  lua_settop(L, 1);
  Tensor *x = tensor_test(L, 1);
  TensorBox *box = x ? copy_tensor(L, ctx, x, &o) : read_data(L, ctx, &o);
  if (o.requires_grad) {
    if (!dtype_is_inexact(tensor_dtype(box->tensor)))
      return user_error(L, "%s: only floating point and complex tensors can require gradients, not %s", function,
                        dtype_name(tensor_dtype(box->tensor)));
    box->tensor->requires_grad = true;
  }
  return 1;
}

/* nl.tensor(data, {dtype, device, requires_grad}): a new tensor of what tables, numbers, booleans and tensors hold. */
int nl_tensor(lua_State *L) { return tensor_of_data(L, "tensor", (Options){DTYPE_NONE, DEVICE_NONE, false}); }

/* x:new_tensor(data, options): as nl.tensor, in the dtype and on the device of x where nothing else is given. */
static int tensor_new_tensor(lua_State *L)
{
  const Tensor *x = tensor_check(L, 1);
  Options o = {tensor_dtype(x), device_behind(x), false};
  lua_remove(L, 1);
  return tensor_of_data(L, "new_tensor", o);
}

/* nl.as_tensor(data, options): a tensor itself, or cast by x:to(options); anything else as nl.tensor makes it. */
static int nl_as_tensor(lua_State *L)
{
  if (!tensor_test(L, 1)) return nl_tensor(L);
  if (lua_gettop(L) == 1) return 1;
  lua_getfield(L, 1, "to");
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

const luaL_Reg creation_methods[] = {
  {"new_tensor", tensor_new_tensor}, {"new", tensor_new_like}, {"type", tensor_type}, {NULL, NULL}};
const luaL_Reg creation_functions[] = {
  {"tensor", nl_tensor}, {"as_tensor", nl_as_tensor}, {"asarray", nl_as_tensor}, {NULL, NULL}};
