/* A host that takes its locale from the environment, as programs with windows do, and runs a script. */
#include <lauxlib.h>
#include <locale.h>
#include <lualib.h>
#include <stdio.h>

#include "nnlua.h"

int main(int argc, char **argv)
{
  if (argc < 2 || !setlocale(LC_ALL, "")) {
    fprintf(stderr, "usage: %s script [arguments], in a locale that there is\n", argv[0]);
    return 1;
  }
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "nnlua", luaopen_nnlua, 0);
  lua_newtable(L);
  for (int i = 1; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
  int failed = luaL_dofile(L, argv[1]);
  if (failed) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed;
}
