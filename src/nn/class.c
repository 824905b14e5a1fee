/* Classes of modules: a Lua table each, and one metatable each for its instances. */
#include "lua/tensor/tensor.h"
#include "nn/module.h"

#include <string.h>

static const char state_key; /* its address is the registry's key */

NnState *nn_state(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key) == LUA_TNIL) {
    NnState *fresh = lua_newuserdatauv(L, sizeof *fresh, 1);
    *fresh = (NnState){.ctx = context_of(L)};
    fresh->forward_name = lua_pushliteral(L, "forward"); /* kept alive here, so its address stays its own */
    lua_setiuservalue(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
    lua_pop(L, 1);
    return fresh;
  }
  NnState *nn = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return nn;
}

/* ------------------------------------------------------------ constructing */

static int constructed(lua_State *L, int status, lua_KContext context)
{
  (void)status, (void)context;
  lua_settop(L, 1);
  return 1;
}

/* Class(...). Upvalues: metatable of instances, class, "init", the state. A module is whole before init runs. */
static int class_call(lua_State *L)
{
  int arguments = lua_gettop(L) - 1;
  if (!lua_istable(L, lua_upvalueindex(1))) return luaL_error(L, "the upvalues of this function were changed");
  lua_pushvalue(L, lua_upvalueindex(1));
  module_new(L, lua_touserdata(L, lua_upvalueindex(4)));
  lua_replace(L, 1);
  lua_pushvalue(L, lua_upvalueindex(3));
  if (lua_gettable(L, lua_upvalueindex(2)) == LUA_TNIL) return constructed(L, LUA_OK, 0);
  unguard(L);
  lua_pushvalue(L, 1);
  lua_rotate(L, 2, 2);
  lua_callk(L, arguments + 1, 0, 0, constructed);
  return constructed(L, LUA_OK, 0);
}

/* --------------------------------------------------------------- operators */

static const char *const operators[] = {"__len",  "__pairs", "__tostring", "__concat", "__add",  "__sub",  "__mul",
                                        "__div",  "__mod",   "__pow",      "__unm",    "__idiv", "__band", "__bor",
                                        "__bxor", "__shl",   "__shr",      "__bnot",   "__lt",   "__le",   NULL};

/* An operator is looked up in the class when it is used, so that it is inherited as methods are. Upvalue: its name. */
static int call_operator(lua_State *L)
{
  int n = lua_gettop(L);
  int self = module_test(L, 1) ? 1 : 2;
  module_check(L, self);
  push_class_of(L, self);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (lua_gettable(L, -2) == LUA_TNIL)
    return user_error(L, "%s has no operator %s", push_class_name(L, self), lua_tostring(L, lua_upvalueindex(1)));
  lua_replace(L, -2);
  lua_insert(L, 1);
  lua_call(L, n, LUA_MULTRET);
  return lua_gettop(L);
}

/* ------------------------------------------------------------ making classes */

/* The upvalues are those of module.h's CALL_… */
static void push_module_call(lua_State *L, int class)
{
  lua_pushvalue(L, class);
  lua_pushliteral(L, "forward");
  push_tensor_metatable(L);
  lua_pushliteral(L, "weight");
  lua_pushliteral(L, "bias");
  lua_pushliteral(L, "inplace");
  lua_pushcclosure(L, module_call, CALL_INPLACE);
}

/* Pushes the metatable of a class's instances; `class` and `full` are absolute indices. */
static void push_instance_metatable(lua_State *L, int class, int full)
{
  lua_createtable(L, 1, 24);
  lua_pushvalue(L, class);
  lua_rawseti(L, -2, METATABLE_CLASS);
  lua_pushvalue(L, full);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, class);
  lua_pushcclosure(L, module_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, module_newindex);
  lua_setfield(L, -2, "__newindex");
  push_module_call(L, class);
  lua_setfield(L, -2, "__call");
  for (const char *const *name = operators; *name; name++) {
    lua_pushstring(L, *name);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, call_operator, 1);
    lua_rawset(L, -3);
  }
}

static int class_tostring(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

/* Gives a class its metatable. Stack: the metatable of instances on top; it stays. */
static void set_class_metatable(lua_State *L, int class, int full, int parent)
{
  int instances = lua_gettop(L);
  const char *text = lua_tostring(L, full), *dot = strrchr(text, '.');
  lua_createtable(L, 0, 8);
  lua_pushstring(L, dot ? dot + 1 : text);
  lua_setfield(L, -2, CLASS_NAME);
  lua_pushvalue(L, full);
  lua_setfield(L, -2, CLASS_FULL_NAME);
  lua_pushvalue(L, instances);
  lua_setfield(L, -2, CLASS_METATABLE);
  lua_pushvalue(L, parent);
  lua_setfield(L, -2, CLASS_PARENT);
  lua_pushvalue(L, parent);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua class"); /* what getmetatable gives; setmetatable refuses */
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, full);
  lua_pushcclosure(L, class_tostring, 1);
  lua_setfield(L, -2, "__tostring");
  lua_pushvalue(L, instances);
  lua_pushvalue(L, class);
  lua_pushliteral(L, "init");
  lua_pushlightuserdata(L, nn_state(L));
  lua_pushcclosure(L, class_call, 4);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, class);
}

