/* nnlua.profiler.core: profiles as userdata, and what they have added up. */
#include "core/profiler.h"

#include "lua/open.h"
#include "lua/profiler.h"

static char running_key; /* the registry's key, by address, of the running profile */

/* A profile. */
typedef struct ProfileBox {
  uint32_t kind;
  Context *ctx;
  Profiler *profiler;
} ProfileBox;

enum { MODULES = 1, OUTER /* the one in whose place it runs */, PROFILE_USER_VALUES = OUTER, MOST_LEVELS = 64 };

static ProfileBox *profile_check(lua_State *L, int index)
{
  ProfileBox *box = userdata_test(L, index, KIND_PROFILE, sizeof *box);
  if (!box) user_error(L, "a profile's core was expected");
  return box;
}

/* One that the end of the program hasn't freed already: finalizers of the user's may still ask then. */
static ProfileBox *profile_check_open(lua_State *L, int index)
{
  ProfileBox *box = profile_check(L, index);
  if (!box->profiler) user_error(L, "the profile is gone: the program ends");
  return box;
}

void push_profiled_modules(lua_State *L, Profiler *p)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &running_key);
  const ProfileBox *box = userdata_test(L, -1, KIND_PROFILE, sizeof *box);
  if (!box || box->profiler != p || lua_getiuservalue(L, -1, MODULES) != LUA_TTABLE)
    user_error(L, "the running profile's entries in the registry were changed");
}

/* Notes the lines of the user's code on the stack of the running coroutine. Called within the core: raises nothing. */
static void locate(Context *ctx, Profiler *p, ProfileLane *lane)
{
  lua_State *L = ctx->host.state;
  lua_Debug ar;
  for (int level = 0; level < MOST_LEVELS && lane->nlines < PROFILE_LINES && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0 || is_own_code(&ar)) continue;
    int32_t row = profiler_row(p, PROFILE_LINE, ar.short_src, ar.source, ar.currentline);
    if (row != NO_ROW) lane->lines[lane->nlines++] = row;
  }
}

/* -------------------------------------------------------------- profiles */

static int profile_gc(lua_State *L)
{
  ProfileBox *box = userdata_test(L, 1, KIND_PROFILE, sizeof *box);
  if (!box || !box->profiler) return 0;
  if (box->profiler->is_on) profiler_stop(box->ctx, box->profiler);
  profiler_free(box->profiler);
  box->profiler = NULL;
  return 0;
}

/* open(record_shapes, lines, most_events): a profile that doesn't run yet */
static int open_profile(lua_State *L)
{
  ProfileBox *box = lua_newuserdatauv(L, sizeof *box, PROFILE_USER_VALUES);
  *box = (ProfileBox){KIND_PROFILE, context_of(L), NULL};
  push_gc_metatable(L, "nnlua.profile", profile_gc);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_setiuservalue(L, -2, MODULES);
  Profiler *p = box->profiler = profiler_new();
  if (!p) return luaL_error(L, "not enough memory");
  p->wants_sizes = lua_toboolean(L, 1);
  p->wants_lines = lua_toboolean(L, 2);
  p->most_events = luaL_checkinteger(L, 3);
  p->locate = locate;
  return 1;
}

/* Makes the profile on top of the stack the running one; what ran stands in it until it ends. */
static void start(lua_State *L, const ProfileBox *box)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &running_key);
  lua_setiuservalue(L, -2, OUTER);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &running_key);
  profiler_start(box->ctx, box->profiler);
}

/* Takes a profile that stands out of the chain of those in whose place others run; what it stood for is on top. */
static void leave_chain(lua_State *L, const ProfileBox *box)
{
  int outer = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &running_key);
  while (userdata_test(L, -1, KIND_PROFILE, sizeof *box)) {
    lua_getiuservalue(L, -1, OUTER);
    if (lua_touserdata(L, -1) == box) {
      lua_pushvalue(L, outer);
      lua_setiuservalue(L, -3, OUTER);
      break;
    }
    lua_remove(L, -2);
  }
  lua_settop(L, outer);
}

/* Ends the profile at an index, whether it runs or stands; the one in whose place it ran goes on. */
static void stop(lua_State *L, int index, const ProfileBox *box)
{
  if (!box->profiler || !box->profiler->is_on) return;
  bool runs = box->ctx->profiler == box->profiler;
  profiler_stop(box->ctx, box->profiler);
  lua_getiuservalue(L, index, OUTER);
  if (!runs) leave_chain(L, box);
  const ProfileBox *outer = userdata_test(L, -1, KIND_PROFILE, sizeof *outer);
  if (runs && outer) profiler_continue(outer->ctx, outer->profiler);
  if (runs) lua_rawsetp(L, LUA_REGISTRYINDEX, &running_key);
  lua_pushnil(L);
  lua_setiuservalue(L, index, OUTER);
}

/* start(profile): from now on it notes calls; false if another one does */
static int start_profile(lua_State *L)
{
  const ProfileBox *box = profile_check_open(L, 1);
  lua_settop(L, 1);
  bool is_free = !box->ctx->profiler;
  if (is_free) start(L, box);
  lua_pushboolean(L, is_free);
  return 1;
}

/* stop(profile): until it is started again */
static int stop_profile(lua_State *L)
{
  stop(L, 1, profile_check(L, 1));
  return 0;
}

static int close_instead(lua_State *L)
{
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  stop(L, 2, profile_check(L, 2));
  return 0;
}

