/* require "nnlua": the table of the API, and the modules written in Lua behind it. */
#include <math.h>
#include <string.h>

#include "kernels/select.h"
#include "lua/call.h"
#include "lua/embedded.h"
#include "lua/nnlua.h"
#include "lua/open.h"
#include "lua/prepare.h"
#include "lua/tensor/tensor.h"

static char library_key; /* registry key, by address */

/* --------------------------------------------------------- what require finds */

static void preload_public(lua_State *L, int preload);

/* nnlua.system: what the library's Lua asks of the system. */
static int open_system(lua_State *L)
{
  static const luaL_Reg functions[] = {{"read_csv", read_csv},
                                       {"read_json", read_json},
                                       {"check_path", check_path},
                                       {"checked_device", checked_device},
                                       {"source", embedded_source},
                                       {"set_line_width", print_set_line_width},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  luaL_setfuncs(L, terminal_functions, 0);
  luaL_setfuncs(L, source_functions, 0);
  luaL_setfuncs(L, pickle_functions, 0);
  luaL_setfuncs(L, archive_functions, 0);
  luaL_setfuncs(L, tensor_file_functions, 0);
  luaL_setfuncs(L, file_byte_functions, 0);
  luaL_setfuncs(L, picture_functions, 0);
  luaL_setfuncs(L, drawing_functions, 0);
  luaL_setfuncs(L, worker_functions, 0);
  luaL_setfuncs(L, interrupt_functions, 0);
  luaL_setfuncs(L, wire_functions, 0);
  return 1;
}

static void preload_all(lua_State *L)
{
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  embedded_preload(L, lua_gettop(L));
  lua_pushcfunction(L, open_nn);
  lua_setfield(L, -2, "nnlua.nn.core");
  lua_pushcfunction(L, open_system);
  lua_setfield(L, -2, "nnlua.system");
  lua_pushcfunction(L, open_func_core);
  lua_setfield(L, -2, "nnlua.func.core");
  lua_pushcfunction(L, open_program_core);
  lua_setfield(L, -2, "nnlua.program.core");
  lua_pushcfunction(L, open_distributed_core);
  lua_setfield(L, -2, "nnlua.distributed.core");
  lua_pushcfunction(L, open_profiler_core);
  lua_setfield(L, -2, "nnlua.profiler.core");
  preload_public(L, lua_gettop(L));
  lua_pop(L, 1);
}

/* nl.nn, nl.optim and the like are loaded when they are first asked for: starting up stays short. */
static int library_index(lua_State *L)
{
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  lua_pushfstring(L, "nnlua.%s", lua_tostring(L, 2));
  const EmbeddedModule *m = embedded_find(lua_tostring(L, -1));
  static const struct {
    const char *name, *module;
  } fields[] = {/* of a module, and of nl as well */
                {"vmap", "nnlua.func"},
                {"GradScaler", "nnlua.amp"},
                {"Trainer", "nnlua.trainer"}};
  for (size_t i = 0; !m && i < sizeof fields / sizeof *fields; i++) {
    if (strcmp(lua_tostring(L, 2), fields[i].name) != 0) continue;
    embedded_push(L, embedded_find(fields[i].module));
    lua_getfield(L, -1, fields[i].name);
    return 1;
  }
  if (!m) return 0;
  embedded_push(L, m);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/* nl.autograd's modules, and gradcheck and gradgradcheck, are written in Lua. */
static int autograd_index(lua_State *L)
{
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "functional") == 0 || strcmp(name, "forward_ad") == 0) {
    lua_pushfstring(L, "nnlua.autograd.%s", name);
    embedded_push(L, embedded_find(lua_tostring(L, -1)));
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
  }
  if (strcmp(name, "gradcheck") != 0 && strcmp(name, "gradgradcheck") != 0) return 0;
  embedded_push(L, embedded_find("nnlua.gradcheck"));
  lua_getfield(L, -1, name);
  return 1;
}

static void set_index(lua_State *L, int table, lua_CFunction index)
{
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, table);
}

/* --------------------------------------------------------------- dotted names */

