/* Devices as values: nl.device, and what a device may be written as. */
#include <string.h>

#include "lua/named_arguments.h"
#include "lua/open.h"

typedef struct DeviceBox {
  uint32_t kind;
  int32_t device;
} DeviceBox;

static const char *const names[] = {[DEVICE_CPU] = "cpu", [DEVICE_META] = "meta"};
enum { DEVICES = sizeof names / sizeof *names };

static char devices_key; /* registry key, by address: a list of the devices, each one userdata, so that == compares */

/* The device of a name: "cpu", or with the number that PyTorch counts devices of a kind by, "cpu:0". */
static bool device_named(const char *name, Device *d)
{
  for (int i = 0; i < DEVICES; i++) {
    size_t n = strlen(names[i]);
    if (strncmp(name, names[i], n) != 0 || (name[n] && strcmp(name + n, ":0") != 0)) continue;
    *d = (Device)i;
    return true;
  }
  return false;
}

bool device_test(lua_State *L, int index, Device *d)
{
  if (lua_type(L, index) == LUA_TSTRING) return device_named(lua_tostring(L, index), d);
  const DeviceBox *box = userdata_test(L, index, KIND_DEVICE, sizeof *box);
  if (!box) return false;
  *d = (Device)box->device;
  return true;
}

void push_device(lua_State *L, Device d)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &devices_key);
  lua_rawgeti(L, -1, d + 1);
  lua_remove(L, -2);
}

/* ----------------------------------------------------------------- their fields */

static const char *name_at(lua_State *L, int index)
{
  Device d = DEVICE_NONE;
  if (lua_type(L, index) != LUA_TUSERDATA || !device_test(L, index, &d)) luaL_typeerror(L, index, "nnlua.device");
  return names[d];
}

static int device_tostring(lua_State *L)
{
  lua_pushstring(L, name_at(L, 1));
  return 1;
}

/* d.type, the name; d.index is nil, as there is one device of each kind. */
static int device_index(lua_State *L)
{
  const char *name = name_at(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "type") != 0) return 0;
  lua_pushstring(L, name);
  return 1;
}

/* "on " .. d */
static int device_concat(lua_State *L)
{
  for (int i = 1; i <= 2; i++) {
    if (lua_type(L, i) == LUA_TUSERDATA || lua_isstring(L, i)) continue;
    return user_error(L, "a device can't be joined to a %s by '..'", luaL_typename(L, i));
  }
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

/* -------------------------------------------------------------------- nl.device */

const char *push_device_problem(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TSTRING)
    return lua_pushfstring(L, "a device such as \"cpu\" is wanted, not %s", luaL_typename(L, index));
  return lua_pushfstring(L, "there is no device '%s', only cpu and meta: all computing is done on the CPU",
                         lua_tostring(L, index));
}

static Device device_check(lua_State *L, const char *function, int index)
{
  Device d = DEVICE_NONE;
  if (!device_test(L, index, &d)) user_error(L, "%s: %s", function, push_device_problem(L, index));
  return d;
}

int checked_device(lua_State *L)
{
  push_device(L, device_check(L, luaL_checkstring(L, 1), 2));
  return 1;
}

/* nl.device(type, index): a device by its name, or one as it is. */
static int nl_device(lua_State *L)
{
  static const char *const arguments[] = {"type", "index", NULL};
  arguments_merge(L, "device", 1, arguments);
  Device d = device_check(L, "device", 1);
  if (!lua_isnil(L, 2) && (!lua_isinteger(L, 2) || lua_tointeger(L, 2) != 0))
    return user_error(L, "device: index %s: there is one %s, which has index 0", luaL_tolstring(L, 2, NULL), names[d]);
  push_device(L, d);
  return 1;
}

void open_devices(lua_State *L)
{
  static const luaL_Reg meta[] = {
    {"__tostring", device_tostring}, {"__index", device_index}, {"__concat", device_concat}, {NULL, NULL}};
  int nl = lua_gettop(L);
  luaL_newlib(L, meta);
  lua_pushliteral(L, "nnlua.device");
  lua_setfield(L, -2, "__name");
  lua_createtable(L, DEVICES, 0);
  for (int d = 0; d < DEVICES; d++) {
    DeviceBox *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (DeviceBox){KIND_DEVICE, d};
    lua_pushvalue(L, nl + 1);
    lua_setmetatable(L, -2);
    lua_rawseti(L, -2, d + 1);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &devices_key);
  lua_settop(L, nl);
  lua_pushcfunction(L, nl_device);
  lua_setfield(L, nl, "device");
}
