/* A module's attributes: reading, assigning, registering. */
#include "lua/named_arguments.h"
#include "nn/module.h"

#include <string.h>

#include "lua/scope.h"

/* ------------------------------------------------------------------- boxes */

ModuleBox *module_test(lua_State *L, int index) { return userdata_test(L, index, KIND_MODULE, sizeof(ModuleBox)); }

ModuleBox *module_check(lua_State *L, int index)
{
  ModuleBox *box = module_test(L, index);
  if (!box) user_error(L, "a module was expected, got %s (is the method called with a dot?)", describe(L, index));
  return box;
}

static BufferBox *buffer_test(lua_State *L, int index)
{
  return userdata_test(L, index, KIND_BUFFER, sizeof(BufferBox));
}

static bool is_parameter(lua_State *L, int index)
{
  const Tensor *t = tensor_test(L, index);
  return t ? t->is_parameter : is_uninitialized(L, index);
}

ModuleBox *module_new(lua_State *L, NnState *nn)
{
  ModuleBox *box = lua_newuserdatauv(L, sizeof *box, MODULE_USER_VALUES);
  memset(box, 0, sizeof *box);
  box->kind = KIND_MODULE;
  box->nn = nn;
  box->born = nn->watch;
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "training");
  lua_setiuservalue(L, -2, ATTRIBUTES);
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  return box;
}

void push_class_of(lua_State *L, int index)
{
  lua_getmetatable(L, index);
  lua_rawgeti(L, -1, METATABLE_CLASS);
  lua_remove(L, -2);
}

const char *push_class_name(lua_State *L, int index)
{
  push_class_of(L, index);
  lua_getmetatable(L, -1);
  lua_getfield(L, -1, CLASS_NAME);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return lua_tostring(L, -1);
}

const char *describe(lua_State *L, int index)
{
  Tensor *t = tensor_test(L, index);
  if (t) return t->is_parameter ? "a Parameter" : "a tensor";
  if (is_released(L, index)) return "a tensor that was released by nl.scope";
  if (buffer_test(L, index)) return "a Buffer";
  if (is_uninitialized(L, index)) return "an uninitialized Parameter";
  if (module_test(L, index)) return lua_pushfstring(L, "the module %s", push_class_name(L, index));
  if (class_test(L, index))
    return lua_pushfstring(L, "the class %s (call it to make a module)", luaL_tolstring(L, index, NULL));
  if (lua_isnoneornil(L, index)) return "nil";
  if (is_none(L, index)) return "none";
  int is_whole = 1;
  if (lua_type(L, index) == LUA_TNUMBER) lua_tointegerx(L, index, &is_whole);
  if (!is_whole) return lua_pushfstring(L, "%f", lua_tonumber(L, index));
  return lua_pushfstring(L, "a %s", luaL_typename(L, index));
}

/* ----------------------------------------------------------------- reading */

/* list[i] within the list, the usual case. */
static bool push_item(lua_State *L)
{
  int is_integer;
  lua_Integer i = lua_tointegerx(L, 2, &is_integer);
  if (!is_integer || i < 1 || i > child_count(L, 1)) return false;
  if (lua_getfield(L, lua_upvalueindex(1), "_is_list") == LUA_TNIL) return false;
  push_child(L, 1, i);
  return true;
}

