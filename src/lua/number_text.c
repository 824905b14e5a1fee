/* Numbers as texts and back for what is written in Lua, and for errors: with a point, whatever the host's locale is. */
#include "lua/number_text.h"

#include <math.h>
#include <string.h>

#include "core/text.h"
#include "lua/open.h"

enum { LONGEST = 64 };

const char *push_number_text(lua_State *L, double value)
{
  if (isnan(value)) return lua_pushliteral(L, "nan");
  char text[LONGEST];
  int n = text_format(text, sizeof text, "%.14g", value);
  if (text[strspn(text, "-0123456789")] == '\0') text_format(text + n, sizeof text - (size_t)n, ".0");
  return lua_pushstring(L, text);
}

/* format(text, ...): string.format; tostring(value) is format("%s", value). Each nan is written without a sign. */
static int format_plainly(lua_State *L)
{
  int given = lua_gettop(L);
  luaL_checktype(L, 1, LUA_TSTRING);
  luaL_getmetafield(L, 1, "__index");
  lua_getfield(L, -1, "format");
  lua_replace(L, -2);
  lua_insert(L, 1);
  for (int i = 3; i <= given + 1; i++) {
    if (lua_type(L, i) != LUA_TNUMBER || !isnan(lua_tonumber(L, i))) continue;
    lua_pushnumber(L, copysign(NAN, 1));
    lua_replace(L, i);
  }
  Locale *before = locale_enter_plain();
  int status = lua_pcall(L, given, 1, 0);
  locale_leave_plain(before);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* number(text): tonumber of a text. */
static int read_plainly(lua_State *L)
{
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  Locale *before = locale_enter_plain();
  bool is_number = lua_stringtonumber(L, text) == length + 1;
  locale_leave_plain(before);
  return is_number ? 1 : 0;
}

const luaL_Reg number_text_functions[] = {{"format", format_plainly}, {"number", read_plainly}, {NULL, NULL}};
