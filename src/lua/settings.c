/* What holds for all ops (threads, the default dtype and device), what PyTorch's programs set and nothing here depends
   on, and the texts of --version. */
#include <string.h>

#include "core/parallel.h"
#include "kernels/lapack.h"
#include "kernels/select.h"
#include "lua/named_arguments.h"
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

static int get_default_device(lua_State *L)
{
  push_device(L, (Device)context_of(L)->default_device);
  return 1;
}

/* set_default_device(device); nil is the CPU. */
static int set_default_device(lua_State *L)
{
  Device d = DEVICE_CPU;
  if (!lua_isnoneornil(L, 1) && !device_test(L, 1, &d))
    return user_error(L, "set_default_device: a device is expected: \"cpu\", or \"meta\" for tensors without elements");
  context_of(L)->default_device = (uint8_t)d;
  return 0;
}

/* ---------------------------------------------- kept for programs that ask again */

/* The settings' names in the table that upvalue 1 is. */
#define DETERMINISM "deterministic"
#define PRECISION "precision"
#define WARNS_ALWAYS "warn_always"
#define INTEROP "interop"

static void set_text(lua_State *L, const char *setting, const char *value)
{
  lua_pushstring(L, value);
  lua_setfield(L, lua_upvalueindex(1), setting);
}

/* Results never depend on threads or luck, so the three modes are kept and change nothing. */
static const char *const modes[] = {"default", "warn", "error"};

static int mode_now(lua_State *L)
{
  lua_getfield(L, lua_upvalueindex(1), DETERMINISM);
  const char *mode = lua_tostring(L, -1);
  for (int i = 1; i < 3; i++)
    if (mode && strcmp(mode, modes[i]) == 0) return i;
  return 0;
}

static int use_deterministic_algorithms(lua_State *L)
{
  static const char *const names[] = {"mode", "warn_only", NULL};
  arguments_merge(L, "use_deterministic_algorithms", 1, names);
  if (lua_isnil(L, 1)) return user_error(L, "use_deterministic_algorithms: mode is missing: true or false");
  bool on = argument_bool(L, "use_deterministic_algorithms", "mode", 1, false);
  bool warn_only = argument_bool(L, "use_deterministic_algorithms", "warn_only", 2, false);
  set_text(L, DETERMINISM, modes[on ? warn_only ? 1 : 2 : 0]);
  return 0;
}

static int are_deterministic_algorithms_enabled(lua_State *L)
{
  lua_pushboolean(L, mode_now(L) > 0);
  return 1;
}

static int is_deterministic_algorithms_warn_only_enabled(lua_State *L)
{
  lua_pushboolean(L, mode_now(L) == 1);
  return 1;
}

static int get_deterministic_debug_mode(lua_State *L)
{
  lua_pushinteger(L, mode_now(L));
  return 1;
}

/* set_deterministic_debug_mode("warn"), or 0, 1, 2 */
static int set_deterministic_debug_mode(lua_State *L)
{
  int whole = 0;
  lua_Integer wanted = lua_type(L, 1) == LUA_TNUMBER ? lua_tointegerx(L, 1, &whole) : -1;
  for (int i = 0; i < 3; i++) {
    bool named = lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), modes[i]) == 0;
    if (!named && (!whole || wanted != i)) continue;
    set_text(L, DETERMINISM, modes[i]);
    return 0;
  }
  return user_error(L, "set_deterministic_debug_mode: \"default\", \"warn\" or \"error\" is expected, or 0, 1 or 2");
}

/* Products of float32 are float32's whatever is said. */
static int set_float32_matmul_precision(lua_State *L)
{
  static const char *const known[] = {"highest", "high", "medium"};
  for (int i = 0; i < 3 && lua_type(L, 1) == LUA_TSTRING; i++) {
    if (strcmp(lua_tostring(L, 1), known[i]) != 0) continue;
    set_text(L, PRECISION, known[i]);
    return 0;
  }
  return user_error(L, "set_float32_matmul_precision: \"highest\", \"high\" or \"medium\" is expected");
}

static int get_float32_matmul_precision(lua_State *L)
{
  if (lua_getfield(L, lua_upvalueindex(1), PRECISION) == LUA_TNIL) lua_pushliteral(L, "highest");
  return 1;
}

static int set_warn_always(lua_State *L)
{
  lua_pushboolean(L, argument_bool(L, "set_warn_always", "b", 1, false));
  lua_setfield(L, lua_upvalueindex(1), WARNS_ALWAYS);
  return 0;
}

static int is_warn_always_enabled(lua_State *L)
{
  lua_getfield(L, lua_upvalueindex(1), WARNS_ALWAYS);
  lua_pushboolean(L, lua_toboolean(L, -1));
  return 1;
}

/* Ops run one after the other; the number is kept. */
static int set_num_interop_threads(lua_State *L)
{
  if (luaL_checkinteger(L, 1) < 1) return user_error(L, "set_num_interop_threads: a positive number is expected");
  lua_pushvalue(L, 1);
  lua_setfield(L, lua_upvalueindex(1), INTEROP);
  return 0;
}

static int get_num_interop_threads(lua_State *L)
{
  if (lua_getfield(L, lua_upvalueindex(1), INTEROP) == LUA_TNIL) lua_pushinteger(L, 1);
  return 1;
}

/* Subnormal numbers are never flushed: whether the mode asked for is the one that holds. */
static int set_flush_denormal(lua_State *L)
{
  lua_pushboolean(L, !argument_bool(L, "set_flush_denormal", "mode", 1, false));
  return 1;
}

const luaL_Reg kept_settings[] = {
  {"use_deterministic_algorithms", use_deterministic_algorithms},
  {"are_deterministic_algorithms_enabled", are_deterministic_algorithms_enabled},
  {"is_deterministic_algorithms_warn_only_enabled", is_deterministic_algorithms_warn_only_enabled},
  {"get_deterministic_debug_mode", get_deterministic_debug_mode},
  {"set_deterministic_debug_mode", set_deterministic_debug_mode},
  {"set_float32_matmul_precision", set_float32_matmul_precision},
  {"get_float32_matmul_precision", get_float32_matmul_precision},
  {"set_warn_always", set_warn_always},
  {"is_warn_always_enabled", is_warn_always_enabled},
  {"set_num_interop_threads", set_num_interop_threads},
  {"get_num_interop_threads", get_num_interop_threads},
  {"set_flush_denormal", set_flush_denormal},
  {NULL, NULL}};

const luaL_Reg settings_functions[] = {{"set_num_threads", set_num_threads},
                                       {"get_num_threads", get_num_threads},
                                       {"get_default_dtype", get_default_dtype},
                                       {"set_default_dtype", set_default_dtype},
                                       {"get_default_device", get_default_device},
                                       {"set_default_device", set_default_device},
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
