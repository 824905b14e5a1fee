/* nl.autograd.Function: ops whose forward and backward are Lua functions. */
#include <stdio.h>
#include <string.h>

#include "autograd/engine.h"
#include "autograd/inplace.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/carriers.h"
#include "lua/autograd/grad_fn.h"
#include "lua/autograd/hooks.h"
#include "lua/autograd/modes.h"
#include "lua/autograd/module_border.h"
#include "lua/autograd/saved_hooks.h"
#include "lua/scope.h"
#include "lua/call.h"
#include "lua/tensor/size.h"
#include "ops/reduce/sum.h"
#include "ops/shape/factory.h"

static char context_meta, function_meta; /* registry keys, by address */
static char saved_key, versions_key, packed_key, unpacked_key, dirty_key, plain_key, sparse_key, freed_key,
  name_key; /* keys in a ctx */

/* Sets t[key] to the value on top, which it pops. */
static void set_private(lua_State *L, int table, char *key) { lua_rawsetp(L, table, key); }

/* ------------------------------------------------ ctx: what forward tells backward */

static void check_context(lua_State *L, const char *method)
{
  bool is = lua_istable(L, 1) && lua_getmetatable(L, 1);
  if (is) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &context_meta);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  if (!is) user_error(L, "%s: call it on ctx: ctx:%s(…)", method, method);
}

/* The arguments from 2 on as a table, each a tensor or, if that is allowed, nil. */
static void pack_tensors(lua_State *L, const char *method, bool holes)
{
  int n = lua_gettop(L) - 1;
  lua_createtable(L, n, 1);
  for (int i = 1; i <= n; i++) {
    const Tensor *t = tensor_test(L, i + 1);
    bool missing = lua_isnil(L, i + 1) || is_none(L, i + 1);
    if (!t && !(holes && missing))
      user_error(L, "%s: argument %d: a tensor expected, got %s%s", method, i, luaL_typename(L, i + 1),
                 holes ? "; other values can be kept as fields of ctx" : "");
    if (!t) continue;
    scope_keep(L, i + 1);
    lua_pushvalue(L, i + 1);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
}

static int save_for_backward(lua_State *L)
{
  check_context(L, "save_for_backward");
  if (lua_rawgetp(L, 1, &saved_key) != LUA_TNIL)
    return user_error(L, "save_for_backward: it can be called once; give it all tensors together");
  lua_pop(L, 1);
  pack_tensors(L, "save_for_backward", true);
  set_private(L, 1, &saved_key);
  return 0;
}

static int mark_dirty(lua_State *L)
{
  check_context(L, "mark_dirty");
  pack_tensors(L, "mark_dirty", false);
  set_private(L, 1, &dirty_key);
  return 0;
}

static int mark_non_differentiable(lua_State *L)
{
  check_context(L, "mark_non_differentiable");
  pack_tensors(L, "mark_non_differentiable", false);
  set_private(L, 1, &plain_key);
  return 0;
}

static int set_materialize_grads(lua_State *L)
{
  check_context(L, "set_materialize_grads");
  if (!lua_isboolean(L, 2)) return user_error(L, "set_materialize_grads: true or false expected");
  lua_pushboolean(L, !lua_toboolean(L, 2));
  set_private(L, 1, &sparse_key);
  return 0;
}

/* Where a ctx has packed its i-th saved tensor: pushes what the running backward, or else the hook, has unpacked. */
static bool push_unpacked(lua_State *L, int ctx, int i, const char *name)
{
  if (lua_rawgetp(L, ctx, &packed_key) != LUA_TTABLE || lua_rawgeti(L, -1, i) != LUA_TTABLE) return false;
  if (lua_rawgetp(L, ctx, &unpacked_key) == LUA_TTABLE) lua_rawgeti(L, -1, i);
  else push_unpacked_tensor(L, -2, name);
  return true;
}

static void check_not_freed(lua_State *L, int ctx, const char *name)
{
  lua_rawgetp(L, ctx, &freed_key);
  if (lua_toboolean(L, -1))
    user_error(L,
               "backward of %s: its saved tensors have been freed by an earlier backward; give that one "
               "retain_graph = true to go through the graph twice",
               name);
  lua_pop(L, 1);
}

/* ctx.saved_tensors: a fresh table {n = n, …}, after a check that nobody has written to them since. */
static int saved_tensors(lua_State *L)
{
  lua_rawgetp(L, 1, &name_key);
  const char *name = lua_tostring(L, -1);
  check_not_freed(L, 1, name);
  lua_settop(L, 1);
  lua_newtable(L);
  lua_rawgetp(L, 1, &versions_key);
  if (lua_rawgetp(L, 1, &saved_key) != LUA_TTABLE) {
    lua_pushinteger(L, 0);
    lua_setfield(L, 2, "n");
    lua_settop(L, 2);
    return 1;
  }
  lua_getfield(L, 4, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_setfield(L, 2, "n");
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 4, i);
    const Tensor *t = tensor_test(L, -1);
    if (t && lua_istable(L, 3)) {
      lua_rawgeti(L, 3, i);
      uint32_t version = (uint32_t)lua_tointeger(L, -1);
      lua_pop(L, 1);
      if (version != tensor_version(t))
        return user_error(L,
                          "backward of %s: saved tensor %d was changed in place after the forward (it is at version "
                          "%d, saved at version %d); clone it before the change",
                          name, i, (int)tensor_version(t), (int)version);
    }
    if (!t) push_unpacked(L, 1, i, name);
    lua_rawseti(L, 2, i);
    lua_settop(L, 4);
  }
  lua_settop(L, 2);
  return 1;
}

