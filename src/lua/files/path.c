/* Paths that users give: every function that takes one asks here. */
#include "lua/files/path.h"

#include <string.h>

#include "lua/open.h"

const char *path_argument(lua_State *L, const char *function, int index)
{
  size_t length;
  if (lua_type(L, index) != LUA_TSTRING)
    user_error(L, "%s: path must be a string, not %s", function,
               tensor_test(L, index) ? "a tensor: the path comes first" : luaL_typename(L, index));
  const char *path = lua_tolstring(L, index, &length);
  if (length == 0) user_error(L, "%s: path is empty", function);
  if (strlen(path) != length)
    user_error(L, "%s: path has a zero byte behind '%s': no file has such a name", function, path);
  return path;
}

/* check_path(function, path): for what is written in Lua */
int check_path(lua_State *L)
{
  path_argument(L, luaL_checkstring(L, 1), 2);
  return 0;
}
