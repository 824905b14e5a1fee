/* Hooks on gradients: their lists, their handles, and how the engine runs them. */
#include "lua/autograd/hooks.h"

#include <string.h>

#include "lua/autograd/carriers.h"
#include "lua/autograd/modes.h"
#include "lua/tensor/size.h"

static char handle_meta, hook_count; /* registry keys, by address */

/* ------------------------------------------------------------ calling Lua */

/* Stores the error value on the stack where core_failed looks for it. */
static int store_error(lua_State *L)
{
  static const char no_yield[] = "attempt to yield across a C-call boundary";
  static const char outside[] = "attempt to yield from outside a coroutine";
  const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
  if (strcmp(text, no_yield) == 0 || strcmp(text, outside) == 0)
    lua_pushliteral(L, "a hook or the backward of a custom function can't yield: "
                       "an op or a backward pass is running around it");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &core_error_key);
  return 0;
}

_Noreturn static void raise_from_lua(lua_State *L, Context *ctx)
{
  lua_pushcfunction(L, store_error);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) raise_foreign(ctx);
  lua_pop(L, 1);
  raise_plain(ctx, "not enough memory");
}

void call_lua(Call *call, lua_CFunction f, void *data)
{
  Context *ctx = call->ctx;
  lua_State *L = ctx->host.state;
  ModesFrame modes;
  if (ctx->unpacked) pack_saved(ctx); /* they aren't those of an entry from what is called */
  if (!lua_checkstack(L, 8)) raise_plain(ctx, "stack overflow: a backward pass runs within too many others");
  modes_enter(L, ctx, &modes);
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, data);
  int status = lua_pcall(L, 1, 0, 0);
  ctx->host.state = L;
  modes_leave(ctx, &modes);
  if (status != LUA_OK) raise_from_lua(L, ctx);
}

/* --------------------------------------------------------------- gradients */

void push_gradient(lua_State *L, Context *ctx, Tensor *t)
{
  (void)ctx;
  if (!t) {
    push_none(L);
    return;
  }
  push_tensor(L, t);
  if (!t->grad_fn) return;
  push_backward_carriers(L);
  carriers_give(L, -2, -1);
  lua_pop(L, 1);
}

void push_gradients(lua_State *L, Context *ctx, Tensor *const *v, int n)
{
  lua_createtable(L, n, 1);
  for (int i = 0; i < n; i++) {
    push_gradient(L, ctx, v[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
}

const char *push_function_place(lua_State *L, const char *what, int index)
{
  lua_Debug ar = {.short_src = ""};
  lua_pushvalue(L, index);
  if (!lua_isfunction(L, -1)) lua_pop(L, 1);
  else lua_getinfo(L, ">S", &ar);
  if (ar.short_src[0] && ar.linedefined > 0)
    return lua_pushfstring(L, "the %s at %s:%d", what, ar.short_src, ar.linedefined);
  return lua_pushfstring(L, "a %s", what);
}

static void check_like(lua_State *L, const Tensor *old, const Tensor *t, const char *what)
{
  if (!tensor_same_shape(old, t)) {
    const char *given = push_shape_text(L, tensor_shape(t)), *wanted = push_shape_text(L, tensor_shape(old));
    user_error(L, "%s returned a gradient of shape %s in place of one of shape %s", what, given, wanted);
  }
  if (old->dtype != t->dtype)
    user_error(L, "%s returned a gradient of %s in place of one of %s", what, dtype_name(tensor_dtype(t)),
               dtype_name(tensor_dtype(old)));
  if (old->device != t->device) user_error(L, "%s returned a gradient on another device", what);
}

void read_gradients(lua_State *L, int index, Tensor **v, int n, const char *what)
{
  int count = 0;
  lua_Integer given = (lua_Integer)lua_rawlen(L, index);
  if (lua_getfield(L, index, "n") == LUA_TNUMBER) given = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (given != n) user_error(L, "%s returned %d gradients for %d", what, (int)given, n);
  lua_createtable(L, n, 1);
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
  for (; count < n; count++) {
    lua_rawgeti(L, index, count + 1);
    Tensor *t = tensor_test(L, -1);
    if (!t && !lua_isnil(L, -1) && !is_none(L, -1))
      user_error(L, "%s returned no tensor as gradient %d but %s", what, count + 1, luaL_typename(L, -1));
    if (t && v[count]) check_like(L, v[count], t, what);
    carriers_note(L, -1);
    v[count] = t;
    lua_rawseti(L, -2, count + 1);
  }
}

/* -------------------------------------------------------------- hook lists */

/*
 * A list is replaced, never changed, so that a loop over one goes on undisturbed; its entries are {function,
 * number}, and a removed one loses its function, so that it doesn't run even in a loop that has begun.
 */
static lua_Integer next_number(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_count);
  lua_Integer n = lua_tointeger(L, -1) + 1;
  lua_pop(L, 1);
  lua_pushinteger(L, n);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hook_count);
  return n;
}

static int handle_remove(lua_State *L);

/* A handle refers to its hook by numbers, so neither keeps the other alive. */
typedef struct Handle {
  uint32_t kind;
  int64_t carrier;
  lua_Integer number;
  int slot;
} Handle;

static void push_handle(lua_State *L, Handle h)
{
  Handle *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = h;
  box->kind = KIND_HOOK_HANDLE;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &handle_meta);
  lua_setmetatable(L, -2);
}