static int context_index(lua_State *L)
{
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "saved_tensors") == 0) {
    lua_settop(L, 1);
    return saved_tensors(L);
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

/* --------------------------------------------------------------------- apply */

/* What apply has gathered before it enters the core. Arrays are userdata on the stack. */
typedef struct Applied {
  int n, m;  /* arguments, results */
  int first; /* the stack index of the first result */
  Tensor **inputs, **outputs;
  TensorBox **aliases; /* of results that must be other tensors than what forward returned; else NULL */
  bool *is_input, *is_dirty, *is_plain;
  int64_t carrier;
  const char *name;
  bool recorded;
} Applied;

/* Marks the tensors of a table in ctx among the results. Those of `must` have to be there. */
static void mark_results(lua_State *L, int ctx, char *key, const Applied *a, bool *marks, const char *must)
{
  if (lua_rawgetp(L, ctx, key) == LUA_TTABLE) {
    int count = (int)lua_rawlen(L, -1);
    for (int i = 1; i <= count; i++) {
      bool found = false;
      lua_rawgeti(L, -1, i);
      const Tensor *t = tensor_test(L, -1);
      lua_pop(L, 1);
      for (int k = 0; k < a->m; k++)
        if (t && a->outputs[k] == t) marks[k] = found = true;
      if (must && !found) user_error(L, "%s: a tensor marked by %s must be returned by forward", a->name, must);
    }
  }
  lua_pop(L, 1);
}

static void gather_outputs(lua_State *L, int ctx, Applied *a)
{
  size_t n = (size_t)(a->m + 1);
  a->outputs = lua_newuserdatauv(L, n * sizeof *a->outputs, 0);
  a->aliases = lua_newuserdatauv(L, n * sizeof *a->aliases, 0);
  a->is_input = lua_newuserdatauv(L, 3 * n, 0);
  a->is_dirty = a->is_input + n;
  a->is_plain = a->is_dirty + n;
  memset(a->is_input, 0, 3 * n);
  for (int k = 0; k < a->m; k++) {
    a->outputs[k] = tensor_test(L, a->first + k);
    a->aliases[k] = NULL;
    for (int i = 0; i < a->n; i++) a->is_input[k] |= a->outputs[k] && a->inputs[i] == a->outputs[k];
  }
  mark_results(L, ctx, &dirty_key, a, a->is_dirty, "mark_dirty");
  mark_results(L, ctx, &plain_key, a, a->is_plain, NULL);
}

/* An input returned as it is, and what has a history of its own, are returned as aliases. */
static void make_alias_boxes(lua_State *L, Context *ctx, Applied *a)
{
  for (int k = 0; k < a->m; k++) {
    const Tensor *t = a->outputs[k];
    if (!t || a->is_dirty[k] || !(a->is_input[k] || t->requires_grad || t->grad_fn)) continue;
    if (!a->recorded && !tensor_requires_grad(t)) continue;
    lua_pushvalue(L, a->first + k); /* what forward returned stays on the stack until it has its alias */
    a->aliases[k] = push_box(L, ctx);
    lua_replace(L, a->first + k);
  }
}

static void alias_results(Call *call, Applied *a)
{
  for (int k = 0; k < a->m; k++) {
    if (!a->aliases[k]) continue;
    Tensor *of = a->outputs[k];
    a->outputs[k] = tensor_alias(call, of);
    if (a->recorded && a->is_input[k] && !a->is_plain[k]) view_tie(a->outputs[k], of, VIEW_OF_FUNCTION);
    box_fill(a->aliases[k], a->outputs[k]);
  }
}

/* A changed input is the function's output from now on. */
static void record_dirty(Call *call, const Applied *a, int k, Node *node)
{
  Tensor *t = a->outputs[k];
  if (t->base && (k > 0 || a->m > 1 || a->inputs[0] != t))
    raise_plain(call->ctx, "%s: a view can be changed in place only as the first argument and the only result",
                a->name);
  inplace_record(call, t, node);
  if (!t->base) t->output = k;
}

static void record_node(Call *call, Applied *a)
{
  for (int k = 0; k < a->m; k++)
    if (a->is_dirty[k]) inplace_check(call, a->outputs[k], true);
  Node *node = host_node_new(call, a->inputs, a->n, a->outputs, a->m, a->carrier, a->name);
  scope_own_node(call->ctx, node);
  for (int k = 0; k < a->m; k++) {
    Tensor *t = a->outputs[k];
    if (!t || a->is_plain[k] || !dtype_is_inexact(tensor_dtype(t))) continue;
    if (a->is_dirty[k]) record_dirty(call, a, k, node);
    else tensor_set_grad_fn(t, node, k);
    if (t->base && !a->is_dirty[k]) {
      t->view_kind = VIEW_OF_FUNCTION;
      t->history = t->base->history;
    }
  }
}

/* What apply does within the core. */
static void make_results(Call *call, void *data)
{
  Applied *a = data;
  alias_results(call, a);
  if (a->recorded) record_node(call, a);
}

/* What was written to by other means than in-place ops counts as changed too. */
static void bump_dirty(const Applied *a)
{
  for (int k = 0; k < a->m; k++) {
    const Tensor *t = a->outputs[k];
    if (!a->is_dirty[k] || !t->storage) continue;
    t->storage->writes++;
    if (!t->is_unversioned) t->storage->version++;
  }
}

/* Notes at which versions tensors were saved. */
static void note_versions(lua_State *L, int ctx, const char *name)
{
  if (lua_rawgetp(L, ctx, &saved_key) == LUA_TTABLE) {
    int count;
    lua_getfield(L, -1, "n");
    count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) {
      lua_rawgeti(L, -2, i);
      const Tensor *t = tensor_test(L, -1);
      lua_pop(L, 1);
      if (t && t->is_inference)
        user_error(L, "%s: a tensor made in inference mode can't be saved for a backward; clone it outside", name);
      lua_pushinteger(L, t ? tensor_version(t) : 0);
      lua_rawseti(L, -2, i);
    }
    set_private(L, ctx, &versions_key);
  }
  lua_pop(L, 1);
}

