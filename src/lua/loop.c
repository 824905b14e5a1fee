/* Loops over objects: `for x in loader do` calls the object itself, which must tell one loop from another. */
#include <string.h>

#include "lua/open.h"

/* Whether a local variable is one of the hidden ones of a loop: pushes its value if it is. Where debug information is
   stripped, none has a name. */
static bool push_hidden(lua_State *L, lua_Debug *frame, int number)
{
  const char *name = lua_getlocal(L, frame, number);
  if (!name) return false;
  if (strcmp(name, frame->currentline < 0 ? "(temporary)" : "(for state)") == 0) return true;
  lua_pop(L, 1);
  return false;
}

/* Whether a loop that is being started has its function there: the object, before a state and a control of nil. */
static bool starts_at(lua_State *L, lua_Debug *frame, int number)
{
  int top = lua_gettop(L);
  bool starts = push_hidden(L, frame, number) && lua_rawequal(L, -1, 1) && push_hidden(L, frame, number + 1)
                && lua_isnil(L, -1) && push_hidden(L, frame, number + 2) && lua_isnil(L, -1);
  lua_settop(L, top);
  return starts;
}

/*
 * take_loop(object, step): if a generic `for` has just called the object for the first time, whose __call calls this,
 * the loop is given the function `step` to call from its next round on, and it is its own; returns whether it was so.
 */
static int take_loop(lua_State *L)
{
  lua_Debug frame;
  int locals = 0;
  lua_settop(L, 2);
  if (!lua_getstack(L, 2, &frame) || !lua_getinfo(L, "l", &frame)) return 0;
  for (; lua_getlocal(L, &frame, locals + 1); locals++) lua_pop(L, 1);
  for (int i = locals - 2; i > 0; i--) {
    if (!starts_at(L, &frame, i)) continue;
    lua_pushvalue(L, 2);
    lua_setlocal(L, &frame, i);
    lua_pushboolean(L, true);
    return 1;
  }
  return 0;
}

const luaL_Reg loop_functions[] = {{"take_loop", take_loop}, {NULL, NULL}};
