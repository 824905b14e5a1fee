/* JSON as Lua values, for what is written in Lua: lua/nnlua/load.lua, and the specs. */
#include <string.h>

#include "core/text.h"
#include "io/json.h"
#include "lua/open.h"

/* Where on the stack the arguments are. */
enum { TEXT = 1, NIL = 2, MAKE = 3 };

static bool push_value(lua_State *L, Json *j);

/* As Lua reads it: whatever the locale, integers to the bit and floats to the nearest. */
static bool push_number(lua_State *L, Json *j)
{
  JsonText digits;
  bool is_integer;
  if (!json_number(j, &digits, &is_integer)) return false;
  char *end = j->text + j->at, behind = *end;
  *end = '\0';
  Locale *before = locale_enter_plain();
  size_t size = lua_stringtonumber(L, digits.v);
  locale_leave_plain(before);
  *end = behind;
  if (size && (!is_integer || lua_isinteger(L, -1))) return true;
  j->at -= digits.n;
  return json_fail(j, "the number is too large");
}

static bool push_string(lua_State *L, Json *j)
{
  JsonText text;
  if (!json_string(j, &text)) return false;
  lua_pushlstring(L, text.v, text.n);
  return true;
}

static bool push_list(lua_State *L, Json *j)
{
  if (!json_open(j, '[')) return false;
  lua_newtable(L);
  lua_Integer n = 0;
  for (bool first = true; json_entry(j, ']', first); first = false) {
    if (!push_value(L, j)) return false;
    lua_rawseti(L, -2, ++n);
  }
  return !j->problem;
}

/* A table from names to values, or what the function makes of it. */
static bool push_object(lua_State *L, Json *j)
{
  if (!json_open(j, '{')) return false;
  lua_newtable(L);
  for (bool first = true; json_entry(j, '}', first); first = false) {
    if (!push_string(L, j)) return false;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) != LUA_TNIL) return json_fail(j, "an object has a name twice");
    lua_pop(L, 1);
    if (!json_expect(j, ':') || !push_value(L, j)) return false;
    lua_rawset(L, -3);
  }
  if (j->problem || lua_isnil(L, MAKE)) return !j->problem;
  lua_pushvalue(L, MAKE);
  lua_insert(L, -2);
  lua_pushinteger(L, (lua_Integer)j->at);
  lua_call(L, 2, 1);
  return true;
}

/* null is a value only where there is one for it. */
static bool push_nil(lua_State *L, Json *j)
{
  if (lua_isnil(L, NIL)) return json_fail(j, "a value expected");
  lua_pushvalue(L, NIL);
  return json_skip(j);
}

static bool push_value(lua_State *L, Json *j)
{
  luaL_checkstack(L, 6, NULL);
  switch (json_kind(j)) {
    case JSON_OBJECT: return push_object(L, j);
    case JSON_LIST: return push_list(L, j);
    case JSON_STRING: return push_string(L, j);
    case JSON_NUMBER: return push_number(L, j);
    case JSON_NULL: return push_nil(L, j);
    case JSON_TRUE: lua_pushboolean(L, true); return json_skip(j);
    case JSON_FALSE: lua_pushboolean(L, false); return json_skip(j);
    default: return json_fail(j, "a value expected");
  }
}

/*
 * read_json(text, null, make): the value that a text of JSON stands for; or nil, what is wrong, and at which byte. null
 * stands for null; make(table, byte) gives the value of an object that ends at a byte. Objects are tables without make.
 */
int read_json(lua_State *L)
{
  Json j = {0};
  lua_settop(L, 3);
  const char *text = luaL_checklstring(L, TEXT, &j.size);
  j.text = lua_newuserdatauv(L, j.size + 1, 0);
  memcpy(j.text, text, j.size + 1);
  if (is_utf8(text, j.size) ? push_value(L, &j) && json_end(&j) : json_fail(&j, "the text is no UTF-8")) return 1;
  lua_pushnil(L);
  lua_pushstring(L, j.problem);
  lua_pushinteger(L, (lua_Integer)j.at + 1);
  return 3;
}