/* Keys that are no names: containers count their children, and slice. */
static int index_item(lua_State *L)
{
  lua_settop(L, 2);
  if (push_item(L)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_getfield(L, -1, "_get_item");
  if (lua_isnil(L, -1)) return 1;
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* upvalue 1: the class */
int module_index(lua_State *L)
{
  const ModuleBox *box = module_check(L, 1); /* the debug library can give other things its metatable */
  if (box->nn->watch) note_use(L, 1);
  push_attributes(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  if (lua_type(L, 2) != LUA_TSTRING) return index_item(L);
  lua_pushvalue(L, 2);
  lua_gettable(L, lua_upvalueindex(1));
  return 1;
}

/* ------------------------------------------------------------------- slots */

/* Stack of the functions below: 1 the module, 2 the name, 3 the value, 4 the attributes, 5 the slots or nil. */
enum { SELF = 1, NAME, VALUE, ATTRIBUTE_TABLE, SLOT_TABLE };

static void push_tables(lua_State *L)
{
  lua_settop(L, VALUE);
  push_attributes(L, SELF);
  push_table_of(L, SELF, SLOTS);
}

static int kind_of_slot(lua_State *L)
{
  if (lua_isnil(L, SLOT_TABLE)) return 0;
  lua_pushvalue(L, NAME);
  lua_rawget(L, SLOT_TABLE);
  int kind = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return kind;
}

static void remove_name(lua_State *L)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, SLOT_TABLE), i = 1;
  for (; i <= n; i++) {
    lua_rawgeti(L, SLOT_TABLE, i);
    bool found = lua_rawequal(L, -1, NAME);
    lua_pop(L, 1);
    if (found) break;
  }
  for (; i <= n; i++) {
    lua_rawgeti(L, SLOT_TABLE, i + 1);
    lua_rawseti(L, SLOT_TABLE, i);
  }
}

static void remove_slot(lua_State *L, int kind)
{
  ModuleBox *box = lua_touserdata(L, SELF);
  remove_name(L);
  lua_pushvalue(L, NAME);
  lua_pushnil(L);
  lua_rawset(L, SLOT_TABLE);
  if (kind != SLOT_MODULE) box->tensors--;
}

static void add_slot(lua_State *L, int kind)
{
  ModuleBox *box = lua_touserdata(L, SELF);
  if (lua_isnil(L, SLOT_TABLE)) {
    lua_createtable(L, 2, 2);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, SELF, SLOTS);
    lua_replace(L, SLOT_TABLE);
  }
  lua_pushvalue(L, NAME);
  lua_rawseti(L, SLOT_TABLE, (lua_Integer)lua_rawlen(L, SLOT_TABLE) + 1);
  if (kind != SLOT_MODULE) box->tensors++;
}

static void set_attribute(lua_State *L)
{
  ModuleBox *box = lua_touserdata(L, SELF);
  if (lua_type(L, NAME) == LUA_TSTRING && lua_tostring(L, NAME) == box->nn->forward_name)
    box->own_forward = !lua_isnil(L, VALUE);
  lua_pushvalue(L, NAME);
  lua_pushvalue(L, VALUE);
  lua_rawset(L, ATTRIBUTE_TABLE);
  note_change(L, box);
}

/* Buffers keep their place and kind when they change whether they are saved. */
static bool same_table(int a, int b)
{
  const int buffers = SLOT_BUFFER | SLOT_TRANSIENT;
  return a == b || ((a & buffers) && (b & buffers));
}

static char registration_key; /* registry key, by address */

/* Gives a value that becomes a slot of a kind to the hooks of registrations, and takes what they make of it. */
static void run_registration_hooks(lua_State *L, int kind)
{
  const ModuleBox *box = lua_touserdata(L, SELF);
  if (!box->nn->hooked_registration) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registration_key);
  lua_pushstring(L, kind == SLOT_PARAMETER ? "parameter" : kind == SLOT_MODULE ? "module" : "buffer");
  for (int i = SELF; i <= VALUE; i++) lua_pushvalue(L, i);
  lua_call(L, 4, 1);
  lua_replace(L, VALUE);
  scope_keep(L, VALUE);
}

/* set_registration_hooks(function or nil): function(kind, module, name, value) gives what is registered instead. */
static int set_registration_hooks(lua_State *L)
{
  NnState *nn = nn_state(L);
  lua_settop(L, 1);
  nn->hooked_registration = !lua_isnil(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registration_key);
  return 0;
}

/* Makes the value a slot of a kind: in its old place if it was of that kind, else at the end. */
static void set_slot(lua_State *L, int kind)
{
  run_registration_hooks(L, kind);
  int old = kind_of_slot(L);
  if (old && !same_table(old, kind)) remove_slot(L, old);
  if (!same_table(old, kind)) add_slot(L, kind);
  lua_pushvalue(L, NAME);
  lua_pushinteger(L, kind);
  lua_rawset(L, SLOT_TABLE);
  set_attribute(L);
}

