#include "lua/autograd.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/engine.h"
#include "lua/batched_grad.h"
#include "lua/carriers.h"
#include "lua/graph.h"
#include "lua/hooks.h"
#include "lua/modes.h"
#include "lua/multi_hook.h"
#include "lua/options.h"
#include "lua/size.h"

/* --------------------------------------------------------------- properties */

/* Pushes the table in a tensor's user value EXTRAS, made if there is none. */
static void push_extras(lua_State *L, int i)
{
  if (lua_getiuservalue(L, i, EXTRAS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, i, EXTRAS);
}

/* The same userdata each time, as long as the gradient is the same tensor. */
static void get_grad(lua_State *L, int i)
{
  const Tensor *t = tensor_test(L, i);
  if (!t->grad) {
    if (!tensor_is_leaf(t) && !t->retains_grad)
      lua_warning(L, "nnlua: the grad of a tensor that is no leaf is kept only after x:retain_grad()", 0);
    lua_pushnil(L);
    return;
  }
  push_extras(L, i);
  lua_getfield(L, -1, "grad");
  if (tensor_test(L, -1) != t->grad) {
    lua_pop(L, 1);
    push_tensor(L, t->grad);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "grad");
  }
  lua_remove(L, -2);
}

static void check_grad(lua_State *L, const Tensor *t, const Tensor *g)
{
  if (!g) user_error(L, "grad: a tensor or nil expected");
  if (g == t) user_error(L, "grad: a tensor can't be its own gradient");
  if (!tensor_same_shape(t, g)) {
    const char *given = push_shape_text(L, tensor_shape(g)), *wanted = push_shape_text(L, tensor_shape(t));
    user_error(L, "grad: a gradient of shape %s doesn't fit a tensor of shape %s", given, wanted);
  }
  if (g->dtype != t->dtype)
    user_error(L, "grad: a gradient of %s doesn't fit a tensor of %s", dtype_name(tensor_dtype(g)),
               dtype_name(tensor_dtype(t)));
  if (g->device != t->device) user_error(L, "grad: the gradient is on another device than the tensor");
}

static void set_grad(lua_State *L, int i, int value)
{
  Tensor *t = tensor_test(L, i), *g = tensor_test(L, value), *old = t->grad;
  bool none = lua_isnil(L, value) || is_none(L, value);
  if (!none) check_grad(L, t, g);
  push_extras(L, i);
  if (none) lua_pushnil(L);
  else lua_pushvalue(L, value);
  lua_setfield(L, -2, "grad");
  lua_pop(L, 1);
  t->grad = tensor_retain(none ? NULL : g);
  tensor_release(old);
}

static void get_grad_fn(lua_State *L, int i)
{
  Tensor *t = tensor_test(L, i);
  Node *node = t->base ? current_node(L, t) : t->grad_fn;
  if (node) push_node(L, node, i);
  else lua_pushnil(L);
}

static void get_is_leaf(lua_State *L, int i) { lua_pushboolean(L, tensor_is_leaf(tensor_test(L, i))); }
static void get_requires_grad(lua_State *L, int i) { lua_pushboolean(L, tensor_requires_grad(tensor_test(L, i))); }
static void get_retains_grad(lua_State *L, int i) { lua_pushboolean(L, tensor_test(L, i)->retains_grad); }
static void get_output_nr(lua_State *L, int i) { lua_pushinteger(L, tensor_test(L, i)->output + 1); }

static void get_version(lua_State *L, int i)
{
  const Tensor *t = tensor_test(L, i);
  if (t->is_inference) user_error(L, "_version: a tensor made in inference mode has no version counter");
  lua_pushinteger(L, tensor_version(t));
}

static void change_requires_grad(lua_State *L, Tensor *t, bool value)
{
  if (value && !dtype_is_inexact(tensor_dtype(t)))
    user_error(L, "requires_grad: only floating-point and complex tensors can require a gradient, not %s",
               dtype_name(tensor_dtype(t)));
  if (value && t->is_inference && !t->ctx->inference)
    user_error(L, "requires_grad: a tensor made in inference mode can't require a gradient outside of it; clone it");
  t->requires_grad = value;
}

