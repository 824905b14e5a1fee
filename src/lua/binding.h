/* What the binding's files share: the context of a state, tensors as userdata, how errors become Lua's. */
#ifndef NNLUA_LUA_BINDING_H
#define NNLUA_LUA_BINDING_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/kinds.h"
#include "ops/table/ops.h"

/*
 * A tensor's userdata: a word that tells its kind, its place in the lists of nl.scope, and one reference. User values:
 * CARRIERS is nil or what the collector must see behind the graph (hooks, contexts of custom functions); BASE the
 * userdata of the tensor that it is a view of; EXTRAS nil or a table (grad's userdata, hooks).
 */
typedef struct TensorBox {
  uint32_t kind, flags : 4, place : 28;
  Tensor *tensor;
  uint64_t seal;
} TensorBox;
enum { CARRIERS = 1, BASE = 2, EXTRAS = 3, TENSOR_USER_VALUES = 3 };
enum { BOX_CARRIES = 1 /* CARRIERS is not nil */, BOX_VIEW = 2 /* BASE is not nil */ };

/* A number drawn at start that is in every box: no script can make a block of memory that has it by chance or
   intent. */
extern uint64_t box_seal;

static inline void box_init(TensorBox *box) { *box = (TensorBox){.kind = KIND_TENSOR, .seal = box_seal}; }

/* The context of a state; made by nnlua_prepare. */
Context *context_of(lua_State *L);

/* The box of a tensor at an index, or NULL if something else is there. */
static inline TensorBox *box_test(lua_State *L, int index)
{
  return userdata_test(L, index, KIND_TENSOR, sizeof(TensorBox));
}

/* The tensor at an index, or NULL if something else is there. */
static inline Tensor *tensor_test(lua_State *L, int index)
{
  const TensorBox *box = box_test(L, index);
  return box ? box->tensor : NULL;
}

/* The tensor at an argument's index; raises a Lua error that says what is there instead. */
Tensor *tensor_check(lua_State *L, int index);

/* Pushes a new userdata for a tensor (a reference is added). */
void push_tensor(lua_State *L, Tensor *t);

/*
 * Before the core is entered from a C function of Lua: notes the running coroutine and refreshes its modes. Then:
 *   Entry entry;
 *   if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
 *   Call call = {.ctx = ctx};  … op(add, …) …
 *   entry_leave(ctx, &entry);
 * In between nothing may call the Lua API. Locals changed after ENTER and read after a failure
 * must be volatile.
 */
void core_prepare(lua_State *L, Context *ctx);

/* For what has looked at elements without the core: raises if they are pages that a mapped file has lost. */
void check_lost_files(lua_State *L, Context *ctx);

/* All of that around work(call, data), for what is not done for each op.
   core_work leaves core_prepare to the caller. */
void core_run(lua_State *L, Context *ctx, void (*work)(Call *call, void *data), void *data);
void core_work(lua_State *L, Context *ctx, void (*work)(Call *call, void *data), void *data);

/*
 * Tells what records the ops that run (core/recorder.h), if there is such, that a function reads elements of a tensor
 * for what is no tensor, or does what no op does. Raises where that can't be recorded.
 */
void tell_reading(lua_State *L, const Tensor *t, const char *function);

/* Raises, for a function that reads elements, where a tensor has none, or a trace is being made (tensor/to_lua.c). */
void need_elements(lua_State *L, const Tensor *t, const char *function);
void tell_doing(lua_State *L, Context *ctx, const char *function);

/* Raises the core's error as a Lua error at the user's line. */
int core_failed(lua_State *L, Context *ctx);

/* Raises a Lua error at the user's line: the nearest function on the stack that is not nnlua's own. */
int user_error(lua_State *L, const char *format, ...);

/* Whether a function is nnlua's own; of what lua_getinfo tells by "S". */
bool is_own_code(const lua_Debug *ar);

/* Pushes "file:line: " of the user's code, or "". */
void push_user_line(lua_State *L);

/* Set by nn: pushes the path of the module whose forward is running ("net.fc1, nn.Linear") and returns true,
   or pushes nothing. */
extern bool (*push_module_path)(lua_State *L);

/* The registry's key (by address) for the value of an error that crosses the core. */
extern char core_error_key;

/* Pushes an empty box, to be filled with a counted reference while the core is entered. May collect garbage first, so
   tensors must be held by userdata on the stack. */
TensorBox *push_box(lua_State *L, Context *ctx);

/* Pushes a box and fills it with what make(call, data) gives; data may hold borrowed tensors that Lua's stack keeps. */
TensorBox *push_made(lua_State *L, Context *ctx, Tensor *(*make)(Call *call, void *data), void *data);

/* Pushes a box with a new tensor whose elements are not set. */
TensorBox *push_new_tensor(lua_State *L, Context *ctx, DType dtype, Device device, Ints shape);

/* Pushes a box with an alias of a tensor: its geometry and memory stay whatever Lua code does to the tensor. */
Tensor *push_snapshot(lua_State *L, Context *ctx, Tensor *t);

/* Notes a box in the scope that is open (lua/scope.c). */
void scope_note(Context *ctx, TensorBox *box);

/* Gives a box a tensor that was made for it. */
static inline void box_fill(TensorBox *box, Tensor *t)
{
  box->tensor = tensor_retain(t);
  if (t->ctx->scope) scope_note(t->ctx, box);
}

/*
 * Pushes the metatable of a name, which frees its userdata with `gc`. luaL_newmetatable would leave one without it
 * behind if memory ran out half-way.
 */
void push_gc_metatable(lua_State *L, const char *name, lua_CFunction gc);

/* Pushes a table {n = n, …} of the n values from `first` on (not a relative index). */
void push_packed(lua_State *L, int first, int n);

/* The generator at an index, or NULL. */
Generator *generator_test(lua_State *L, int index);

/* dtypes are interned userdata: nl.float32. */
void push_dtype(lua_State *L, DType d);
bool dtype_test(lua_State *L, int index, DType *d);

/* Devices are interned userdata, as nl.device("cpu") gives them; a string names one as well. */
void push_device(lua_State *L, Device d);
bool device_test(lua_State *L, int index, Device *d);

/* Pushes why what is at an index names no device. */
const char *push_device_problem(lua_State *L, int index);

/* nl.none */
bool is_none(lua_State *L, int index);
void push_none(lua_State *L);

/* nl.Size, an immutable list of integers. */
void push_size(lua_State *L, Ints shape);

#endif