void add_hook(lua_State *L, int carrier, int slot, int function)
{
  carrier = lua_absindex(L, carrier);
  function = lua_absindex(L, function);
  lua_Integer number = next_number(L);
  lua_newtable(L);
  int copy = lua_gettop(L), n = 0;
  if (lua_rawgeti(L, carrier, slot) == LUA_TTABLE) {
    n = (int)lua_rawlen(L, -1);
    for (int i = 1; i <= n; i++) {
      lua_rawgeti(L, -1, i);
      lua_rawseti(L, copy, i);
    }
  }
  lua_pop(L, 1);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, function);
  lua_rawseti(L, -2, 1);
  lua_pushinteger(L, number);
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, copy, n + 1);
  lua_rawseti(L, carrier, slot);
  lua_getfield(L, carrier, "id");
  Handle h = {.carrier = lua_tointeger(L, -1), .number = number, .slot = slot};
  lua_pop(L, 1);
  push_handle(L, h);
}

void push_joint_handle(lua_State *L, int handles)
{
  push_handle(L, (Handle){0});
  lua_pushvalue(L, handles);
  lua_setiuservalue(L, -2, 1);
}

/* The list without the hook of a number; stack: carrier, list. */
static void remove_from_list(lua_State *L, int slot, lua_Integer number)
{
  int list = lua_gettop(L), n = (int)lua_rawlen(L, list), kept = 0;
  lua_newtable(L);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    lua_rawgeti(L, -1, 2);
    bool this_one = lua_tointeger(L, -1) == number;
    lua_pop(L, 1);
    if (this_one) {
      lua_pushnil(L);
      lua_rawseti(L, -2, 1);
      lua_pop(L, 1);
    } else {
      lua_rawseti(L, list + 1, ++kept);
    }
  }
  lua_rawseti(L, list - 1, slot);
}

/* A handle of several hooks has theirs in its user value. */
static void remove_several(lua_State *L)
{
  int n = (int)lua_rawlen(L, -1);
  for (int i = 1; i <= n; i++) {
    lua_pushcfunction(L, handle_remove);
    lua_rawgeti(L, -2, i);
    lua_call(L, 1, 0);
  }
}

static int handle_remove(lua_State *L)
{
  const Handle *h = userdata_test(L, 1, KIND_HOOK_HANDLE, sizeof *h);
  if (!h) return user_error(L, "remove: the handle of a hook expected: handle:remove()");
  if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) remove_several(L);
  else if (push_carrier(L, h->carrier) && lua_rawgeti(L, -1, h->slot) == LUA_TTABLE)
    remove_from_list(L, h->slot, h->number);
  return 0;
}

/* -------------------------------------------- carriers of tensors and nodes */

/* Pushes the carrier of a number, or a new one, whose number is then stored. */
static void push_carrier_at(lua_State *L, Context *ctx, int64_t *id)
{
  if (*id && push_carrier(L, *id)) return;
  if (*id) lua_pop(L, 1);
  *id = push_new_carrier(L, ctx);
}

typedef struct Question {
  Tensor *of;
  Node *answer;
} Question;

static void find_node(Call *call, void *data)
{
  Question *q = data;
  q->answer = tensor_grad_fn(call, q->of);
}

Node *current_node(lua_State *L, Tensor *t)
{
  Question q = {t, NULL};
  core_run(L, t->ctx, find_node, &q);
  return q.answer;
}

/*
 * Tensors that were computed before a hook came don't carry it: their userdata may outlive the tensor's own. So
 * then the carrier is pinned until the graph is gone. `used` tells whether there are any.
 */