static void set_requires_grad(lua_State *L, int i, int value)
{
  Tensor *t = tensor_test(L, i);
  if (!lua_isboolean(L, value)) user_error(L, "requires_grad: true or false expected, got %s", luaL_typename(L, value));
  if (!tensor_is_leaf(t))
    user_error(L, "requires_grad can be changed only on leaves, not on a result of an operation; "
               "x:detach() cuts it off");
  change_requires_grad(L, t, lua_toboolean(L, value));
}

static void fill_data(lua_State *L, Context *ctx, TensorBox *box, const Tensor *t)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return;
  }
  Call call = {.ctx = ctx};
  Tensor *alias = tensor_alias(&call, t);
  alias->is_unversioned = true;
  box_fill(box, alias);
  entry_leave(ctx, &entry);
}

/* x.data shares the elements but neither history nor version counter. */
static void get_data(lua_State *L, int i)
{
  const Tensor *t = tensor_test(L, i);
  fill_data(L, t->ctx, push_box(L, t->ctx), t);
}

/* A tensor of many dimensions needs room for them, so it can fail. */
static void adopt(lua_State *L, Tensor *t, const Tensor *other)
{
  Context *ctx = t->ctx;
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return;
  }
  tensor_adopt(t, other);
  entry_leave(ctx, &entry);
}

static void set_data(lua_State *L, int i, int value)
{
  Tensor *t = tensor_test(L, i), *other = tensor_test(L, value);
  if (!other) user_error(L, "data: a tensor expected, got %s", luaL_typename(L, value));
  if (tensor_requires_grad(t) && !dtype_is_inexact(tensor_dtype(other)))
    user_error(L, "data: a tensor that requires a gradient can't get elements of %s", dtype_name(tensor_dtype(other)));
  if (other != t) adopt(L, t, other);
}

const Property autograd_properties[] = {
  {"grad", get_grad, set_grad}, {"grad_fn", get_grad_fn, NULL}, {"is_leaf", get_is_leaf, NULL},
  {"requires_grad", get_requires_grad, set_requires_grad}, {"retains_grad", get_retains_grad, NULL},
  {"output_nr", get_output_nr, NULL}, {"_version", get_version, NULL}, {"data", get_data, set_data},
  {NULL, NULL, NULL}};

/* ------------------------------------------------------------------ methods */

static int requires_grad_(lua_State *L)
{
  static const char *const names[] = {"requires_grad", NULL};
  Tensor *t = tensor_check(L, 1);
  options_merge(L, "requires_grad_", 2, names);
  bool value = option_bool(L, "requires_grad_", "requires_grad", 2, true);
  if (!tensor_is_leaf(t) && !value)
    return user_error(L, "requires_grad_: it can be taken only from leaves, not from a result of an operation; "
                      "x:detach() cuts it off");
  if (tensor_is_leaf(t)) change_requires_grad(L, t, value);
  lua_settop(L, 1);
  return 1;
}

static int detach_(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  core_prepare(L, t->ctx);
  if (t->base) return user_error(L, "detach_: a view can't be cut off in place; use x:detach()");
  tensor_set_grad_fn(t, NULL, 0);
  t->requires_grad = false;
  t->retains_grad = false;
  lua_settop(L, 1);
  return 1;
}

static int retain_grad(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  Context *ctx = t->ctx;
  if (!tensor_requires_grad(t)) return user_error(L, "retain_grad: the tensor doesn't require a gradient");
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  tensor_retain_grad(&call, t);
  entry_leave(ctx, &entry);
  return 0;
}

/* ----------------------------------------------------------------- backward */

/* Tensors from Lua's arguments; NULL where a list has nl.none. The array is userdata on the stack. */
typedef struct TensorList { Tensor **v; int n; } TensorList;

static bool is_missing(lua_State *L, int index) { return lua_isnil(L, index) || is_none(L, index); }

static int list_length(lua_State *L, int index)
{
  lua_Integer n = lua_getfield(L, index, "n") == LUA_TNUMBER ? lua_tointeger(L, -1) : (lua_Integer)lua_rawlen(L, index);
  lua_pop(L, 1);
  return n < 0 || n > INT_MAX / 16 ? -1 : (int)n;
}