enum { ORIGIN = 3 }; /* in the table of a packed tensor: i for the i-th argument of apply, -i for its i-th result */

static int origin_of(const Tensor *t, const Applied *a)
{
  for (int i = 0; i < a->n; i++)
    if (a->inputs[i] == t) return i + 1;
  for (int k = 0; k < a->m; k++)
    if (a->outputs[k] == t) return -(k + 1);
  return 0;
}

/* Replaces what is saved by what the pack hook makes of it. */
static void pack_saved_tensors(lua_State *L, Context *ctx, int context, const Applied *a)
{
  int top = lua_gettop(L);
  if (lua_rawgetp(L, context, &saved_key) != LUA_TTABLE) {
    lua_settop(L, top);
    return;
  }
  lua_getfield(L, -1, "n");
  int count = (int)lua_tointeger(L, -1), saved = top + 1;
  lua_createtable(L, count, 0);
  int packed = lua_gettop(L);
  push_mode_token(L, ctx, MODE_GRAD, false);
  lua_toclose(L, packed + 1);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, saved, i);
    const Tensor *t = tensor_test(L, -1);
    uint32_t version = t ? tensor_version(t) : 0;
    if (!t || !push_packed_tensor(L, ctx, -1)) {
      lua_pop(L, 1);
      continue;
    }
    if (tensor_version(t) != version) user_error(L, PACKED_WAS_CHANGED);
    lua_pushinteger(L, origin_of(t, a));
    lua_rawseti(L, -2, ORIGIN);
    lua_rawseti(L, packed, i);
    lua_pushnil(L);
    lua_rawseti(L, saved, i);
    lua_pop(L, 1);
  }
  close_mode_token(L, packed + 1);
  lua_pushvalue(L, packed);
  set_private(L, context, &packed_key);
  lua_settop(L, top);
}