static void keep_carrier(lua_State *L, Context *ctx, int index, bool used)
{
  carriers_give(L, index, -1);
  if (used) carriers_pin(L, ctx, -1);
}

void push_node_carrier(lua_State *L, Context *ctx, int index, Node *node, bool used)
{
  push_carrier_at(L, ctx, &node->carrier);
  keep_carrier(L, ctx, index, used);
}

static void remember_owner(lua_State *L, int index)
{
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, 1);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "owner");
}

void push_tensor_carrier(lua_State *L, Context *ctx, int index, uint8_t kinds)
{
  Tensor *t = tensor_test(L, index);
  Node *node = t->base ? current_node(L, t) : t->grad_fn;
  if (node) {
    push_node_carrier(L, ctx, index, node, node->refs > 1);
    node->hooks |= kinds;
    return;
  }
  push_carrier_at(L, ctx, &t->carrier);
  remember_owner(L, index);
  Node *accumulator = t->accumulator;
  if (accumulator) {
    accumulator->hooks |= kinds;
    accumulator->carrier = t->carrier;
  }
  keep_carrier(L, ctx, index, accumulator != NULL);
}

/* ------------------------------------------------------------ registration */

static void check_hookable(lua_State *L, const char *function)
{
  const Tensor *t = tensor_check(L, 1);
  if (!tensor_requires_grad(t))
    user_error(L, "%s: the tensor doesn't require a gradient, so no hook on it would ever run", function);
  if (lua_isnoneornil(L, 2)) user_error(L, "%s: argument 'hook' is missing", function);
}

int tensor_register_hook(lua_State *L)
{
  check_hookable(L, "register_hook");
  const Tensor *t = tensor_test(L, 1);
  push_tensor_carrier(L, context_of(L), 1, HOOKED_RESULT);
  add_hook(L, -1, t->grad_fn ? t->output + 1 : 1, 2);
  return 1;
}

int tensor_register_post_accumulate_grad_hook(lua_State *L)
{
  check_hookable(L, "register_post_accumulate_grad_hook");
  if (tensor_test(L, 1)->grad_fn)
    return user_error(L, "register_post_accumulate_grad_hook: gradients accumulate only in leaves, and this tensor is "
                         "the result of an operation");
  push_tensor_carrier(L, context_of(L), 1, HOOKED_ACCUMULATED);
  add_hook(L, -1, HOOKS_ACCUMULATED, 2);
  return 1;
}

/* ----------------------------------------------------------- running hooks */

typedef struct HookRun {
  Context *ctx;
  Node *node;
  int slot;
  Tensor *gradient; /* in: borrowed; out: a reference */
  Tensor *const *dy;
  Tensor **dx;
  Tensor *leaf;
} HookRun;

static int64_t carrier_of_node(const Node *n)
{
  const Tensor *leaf = node_is_accumulator(n) ? accumulator_leaf(n) : NULL;
  return leaf ? leaf->carrier : n->carrier;
}

/* Pushes the hooks of a slot; false if there are none. */
static bool push_hooks(lua_State *L, int64_t id, int slot)
{
  return id && push_carrier(L, id) && lua_rawgeti(L, -1, slot) == LUA_TTABLE;
}

