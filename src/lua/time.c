/* nl.time and nl.time_ns: the time of day, finer than os.time. */
#include <time.h>

#include "lua/open.h"

/* time(): seconds since 1970, a float */
static int nl_time(lua_State *L)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
  return 1;
}

/* time_ns(): the same in nanoseconds, an integer */
static int nl_time_ns(lua_State *L)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  lua_pushinteger(L, (lua_Integer)t.tv_sec * 1000000000 + t.tv_nsec);
  return 1;
}

const luaL_Reg time_functions[] = {{"time", nl_time}, {"time_ns", nl_time_ns}, {NULL, NULL}};