/* The public tables of the API that require gives under a name of their own, whether or not "nnlua" came first. */
/* clang-format off */
#define PUBLIC_MODULES(X)                                                                    \
  X(autograd, "nnlua.autograd") X(autograd_functional, "nnlua.autograd.functional")          \
  X(autograd_forward_ad, "nnlua.autograd.forward_ad") X(func, "nnlua.func")                  \
  X(program, "nnlua.program") X(profiler, "nnlua.profiler")                                  \
  X(linalg, "nnlua.linalg") X(special, "nnlua.special") X(masked, "nnlua.masked")            \
  X(nn, "nnlua.nn") X(nn_functional, "nnlua.nn.functional") X(nn_init, "nnlua.nn.init")      \
  X(nn_parallel, "nnlua.nn.parallel")                                                        \
  X(nn_utils, "nnlua.nn.utils") X(nn_utils_rnn, "nnlua.nn.utils.rnn")                        \
  X(nn_utils_parametrize, "nnlua.nn.utils.parametrize")                                      \
  X(nn_utils_parametrizations, "nnlua.nn.utils.parametrizations")                            \
  X(nn_utils_prune, "nnlua.nn.utils.prune")                                                  \
  X(optim, "nnlua.optim") X(optim_lr_scheduler, "nnlua.optim.lr_scheduler")                  \
  X(utils, "nnlua.utils") X(utils_data, "nnlua.utils.data")                                  \
  X(distributed, "nnlua.distributed") X(distributions, "nnlua.distributions")                \
  X(fft, "nnlua.fft") X(signal, "nnlua.signal") X(signal_windows, "nnlua.signal.windows")    \
  X(io, "nnlua.io") X(datasets, "nnlua.datasets") X(transforms, "nnlua.transforms")          \
  X(transforms_functional, "nnlua.transforms.functional") X(text, "nnlua.text")              \
  X(audio, "nnlua.audio") X(vision, "nnlua.vision") X(plot, "nnlua.plot")                    \
  X(testing, "nnlua.testing") X(testing_helper, "nnlua.testing.helper") X(help, "nnlua.help")
/* clang-format on */

/* A module of that name, or else the table that nl has under it. */
static int open_public(lua_State *L, const char *name)
{
  luaL_requiref(L, "nnlua", luaopen_nnlua, 0);
  const EmbeddedModule *m = embedded_find(name);
  if (m) {
    embedded_push(L, m);
    return 1;
  }
  for (const char *part = strchr(name, '.'); part; part = strchr(part, '.')) {
    part++;
    lua_pushlstring(L, part, strcspn(part, "."));
    if (lua_gettable(L, -2) == LUA_TNIL) return luaL_error(L, "module '%s' not found", name);
  }
  return 1;
}

/* What a stock Lua looks for in nnlua.so: luaopen_nnlua_nn for require "nnlua.nn". */
#define OPENER(symbol, name)                          \
  NNLUA_API int luaopen_nnlua_##symbol(lua_State *L); \
  int luaopen_nnlua_##symbol(lua_State *L) { return open_public(L, name); }
PUBLIC_MODULES(OPENER)
#undef OPENER

static void preload_public(lua_State *L, int preload)
{
#define PRELOAD(symbol, name)                   \
  lua_pushcfunction(L, luaopen_nnlua_##symbol); \
  lua_setfield(L, preload, name);
  PUBLIC_MODULES(PRELOAD)
#undef PRELOAD
}

void nnlua_preload(lua_State *L)
{
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_nnlua);
  lua_setfield(L, -2, "nnlua");
  preload_public(L, lua_gettop(L));
  lua_pop(L, 1);
}

/* ------------------------------------------------------------------------ ops */

static void set_group(lua_State *L, Context *ctx, int table, const Op *op, int form)
{
  if (form == INPLACE) lua_pushfstring(L, "%s_", op->name);
  else lua_pushstring(L, op->name);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, table) != LUA_TNIL) { /* an overload: the group has it */
    lua_pop(L, 2);
    return;
  }
  lua_pop(L, 1);
  push_group(L, ctx, op->name, form);
  lua_rawset(L, table);
}

static void open_ops(lua_State *L, Context *ctx, int nl, int members, int functional)
{
  for (int id = 0; id < op_count; id++) {
    const Op *op = &op_table[id];
    if (op->forms & IN_NL) set_group(L, ctx, nl, op, IN_NL);
    if (op->forms & METHOD) set_group(L, ctx, members, op, METHOD);
    if (op->forms & IN_F) set_group(L, ctx, functional, op, IN_F);
    if (op->forms & INPLACE) {
      set_group(L, ctx, members, op, INPLACE);
      set_group(L, ctx, nl, op, INPLACE);
      if (op->forms & IN_F) set_group(L, ctx, functional, op, INPLACE);
    }
  }
}

/* The tables of spaces.def, as fields of nl. */
static void open_spaces(lua_State *L, Context *ctx, int nl)
{
  static const struct {
    int form;
    const char *name;
  } spaces[] = {
#define SPACE(form, name) {form, #name},
#include "ops/table/spaces.def"
#undef SPACE
  };
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    lua_newtable(L);
    for (int id = 0; id < op_count; id++)
      if (op_table[id].forms & (uint32_t)spaces[i].form)
        set_group(L, ctx, lua_gettop(L), &op_table[id], spaces[i].form);
    lua_setfield(L, nl, spaces[i].name);
  }
}

/* table[name] = table[of] where that is there. */
static void alias_field(lua_State *L, int table, const char *name, const char *of)
{
  lua_pushstring(L, name);
  lua_pushstring(L, of);
  if (lua_rawget(L, table) == LUA_TNIL) lua_pop(L, 2);
  else lua_rawset(L, table);
}

static void open_aliases(lua_State *L, int nl, int members, int functional)
{
  static const struct {
    const char *name, *of;
  } aliases[] = {
#define ALIAS(name, of) {#name, #of}, {#name "_", #of "_"},
#include "ops/table/aliases.def"
  };
  for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
    alias_field(L, nl, aliases[i].name, aliases[i].of);
    alias_field(L, members, aliases[i].name, aliases[i].of);
    alias_field(L, functional, aliases[i].name, aliases[i].of);
  }
}

