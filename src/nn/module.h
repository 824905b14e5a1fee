/* What the files of Module share. */
#ifndef NNLUA_NN_MODULE_H
#define NNLUA_NN_MODULE_H

#include "lua/binding.h"
#include "nn/nn.h"

/* What modules of one interpreter share; lives as long as it. */
typedef struct NnState {
  Context *ctx;
  uint32_t step_hooks;                         /* of all optimizers */
  uint32_t global_hooks, global_careful_hooks; /* as in ModuleBox */
  bool hooked_registration;                    /* there are hooks of what modules register, which hooks.lua keeps */
  uint32_t depth;                              /* about how many module calls are running; see call.c */
  const char *forward_name;                    /* the address of Lua's string "forward" */
  const struct ModuleBox *timed;               /* profiled_call is calling module_call for it, and times this call */
  uint32_t watch;   /* the number of the trace that notes which modules are used (compile.c); 0: none is under way */
  uint32_t watches; /* that of the last one */
  bool was_changed; /* during the trace a module from before it was changed; */
  char change[160]; /* which, and where */
} NnState;

/*
 * A module's userdata. Its user values:
 *   ATTRIBUTES  name -> value of everything that reading a field finds: plain attributes, parameters, buffers, children
 *   SLOTS       nil or a table of the registered ones: [1..n] their names in order, [name] their kind
 *   HOOKS       nil or the table of hook lists that hooks.lua keeps
 */
typedef struct ModuleBox {
  uint32_t kind;
  uint32_t hooks; /* how many hooks of a call there are */
  NnState *nn;
  uint32_t careful_hooks; /* how many of them are backward hooks or run after errors too */
  uint32_t tensors;       /* slots that are no children */
  bool own_forward;       /* `forward` is an attribute of the instance */
  bool is_child;          /* it was registered in a module once */
  uint32_t changes;       /* of attributes, slots and hooks */
  uint32_t born;          /* NnState.watch when it was made */
} ModuleBox;

enum { ATTRIBUTES = 1, SLOTS = 2, HOOKS = 3, MODULE_USER_VALUES = 3 };

/* Kinds of slots; the numbers are bits, so that a walk can ask for several. */
enum { SLOT_PARAMETER = 1, SLOT_BUFFER = 2, SLOT_MODULE = 4, SLOT_TRANSIENT = 8 /* a buffer that is not saved */ };

/* What nn.Buffer makes: a tensor (its user value) that registers itself as a buffer when assigned. */
typedef struct BufferBox {
  uint32_t kind;
  bool persistent;
} BufferBox;

/*
 * A parameter without a shape, which the first call of a lazy module gives it: a box that is no tensor yet, so that
 * every op refuses it. Then it becomes one, and stays the same userdata. Its user values hold what it will have.
 */
static inline bool is_uninitialized(lua_State *L, int index)
{
  return userdata_test(L, index, KIND_UNINITIALIZED, sizeof(TensorBox)) != NULL;
}

/* ---- module.c: attributes and registration ---- */

/* Pushes the table of a module's attributes. */
static inline void push_attributes(lua_State *L, int index)
{
  if (lua_getiuservalue(L, index, ATTRIBUTES) != LUA_TTABLE) user_error(L, "a module's user values were changed");
}

ModuleBox *module_test(lua_State *L, int index);
ModuleBox *module_check(lua_State *L, int index);

/* Pushes a new, empty module with the metatable on top of the stack, which it replaces. */
ModuleBox *module_new(lua_State *L, NnState *nn);

int module_index(lua_State *L);
int module_newindex(lua_State *L);

/* Pushes the class of the module at an index. */
void push_class_of(lua_State *L, int index);

/* Pushes "Linear" for the module at an index. */
const char *push_class_name(lua_State *L, int index);

/* What kind of value is at an index, for messages: "Tensor", "Parameter", "Linear", "string". */
const char *describe(lua_State *L, int index);

extern const luaL_Reg module_functions[];

/* ---- class.c ---- */

NnState *nn_state(lua_State *L);
extern const luaL_Reg class_functions[];

/* What a class's metatable and an instance's metatable hold besides Lua's events. */
#define CLASS_NAME "name"           /* "Linear" */
#define CLASS_FULL_NAME "full_name" /* "nn.Linear" */
#define CLASS_PARENT "parent"
#define CLASS_METATABLE "instances" /* the metatable of its instances */
enum { METATABLE_CLASS = 1 };       /* in the metatable of instances: the class */

/* ---- call.c ---- */

/* Upvalues of module_call, which forward functions in C find too: see forward.h. */
enum { CALL_CLASS = 1, CALL_FORWARD, CALL_TENSORS /* their metatable */, CALL_WEIGHT, CALL_BIAS, CALL_INPLACE };

int module_call(lua_State *L);

/* The kinds of hooks: where their lists are in the table of lists. */
typedef enum HookKind { HOOK_PRE = 1, HOOK_POST, HOOK_BACKWARD_PRE, HOOK_BACKWARD } HookKind;

/* Calls a module with forward hooks, none of which needs care. Stack: the module, arguments, forward. */
int hooked_call(lua_State *L, uint32_t depth);
extern const char global_hooks_key; /* the registry's key, by address, for the lists of global hooks */

/* module_call, while a profile runs (profile.c). */
int profiled_call(lua_State *L, NnState *nn);

int sequential_forward(lua_State *L);
extern const luaL_Reg call_functions[];

/* ---- walk.c: lists of modules and their slots ---- */

/* Pushes the i-th child of the module at an index (from 1), or nil. */
void push_child(lua_State *L, int index, lua_Integer i);
lua_Integer child_count(lua_State *L, int index);

/* Whether a class of modules is at an index. */
bool class_test(lua_State *L, int index);
/* Whether the module at `wanted` is the one at `index` or below it. */
bool module_contains(lua_State *L, int index, int wanted);
/* Pushes {path, module, path, module, …} in pre-order, the module at an index first. */
void push_module_list(lua_State *L, int index, const char *prefix, bool once);
extern const luaL_Reg walk_functions[];

/* ---- guard.c: what methods written in Lua are wrapped in ---- */

/* Puts the function that a guard is of in the place of the guard on top of the stack; leaves anything else. */
void unguard(lua_State *L);

/* Whether a C function is how Lua code of nnlua's is called: a guard, or what is behind net(x). */
bool is_own_caller(lua_CFunction f);

extern const luaL_Reg guard_functions[];

/* ---- compile.c, guards.c: nl.compile ---- */

/* Notes that the module at an index is used in the trace that is under way. */
void note_use(lua_State *L, int index);

/* Counts a change of a module; within a trace one of a module from before it is noted. */
void note_change(lua_State *L, ModuleBox *box);

extern const luaL_Reg compile_functions[];

/* ---- the others ---- */

extern const luaL_Reg parameter_functions[];
extern const luaL_Reg linear_functions[];
extern const luaL_Reg activation_functions[];
extern const luaL_Reg optim_functions[];
/* Pushes the upvalues of these functions and gives their number. */
int push_optim_names(lua_State *L);

#endif
