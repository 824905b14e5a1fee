/* autograd.graph.queue_callback: functions that are called once the backward that is running is done. */
#include "autograd/engine.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/modes.h"
#include "lua/parse.h"

static char callbacks_key; /* registry key, by address: a list of {function, number of its backward} */

enum { CALLBACK = 1, BACKWARD };

static int queue_callback(lua_State *L)
{
  Context *ctx = context_of(L);
  if (!is_callable(L, 1))
    return user_error(L, "queue_callback: argument 'callback': a function was expected, got %s", type_name(L, 1));
  if (!backward_number(ctx))
    return user_error(L, "queue_callback: no backward is running: call it from a hook or a Function's backward");
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &callbacks_key) != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &callbacks_key);
  }
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, CALLBACK);
  lua_pushinteger(L, (lua_Integer)backward_number(ctx));
  lua_rawseti(L, -2, BACKWARD);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  ctx->queued_callbacks = true;
  return 0;
}

/* Those of backwards further out stay in the list; the others are moved to one that is pushed. */
static void take_callbacks(lua_State *L, Context *ctx)
{
  lua_Integer outer = (lua_Integer)backward_number(ctx), kept = 0, taken = 0;
  lua_newtable(L);
  lua_newtable(L);
  int now = lua_gettop(L) - 1, later = now + 1;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &callbacks_key) == LUA_TTABLE)
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, -1); i <= n; i++) {
      lua_rawgeti(L, -1, i);
      lua_rawgeti(L, -1, BACKWARD);
      bool waits = lua_tointeger(L, -1) <= outer;
      lua_pop(L, 1);
      lua_rawseti(L, waits ? later : now, waits ? ++kept : ++taken);
    }
  lua_pushvalue(L, later);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &callbacks_key);
  ctx->queued_callbacks = kept > 0;
  lua_settop(L, now);
}

void run_queued_callbacks(lua_State *L, Context *ctx, bool done)
{
  luaL_checkstack(L, 8, NULL);
  take_callbacks(L, ctx);
  for (lua_Integer i = 1, n = done ? (lua_Integer)lua_rawlen(L, -1) : 0; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    lua_rawgeti(L, -1, CALLBACK);
    lua_call(L, 0, 0);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void open_backward_callbacks(lua_State *L)
{
  lua_pushcfunction(L, queue_callback);
  lua_setfield(L, -2, "queue_callback");
}