/* ---------------------------------------------------------------- checking */

static void check_name(lua_State *L)
{
  if (lua_type(L, NAME) != LUA_TSTRING) user_error(L, "a name was expected, got %s", describe(L, NAME));
  const char *name = lua_tostring(L, NAME);
  if (!*name) user_error(L, "the name of a parameter, buffer or module can't be empty");
  if (strchr(name, '.')) user_error(L, "the name '%s' can't contain a dot", name);
}

static bool class_has_name(lua_State *L)
{
  push_class_of(L, SELF);
  lua_pushvalue(L, NAME);
  bool found = lua_gettable(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return found;
}

/* A ModuleDict's children may not hide its methods. */
static bool has_strict_names(lua_State *L)
{
  push_class_of(L, SELF);
  bool strict = lua_getfield(L, -1, "_strict_names") != LUA_TNIL;
  lua_pop(L, 2);
  return strict;
}

static void check_class_has_no(lua_State *L)
{
  if (class_has_name(L))
    user_error(L, "'%s' can't be registered: %s has a method or field of that name", lua_tostring(L, NAME),
               push_class_name(L, SELF));
}

/* For register_*: the name is free, or is a slot of that kind. */
static void check_free(lua_State *L, int kind)
{
  check_name(L);
  int old = kind_of_slot(L);
  if (old && same_table(old, kind)) return;
  lua_pushvalue(L, NAME);
  bool taken = old || lua_rawget(L, ATTRIBUTE_TABLE) != LUA_TNIL;
  if (taken) user_error(L, "'%s' is already an attribute of %s", lua_tostring(L, NAME), push_class_name(L, SELF));
  lua_settop(L, SLOT_TABLE);
  check_class_has_no(L);
}

/* A module that can be reached from the child can't have it as a child. */
static void check_no_cycle(lua_State *L)
{
  ModuleBox *box = lua_touserdata(L, SELF), *child = lua_touserdata(L, VALUE);
  if (child == box || (box->is_child && module_contains(L, VALUE, SELF)))
    user_error(L, "'%s': a module can't be registered inside itself", lua_tostring(L, NAME));
  child->is_child = true;
}

static void check_leaf(lua_State *L)
{
  const Tensor *t = tensor_test(L, VALUE);
  if (t && t->grad_fn)
    user_error(L, "'%s': a Parameter must be a leaf, not a result of operations", lua_tostring(L, NAME));
}

static bool is_empty(lua_State *L, int index) { return lua_isnoneornil(L, index) || is_none(L, index); }

static void empty_value(lua_State *L)
{
  lua_pushnil(L);
  lua_replace(L, VALUE);
}

static _Noreturn void wrong_value(lua_State *L, const char *kind, const char *expected)
{
  bool wraps = tensor_test(L, VALUE) && strcmp(kind, "parameter") == 0;
  user_error(L, "%s can't be assigned to the %s '%s' of %s: %s or nil was expected%s", describe(L, VALUE), kind,
             lua_tostring(L, NAME), push_class_name(L, SELF), expected,
             wraps ? " (nn.Parameter(x) makes one; copy_ under no_grad sets its values)" : "");
  __builtin_unreachable();
}

/* --------------------------------------------------------------- assigning */

/* Puts the tensor that a Buffer holds in the Buffer's place and returns the kind of its slot. */
static int unwrap_buffer(lua_State *L, const BufferBox *buffer)
{
  int kind = buffer->persistent ? SLOT_BUFFER : SLOT_TRANSIENT;
  lua_getiuservalue(L, VALUE, 1);
  lua_replace(L, VALUE);
  return kind;
}

static void assign_parameter(lua_State *L)
{
  check_name(L);
  check_class_has_no(L);
  check_leaf(L);
  set_slot(L, SLOT_PARAMETER);
}

static void assign_to_slot(lua_State *L, int kind)
{
  bool empty = is_empty(L, VALUE);
  if (empty) empty_value(L);
  if (kind == SLOT_PARAMETER) {
    if (!empty) wrong_value(L, "parameter", "a Parameter");
  } else if (kind == SLOT_MODULE) {
    if (!empty) wrong_value(L, "child", "a module");
  } else if (!empty && !tensor_test(L, VALUE)) {
    wrong_value(L, "buffer", "a tensor");
  }
  if (kind != SLOT_PARAMETER) run_registration_hooks(L, kind);
  set_attribute(L);
}

/* The rows of the table of assignments, in their order. */
static void assign(lua_State *L)
{
  int kind = kind_of_slot(L);
  const BufferBox *buffer;
  if (is_parameter(L, VALUE)) {
    assign_parameter(L);
  } else if (kind == SLOT_PARAMETER) {
    assign_to_slot(L, kind);
  } else if (module_test(L, VALUE)) {
    check_name(L);
    if (!kind && has_strict_names(L)) check_class_has_no(L);
    check_no_cycle(L);
    set_slot(L, SLOT_MODULE);
  } else if (kind == SLOT_MODULE) {
    assign_to_slot(L, kind);
  } else if ((buffer = buffer_test(L, VALUE))) {
    check_name(L);
    if (!kind) check_class_has_no(L);
    set_slot(L, unwrap_buffer(L, buffer));
  } else if (kind) {
    assign_to_slot(L, kind);
  } else {
    set_attribute(L);
  }
}

static int newindex_item(lua_State *L)
{
  push_class_of(L, SELF);
  lua_getfield(L, -1, "_set_item");
  if (lua_isnil(L, -1)) {
    push_tables(L);
    if (lua_isnil(L, NAME)) user_error(L, "a module has no field nil");
    assign(L);
    return 0;
  }
  lua_pushvalue(L, SELF);
  lua_pushvalue(L, NAME);
  lua_pushvalue(L, VALUE);
  lua_call(L, 3, 0);
  return 0;
}

int module_newindex(lua_State *L)
{
  module_check(L, 1);
  lua_settop(L, VALUE);
  scope_keep(L, VALUE);
  if (lua_type(L, NAME) != LUA_TSTRING) return newindex_item(L);
  push_tables(L);
  if (lua_isnil(L, SLOT_TABLE) && lua_type(L, VALUE) != LUA_TUSERDATA) set_attribute(L);
  else assign(L);
  return 0;
}

/* ------------------------------------------------------------- registering */

/* register_parameter(m, name, parameter or nil) */
static int register_parameter(lua_State *L)
{
  module_check(L, SELF);
  push_tables(L);
  check_free(L, SLOT_PARAMETER);
  if (is_empty(L, VALUE)) empty_value(L);
  else if (!is_parameter(L, VALUE)) wrong_value(L, "parameter", "a Parameter");
  else check_leaf(L);
  set_slot(L, SLOT_PARAMETER);
  return 0;
}

/* register_buffer(m, name, tensor or nil, persistent = true) */
static int register_buffer(lua_State *L)
{
  module_check(L, SELF);
  lua_settop(L, 4);
  lua_pushvalue(L, 4);
  int kind = lua_isnil(L, -1) || lua_toboolean(L, -1) ? SLOT_BUFFER : SLOT_TRANSIENT;
  push_tables(L);
  check_free(L, SLOT_BUFFER);
  scope_keep(L, VALUE);
  const BufferBox *buffer = buffer_test(L, VALUE);
  if (buffer) kind = unwrap_buffer(L, buffer);
  if (is_empty(L, VALUE)) empty_value(L);
  else if (!tensor_test(L, VALUE)) wrong_value(L, "buffer", "a tensor");
  set_slot(L, kind);
  return 0;
}

/* register_module(m, name, module or nil) */
static int register_module(lua_State *L)
{
  module_check(L, SELF);
  push_tables(L);
  check_free(L, SLOT_MODULE);
  if (is_empty(L, VALUE)) empty_value(L);
  else if (!module_test(L, VALUE)) wrong_value(L, "child", "a module");
  else check_no_cycle(L);
  set_slot(L, SLOT_MODULE);
  return 0;
}

/* unregister(m, name): the slot, or the plain attribute, is gone */
static int unregister(lua_State *L)
{
  module_check(L, SELF);
  lua_settop(L, NAME);
  push_tables(L);
  int kind = kind_of_slot(L);
  lua_pushvalue(L, NAME);
  if (!kind && (lua_isnil(L, NAME) || lua_rawget(L, ATTRIBUTE_TABLE) == LUA_TNIL))
    user_error(L, "%s has no attribute '%s'", push_class_name(L, SELF), luaL_tolstring(L, NAME, NULL));
  lua_settop(L, SLOT_TABLE);
  if (kind) remove_slot(L, kind);
  set_attribute(L);
  return 0;
}

/* set_raw(m, name, value, kind): puts a value in a slot unchecked; kind 0 is a plain attribute */
static int set_raw(lua_State *L)
{
  module_check(L, SELF);
  int kind = (int)luaL_checkinteger(L, 4);
  push_tables(L);
  if (kind) set_slot(L, kind);
  else set_attribute(L);
  return 0;
}

/* --------------------------------------------------------------- inspecting */

/* kind(m, name): "parameter", "buffer", "module" or nil */
static int kind(lua_State *L)
{
  module_check(L, SELF);
  lua_settop(L, NAME);
  push_tables(L);
  switch (kind_of_slot(L)) {
    case SLOT_PARAMETER: lua_pushliteral(L, "parameter"); break;
    case SLOT_BUFFER:
    case SLOT_TRANSIENT: lua_pushliteral(L, "buffer"); break;
    case SLOT_MODULE: lua_pushliteral(L, "module"); break;
    default: lua_pushnil(L);
  }
  return 1;
}

/* attributes(m): the table that reading finds values in, itself; for copies */
static int attributes(lua_State *L)
{
  module_check(L, 1);
  push_attributes(L, 1);
  return 1;
}

/* hooks(m, create): the table of hook lists, or nil */
static int hooks(lua_State *L)
{
  module_check(L, 1);
  if (!push_table_of(L, 1, HOOKS) && lua_toboolean(L, 2)) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, HOOKS);
  }
  return 1;
}