/* Makes the carrier that holds ctx and the class; at its index. */
static int make_carrier(lua_State *L, Context *ctx, int context, Applied *a)
{
  a->carrier = push_new_carrier(L, ctx);
  lua_pushvalue(L, context);
  lua_setfield(L, -2, "context");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setfield(L, -2, "class");
  return lua_gettop(L);
}

/* Lets the results carry what the arguments do, and the node's carrier. */
static void link_results(lua_State *L, const Applied *a, int carrier)
{
  push_carried(L, 1, a->n);
  int list = lua_gettop(L);
  for (int k = 0; k < a->m; k++) {
    int index = a->first + k;
    if (!a->outputs[k] || !a->outputs[k]->grad_fn) continue;
    for (int i = 0; i < a->n && a->outputs[k]->base; i++)
      if (a->inputs[i] && (a->inputs[i] == a->outputs[k]->base || a->inputs[i]->base == a->outputs[k]->base))
        finish_results(L, i + 1, 1, index, 1);
    carriers_give(L, index, list);
    carriers_give(L, index, carrier);
    if (a->is_dirty[k] && lua_getiuservalue(L, index, BASE) == LUA_TUSERDATA) {
      carriers_give(L, -1, list);
      carriers_give(L, -1, carrier);
    }
    lua_settop(L, list);
  }
  lua_pop(L, 1);
}

/* Stack: arguments, ctx, the class, the token, what forward returned. */
static int finish_apply(lua_State *L, int status, lua_KContext n)
{
  (void)status;
  int context = (int)n + 1, first = (int)n + 4;
  close_mode_token(L, (int)n + 3);
  Context *ctx = context_of(L);
  Applied a = {.n = (int)n, .m = lua_gettop(L) - first + 1, .first = first};
  luaL_checkstack(L, 2 * a.m + 24, NULL);
  lua_rawgetp(L, context, &name_key);
  if (lua_isnil(L, -1)) lua_pushliteral(L, "CustomBackward"); /* forward took it out of ctx */
  a.name = lua_tostring(L, -1);
  a.inputs = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *a.inputs, 0);
  core_prepare(L, ctx);
  for (int i = 0; i < n; i++) {
    a.inputs[i] = tensor_test(L, i + 1);
    const Tensor *t = a.inputs[i];
    a.recorded |= t && ctx->grad_enabled && tensor_requires_grad(t) && dtype_is_inexact(tensor_dtype(t));
  }
  if (a.recorded) tell_doing(L, ctx, "autograd.Function");
  gather_outputs(L, context, &a);
  bump_dirty(&a);
  make_alias_boxes(L, ctx, &a);
  int carrier = a.recorded ? make_carrier(L, ctx, context, &a) : 0;
  if (a.recorded) note_versions(L, context, a.name);
  core_work(L, ctx, make_results, &a);
  if (a.recorded) link_results(L, &a, carrier);
  if (a.recorded && ctx->saved_hooks) pack_saved_tensors(L, ctx, context, &a);
  for (int k = 0; k < a.m; k++) lua_pushvalue(L, first + k);
  return a.m;
}

/* After forward where there is a setup_context: setup_context(ctx, inputs, outputs…). */
static int after_forward(lua_State *L, int status, lua_KContext n)
{
  (void)status;
  int first = (int)n + 4, m = lua_gettop(L) - first + 1;
  if (lua_getfield(L, (int)n + 2, "setup_context") == LUA_TNIL) {
    lua_pop(L, 1);
    return finish_apply(L, LUA_OK, n);
  }
  luaL_checkstack(L, m + 8, NULL);
  lua_pushvalue(L, (int)n + 1);
  push_packed(L, 1, (int)n);
  for (int k = 0; k < m; k++) lua_pushvalue(L, first + k);
  lua_callk(L, m + 2, 0, n, finish_apply);
  return finish_apply(L, LUA_OK, n);
}

