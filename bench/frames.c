/* A C host with 60 frames a second: calls the function that a script returns once a frame, for 600 frames, and prints
   what the frames took. See pauses.lua. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nnlua.h"

enum { FRAMES = 600, FRAME_NS = 16666667 };

static double seconds(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The global arg, as an interpreter sets it: the script at 0. */
static void set_arguments(lua_State *L, int argc, char **argv)
{
  lua_createtable(L, argc, 0);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
}

int main(int argc, char **argv)
{
  if (argc < 2) return 1;
  lua_State *L = luaL_newstate();
  nnlua_open(L);
  luaL_openlibs(L);
  set_arguments(L, argc, argv);
  static double times[FRAMES];
  if (luaL_dofile(L, argv[1]) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  for (int i = 0; i < FRAMES; i++) {
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    lua_pushvalue(L, -1);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
      fprintf(stderr, "%s\n", lua_tostring(L, -1));
      return 1;
    }
    times[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    nanosleep(&(struct timespec){0, FRAME_NS}, NULL); /* other work of the host */
  }
  qsort(times, FRAMES, sizeof *times, by_value);
  printf("frame%s\t%.1f\t%.1f\t%.1f\t%.1f\n", argc > 5 ? ", scope" : "", times[FRAMES / 2] * 1e6,
         times[FRAMES * 99 / 100] * 1e6, times[FRAMES - 1] * 1e6, times[FRAMES - 1] * 1e6);
  lua_close(L);
  return 0;
}