/* count_hooks(m or nil, change, careful): keeps count of hooks of a module, or of global ones */
static int count_hooks(lua_State *L)
{
  uint32_t change = (uint32_t)luaL_checkinteger(L, 2), careful = lua_toboolean(L, 3) ? change : 0;
  ModuleBox *box = lua_isnil(L, 1) ? NULL : module_check(L, 1);
  NnState *nn = nn_state(L);
  if (box) {
    box->hooks += change, box->careful_hooks += careful;
    note_change(L, box);
  } else nn->global_hooks += change, nn->global_careful_hooks += careful;
  return 0;
}

static int is_module(lua_State *L)
{
  lua_pushboolean(L, module_test(L, 1) != NULL);
  return 1;
}

/* buffer(tensor, persistent): see BufferBox */
static int buffer(lua_State *L)
{
  static const char *const names[] = {"persistent", NULL};
  if (!tensor_test(L, 1)) user_error(L, "Buffer: a tensor was expected, got %s", describe(L, 1));
  arguments_merge(L, "Buffer", 2, names);
  scope_keep(L, 1);
  BufferBox *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (BufferBox){KIND_BUFFER, argument_bool(L, "Buffer", "persistent", 2, true)};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* check_self(m, method): raises unless m is a module, as where a method is called with a dot */
static int check_self(lua_State *L)
{
  if (module_test(L, 1)) return 0;
  const char *method = luaL_checkstring(L, 2);
  return user_error(L, "%s: a module was expected first, got %s: call it with a colon, as net:%s()", method,
                    describe(L, 1), method);
}

static int describe_value(lua_State *L)
{
  lua_pushstring(L, describe(L, 1));
  return 1;
}

const luaL_Reg module_functions[] = {
  {"register_parameter", register_parameter},
  {"register_buffer", register_buffer},
  {"register_module", register_module},
  {"unregister", unregister},
  {"set_raw", set_raw},
  {"set_registration_hooks", set_registration_hooks},
  {"kind", kind},
  {"attributes", attributes},
  {"hooks", hooks},
  {"count_hooks", count_hooks},
  {"is_module", is_module},
  {"buffer", buffer},
  {"describe", describe_value},
  {"check_self", check_self},
  {NULL, NULL},
};