/* Pushes the i-th function of the list at an index; false if it was removed. */
static bool push_hook(lua_State *L, int list, int i)
{
  lua_rawgeti(L, list, i);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

static int run_tensor_hooks(lua_State *L)
{
  HookRun *run = lua_touserdata(L, 1);
  push_gradient(L, run->ctx, run->gradient);
  int gradient = lua_gettop(L);
  if (push_hooks(L, carrier_of_node(run->node), run->slot)) {
    int list = lua_gettop(L), n = (int)lua_rawlen(L, list);
    for (int i = 1; i <= n; i++) {
      if (!push_hook(L, list, i)) continue;
      lua_pushvalue(L, -1);
      lua_pushvalue(L, gradient);
      lua_call(L, 1, 1);
      if (!lua_isnil(L, -1)) {
        const Tensor *t = tensor_test(L, -1);
        const char *place = push_function_place(L, "hook", -2);
        if (!t) return user_error(L, "%s returned no tensor but %s", place, luaL_typename(L, -2));
        check_like(L, tensor_test(L, gradient), t, place);
        carriers_note(L, -2);
        lua_pushvalue(L, -2);
        lua_replace(L, gradient);
      }
      lua_settop(L, list);
    }
  }
  run->gradient = tensor_retain(tensor_test(L, gradient));
  return 0;
}

static Tensor *tensor_hooks(Call *call, Node *node, int output, Tensor *gradient)
{
  HookRun run = {.ctx = call->ctx, .node = node, .slot = output + 1, .gradient = gradient};
  call_lua(call, run_tensor_hooks, &run);
  return scope_own(call->ctx, run.gradient);
}

static int run_accumulated_hooks(lua_State *L)
{
  HookRun *run = lua_touserdata(L, 1);
  if (!push_hooks(L, run->leaf->carrier, HOOKS_ACCUMULATED)) return 0;
  int list = lua_gettop(L), n = (int)lua_rawlen(L, list);
  lua_getfield(L, list - 1, "owner");
  lua_rawgeti(L, -1, 1);
  if (tensor_test(L, -1) != run->leaf) push_tensor(L, run->leaf);
  int leaf = lua_gettop(L);
  for (int i = 1; i <= n; i++) {
    if (!push_hook(L, list, i)) continue;
    lua_pushvalue(L, -1);
    lua_pushvalue(L, leaf);
    lua_call(L, 1, 1);
    if (!lua_isnil(L, -1))
      return user_error(L, "%s returned a value: a post-accumulate hook must return nothing",
                        push_function_place(L, "hook", -2));
    lua_settop(L, leaf);
  }
  return 0;
}

static void leaf_accumulated(Call *call, Tensor *leaf)
{
  HookRun run = {.ctx = call->ctx, .leaf = leaf};
  call_lua(call, run_accumulated_hooks, &run);
}

/* Keeps what node hooks returned: v's tensors are borrowed from a table on the stack. */
static void retain_all(Tensor **v, int n)
{
  for (int i = 0; i < n; i++) tensor_retain(v[i]);
}

/* A list of gradients for a hook, which may do with it what it likes. */
static void push_copy(lua_State *L, int list, int n)
{
  lua_createtable(L, n, 1);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
}

/*
 * Hooks of a node before it: fn(grad_outputs); after it: fn(grad_inputs, grad_outputs). What they return replaces
 * the first.
 */
static int run_node_hooks(lua_State *L)
{
  HookRun *run = lua_touserdata(L, 1);
  bool after = run->slot == HOOKS_AFTER;
  int n = after ? run->node->nedges : run->node->noutputs;
  if (push_hooks(L, carrier_of_node(run->node), run->slot)) {
    int list = lua_gettop(L), held = list + 1, args = list + 2, count = (int)lua_rawlen(L, list);
    lua_pushnil(L);
    push_gradients(L, run->ctx, run->dx, n);
    if (after) push_gradients(L, run->ctx, run->dy, run->node->noutputs);
    int top = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
      if (!push_hook(L, list, i)) continue;
      lua_pushvalue(L, -1);
      for (int k = args; k <= top; k++) lua_pushvalue(L, k);
      lua_call(L, top - held, 1);
      if (!lua_isnil(L, -1)) {
        const char *place = push_function_place(L, "hook", -2);
        if (!lua_istable(L, -2)) return user_error(L, "%s returned no table but %s", place, luaL_typename(L, -2));
        read_gradients(L, top + 2, run->dx, n, place);
        lua_pushvalue(L, -1);
        lua_replace(L, held);
        push_copy(L, held, n);
        lua_replace(L, args);
      }
      lua_settop(L, top);
    }
  }
  retain_all(run->dx, n);
  return 0;
}

static void run_on_node(Call *call, Node *node, int slot, Tensor *const *dy, Tensor **dx, int n)
{
  HookRun run = {.ctx = call->ctx, .node = node, .slot = slot, .dy = dy, .dx = dx};
  call_lua(call, run_node_hooks, &run);
  for (int i = 0; i < n; i++)
    if (dx[i]) scope_own(call->ctx, dx[i]);
}

static void node_prehooks(Call *call, Node *node, Tensor **dy)
{
  run_on_node(call, node, HOOKS_BEFORE, NULL, dy, node->noutputs);
}

static void node_hooks(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  run_on_node(call, node, HOOKS_AFTER, dy, dx, node->nedges);
}

/* ------------------------------------------------------------------ opening */

void open_hooks(lua_State *L, Context *ctx)
{
  static const luaL_Reg functions[] = {{"remove", handle_remove}, {"__close", handle_remove}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua.Handle");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &handle_meta);
  lua_pushinteger(L, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hook_count);
  ctx->host.tensor_hooks = tensor_hooks;
  ctx->host.node_prehooks = node_prehooks;
  ctx->host.node_hooks = node_hooks;
  ctx->host.leaf_accumulated = leaf_accumulated;
}