/* A tensor or a table of them at an index. With holes: nil and nl.none are fine. */
static TensorList read_tensors(lua_State *L, const char *function, const char *name, int index, bool holes)
{
  bool single = tensor_test(L, index) != NULL;
  if (!single && !lua_istable(L, index))
    user_error(L, "%s: argument '%s': a tensor or a table of tensors expected, got %s", function, name,
               luaL_typename(L, index));
  TensorList list = {NULL, single ? 1 : list_length(L, index)};
  if (list.n < 0) user_error(L, "%s: argument '%s': the list's n is no number of tensors", function, name);
  list.v = lua_newuserdatauv(L, (size_t)(list.n + 1) * sizeof(Tensor *), 0);
  lua_newtable(L); /* holds the tensors: the user's table may be changed by finalizers */
  for (int i = 0; i < list.n; i++) {
    if (single) lua_pushvalue(L, index);
    else lua_rawgeti(L, index, i + 1);
    list.v[i] = tensor_test(L, -1);
    if (!list.v[i] && !(holes && is_missing(L, -1)))
      user_error(L, "%s: argument '%s': element %d is no tensor but %s", function, name, i + 1, luaL_typename(L, -1));
    lua_rawseti(L, -2, i + 1);
  }
  return list;
}

/* Seeds for a number of roots; NULL if there are none. */
static Tensor **read_seeds(lua_State *L, const char *function, const char *name, int index, int roots)
{
  if (lua_isnil(L, index)) return NULL;
  TensorList list = read_tensors(L, function, name, index, true);
  if (list.n != roots) user_error(L, "%s: %d gradients given for %d tensors", function, list.n, roots);
  return list.v;
}

/* What a call of backward or grad has come to before it enters the core. */
typedef struct Pass {
  const char *name;
  Backward b;
  TensorBox **results;     /* of grad: one an input */
  bool allow_unused, materialize;
  int first, n;            /* the values that carriers come from */
} Pass;

/* A hook may drop tensors that the engine still needs. */
static void hold(Call *call, Tensor *const *v, int n)
{
  for (int i = 0; v && i < n; i++)
    if (v[i]) scope_own(call->ctx, tensor_retain(v[i]));
}

static void give_results(Call *call, const Pass *p, Tensor *const *captured)
{
  for (int i = 0; i < p->b.ninputs; i++) {
    Tensor *g = captured[i];
    if (!g && p->materialize) g = op(zeros_like, p->b.inputs[i], DTYPE_NONE, DEVICE_NONE, false);
    if (!g && !p->allow_unused)
      raise_plain(call->ctx, "%s: input %d was not used in the graph of the outputs; with allow_unused = true its "
                  "gradient is nil", p->name, i + 1);
    if (g) box_fill(p->results[i], g);
  }
}

/* Whether the pass ran; if not, the error waits in the context. */
static bool run_pass(lua_State *L, Context *ctx, const Pass *p)
{
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return false;
  Call root = {.ctx = ctx}, *call = &root;
  hold(call, p->b.roots, p->b.nroots);
  hold(call, p->b.seeds, p->b.nroots);
  hold(call, p->b.inputs, p->b.ninputs);
  Backward b = p->b;
  if (p->results) b.captured = arena_allocate(ctx, (size_t)b.ninputs * sizeof *b.captured);
  backward_run(call, &b);
  if (p->results) give_results(call, p, b.captured);
  entry_leave(ctx, &entry);
  return true;
}

static void run(lua_State *L, Context *ctx, const Pass *p)
{
  if (p->b.create_graph) carriers_begin_backward(L, p->first, p->n);
  bool done = run_pass(L, ctx, p);
  if (p->b.create_graph) {
    push_backward_carriers(L);
    carriers_end_backward(L);
    if (done && !p->results) carriers_pin(L, ctx, -1); /* gradients in x.grad: no userdata stands for their graph */
  }
  if (!done) core_failed(L, ctx);
}

static void warn_of_cycle(lua_State *L)
{
  lua_warning(L, "nnlua: backward with create_graph leaves the graph of each gradient in x.grad until that is set to "
              "nil; nl.autograd.grad has no such cycle", 0);
}

