/* Where in a model the stack is: read off the stack when an error wants to say so. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "nn/module.h"

enum { LONGEST = 20 }; /* modules named in a path */

/* Pushes the called modules, outermost last, and the name the outermost is called by in the user's code, or nil. */
static lua_Integer push_running(lua_State *L)
{
  lua_Debug frame;
  lua_Integer n = 0;
  lua_newtable(L);
  lua_pushnil(L);
  int name = lua_gettop(L), list = name - 1;
  for (int level = 0; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "f", &frame);
    bool is_call = lua_tocfunction(L, -1) == module_call;
    lua_pop(L, 1);
    if (!is_call || !lua_getlocal(L, &frame, 1)) continue;
    if (module_test(L, -1)) {
      lua_rawseti(L, list, ++n);
      lua_getinfo(L, "n", &frame);
      bool named = frame.name && *frame.namewhat && strcmp(frame.namewhat, "metamethod") != 0;
      lua_pushstring(L, named ? frame.name : NULL);
      lua_replace(L, name);
    } else {
      lua_pop(L, 1);
    }
  }
  return n;
}

static bool is_number(const char *name, size_t length)
{
  for (size_t i = 0; i < length; i++)
    if (!is_digit(name[i])) return false;
  return length > 0;
}

/* Appends "encoder.0" to a buffer as Lua would index it: ".encoder[1]". */
static void add_path(luaL_Buffer *b, const char *path)
{
  while (*path) {
    size_t length = strcspn(path, ".");
    if (is_number(path, length)) {
      char index[24];
      text_format(index, sizeof index, "[%lld]", strtoll(path, NULL, 10) + 1);
      luaL_addstring(b, index);
    } else {
      luaL_addchar(b, '.');
      luaL_addlstring(b, path, length);
    }
    path += length + (path[length] == '.');
  }
}

/* Pushes the path from the module at `outer` to the one at `inner`, or its class's name if it is not below it. */
static const char *push_way(lua_State *L, int outer, int inner)
{
  push_module_list(L, outer, "", true);
  int list = lua_gettop(L);
  for (lua_Integer i = 2; lua_rawgeti(L, list, i) != LUA_TNIL; i += 2) {
    if (lua_rawequal(L, -1, inner)) {
      lua_rawgeti(L, list, i - 1);
      lua_replace(L, list);
      lua_settop(L, list);
      return lua_tostring(L, list);
    }
    lua_pop(L, 1);
  }
  push_class_name(L, inner);
  lua_replace(L, list);
  lua_settop(L, list);
  return lua_tostring(L, list);
}

/* Pushes the texts of the steps from module to module, and returns how many there are. */
static int push_steps(lua_State *L, int list, lua_Integer n)
{
  int steps = 0;
  luaL_checkstack(L, LONGEST + 20, NULL);
  for (lua_Integer i = n; i > 1 && steps < LONGEST; i--) {
    lua_rawgeti(L, list, i);
    lua_rawgeti(L, list, i - 1);
    int inner = lua_gettop(L);
    push_way(L, inner - 1, inner);
    lua_replace(L, inner - 1);
    lua_settop(L, inner - 1);
    steps++;
  }
  return steps;
}

static void push_full_name(lua_State *L, int index)
{
  push_class_of(L, index);
  lua_getmetatable(L, -1);
  lua_getfield(L, -1, CLASS_FULL_NAME);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

bool module_path(lua_State *L)
{
  int top = lua_gettop(L);
  luaL_checkstack(L, 20, NULL);
  lua_Integer n = push_running(L);
  int list = top + 1, name = top + 2;
  if (n == 0) return lua_settop(L, top), false;
  if (lua_isnil(L, name)) {
    lua_rawgeti(L, list, n);
    push_class_name(L, -1);
    lua_replace(L, name);
    lua_settop(L, name);
  }
  lua_rawgeti(L, list, 1);
  push_full_name(L, -1);
  int class = lua_gettop(L);
  int steps = push_steps(L, list, n);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, lua_tostring(L, name));
  for (int i = 1; i <= steps; i++) add_path(&b, lua_tostring(L, class + i));
  if (steps < n - 1) luaL_addstring(&b, "…");
  luaL_addstring(&b, ", ");
  luaL_addstring(&b, lua_tostring(L, class));
  luaL_pushresult(&b);
  lua_replace(L, list);
  lua_settop(L, list);
  return true;
}
