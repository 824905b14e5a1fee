/* dtypes and nl.none: constants of the API. */
#include "lua/open.h"

#include <string.h>

typedef struct DTypeBox {
  uint32_t kind;
  int32_t dtype;
} DTypeBox;

static char dtypes_key, none_key; /* registry keys, by address */

bool dtype_test(lua_State *L, int index, DType *d)
{
  const DTypeBox *box = userdata_test(L, index, KIND_DTYPE, sizeof *box);
  if (!box) return false;
  *d = (DType)box->dtype;
  return true;
}

void push_dtype(lua_State *L, DType d)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &dtypes_key);
  lua_rawgeti(L, -1, d + 1);
  lua_remove(L, -2);
}

static DType check(lua_State *L, int index)
{
  DType d = DTYPE_NONE;
  if (!dtype_test(L, index, &d)) luaL_typeerror(L, index, "nnlua.dtype");
  return d;
}

static int dtype_tostring(lua_State *L)
{
  lua_pushfstring(L, "nnlua.%s", dtype_name(check(L, 1)));
  return 1;
}

static int dtype_index(lua_State *L)
{
  DType d = check(L, 1);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "is_floating_point") == 0) lua_pushboolean(L, dtype_is_floating(d));
  else if (strcmp(key, "is_complex") == 0) lua_pushboolean(L, dtype_is_complex(d));
  else if (strcmp(key, "is_signed") == 0) lua_pushboolean(L, d != DTYPE_b8 && d != DTYPE_u8);
  else if (strcmp(key, "itemsize") == 0) lua_pushinteger(L, (lua_Integer)dtype_size(d));
  else if (strcmp(key, "name") == 0) lua_pushstring(L, dtype_name(d));
  else return 0;
  return 1;
}

bool is_none(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TLIGHTUSERDATA) return false;
  return lua_touserdata(L, index) == &none_key;
}

void push_none(lua_State *L) { lua_pushlightuserdata(L, &none_key); }

static void new_dtype(lua_State *L, DType d, int meta)
{
  DTypeBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (DTypeBox){KIND_DTYPE, d};
  lua_pushvalue(L, meta);
  lua_setmetatable(L, -2);
}

/* Other names of PyTorch's for the same dtypes; "" where there is none. */
static const char *const other_names[DTYPE_COUNT] = {
#define DTYPE(suffix, name, other, ...) other,
#include "core/dtypes.def"
#undef DTYPE
};

void open_dtypes(lua_State *L)
{
  static const luaL_Reg meta[] = {{"__tostring", dtype_tostring}, {"__index", dtype_index}, {NULL, NULL}};
  int nl = lua_gettop(L);
  luaL_newlib(L, meta);
  lua_pushliteral(L, "nnlua.dtype");
  lua_setfield(L, -2, "__name");
  int table = nl + 1;
  lua_createtable(L, DTYPE_COUNT, 0);
  for (int d = 0; d < DTYPE_COUNT; d++) {
    new_dtype(L, (DType)d, table);
    lua_pushvalue(L, -1);
    lua_setfield(L, nl, dtype_name((DType)d));
    if (*other_names[d]) {
      lua_pushvalue(L, -1);
      lua_setfield(L, nl, other_names[d]);
    }
    lua_rawseti(L, -2, d + 1);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &dtypes_key);
  lua_settop(L, nl);
  push_none(L);
  lua_setfield(L, nl, "none");
}