/* ctx with needs_input_grad. */
static void push_context(lua_State *L, int n)
{
  lua_createtable(L, 0, 4);
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) {
    const Tensor *t = tensor_test(L, i);
    lua_pushboolean(L, t && tensor_requires_grad(t) && dtype_is_inexact(tensor_dtype(t)));
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "needs_input_grad");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &context_meta);
  lua_setmetatable(L, -2);
}

/* F.apply(…): upvalue 1 is F. Yields in forward pass through. */
static int function_apply(lua_State *L)
{
  int n = lua_gettop(L);
  luaL_checkstack(L, n + 16, NULL);
  push_context(L, n);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_getfield(L, -1, "name");
  lua_pushfstring(L, "%sBackward", lua_tostring(L, -1));
  lua_rawsetp(L, n + 1, &name_key);
  lua_pop(L, 1);
  push_mode_token(L, context_of(L), MODE_GRAD, false);
  lua_toclose(L, n + 3);
  if (lua_getfield(L, n + 2, "forward") == LUA_TNIL) {
    lua_getfield(L, n + 2, "name");
    return user_error(L, "%s.apply: the function has no forward", lua_tostring(L, -1));
  }
  bool splits = lua_getfield(L, n + 2, "setup_context") != LUA_TNIL;
  lua_pop(L, 1);
  if (!splits) lua_pushvalue(L, n + 1);
  for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
  lua_callk(L, n + !splits, LUA_MULTRET, n, after_forward);
  return after_forward(L, LUA_OK, n);
}

/* ------------------------------------------------------------------- backward */

/* What the tensor of a made-up gradient is like. */
typedef struct Likeness {
  Tensor *gradient;
  const Tensor *of;
  Device device;
} Likeness;

static Tensor *make_zeros(Call *call, void *data)
{
  const Likeness *like = data;
  return op(zeros, tensor_shape(like->of), tensor_dtype(like->of), like->device, false);
}

static Tensor *make_fitting(Call *call, void *data)
{
  const Likeness *like = data;
  return op(sum_to, like->gradient, tensor_shape(like->of), tensor_dtype(like->of));
}

/* Pushes the gradient of an output for backward: zeros stand for one that has not come, unless they are not wanted. */
static void push_output_gradient(lua_State *L, const Applying *a, int k, bool sparse)
{
  Context *ctx = a->node->ctx;
  const Tensor *ghost = host_node_output(a->node, k);
  if (a->dy[k]) {
    push_gradient(L, ctx, a->dy[k]);
  } else if (!ghost || sparse) {
    lua_pushnil(L);
  } else {
    Device device = DEVICE_CPU;
    for (int i = 0; i < a->node->noutputs; i++)
      if (a->dy[i]) device = (Device)a->dy[i]->device;
    push_made(L, ctx, make_zeros, &(Likeness){NULL, ghost, device});
  }
}

/* A broadcast gradient is summed down to its input; of another dtype it is cast.
   What is made here stays on the stack. */
static Tensor *fit_gradient(lua_State *L, const Applying *a, int i, Tensor *g, const char *name)
{
  const Tensor *x = host_node_input(a->node, i);
  if (tensor_same_shape(x, g) && x->dtype == g->dtype) return g;
  int64_t shape[MAX_DIMS];
  memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
  int ndim = shape_broadcast(shape, x->ndim, tensor_shape(g));
  if (ndim != g->ndim || !shape_equal((Ints){shape, ndim}, tensor_shape(g))) {
    const char *given = push_shape_text(L, tensor_shape(g)), *wanted = push_shape_text(L, tensor_shape(x));
    user_error(L, "%s returned a gradient of shape %s for input %d, which has shape %s", name, given, i + 1, wanted);
  }
  return push_made(L, a->node->ctx, make_fitting, &(Likeness){g, x, DEVICE_NONE})->tensor;
}

