/* Replaces coroutine.resume, wrap and close: while a coroutine runs, it is the one that Ctrl-C stops. */
#include "cli/coroutine.h"

#include "cli/run.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>

/* Resumes with the arguments on top of the stack. How many results there are now instead, or -1 and an error. */
static int resume(lua_State *L, lua_State *co, int arguments)
{
  int results;
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  run_set_running(co);
  int status = lua_resume(co, L, arguments, &results);
  run_set_running(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

static int coroutine_resume(lua_State *L)
{
  lua_State *co = lua_tothread(L, 1);
  luaL_checktype(L, 1, LUA_TTHREAD);
  int results = resume(L, co, lua_gettop(L) - 1);
  bool succeeded = results >= 0;
  int count = succeeded ? results : 1;
  lua_pushboolean(L, succeeded);
  lua_insert(L, -(count + 1));
  return count + 1;
}

/* What wrap gives. A coroutine that failed is closed; the error tells the line of the call, too. */
static int call_wrapped(lua_State *L)
{
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, co, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    run_set_running(co); /* its variables are closed */
    status = lua_resetthread(co);
    run_set_running(L);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

/* Lua's own close, which is the upvalue: it runs what closes the coroutine's variables. */
static int coroutine_close(lua_State *L)
{
  lua_State *co = lua_tothread(L, 1);
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (co != NULL) run_set_running(co);
  int status = lua_pcall(L, count, LUA_MULTRET, 0);
  run_set_running(L);
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

void coroutine_open(lua_State *L)
{
  static const luaL_Reg functions[] = {{"resume", coroutine_resume}, {"wrap", coroutine_wrap}, {NULL, NULL}};
  lua_getglobal(L, LUA_COLIBNAME);
  lua_getfield(L, -1, "close");
  lua_pushcclosure(L, coroutine_close, 1);
  lua_setfield(L, -2, "close");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
