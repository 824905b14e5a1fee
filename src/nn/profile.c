/* Calls of modules while a profile runs: each in a frame that also errors and coroutines that are left end. */
#include "core/profiler.h"
#include "lua/profiler.h"
#include "nn/module.h"

typedef struct ModuleFrame {
  NnState *nn;
  ProfileFrame frame;
} ModuleFrame;

static int close_frame(lua_State *L)
{
  ModuleFrame *f = lua_touserdata(L, 1);
  f->nn->timed = NULL; /* an error may have come before module_call took it */
  profile_end(f->nn->ctx, &f->frame, profile_clock(), NULL);
  return 0;
}

static int drop_frame(lua_State *L)
{
  ModuleFrame *f = lua_touserdata(L, 1);
  profile_drop(&f->frame);
  return 0;
}

/* The row of the module at index 1, called by its path when it is first seen. */
static int32_t row_of_module(lua_State *L, Profiler *p)
{
  int top = lua_gettop(L);
  push_profiled_modules(L, p);
  lua_pushvalue(L, 1);
  int32_t row;
  if (lua_rawget(L, -2) == LUA_TNUMBER) {
    row = (int32_t)lua_tointeger(L, -1);
  } else {
    const char *name = module_path(L) ? lua_tostring(L, -1) : push_class_name(L, 1);
    row = profiler_row(p, PROFILE_MODULE, name, lua_touserdata(L, 1), 0);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, row);
    lua_rawset(L, top + 2);
  }
  lua_settop(L, top);
  return row;
}

/* The frame is at an index, what forward has returned behind it. */
static int called(lua_State *L, int status, lua_KContext index)
{
  (void)status;
  ModuleFrame *f = lua_touserdata(L, (int)index);
  profile_end(f->nn->ctx, &f->frame, profile_clock(), NULL);
  return lua_gettop(L) - (int)index;
}

int profiled_call(lua_State *L, NnState *nn)
{
  int64_t now = profile_clock();
  int n = lua_gettop(L), index = n + 1;
  luaL_checkstack(L, n + 20, "too many arguments");
  Profiler *p = nn->ctx->profiler;
  int32_t row = row_of_module(L, p);
  ModuleFrame *f = lua_newuserdatauv(L, sizeof *f, 0);
  *f = (ModuleFrame){.nn = nn};
  push_gc_metatable(L, "nnlua.module_frame", drop_frame);
  lua_pushcfunction(L, close_frame);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, index);
  lua_toclose(L, index);
  lua_Debug ar;
  lua_getstack(L, 0, &ar);
  lua_getinfo(L, "f", &ar); /* module_call, with its upvalues */
  for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
  if (nn->ctx->profiler == p) { /* else a finalizer has stopped it */
    profile_begin_module(nn->ctx, &f->frame, now, row, L);
    nn->timed = lua_touserdata(L, 1);
  }
  lua_callk(L, n, LUA_MULTRET, index, called);
  return called(L, LUA_OK, index);
}