/* What backward returned, from `first` to the top, into dx; the stack holds it. */
static void read_input_gradients(lua_State *L, Applying *a, int first, const char *name)
{
  int n = a->node->nedges, given = lua_gettop(L) - first + 1;
  luaL_checkstack(L, n + 16, NULL);
  for (int i = n; i < given; i++)
    if (!lua_isnil(L, first + i)) user_error(L, "%s returned %d gradients for %d inputs", name, given, n);
  if (given < n) user_error(L, "%s returned %d gradients for %d inputs (nil stands for none)", name, given, n);
  for (int i = 0; i < n; i++) {
    Tensor *t = tensor_test(L, first + i);
    if (!t && !lua_isnil(L, first + i) && !is_none(L, first + i))
      user_error(L, "%s returned no tensor as gradient %d but %s", name, i + 1, luaL_typename(L, first + i));
  }
  for (int i = 0; i < n; i++) {
    Tensor *t = tensor_test(L, first + i);
    if (!t || !a->node->edges[i].node) continue;
    carriers_note(L, first + i);
    a->dx[i] = fit_gradient(L, a, i, t, name);
  }
}

typedef struct Reviving {
  Tensor *unpacked;
  Node *node;
  int output;
} Reviving;

/* An unpacked tensor with the history of the one that was packed. */
static Tensor *make_revived(Call *call, void *data)
{
  const Reviving *r = data;
  Tensor *alias = tensor_alias(call, r->unpacked);
  tensor_set_grad_fn(alias, r->node, r->output);
  return alias;
}

/* Unpacks what hooks have packed, for as long as a backward runs: at unpacked_key. */
static void unpack_saved_tensors(lua_State *L, const Applying *a, int context, const char *name)
{
  int top = lua_gettop(L);
  Context *ctx = a->node->ctx;
  if (lua_rawgetp(L, context, &packed_key) == LUA_TTABLE) {
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, top + 1)) {
      int entry = lua_gettop(L);
      lua_rawgeti(L, entry, ORIGIN);
      int origin = (int)lua_tointeger(L, -1);
      Tensor *t = push_unpacked_tensor(L, entry, name);
      Edge e = origin < 0 ? (Edge){a->node, -origin - 1} : origin > 0 ? a->node->edges[origin - 1] : (Edge){NULL, 0};
      if (ctx->grad_enabled && e.node) push_made(L, ctx, make_revived, &(Reviving){t, e.node, e.output});
      lua_pushvalue(L, entry - 1);
      lua_insert(L, -2);
      lua_rawset(L, top + 2);
      lua_settop(L, entry - 1);
    }
    set_private(L, context, &unpacked_key);
  }
  lua_settop(L, top);
}

static void forget_unpacked(lua_State *L, int context)
{
  lua_pushnil(L);
  set_private(L, context, &unpacked_key);
}

static void free_saved(lua_State *L, int context)
{
  if (lua_rawgetp(L, context, &saved_key) == LUA_TTABLE) {
    lua_pushnil(L);
    set_private(L, context, &saved_key);
    lua_pushnil(L);
    set_private(L, context, &packed_key);
    lua_pushboolean(L, true);
    set_private(L, context, &freed_key);
  }
  lua_pop(L, 1);
}

static int apply_backward(lua_State *L)
{
  Applying *a = lua_touserdata(L, 1);
  const char *name = node_name(a->node);
  if (!push_carrier(L, a->node->carrier))
    return user_error(L, "%s: what it keeps is gone: no tensor of its graph was left", name);
  if (lua_getfield(L, 2, "border") != LUA_TNIL) {
    lua_settop(L, 2);
    border_apply(L, a, 2);
    return 0;
  }
  lua_settop(L, 2);
  lua_getfield(L, 2, "context");
  lua_getfield(L, 2, "class");
  luaL_checkstack(L, a->node->noutputs + 16, NULL);
  if (lua_getfield(L, 4, "backward") == LUA_TNIL) return user_error(L, "%s: the function has no backward", name);
  lua_pushvalue(L, 3);
  lua_rawgetp(L, 3, &sparse_key);
  bool sparse = lua_toboolean(L, -1);
  lua_pop(L, 1);
  for (int k = 0; k < a->node->noutputs; k++) push_output_gradient(L, a, k, sparse);
  unpack_saved_tensors(L, a, 3, name);
  lua_call(L, a->node->noutputs + 1, LUA_MULTRET);
  forget_unpacked(L, 3);
  read_input_gradients(L, a, 5, name);
  if (!backward_retains_graph(a->node->ctx)) free_saved(L, 3);
  for (int i = 0; i < a->node->nedges; i++) tensor_retain(a->dx[i]); /* nothing is raised from here on */
  return 0;
}

static void node_apply(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  Applying a = {call, node, dy, dx};
  call_lua(call, apply_backward, &a);
  for (int i = 0; i < node->nedges; i++)
    if (dx[i]) scope_own(call->ctx, dx[i]);
  if (strcmp(node_name(node), "ModuleBorder") == 0) border_signal(call, node, dx);
}

