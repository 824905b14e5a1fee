#include "lua/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/shape.h"
#include "lua/options.h"
#include "lua/print.h"
#include "lua/size.h"

/* ------------------------------------------------------- what nested tables hold */

/* What was found in nested lists: their shape, and the kinds of their leaves. */
typedef struct Survey {
  lua_State *L;
  Context *ctx;
  int ndim;
  bool bools, ints, floats;
  DType tensors;                /* what tensors among the leaves promote to */
  int64_t shape[MAX_DIMS];
  int64_t path[MAX_DIMS];       /* where the walk is, counted from 1 */
} Survey;

/* "[2][3]": the entry that the walk stands at, `depth` lists deep. */
static const char *path_text(Survey *s, int depth)
{
  luaL_Buffer b;
  char part[32];
  luaL_buffinit(s->L, &b);
  for (int d = 0; d < depth; d++) {
    snprintf(part, sizeof part, "[%lld]", (long long)s->path[d]);
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
  if (t->device == DEVICE_META)
    user_error(L, "tensor: %s is a meta tensor, which has no elements", path_text(s, depth));
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

/* An unsigned dtype takes negative integers around, as PyTorch does. */
bool number_fits(Scalar v, DType dtype)
{
  static const double low[] = {0, 0, -0x1p7, -0x1p15, -0x1p31, -0x1p63};
  static const double end[] = {0, 0x1p8, 0x1p7, 0x1p15, 0x1p31, 0x1p63};
  if (v.kind == SCALAR_COMPLEX) return dtype_is_complex(dtype);
  if (!dtype_is_integral(dtype)) return true;
  if (v.kind == SCALAR_FLOAT) return v.re >= low[dtype] && v.re < end[dtype];
  if (dtype == DTYPE_i64) return true;
  int64_t least = dtype == DTYPE_u8 ? -255 : (int64_t)low[dtype];
  return v.i >= least && v.i < (int64_t)end[dtype];
}

static int misfit(Survey *s, Scalar v, DType dtype, int depth)
{
  const char *here = depth ? path_text(s, depth) : "the number", *type = dtype_name(dtype);
  if (v.kind == SCALAR_COMPLEX) return user_error(s->L, "tensor: %s is complex, which %s can't hold", here, type);
  if (v.kind == SCALAR_FLOAT)
    return user_error(s->L, "tensor: %s is %f, which %s can't hold", here, (LUAI_UACNUMBER)v.re, type);
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
  if (!number_fits(v, dtype)) misfit(s, v, dtype, depth);
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
static char *fill(Survey *s, DType dtype, char *to, int depth)
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
    to = fill(s, dtype, to, depth + 1);
    lua_pop(L, 1);
  }
  return to;
}

/* ----------------------------------------------------------------- nl.tensor */

typedef struct Options { DType dtype; Device device; bool requires_grad; } Options;

static Options read_options(lua_State *L)
{
  static const char *const names[] = {"dtype", "device", "requires_grad", NULL};
  Options o = {DTYPE_NONE, DEVICE_NONE, false};
  if (lua_gettop(L) == 0) user_error(L, "tensor: argument 'data' is missing");
  if (lua_gettop(L) == 1) return o;
  options_merge(L, "tensor", 2, names);
  if (!lua_isnil(L, 2) && !dtype_test(L, 2, &o.dtype))
    user_error(L, "tensor: argument 'dtype': a dtype such as nl.float32 expected, got %s", luaL_typename(L, 2));
  if (!lua_isnil(L, 3)) {
    const char *name = lua_type(L, 3) == LUA_TSTRING ? lua_tostring(L, 3) : "";
    if (strcmp(name, "cpu") == 0) o.device = DEVICE_CPU;
    else if (strcmp(name, "meta") == 0) o.device = DEVICE_META;
    else user_error(L, "tensor: argument 'device': \"cpu\" or \"meta\" expected");
  }
  o.requires_grad = option_bool(L, "tensor", "requires_grad", 4, false);
  return o;
}

/* A copy of the tensor at 1, without its history. */
static TensorBox *copy_tensor(lua_State *L, Context *ctx, Tensor *x, const Options *o)
{
  TensorBox *box = push_box(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return NULL;
  }
  Call scope = {.ctx = ctx}, *call = &scope;
  DType dtype = o->dtype != DTYPE_NONE ? o->dtype : own_dtype(ctx, x);
  Device device = o->device == DEVICE_NONE ? (Device)x->device : o->device;
  Tensor *copy = op(to_device, op(detach, x), device, dtype, false, true);
  copy->is_wrapped_number = false;
  box_fill(box, copy);
  entry_leave(ctx, &entry);
  return box;
}

static TensorBox *new_tensor(lua_State *L, Context *ctx, DType dtype, Device device, const int64_t *shape, int ndim)
{
  TensorBox *box = push_box(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return NULL;
  }
  Call call = {.ctx = ctx};
  box_fill(box, tensor_new(&call, dtype, device, (Ints){shape, ndim}));
  entry_leave(ctx, &entry);
  return box;
}

static TensorBox *read_data(lua_State *L, Context *ctx, const Options *o)
{
  Survey s = {.L = L, .ctx = ctx, .tensors = DTYPE_NONE};
  find_shape(&s);
  if (s.ndim) see_list(&s, 0);
  else see_leaf(&s, lua_type(L, 1), 0);
  DType dtype = o->dtype == DTYPE_NONE ? dtype_found(&s) : o->dtype;
  Device device = o->device == DEVICE_NONE ? DEVICE_CPU : o->device;
  TensorBox *box = new_tensor(L, ctx, dtype, device, s.shape, s.ndim);
  if (device == DEVICE_CPU && box->tensor->numel) {
    lua_pushvalue(L, 1);
    fill(&s, dtype, tensor_data(box->tensor), 0);
    lua_pop(L, 1);
  }
  return box;
}

int nl_tensor(lua_State *L)
{
  Context *ctx = context_of(L);
  Options o = read_options(L);
  lua_settop(L, 1);
  Tensor *x = tensor_test(L, 1);
  TensorBox *box = x ? copy_tensor(L, ctx, x, &o) : read_data(L, ctx, &o);
  if (o.requires_grad) {
    if (!dtype_is_inexact(tensor_dtype(box->tensor)))
      return user_error(L, "tensor: only floating point and complex tensors can require gradients, not %s",
                        dtype_name(tensor_dtype(box->tensor)));
    box->tensor->requires_grad = true;
  }
  return 1;
}

/* ------------------------------------------------------------------- reading */

Tensor *push_snapshot(lua_State *L, Context *ctx, Tensor *t)
{
  TensorBox *box = push_box(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return NULL;
  }
  Call call = {.ctx = ctx};
  box_fill(box, tensor_alias(&call, t));
  entry_leave(ctx, &entry);
  return box->tensor;
}

static void need_elements(lua_State *L, const Tensor *t, const char *function)
{
  if (t->device == DEVICE_META) user_error(L, "%s: a meta tensor has no elements", function);
}

static int tensor_item_method(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  need_elements(L, t, "item");
  if (t->numel != 1)
    return user_error(L, "item: the tensor has %I elements; only one becomes a number (see tolist)",
                      (LUAI_UACINT)t->numel);
  Scalar v = tensor_item(t);
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
  TensorBox *box = new_tensor(L, ctx, DTYPE_c128, DEVICE_CPU, NULL, 0);
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
  Tensor *t = tensor_check(L, 1);
  need_elements(L, t, "tolist");
  t = push_snapshot(L, context_of(L), t);
  push_nested(L, t, 0, tensor_data(t));
  return 1;
}

/* ----------------------------------------------------------------- questions */

/* A dimension from Lua as a 0-based one. */
static int check_dim(lua_State *L, int index, const Tensor *t, const char *function)
{
  int is_integer;
  lua_Integer dim = lua_tointegerx(L, index, &is_integer);
  int n = t->ndim ? t->ndim : 1;
  if (!is_integer || lua_type(L, index) != LUA_TNUMBER)
    user_error(L, "%s: argument 'dim': an integer expected, got %s", function, luaL_typename(L, index));
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
  options_merge(L, function, 2, names);
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

#define INTEGER_METHOD(name, value)                  \
  static int name(lua_State *L)                      \
  {                                                  \
    const Tensor *t = tensor_check(L, 1);            \
    lua_pushinteger(L, (lua_Integer)(value));        \
    return 1;                                        \
  }
#define BOOLEAN_METHOD(name, value)                  \
  static int name(lua_State *L)                      \
  {                                                  \
    const Tensor *t = tensor_check(L, 1);            \
    lua_pushboolean(L, value);                       \
    return 1;                                        \
  }
INTEGER_METHOD(tensor_numel, t->numel)
INTEGER_METHOD(tensor_dim, t->ndim)
INTEGER_METHOD(tensor_storage_offset, t->offset)
INTEGER_METHOD(tensor_element_size, dtype_size(tensor_dtype(t)))
INTEGER_METHOD(tensor_data_ptr, t->numel ? (intptr_t)tensor_data(t) : 0)
BOOLEAN_METHOD(tensor_contiguous, t->is_contiguous)
BOOLEAN_METHOD(tensor_floating, dtype_is_floating(tensor_dtype(t)))
BOOLEAN_METHOD(tensor_complex, dtype_is_complex(tensor_dtype(t)))
BOOLEAN_METHOD(tensor_lazy, t == NULL) /* whether something is left to be conjugated or negated later: never */

static int nl_is_tensor(lua_State *L)
{
  luaL_checkany(L, 1);
  lua_pushboolean(L, tensor_test(L, 1) != NULL);
  return 1;
}

/* ---------------------------------------------------------------- comparison */

static void check_pair(lua_State *L, const char *function, Tensor **a, Tensor **b)
{
  *a = tensor_check(L, 1);
  *b = tensor_check(L, 2);
  if ((*a)->device == DEVICE_META || (*b)->device == DEVICE_META)
    user_error(L, "%s: a meta tensor has no elements", function);
}

static int nl_equal(lua_State *L)
{
  Context *ctx = context_of(L);
  Tensor *a, *b;
  check_pair(L, "equal", &a, &b);
  core_prepare(L, ctx);
  volatile bool equal = tensor_same_shape(a, b);
  if (equal && a->numel) {
    Entry entry;
    if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
    Call scope = {.ctx = ctx}, *call = &scope;
    Tensor *same = op(contiguous, op(eq, a, b));
    equal = memchr(tensor_data(same), 0, (size_t)same->numel) == NULL;
    entry_leave(ctx, &entry);
  }
  lua_pushboolean(L, equal);
  return 1;
}

typedef struct Tolerance { double rtol, atol; bool equal_nan; } Tolerance;

static bool is_close(const Tolerance *t, double a, double b)
{
  if (a == b) return true;
  if (isnan(a) && isnan(b)) return t->equal_nan;
  double allowed = t->atol + fabs(t->rtol * b), distance = fabs(a - b);
  return isfinite(distance) && distance <= allowed;
}

static bool is_close_complex(const Tolerance *t, const double *a, const double *b)
{
  if (a[0] == b[0] && a[1] == b[1]) return true;
  bool a_nan = isnan(a[0]) || isnan(a[1]), b_nan = isnan(b[0]) || isnan(b[1]);
  if (a_nan && b_nan) return t->equal_nan;
  double allowed = t->atol + fabs(t->rtol) * hypot(b[0], b[1]), distance = hypot(a[0] - b[0], a[1] - b[1]);
  return isfinite(distance) && distance <= allowed;
}

/* The difference of integers is exact, as that of doubles is not. */
static bool is_close_integer(const Tolerance *t, int64_t a, int64_t b)
{
  if (a == b) return true;
  uint64_t distance = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
  return (double)distance <= t->atol + fabs(t->rtol * (double)b);
}

static bool all_close(const Tolerance *t, DType dtype, int64_t n, const void *a, const void *b)
{
  const int64_t *m = a, *k = b;
  const double *x = a, *y = b;
  bool close = true;
  if (dtype == DTYPE_i64)
    for (int64_t i = 0; close && i < n; i++) close = is_close_integer(t, m[i], k[i]);
  else if (dtype == DTYPE_f64)
    for (int64_t i = 0; close && i < n; i++) close = is_close(t, x[i], y[i]);
  else
    for (int64_t i = 0; close && i < n; i++) close = is_close_complex(t, x + 2 * i, y + 2 * i);
  return close;
}

/* As elements of the widest dtype of its category, in the common shape. */
static Tensor *widened(Call *call, Tensor *t, DType wide, Ints shape)
{
  Tensor *plain = op(to_dtype, op(detach, t), wide, false, false);
  return op(contiguous, op(expand, plain, shape));
}

static bool compare(Call *call, const Tolerance *t, Tensor *a, Tensor *b)
{
  if (a->dtype != b->dtype)
    raise_plain(call->ctx, "allclose: the tensors have different dtypes: %s and %s", dtype_name(tensor_dtype(a)),
                dtype_name(tensor_dtype(b)));
  int64_t shape[MAX_DIMS];
  memcpy(shape, a->shape, (size_t)a->ndim * sizeof *shape);
  int ndim = shape_broadcast(shape, a->ndim, tensor_shape(b));
  if (ndim < 0)
    raise_plain(call->ctx, "allclose: shapes %s and %s don't broadcast", shape_text(call, tensor_shape(a)),
                shape_text(call, tensor_shape(b)));
  DType dtype = tensor_dtype(a);
  DType wide = dtype_is_complex(dtype) ? DTYPE_c128 : dtype_is_floating(dtype) ? DTYPE_f64 : DTYPE_i64;
  Tensor *x = widened(call, a, wide, (Ints){shape, ndim}), *y = widened(call, b, wide, (Ints){shape, ndim});
  return all_close(t, wide, x->numel, tensor_data(x), tensor_data(y));
}

static double real_option(lua_State *L, const char *name, int index, double otherwise)
{
  if (lua_isnil(L, index)) return otherwise;
  if (lua_type(L, index) != LUA_TNUMBER)
    user_error(L, "allclose: argument '%s': a number expected, got %s", name, luaL_typename(L, index));
  return lua_tonumber(L, index);
}

static int nl_allclose(lua_State *L)
{
  static const char *const names[] = {"rtol", "atol", "equal_nan", NULL};
  Context *ctx = context_of(L);
  Tensor *a, *b;
  check_pair(L, "allclose", &a, &b);
  options_merge(L, "allclose", 3, names);
  Tolerance t = {real_option(L, "rtol", 3, 1e-5), real_option(L, "atol", 4, 1e-8),
                 option_bool(L, "allclose", "equal_nan", 5, false)};
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  bool close = compare(&call, &t, a, b);
  entry_leave(ctx, &entry);
  lua_pushboolean(L, close);
  return 1;
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

const luaL_Reg data_functions[] = {
  {"tensor", nl_tensor}, {"as_tensor", nl_as_tensor}, {"asarray", nl_as_tensor}, {"is_tensor", nl_is_tensor}, {"numel", tensor_numel},
  {"is_floating_point", tensor_floating}, {"is_complex", tensor_complex},
  {"is_conj", tensor_lazy}, {"is_neg", tensor_lazy},
  {"equal", nl_equal}, {"allclose", nl_allclose}, {"set_printoptions", nl_set_printoptions}, {NULL, NULL},
};

const luaL_Reg data_methods[] = {
  {"item", tensor_item_method}, {"tolist", tensor_tolist}, {"size", tensor_size}, {"stride", tensor_stride},
  {"numel", tensor_numel}, {"nelement", tensor_numel}, {"dim", tensor_dim}, {"ndimension", tensor_dim},
  {"storage_offset", tensor_storage_offset}, {"element_size", tensor_element_size}, {"data_ptr", tensor_data_ptr},
  {"is_contiguous", tensor_contiguous}, {"is_floating_point", tensor_floating}, {"is_complex", tensor_complex},
  {"is_conj", tensor_lazy}, {"is_neg", tensor_lazy},
  {"equal", nl_equal}, {"allclose", nl_allclose}, {NULL, NULL},
};
