/* Clocks: the time of day (nl.time, nl.time_ns), finer than os.time, and one that only goes forward. */
#include <time.h>

#include "lua/open.h"

static int push_seconds(lua_State *L, clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
  return 1;
}

/* time(): seconds since 1970, a float */
static int nl_time(lua_State *L) { return push_seconds(L, CLOCK_REALTIME); }

/* time_ns(): the same in nanoseconds, an integer */
static int nl_time_ns(lua_State *L)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  lua_pushinteger(L, (lua_Integer)t.tv_sec * 1000000000 + t.tv_nsec);
  return 1;
}

int monotonic_clock(lua_State *L) { return push_seconds(L, CLOCK_MONOTONIC); }

const luaL_Reg time_functions[] = {{"time", nl_time}, {"time_ns", nl_time_ns}, {NULL, NULL}};
