/* nl.Size, the immutable list of integers that x.shape is. */
#include "lua/tensor/size.h"

#include <string.h>

#include "core/shape.h"
#include "core/tensor.h"
#include "lua/open.h"

#define SIZE_NAME "nnlua.Size"

typedef struct SizeBox {
  uint32_t kind;
  int32_t n;
  int64_t v[];
} SizeBox;

static char size_meta; /* registry key, by address */

static SizeBox *size_at(lua_State *L, int index) { return userdata_test(L, index, KIND_SIZE, sizeof(SizeBox)); }

bool size_test(lua_State *L, int index, Ints *size)
{
  const SizeBox *box = size_at(L, index);
  if (box) *size = (Ints){box->v, box->n};
  return box != NULL;
}

static SizeBox *new_size(lua_State *L, int64_t n)
{
  SizeBox *box = lua_newuserdatauv(L, sizeof *box + (size_t)n * sizeof *box->v, 0);
  box->kind = KIND_SIZE;
  box->n = (int32_t)n;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &size_meta);
  lua_setmetatable(L, -2);
  return box;
}

void push_size(lua_State *L, Ints shape)
{
  SizeBox *box = new_size(L, shape.n);
  if (shape.n > 0) memcpy(box->v, shape.v, (size_t)shape.n * sizeof *box->v);
}

static SizeBox *size_check(lua_State *L, int index)
{
  SizeBox *box = size_at(L, index);
  if (!box) luaL_typeerror(L, index, "nl.Size");
  return box;
}

static int size_numel(lua_State *L)
{
  const SizeBox *box = size_check(L, 1);
  int64_t n = 1;
  for (int i = 0; i < box->n; i++) n *= box->v[i];
  lua_pushinteger(L, n);
  return 1;
}

static int size_totable(lua_State *L)
{
  const SizeBox *box = size_check(L, 1);
  lua_createtable(L, box->n, 0);
  for (int i = 0; i < box->n; i++) {
    lua_pushinteger(L, box->v[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int size_unpack(lua_State *L)
{
  const SizeBox *box = size_check(L, 1);
  luaL_checkstack(L, box->n, "too many sizes");
  for (int i = 0; i < box->n; i++) lua_pushinteger(L, box->v[i]);
  return box->n;
}

/* size[i] with i from 1, or from -1 backwards; beyond the end nil, so that ipairs stops. */
static int size_index(lua_State *L)
{
  const SizeBox *box = size_check(L, 1);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
  }
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i == 0) return user_error(L, "index 0 of a size: it counts from 1");
  if (i < 0) i += box->n + 1;
  if (i < 1 || i > box->n) return 0;
  lua_pushinteger(L, box->v[i - 1]);
  return 1;
}

static int size_newindex(lua_State *L) { return user_error(L, "a size can't be changed"); }

static int size_len(lua_State *L)
{
  lua_pushinteger(L, size_check(L, 1)->n);
  return 1;
}

static int size_eq(lua_State *L)
{
  const SizeBox *a = size_at(L, 1), *b = size_at(L, 2);
  lua_pushboolean(L, a && b && a->n == b->n && memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v) == 0);
  return 1;
}

static const char *push_numbers(lua_State *L, char open, Ints list, char close)
{
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, open);
  for (int64_t i = 0; i < list.n; i++) {
    if (i) luaL_addstring(&b, ", ");
    lua_pushinteger(L, list.v[i]);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, close);
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

static int size_tostring(lua_State *L)
{
  const SizeBox *box = size_check(L, 1);
  push_numbers(L, '[', (Ints){box->v, box->n}, ']');
  return 1;
}

const char *push_shape_text(lua_State *L, Ints shape) { return push_numbers(L, '(', shape, ')'); }

/* nl.Size({2, 3}), nl.Size(2, 3) */
static int size_call(lua_State *L)
{
  int table = lua_istable(L, 1);
  int64_t n = table ? (int64_t)lua_rawlen(L, 1) : lua_gettop(L);
  SizeBox *box = new_size(L, n);
  memset(box->v, 0, (size_t)n * sizeof *box->v);
  for (int64_t i = 0; i < n; i++) {
    if (table) lua_rawgeti(L, 1, i + 1);
    else lua_pushvalue(L, (int)i + 1);
    int is_whole = 0;
    if (lua_type(L, -1) == LUA_TNUMBER) box->v[i] = lua_tointegerx(L, -1, &is_whole);
    if (!is_whole) return user_error(L, "Size: size %d is %s, no integer", (int)i + 1, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
  }
  return 1;
}

static const char BAD_SHAPE[] = "broadcast_shapes: argument %d is no shape: a list of sizes or one size is expected";

/* Reads a shape into v, which has room for MAX_DIMS. */
static int64_t read_shape(lua_State *L, int index, int64_t *v)
{
  Ints size;
  if (size_test(L, index, &size) && size.n <= MAX_DIMS) {
    memcpy(v, size.v, (size_t)size.n * sizeof *v);
    return size.n;
  }
  int64_t n = lua_istable(L, index) ? (int64_t)lua_rawlen(L, index) : 1;
  if (n > MAX_DIMS) return user_error(L, "broadcast_shapes: a shape has at most %d dimensions", MAX_DIMS);
  for (int64_t i = 0; i < n; i++) {
    if (lua_istable(L, index)) lua_rawgeti(L, index, i + 1);
    else lua_pushvalue(L, index);
    int is_whole = 0;
    v[i] = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_whole) : -1;
    if (!is_whole || v[i] < 0) return user_error(L, BAD_SHAPE, index);
    lua_pop(L, 1);
  }
  return n;
}

/* nl.broadcast_shapes({2, 1}, {3}): the shape that tensors of the shapes broadcast to. */
int nl_broadcast_shapes(lua_State *L)
{
  int64_t shape[MAX_DIMS], next[MAX_DIMS];
  int ndim = 0;
  for (int i = 1, n = lua_gettop(L); i <= n; i++) {
    ndim = shape_broadcast(shape, ndim, (Ints){next, read_shape(L, i, next)});
    if (ndim < 0) return user_error(L, "broadcast_shapes: argument %d doesn't fit the shapes before it", i);
  }
  push_size(L, (Ints){shape, ndim});
  return 1;
}

/* x.shape(), x:shape() */
static int size_called(lua_State *L)
{
  return user_error(L, "a shape is a value, no function: write x.shape, or x:size(2) for the size of a dimension");
}

void open_size(lua_State *L)
{
  static const luaL_Reg methods[] = {
    {"numel", size_numel}, {"totable", size_totable}, {"unpack", size_unpack}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__newindex", size_newindex}, {"__len", size_len},           {"__eq", size_eq},
                                  {"__call", size_called},       {"__tostring", size_tostring}, {NULL, NULL}};
  lua_createtable(L, 0, 8);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, size_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, SIZE_NAME);
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &size_meta);
  lua_pushcfunction(L, size_call);
}
