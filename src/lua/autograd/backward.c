/* x:backward(), autograd.backward and autograd.grad: from Lua's arguments to a pass of the engine and back. */
#include <limits.h>

#include "autograd/engine.h"
#include "core/recorder.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/carriers.h"
#include "lua/named_arguments.h"
#include "lua/parse.h"
#include "lua/pressure.h"
#include "ops/shape/factory.h"

/* Tensors from Lua's arguments; NULL where a list has nl.none. The array is userdata on the stack. */
typedef struct TensorList {
  Tensor **v;
  int n;
} TensorList;

static bool is_missing(lua_State *L, int index) { return lua_isnil(L, index) || is_none(L, index); }

static int gradient_count(lua_State *L, int index)
{
  lua_Integer n = lua_getfield(L, index, "n") == LUA_TNUMBER ? lua_tointeger(L, -1) : (lua_Integer)lua_rawlen(L, index);
  lua_pop(L, 1);
  return n < 0 || n > INT_MAX / 16 ? -1 : (int)n;
}

/* A tensor or a table of them at an index, or gradient edges. With holes: nil and nl.none are fine. */
static TensorList read_tensor_list(lua_State *L, const char *function, const char *name, int index, bool holes)
{
  bool single = tensor_test(L, index) != NULL;
  if (!single && push_edge_tensor(L, index)) {
    lua_replace(L, index);
    single = true;
  }
  if (!single && !lua_istable(L, index))
    user_error(L, "%s: argument '%s': a tensor or a table of tensors expected, got %s", function, name,
               type_name(L, index));
  TensorList list = {NULL, single ? 1 : gradient_count(L, index)};
  if (list.n < 0) user_error(L, "%s: argument '%s': the list's n is no number of tensors", function, name);
  list.v = lua_newuserdatauv(L, (size_t)(list.n + 1) * sizeof(Tensor *), 0);
  lua_newtable(L); /* holds the tensors: the user's table may be changed by finalizers */
  for (int i = 0; i < list.n; i++) {
    if (single) lua_pushvalue(L, index);
    else lua_rawgeti(L, index, i + 1);
    if (push_edge_tensor(L, -1)) lua_replace(L, -2);
    list.v[i] = tensor_test(L, -1);
    if (!list.v[i] && !(holes && is_missing(L, -1)))
      user_error(L, "%s: argument '%s': element %d is no tensor but %s", function, name, i + 1, type_name(L, -1));
    lua_rawseti(L, -2, i + 1);
  }
  return list;
}

/* Seeds for a number of roots; NULL if there are none. */
static Tensor **read_seeds(lua_State *L, const char *function, const char *name, int index, int roots)
{
  if (lua_isnil(L, index)) return NULL;
  TensorList list = read_tensor_list(L, function, name, index, true);
  if (list.n != roots) user_error(L, "%s: %d gradients given for %d tensors", function, list.n, roots);
  return list.v;
}