/* Whether a class is at an index; then its metatable is pushed. */
static bool push_class_metatable(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  lua_pushliteral(L, CLASS_METATABLE);
  bool found = lua_rawget(L, -2) == LUA_TTABLE;
  lua_pop(L, found ? 1 : 2);
  return found;
}

bool class_test(lua_State *L, int index)
{
  if (!push_class_metatable(L, index)) return false;
  lua_pop(L, 1);
  return true;
}

static void check_class(lua_State *L, int index)
{
  if (!class_test(L, index)) user_error(L, "a class of modules was expected, got %s", describe(L, index));
}

/* class(name, parent or nil): a new class */
static int class(lua_State *L)
{
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TSTRING)
    return user_error(L, "class: the name is a string, as in nn.class(\"Net\"), not %s", describe(L, 1));
  if (!lua_isnil(L, 2)) check_class(L, 2);
  lua_newtable(L);
  lua_pushvalue(L, 2);
  lua_setfield(L, 3, "super");
  push_instance_metatable(L, 3, 1);
  set_class_metatable(L, 3, 1, 2);
  lua_settop(L, 3);
  return 1;
}

/* new(class): an instance whose init has not run */
static int new_instance(lua_State *L)
{
  check_class(L, 1);
  push_class_metatable(L, 1);
  lua_getfield(L, -1, CLASS_METATABLE);
  module_new(L, nn_state(L));
  return 1;
}

/* set_class(m, class): makes a module one of another class */
static int set_class(lua_State *L)
{
  module_check(L, 1);
  check_class(L, 2);
  push_class_metatable(L, 2);
  lua_getfield(L, -1, CLASS_METATABLE);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

/*
 * set_access(class, index, newindex): functions that read and assign the fields of a class's instances from now on, for
 * fields whose values are computed; nil keeps what there is. Returns those that did so far. Subclasses don't have them.
 */
static int set_access(lua_State *L)
{
  static const char *const events[] = {"__index", "__newindex"};
  check_class(L, 1);
  lua_settop(L, 3);
  push_class_metatable(L, 1);
  lua_getfield(L, -1, CLASS_METATABLE);
  int instances = lua_gettop(L);
  for (int i = 0; i < 2; i++) {
    lua_getfield(L, instances, events[i]);
    if (lua_isnil(L, 2 + i)) continue;
    luaL_checktype(L, 2 + i, LUA_TFUNCTION);
    lua_pushvalue(L, 2 + i);
    lua_setfield(L, instances, events[i]);
  }
  return 2;
}

/* ------------------------------------------------------------ asking about them */

/* is_class(x) */
static int is_class(lua_State *L)
{
  lua_settop(L, 1);
  lua_pushboolean(L, push_class_metatable(L, 1));
  return 1;
}

/* class_of(m) */
static int class_of(lua_State *L)
{
  module_check(L, 1);
  push_class_of(L, 1);
  return 1;
}

static int name_field(lua_State *L, const char *field)
{
  if (module_test(L, 1)) {
    push_class_of(L, 1);
    lua_replace(L, 1);
  }
  check_class(L, 1);
  push_class_metatable(L, 1);
  lua_getfield(L, -1, field);
  return 1;
}

/* class_name(m or class): "Linear"; full_name: "nn.Linear" */
static int class_name(lua_State *L) { return name_field(L, CLASS_NAME); }
static int full_name(lua_State *L) { return name_field(L, CLASS_FULL_NAME); }

/* is_a(m, class): whether the module's class is that one or comes from it */
static int is_a(lua_State *L)
{
  module_check(L, 1);
  lua_settop(L, 2);
  check_class(L, 2);
  push_class_of(L, 1);
  while (!lua_isnil(L, -1)) {
    if (lua_rawequal(L, -1, 2)) break;
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, CLASS_PARENT);
    lua_replace(L, 3);
    lua_settop(L, 3);
  }
  lua_pushboolean(L, !lua_isnil(L, 3));
  return 1;
}

const luaL_Reg class_functions[] = {
  {"class", class},       {"new", new_instance},  {"set_class", set_class},   {"set_access", set_access},
  {"class_of", class_of}, {"is_class", is_class}, {"class_name", class_name}, {"full_name", full_name},
  {"is_a", is_a},         {NULL, NULL},
};