/* Options retain_graph, create_graph at an index and after; returns what the engine gets. */
static Backward read_options(lua_State *L, const char *function, int index)
{
  Backward b = {0};
  b.create_graph = option_bool(L, function, "create_graph", index + 1, false);
  b.retain_graph = option_bool(L, function, "retain_graph", index, b.create_graph);
  return b;
}

/* backward(tensors, seeds, retain_graph, create_graph, inputs), the values at 1…5. */
static int run_backward(lua_State *L, const char *function, const char *seeds)
{
  Pass p = {.name = function, .b = read_options(L, function, 3), .first = 1, .n = 2};
  TensorList roots = read_tensors(L, function, "tensors", 1, false);
  p.b.roots = roots.v;
  p.b.nroots = roots.n;
  p.b.seeds = read_seeds(L, function, seeds, 2, roots.n);
  if (!lua_isnil(L, 5)) {
    TensorList inputs = read_tensors(L, function, "inputs", 5, false);
    if (inputs.n == 0) return user_error(L, "%s: argument 'inputs' is an empty list", function);
    p.b.inputs = inputs.v;
    p.b.ninputs = inputs.n;
  }
  if (roots.n == 0) return 0;
  if (p.b.create_graph) warn_of_cycle(L);
  run(L, roots.v[0]->ctx, &p);
  return 0;
}

static int tensor_backward(lua_State *L)
{
  static const char *const names[] = {"gradient", "retain_graph", "create_graph", "inputs", NULL};
  Tensor *t = tensor_check(L, 1);
  if (lua_gettop(L) == 1) { /* loss:backward() */
    Pass p = {.name = "backward", .b = {.roots = &t, .nroots = 1}, .first = 1, .n = 1};
    run(L, t->ctx, &p);
    return 0;
  }
  options_merge(L, "backward", 2, names);
  return run_backward(L, "backward", "gradient");
}

static int autograd_backward(lua_State *L)
{
  static const char *const names[] = {"tensors", "grad_tensors", "retain_graph", "create_graph", "inputs", NULL};
  options_merge(L, "autograd.backward", 1, names);
  return run_backward(L, "autograd.backward", "grad_tensors");
}

/* Leaves the gradients, or one table of them, on the stack; nil for those that are missing. */
static int return_gradients(lua_State *L, const Pass *p, int first, bool as_table)
{
  if (p->b.create_graph) { /* run left what the pass carries on top */
    for (int i = 0; i < p->b.ninputs; i++)
      if (tensor_test(L, first + i) && tensor_test(L, first + i)->grad_fn) carriers_give(L, first + i, -1);
  }
  lua_settop(L, first + p->b.ninputs - 1);
  for (int i = 0; i < p->b.ninputs; i++) {
    if (tensor_test(L, first + i)) continue;
    lua_pushnil(L);
    lua_replace(L, first + i);
  }
  if (!as_table) return p->b.ninputs;
  lua_createtable(L, p->b.ninputs, 1);
  for (int i = 0; i < p->b.ninputs; i++) {
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, p->b.ninputs);
  lua_setfield(L, -2, "n");
  return 1;
}

enum { GRAD_OUTPUTS = 3, GRAD_RETAIN = 4, GRAD_ONLY_INPUTS = 6, GRAD_UNUSED = 7, GRAD_BATCHED = 8,
       GRAD_MATERIALIZE = 9, GRAD_AS_TABLE = 10 };

/* The choices of grad that go together. */
static void read_unused(lua_State *L, Pass *p)
{
  p->materialize = option_bool(L, p->name, "materialize_grads", GRAD_MATERIALIZE, false);
  p->allow_unused = option_bool(L, p->name, "allow_unused", GRAD_UNUSED, p->materialize);
  if (p->materialize && !p->allow_unused)
    user_error(L, "%s: materialize_grads = true gives zeros for unused inputs, so allow_unused can't be false",
               p->name);
  if (!option_bool(L, p->name, "only_inputs", GRAD_ONLY_INPUTS, true))
    user_error(L, "%s: only_inputs = false is not supported; use backward", p->name);
}