/* What a call of backward or grad has come to before it enters the core. */
typedef struct Pass {
  const char *name;
  Backward b;
  TensorBox **results; /* of grad: one an input */
  bool allow_unused, materialize;
  int first, n; /* the values that carriers come from */
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
      raise_plain(call->ctx,
                  "%s: input %d was not used in the graph of the outputs; with allow_unused = true its "
                  "gradient is nil",
                  p->name, i + 1);
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

static void run_reporting(lua_State *L, Context *ctx, const Pass *p)
{
  if (ctx->recorder && (p->b.create_graph || !ctx->recorder->differentiated)) tell_doing(L, ctx, p->name);
  if (p->b.create_graph) carriers_begin_backward(L, p->first, p->n);
  bool done = run_pass(L, ctx, p);
  if (p->b.create_graph) {
    push_backward_carriers(L);
    carriers_end_backward(L);
    if (done && !p->results) carriers_pin(L, ctx, -1); /* gradients in x.grad: no userdata stands for their graph */
  }
  if (ctx->queued_callbacks) run_queued_callbacks(L, ctx, done);
  if (!done) core_failed(L, ctx);
}

static void warn_of_cycle(lua_State *L)
{
  lua_warning(L,
              "nnlua: backward with create_graph leaves the graph of each gradient in x.grad until that is set to "
              "nil; nl.autograd.grad has no such cycle",
              0);
}

/* Options retain_graph, create_graph at an index and after; returns what the engine gets. */
static Backward read_graph_options(lua_State *L, const char *function, int index)
{
  Backward b = {0};
  b.create_graph = argument_bool(L, function, "create_graph", index + 1, false);
  b.retain_graph = argument_bool(L, function, "retain_graph", index, b.create_graph);
  return b;
}

/* backward(tensors, seeds, retain_graph, create_graph, inputs), the values at 1…5. */
static int run_backward(lua_State *L, const char *function, const char *seeds)
{
  Pass p = {.name = function, .b = read_graph_options(L, function, 3), .first = 1, .n = 2};
  TensorList roots = read_tensor_list(L, function, "tensors", 1, false);
  p.b.roots = roots.v;
  p.b.nroots = roots.n;
  p.b.seeds = read_seeds(L, function, seeds, 2, roots.n);
  if (!lua_isnil(L, 5)) {
    TensorList inputs = read_tensor_list(L, function, "inputs", 5, false);
    if (inputs.n == 0) return user_error(L, "%s: argument 'inputs' is an empty list", function);
    p.b.inputs = inputs.v;
    p.b.ninputs = inputs.n;
  }
  if (roots.n == 0) return 0;
  if (p.b.create_graph) warn_of_cycle(L);
  run_reporting(L, roots.v[0]->ctx, &p);
  return 0;
}

int tensor_backward(lua_State *L)
{
  static const char *const names[] = {"gradient", "retain_graph", "create_graph", "inputs", NULL};
  Tensor *t = tensor_check(L, 1);
  pressure_before_backward(L, t->ctx);
  if (lua_gettop(L) == 1) { /* loss:backward() */
    Pass p = {.name = "backward", .b = {.roots = &t, .nroots = 1}, .first = 1, .n = 1};
    run_reporting(L, t->ctx, &p);
    return 0;
  }
  arguments_merge(L, "backward", 2, names);
  return run_backward(L, "backward", "gradient");
}

static int autograd_backward(lua_State *L)
{
  static const char *const names[] = {"tensors", "grad_tensors", "retain_graph", "create_graph", "inputs", NULL};
  pressure_before_backward(L, context_of(L));
  arguments_merge(L, "autograd.backward", 1, names);
  return run_backward(L, "autograd.backward", "grad_tensors");
}

/* Leaves the gradients, or one table of them, on the stack; nil for those that are missing. */
static int return_gradients(lua_State *L, const Pass *p, int first, bool as_table)
{
  if (p->b.create_graph) { /* run_reporting left what the pass carries on top */
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
  push_packed(L, first, p->b.ninputs);
  return 1;
}

enum {
  GRAD_OUTPUTS = 3,
  GRAD_RETAIN = 4,
  GRAD_ONLY_INPUTS = 6,
  GRAD_UNUSED = 7,
  GRAD_BATCHED = 8,
  GRAD_MATERIALIZE = 9,
  GRAD_AS_TABLE = 10
};

/* The choices of grad that go together. */
static void read_unused(lua_State *L, Pass *p)
{
  p->materialize = argument_bool(L, p->name, "materialize_grads", GRAD_MATERIALIZE, false);
  p->allow_unused = argument_bool(L, p->name, "allow_unused", GRAD_UNUSED, p->materialize);
  if (p->materialize && !p->allow_unused)
    user_error(L, "%s: materialize_grads = true gives zeros for unused inputs, so allow_unused can't be false",
               p->name);
  if (!argument_bool(L, p->name, "only_inputs", GRAD_ONLY_INPUTS, true))
    user_error(L, "%s: only_inputs = false is not supported; use backward", p->name);
}

static int autograd_grad(lua_State *L)
{
  static const char *const names[] = {
    "outputs",     "inputs",       "grad_outputs",     "retain_graph",      "create_graph",
    "only_inputs", "allow_unused", "is_grads_batched", "materialize_grads", "as_table",
    NULL};
  pressure_before_backward(L, context_of(L));
  arguments_merge(L, "autograd.grad", 1, names);
  if (argument_bool(L, "autograd.grad", "is_grads_batched", GRAD_BATCHED, false)) return batched_grad(L, autograd_grad);
  Pass p = {.name = "autograd.grad", .b = read_graph_options(L, "autograd.grad", GRAD_RETAIN), .first = 1, .n = 3};
  bool as_table = argument_bool(L, p.name, "as_table", GRAD_AS_TABLE, false);
  read_unused(L, &p);
  TensorList roots = read_tensor_list(L, p.name, "outputs", 1, false),
             inputs = read_tensor_list(L, p.name, "inputs", 2, false);
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
  run_reporting(L, ctx, &p);
  return return_gradients(L, &p, first, as_table);
}

const luaL_Reg backward_functions[] = {{"backward", autograd_backward}, {"grad", autograd_grad}, {NULL, NULL}};