/* --------------------------------------------------------- once_differentiable */

static bool any_requires_grad(lua_State *L, int first, int last)
{
  for (int i = first; i <= last; i++) {
    const Tensor *t = tensor_test(L, i);
    if (t && tensor_requires_grad(t)) return true;
  }
  return false;
}

/* The class whose backward says that there is none: forward(ctx, n, values…, the incoming gradients…). */
static int refuse_forward(lua_State *L)
{
  int n = (int)lua_tointeger(L, 2);
  lua_settop(L, 2 + n);
  return n;
}

static int refuse_backward(lua_State *L)
{
  return user_error(L, "a backward marked by once_differentiable was to be differentiated again");
}

static int call_once(lua_State *L)
{
  int n = lua_gettop(L);
  Context *ctx = context_of(L);
  core_prepare(L, ctx);
  bool twice = ctx->grad_enabled && any_requires_grad(L, 2, n);
  luaL_checkstack(L, n + 8, NULL);
  push_mode_token(L, ctx, MODE_GRAD, false);
  lua_toclose(L, n + 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
  lua_call(L, n, LUA_MULTRET);
  close_mode_token(L, n + 1);
  int results = lua_gettop(L) - n - 1;
  if (!twice) return results;
  luaL_checkstack(L, results + n + 8, NULL);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushinteger(L, results);
  for (int i = 1; i <= results; i++) lua_pushvalue(L, n + 1 + i);
  for (int i = 2; i <= n; i++) lua_pushvalue(L, i);
  lua_call(L, results + n, results);
  return results;
}

/* once_differentiable(backward): the same function, run without recording; differentiating its result raises. */
static int once_differentiable(lua_State *L)
{
  if (lua_isnoneornil(L, 1)) return user_error(L, "once_differentiable: a function expected");
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, call_once, 2);
  return 1;
}

/* -------------------------------------------------------------------- classes */

static int function_tostring(lua_State *L)
{
  lua_getfield(L, 1, "name");
  lua_pushfstring(L, "autograd.Function %s", lua_tostring(L, -1));
  return 1;
}

/* Function(name, parent): a table for forward and backward, with apply. */
static int new_function(lua_State *L)
{
  if (lua_type(L, 1) != LUA_TSTRING)
    return user_error(L, "autograd.Function: a name expected: nl.autograd.Function(\"Exp\")");
  if (!lua_isnoneornil(L, 2) && !lua_istable(L, 2)) return user_error(L, "autograd.Function: 'parent' is no Function");
  lua_settop(L, 2);
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, 1);
  lua_setfield(L, 3, "name");
  lua_pushvalue(L, 3);
  lua_pushcclosure(L, function_apply, 1);
  lua_setfield(L, 3, "apply");
  if (lua_istable(L, 2)) { /* a metatable of its own: what it has not, the parent has */
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, function_tostring);
    lua_setfield(L, -2, "__tostring");
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &function_meta);
  }
  lua_setmetatable(L, 3);
  lua_settop(L, 3);
  return 1;
}

static void make_metatables(lua_State *L)
{
  static const luaL_Reg methods[] = {{"save_for_backward", save_for_backward},
                                     {"mark_dirty", mark_dirty},
                                     {"mark_non_differentiable", mark_non_differentiable},
                                     {"set_materialize_grads", set_materialize_grads},
                                     {NULL, NULL}};
  lua_createtable(L, 0, 2);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, context_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua.FunctionContext");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &context_meta);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, function_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &function_meta);
}

void open_custom_function(lua_State *L)
{
  static const luaL_Reg refuse[] = {{"forward", refuse_forward}, {"backward", refuse_backward}, {NULL, NULL}};
  make_metatables(L);
  lua_pushcfunction(L, new_function);
  lua_setfield(L, -2, "Function");
  lua_pushcfunction(L, new_function);
  lua_pushliteral(L, "OnceDifferentiable");
  lua_call(L, 1, 1);
  luaL_setfuncs(L, refuse, 0);
  lua_getfield(L, -1, "apply");
  lua_pushcclosure(L, once_differentiable, 1);
  lua_setfield(L, -3, "once_differentiable");
  lua_pop(L, 1);
  context_of(L)->host.node_apply = node_apply;
}