static int autograd_grad(lua_State *L)
{
  static const char *const names[] = {"outputs", "inputs", "grad_outputs", "retain_graph", "create_graph",
                                      "only_inputs", "allow_unused", "is_grads_batched", "materialize_grads",
                                      "as_table", NULL};
  options_merge(L, "autograd.grad", 1, names);
  if (option_bool(L, "autograd.grad", "is_grads_batched", GRAD_BATCHED, false)) return batched_grad(L, autograd_grad);
  Pass p = {.name = "autograd.grad", .b = read_options(L, "autograd.grad", GRAD_RETAIN), .first = 1, .n = 3};
  bool as_table = option_bool(L, p.name, "as_table", GRAD_AS_TABLE, false);
  read_unused(L, &p);
  TensorList roots = read_tensors(L, p.name, "outputs", 1, false), inputs = read_tensors(L, p.name, "inputs", 2, false);
  p.b.roots = roots.v;
  p.b.nroots = roots.n;
  p.b.inputs = inputs.v;
  p.b.ninputs = inputs.n;
  p.b.seeds = read_seeds(L, p.name, "grad_outputs", GRAD_OUTPUTS, roots.n);
  if (roots.n == 0 || inputs.n == 0)
    return user_error(L, "autograd.grad: argument '%s' is an empty list", roots.n == 0 ? "outputs" : "inputs");
  Context *ctx = roots.v[0]->ctx;
  luaL_checkstack(L, inputs.n + 16, "too many gradients: ask for as_table");
  p.results = lua_newuserdatauv(L, (size_t)inputs.n * sizeof *p.results, 0);
  int first = lua_gettop(L) + 1;
  for (int i = 0; i < inputs.n; i++) p.results[i] = push_box(L, ctx);
  run(L, ctx, &p);
  return return_gradients(L, &p, first, as_table);
}

/* ------------------------------------------------------------- anomaly mode */

/* Where the user's code is: "file:line". Called by the core, so nothing here may raise. */
static void node_created(Context *ctx, Node *n)
{
  lua_State *L = ctx->host.state;
  lua_Debug ar;
  for (int level = 0; L && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0 || strncmp(ar.source, "@nnlua/", 7) == 0) continue;
    size_t size = strlen(ar.short_src) + 16;
    n->trace = malloc(size);
    if (n->trace) snprintf(n->trace, size, "%s:%d", ar.short_src, ar.currentline);
    return;
  }
}

static int append_trace(lua_State *L)
{
  const char *trace = lua_touserdata(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &core_error_key) != LUA_TSTRING) return 0;
  lua_pushstring(L, trace);
  lua_concat(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &core_error_key);
  return 0;
}

/* Adds to the error being raised where the forward of the failing node ran. */
static void node_failed(Context *ctx, Node *n)
{
  lua_State *L = ctx->host.state;
  char text[256];
  if (!n->trace) return;
  snprintf(text, sizeof text, " (in the backward of %s, whose forward ran at %s)", node_name(n), n->trace);
  if (!ctx->error_is_foreign) {
    strncat(ctx->error, text, sizeof ctx->error - strlen(ctx->error) - 1);
    return;
  }
  if (!lua_checkstack(L, 4)) return;
  lua_pushcfunction(L, append_trace);
  lua_pushlightuserdata(L, text);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* ------------------------------------------------------------------ opening */

void open_autograd(lua_State *L, int nl, int members)
{
  static const luaL_Reg methods[] = {
    {"backward", tensor_backward}, {"requires_grad_", requires_grad_}, {"detach_", detach_},
    {"retain_grad", retain_grad}, {"register_hook", tensor_register_hook},
    {"register_post_accumulate_grad_hook", tensor_register_post_accumulate_grad_hook}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"backward", autograd_backward}, {"grad", autograd_grad}, {NULL, NULL}};
  Context *ctx = context_of(L);
  open_carriers(L, ctx);
  open_hooks(L, ctx);
  open_graph(L);
  ctx->host.node_created = node_created;
  ctx->host.node_failed = node_failed;
  lua_pushvalue(L, members);
  luaL_setfuncs(L, methods, 0);
  luaL_newlib(L, functions);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, register_multi_grad_hook);
  lua_setfield(L, -2, "register_multi_grad_hook");
  lua_setfield(L, -2, "graph");
  lua_setfield(L, nl, "autograd");
  lua_pop(L, 1);
}
