/*
 * Makes Lua's own allocations fail, by an allocator around the state's. For specs: see tests/support/fail_lua.lua.
 *
 *   failing.start(k, all)   the k-th request from now on fails, and with `all` each one that follows
 *   failing.start()         every request fails at first, so that Lua collects garbage and tries again
 *   failing.stop()          whether one has failed; from here on none does
 *   failing.remove()        the state gets its own allocator back, which closing it needs
 *
 * A request is a new block or one that grows; Lua tries again after a collection, so the second try must fail, too.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

enum { OFF, ONE, ALL, EACH_FIRST };

static lua_Alloc inner;
static void *inner_data;
static int mode;
static lua_Integer countdown; /* requests until one fails */
static bool fail_again;       /* the next one is the second try */
static bool has_failed;

static bool must_fail(void)
{
  if (mode == EACH_FIRST) return (fail_again = !fail_again);
  if (fail_again) {
    fail_again = mode == ALL;
    return true;
  }
  if (mode == OFF || --countdown > 0) return false;
  if (mode == ONE && countdown < 0) return false;
  fail_again = has_failed = true;
  return true;
}

static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
  (void)data;
  bool is_request = new_size > 0 && (!block || new_size > old_size);
  if (is_request && must_fail()) return NULL;
  return inner(inner_data, block, old_size, new_size);
}

static int start(lua_State *L)
{
  countdown = luaL_optinteger(L, 1, 0);
  mode = lua_isnone(L, 1) ? EACH_FIRST : lua_toboolean(L, 2) ? ALL : ONE;
  fail_again = has_failed = false;
  return 0;
}

static int stop(lua_State *L)
{
  mode = OFF;
  fail_again = false;
  lua_pushboolean(L, has_failed);
  return 1;
}

static int restore(lua_State *L)
{
  if (inner) lua_setallocf(L, inner, inner_data);
  inner = NULL;
  return 0;
}

__attribute__((visibility("default"))) int luaopen_failing(lua_State *L);
int luaopen_failing(lua_State *L)
{
  static const luaL_Reg functions[] = {{"start", start}, {"stop", stop}, {"remove", restore}, {NULL, NULL}};
  luaL_newlib(L, functions);
  if (!inner) {
    inner = lua_getallocf(L, &inner_data);
    lua_setallocf(L, allocate, NULL);
  }
  return 1;
}