/* instead(profile): starts it in the place of one that may be running, until what it gives is closed */
static int start_instead(lua_State *L)
{
  const ProfileBox *box = profile_check_open(L, 1);
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, close_instead);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, 1);
  start(L, box);
  return 1;
}

/* modules(profile): the table from modules that it has seen to the numbers of their rows, from 0 */
static int get_modules(lua_State *L)
{
  profile_check(L, 1);
  lua_getiuservalue(L, 1, MODULES);
  return 1;
}

/* forget(profile): the modules that it has seen, which it keeps alive, may go */
static int forget_modules(lua_State *L)
{
  profile_check(L, 1);
  lua_newtable(L);
  lua_setiuservalue(L, 1, MODULES);
  return 0;
}

/* ----------------------------------------------------------------- ranges */

typedef struct RangeBox {
  Context *ctx;
  ProfileFrame frame;
} RangeBox;

static int close_range(lua_State *L)
{
  RangeBox *box = luaL_checkudata(L, 1, "nnlua.profiled_range");
  profile_end(box->ctx, &box->frame, profile_clock(), NULL);
  return 0;
}

static int drop_range(lua_State *L)
{
  RangeBox *box = luaL_checkudata(L, 1, "nnlua.profiled_range");
  profile_drop(&box->frame);
  return 0;
}

/* range(name): a range that begins, to be closed; nothing happens where no profile runs */
static int open_range(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  RangeBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (RangeBox){.ctx = context_of(L)};
  push_gc_metatable(L, "nnlua.profiled_range", drop_range);
  lua_pushcfunction(L, close_range);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  if (box->ctx->profiler) profile_begin(box->ctx, &box->frame, profile_clock(), PROFILE_RANGE, name, L);
  return 1;
}

/* ---------------------------------------------------------------- results */

static void set_count(lua_State *L, const char *name, int64_t value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* Pushes a list of {argument =, dtype =, shape =}; argument 0 is a result. */
static void push_sizes(lua_State *L, const ProfileRow *row)
{
  lua_newtable(L);
  lua_Integer n = 0;
  for (int32_t i = 0; i < row->nsizes;) {
    int64_t argument = row->sizes[i], dtype = row->sizes[i + 1], ndim = row->sizes[i + 2];
    lua_createtable(L, 0, 3);
    set_count(L, "argument", argument + 1);
    push_dtype(L, (DType)dtype);
    lua_setfield(L, -2, "dtype");
    lua_createtable(L, (int)ndim, 0);
    for (int64_t k = 0; k < ndim; k++) {
      lua_pushinteger(L, row->sizes[i + 3 + k]);
      lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "shape");
    lua_rawseti(L, -2, ++n);
    i += 3 + (int32_t)ndim;
  }
}

static void push_row(lua_State *L, const ProfileRow *row)
{
  static const char *const kinds[] = {"op", "node", "call", "range", "module", "line", "transfer"};
  lua_createtable(L, 0, 14);
  lua_pushstring(L, row->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, kinds[row->kind]);
  lua_setfield(L, -2, "kind");
  set_count(L, "line", row->line);
  set_count(L, "calls", row->calls);
  set_count(L, "total", row->total);
  set_count(L, "self", row->self);
  set_count(L, "bytes", row->bytes);
  set_count(L, "self_bytes", row->self_bytes);
  set_count(L, "ops", row->ops);
  set_count(L, "backward", row->backward);
  set_count(L, "backward_calls", row->backward_calls);
  if (!row->sizes) return;
  push_sizes(L, row);
  lua_setfield(L, -2, "sizes");
}

/* rows(profile): a list of tables; times in nanoseconds */
static int list_rows(lua_State *L)
{
  const Profiler *p = profile_check_open(L, 1)->profiler;
  lua_createtable(L, p->nrows, 0);
  for (int32_t i = 0; i < p->nrows; i++) {
    push_row(L, &p->rows[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* event(profile, i): begin, duration, bytes, the numbers of its row, module and line (0: none), lane, thread; nothing
   behind the last one */
static int get_event(lua_State *L)
{
  const Profiler *p = profile_check_open(L, 1)->profiler;
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || i > p->nevents) return 0;
  const ProfileEvent *e = &p->events[i - 1];
  const int64_t values[] = {e->begin,      e->duration, e->bytes, e->row + 1,
                            e->module + 1, e->line + 1, e->lane,  e->thread};
  int n = sizeof values / sizeof *values;
  for (int k = 0; k < n; k++) lua_pushinteger(L, values[k]);
  return n;
}

/* totals(profile): the time that it ran, that of the calls which Lua made, its own, and how many calls it dropped */
static int get_totals(lua_State *L)
{
  const Profiler *p = profile_check_open(L, 1)->profiler;
  lua_createtable(L, 0, 5);
  set_count(L, "wall", p->wall + (p->is_on ? profile_clock() - p->own - p->started : 0));
  set_count(L, "outermost", p->outermost);
  set_count(L, "own", p->own);
  set_count(L, "events", p->nevents);
  set_count(L, "dropped", p->dropped);
  return 1;
}

int open_profiler_core(lua_State *L)
{
  static const luaL_Reg functions[] = {{"open", open_profile},
                                       {"start", start_profile},
                                       {"stop", stop_profile},
                                       {"instead", start_instead},
                                       {"modules", get_modules},
                                       {"forget", forget_modules},
                                       {"range", open_range},
                                       {"rows", list_rows},
                                       {"event", get_event},
                                       {"totals", get_totals},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