/* Further names in the tables of spaces.def, of their own functions or nl's. */
static void open_space_aliases(lua_State *L, int nl)
{
  static const struct {
    const char *space, *name, *of;
  } aliases[] = {
#define ALIAS_IN(space, name, of) {#space, #name, #of},
#include "ops/table/aliases.def"
  };
  for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
    lua_getfield(L, nl, aliases[i].space);
    if (lua_getfield(L, -1, aliases[i].of) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_getfield(L, nl, aliases[i].of);
    }
    lua_setfield(L, -2, aliases[i].name);
    lua_pop(L, 1);
  }
}

/* --------------------------------------------------------- methods written in Lua */

/* A method of nnlua.elementwise, whose name is upvalue 1. */
static int call_elementwise(lua_State *L)
{
  tensor_check(L, 1);
  embedded_push(L, embedded_find("nnlua.elementwise"));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_gettable(L, -2);
  lua_remove(L, -2);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static void open_elementwise(lua_State *L)
{
  static const char *const names[] = {"apply_", "map_", "map2_"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_pushstring(L, names[i]);
    lua_pushcclosure(L, call_elementwise, 1);
    lua_setfield(L, -2, names[i]);
  }
}

/* ----------------------------------------------------------------- the library */

static void open_functions(lua_State *L)
{
  static const luaL_Reg single[] = {{"frombuffer", nl_frombuffer},
                                    {"broadcast_shapes", nl_broadcast_shapes},
                                    {"ops", nl_ops},
                                    {"set_printoptions", nl_set_printoptions},
                                    {NULL, NULL}};
  luaL_setfuncs(L, single, 0);
  luaL_setfuncs(L, settings_functions, 0);
  lua_newtable(L);
  luaL_setfuncs(L, kept_settings, 1);
  luaL_setfuncs(L, time_functions, 0);
  luaL_setfuncs(L, creation_functions, 0);
  luaL_setfuncs(L, question_functions, 0);
  luaL_setfuncs(L, comparison_functions, 0);
  luaL_setfuncs(L, memory_functions, 0);
  luaL_setfuncs(L, promotion_functions, 0);
  luaL_setfuncs(L, resize_methods, 0);
  open_dtypes(L);
  open_devices(L);
  open_tensor_types(L);
  open_generator(L);
  push_newaxis(L);
  lua_setfield(L, -2, "newaxis");
  push_ellipsis(L);
  lua_setfield(L, -2, "ellipsis");
  static const char *const formats[] = {"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    lua_pushstring(L, formats[i]);
    lua_setfield(L, -2, formats[i]);
  }
  lua_pushliteral(L, NNLUA_VERSION);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__version__");
  lua_setfield(L, -2, "_VERSION");
  lua_pushstring(L, kernels_isa());
  lua_setfield(L, -2, "_ISA");
  lua_pushnumber(L, HUGE_VAL);
  lua_setfield(L, -2, "inf");
  lua_pushnumber(L, (lua_Number)NAN);
  lua_setfield(L, -2, "nan");
  lua_pushnumber(L, 3.14159265358979323846);
  lua_setfield(L, -2, "pi");
  lua_pushnumber(L, 2.71828182845904523536);
  lua_setfield(L, -2, "e");
  lua_pushliteral(L, "strided");
  lua_setfield(L, -2, "strided");
}

static void build_library(lua_State *L, Context *ctx)
{
  lua_createtable(L, 0, 512);
  int nl = lua_gettop(L);
  open_functions(L);
  open_size(L);
  lua_setfield(L, nl, "Size");
  open_tensor(L, ctx);
  int members = lua_gettop(L);
  lua_newtable(L);
  open_ops(L, ctx, nl, members, members + 1);
  open_aliases(L, nl, members, members + 1);
  open_spaces(L, ctx, nl);
  open_space_aliases(L, nl);
  lua_setfield(L, nl, "F");
  luaL_setfuncs(L, creation_methods, 0);
  luaL_setfuncs(L, element_methods, 0);
  luaL_setfuncs(L, question_methods, 0);
  luaL_setfuncs(L, resize_methods, 0);
  luaL_setfuncs(L, comparison_functions, 0);
  open_elementwise(L);
  open_autograd(L, nl, members);
  lua_settop(L, nl);
  set_index(L, nl, library_index);
  lua_getfield(L, nl, "autograd");
  set_index(L, nl + 1, autograd_index);
  lua_settop(L, nl);
}

int luaopen_nnlua(lua_State *L)
{
  luaL_checkversion(L);
  nnlua_prepare(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &library_key) == LUA_TTABLE) {
    preload_all(L);
    return 1;
  }
  lua_pop(L, 1);
  ops_prepare();
  kernels_select();
  preload_all(L);
  build_library(L, context_of(L));
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &library_key);
  return 1;
}
