/* What holds for all ops (threads, the default dtype), and the texts of --version. */
#include "core/parallel.h"
#include "kernels/lapack.h"
#include "kernels/select.h"
#include "lua/nnlua.h"
#include "lua/open.h"
#include "lua/settings.h"

static int set_num_threads(lua_State *L)
{
  lua_Integer n = luaL_checkinteger(L, 1);
  if (n < 1) return user_error(L, "set_num_threads: a positive number is expected");
  parallel_set_threads((int)n);
  return 0;
}

static int get_num_threads(lua_State *L)
{
  lua_pushinteger(L, parallel_threads());
  return 1;
}

static int get_default_dtype(lua_State *L)
{
  push_dtype(L, context_of(L)->default_dtype);
  return 1;
}

static int set_default_dtype(lua_State *L)
{
  DType d;
  if (!dtype_test(L, 1, &d) || !dtype_is_floating(d))
    return user_error(L, "set_default_dtype: a floating dtype is expected");
  context_of(L)->default_dtype = d;
  return 0;
}

const luaL_Reg settings_functions[] = {{"set_num_threads", set_num_threads},
                                       {"get_num_threads", get_num_threads},
                                       {"get_default_dtype", get_default_dtype},
                                       {"set_default_dtype", set_default_dtype},
                                       {NULL, NULL}};

/* -------------------------------------------------------- for the command line */

void settings_set_threads(int threads) { parallel_set_threads(threads); }

void settings_describe(FILE *out)
{
  char algebra[200];
  kernels_select();
  lapack_describe(algebra, sizeof algebra);
  fprintf(out, "nnlua %s, %s\n%s\n", NNLUA_VERSION, LUA_RELEASE, algebra);
  fprintf(out, "%s kernels, %d thread%s\n", kernels_isa(), parallel_threads(), parallel_threads() == 1 ? "" : "s");
}
