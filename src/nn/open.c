/* The C functions that lua/nnlua/nn builds on, as one table. */
#include <pthread.h>

#include "lua/open.h"
#include "lua/prepare.h"
#include "lua/tensor/size.h"
#include "nn/module.h"

/* user_line(): "file:line: " of the user's code, for warnings */
static int user_line(lua_State *L)
{
  push_user_line(L);
  return 1;
}

/* raise(text): an error at the user's line */
static int raise_error(lua_State *L) { return user_error(L, "%s", luaL_checkstring(L, 1)); }

static int test_none(lua_State *L)
{
  lua_pushboolean(L, is_none(L, 1));
  return 1;
}

static int test_size(lua_State *L)
{
  Ints size;
  lua_pushboolean(L, size_test(L, 1, &size));
  return 1;
}

static void set_constant(lua_State *L, const char *name, lua_Integer value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void give_callbacks(void)
{
  push_module_path = module_path;
  own_caller = is_own_caller;
}

int open_nn(lua_State *L)
{
  static const luaL_Reg own[] = {
    {"raise", raise_error}, {"user_line", user_line}, {"is_none", test_none}, {"is_size", test_size}, {NULL, NULL}};
  static pthread_once_t once = PTHREAD_ONCE_INIT; /* other states may be calling these */
  pthread_once(&once, give_callbacks);
  lua_newtable(L);
  luaL_setfuncs(L, own, 0);
  luaL_setfuncs(L, loop_functions, 0);
  luaL_setfuncs(L, number_text_functions, 0);
  luaL_setfuncs(L, module_functions, 0);
  luaL_setfuncs(L, class_functions, 0);
  luaL_setfuncs(L, call_functions, 0);
  luaL_setfuncs(L, guard_functions, 0);
  luaL_setfuncs(L, walk_functions, 0);
  luaL_setfuncs(L, parameter_functions, 0);
  luaL_setfuncs(L, linear_functions, 0);
  luaL_setfuncs(L, activation_functions, 0);
  luaL_setfuncs(L, compile_functions, 0);
  luaL_setfuncs(L, optim_functions, push_optim_names(L));
  push_none(L);
  lua_setfield(L, -2, "none");
  set_constant(L, "HOOK_PRE", HOOK_PRE);
  set_constant(L, "HOOK_POST", HOOK_POST);
  set_constant(L, "HOOK_BACKWARD_PRE", HOOK_BACKWARD_PRE);
  set_constant(L, "HOOK_BACKWARD", HOOK_BACKWARD);
  set_constant(L, "PARAMETER", SLOT_PARAMETER);
  set_constant(L, "BUFFER", SLOT_BUFFER);
  set_constant(L, "MODULE", SLOT_MODULE);
  set_constant(L, "TRANSIENT", SLOT_TRANSIENT);
  return 1;
}
