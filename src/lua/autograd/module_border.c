/* The border of a module: its node, and what its backward does. */
#include "lua/autograd/module_border.h"

#include "autograd/inplace.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/carriers.h"
#include "lua/autograd/grad_fn.h"
#include "lua/autograd/hooks.h"
#include "lua/call.h"
#include "ops/shape/factory.h"

uint64_t border_reserve(Context *ctx) { return ++ctx->sequence; }

static bool is_wanted(const Tensor *t) { return t && tensor_requires_grad(t) && dtype_is_inexact(tensor_dtype(t)); }

/* What the core has to do for a border; the results' boxes are made before. */
typedef struct Border {
  int n;
  Tensor **inputs; /* NULL where no gradient is wanted; one place more, for the node inside */
  TensorBox **boxes;
  int64_t carrier;
  uint64_t sequence;
  Node *inside;
  Node **node; /* its place in a userdata */
} Border;

/*
 * The last output is a signal without elements that matter: the node of the outputs sends it to that of the
 * inputs, which waits for it.
 */
static void make_border(Call *call, void *data)
{
  const Border *b = data;
  int n = b->n;
  Tensor **outputs = arena_allocate(call->ctx, (size_t)(n + 1) * sizeof *outputs);
  for (int i = 0; i < n; i++) {
    outputs[i] = b->inputs[i] ? tensor_alias(call, b->inputs[i]) : NULL;
    if (outputs[i]) view_tie(outputs[i], b->inputs[i], VIEW_OF_BORDER);
  }
  Tensor *signal = tensor_new(call, DTYPE_f32, DEVICE_CPU, (Ints){NULL, 0});
  outputs[n] = signal;
  if (b->inside) tensor_set_grad_fn(signal, b->inside, b->inside->noutputs - 1);
  b->inputs[n] = b->inside ? signal : NULL;
  Node *node = host_node_new(call, b->inputs, n + 1, outputs, n + 1, b->carrier, "ModuleBorder");
  scope_own_node(call->ctx, node);
  if (b->sequence) node->sequence = b->sequence;
  for (int i = 0; i < n; i++) {
    if (!outputs[i]) continue;
    tensor_set_grad_fn(outputs[i], node, i);
    box_fill(b->boxes[i], outputs[i]);
  }
  *b->node = node_retain(node);
}

/* Replaces the copies on the stack from `results` on by boxes, where a gradient is wanted; says whether any is. */
static bool prepare_border(lua_State *L, Context *ctx, Border *b, int results)
{
  bool any = false;
  b->inputs = lua_newuserdatauv(L, (size_t)(b->n + 1) * sizeof *b->inputs, 0);
  b->boxes = lua_newuserdatauv(L, (size_t)(b->n + 1) * sizeof *b->boxes, 0);
  for (int i = 0; i < b->n; i++) {
    Tensor *t = tensor_test(L, results + i);
    b->inputs[i] = is_wanted(t) ? t : NULL;
    b->boxes[i] = NULL;
    if (!b->inputs[i]) continue;
    any = true;
    b->boxes[i] = push_box(L, ctx);
    lua_replace(L, results + i);
  }
  return any;
}

void border_node(lua_State *L, int first, int n, int function, uint64_t sequence, int inside)
{
  Context *ctx = context_of(L);
  Border b = {.n = n, .sequence = sequence, .inside = inside ? node_test(L, inside) : NULL};
  luaL_checkstack(L, n + 16, NULL);
  int results = lua_gettop(L) + 1;
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  core_prepare(L, ctx);
  if (!ctx->grad_enabled || (!prepare_border(L, ctx, &b, results) && b.inside)) {
    lua_settop(L, results + n - 1);
    lua_pushnil(L);
    return;
  }
  b.carrier = push_new_carrier(L, ctx);
  int carrier = lua_gettop(L);
  lua_pushvalue(L, function);
  lua_setfield(L, carrier, "border");
  /* The node's userdata keeps its carrier: a module without inputs that want gradients has no alias to do it. */
  b.node = push_node_place(L, carrier);
  int node = lua_gettop(L);
  core_work(L, ctx, make_border, &b);
  for (int i = 0; i < n; i++) {
    if (!b.boxes[i]) continue;
    finish_results(L, first + i, 1, results + i, 1);
    carriers_give(L, results + i, carrier);
    if (!inside) continue;
    lua_getiuservalue(L, inside, 1); /* the entry's carrier: no input may have it */
    carriers_give(L, results + i, -1);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, node);
  lua_replace(L, results + n);
  lua_settop(L, results + n);
}

/* _border(values, function, sequence, inside): a table of values, the node */
static int lua_border(lua_State *L)
{
  lua_settop(L, 4);
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = lua_getfield(L, 1, "n") == LUA_TNUMBER ? (int)lua_tointeger(L, -1) : (int)lua_rawlen(L, 1);
  lua_settop(L, 4);
  luaL_checkstack(L, 2 * n + 16, NULL);
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 1, i);
  border_node(L, 5, n, 2, (uint64_t)lua_tointeger(L, 3), lua_isnil(L, 4) ? 0 : 4);
  push_packed(L, 5 + n, n);
  lua_insert(L, -2);
  return 2;
}

static int reserve_sequence(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)border_reserve(context_of(L)));
  return 1;
}

const luaL_Reg border_functions[] = {{"_border", lua_border}, {"_reserve_sequence", reserve_sequence}, {NULL, NULL}};

void border_apply(lua_State *L, Applying *a, int carrier)
{
  Node *node = a->node;
  int n = node->noutputs - 1;
  for (int i = 0; i < n; i++) a->dx[i] = a->dy[i];
  lua_getfield(L, carrier, "border");
  push_gradients(L, node->ctx, a->dy, n);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1)) {
    if (!lua_istable(L, -1)) user_error(L, "a backward hook returned no table but %s", luaL_typename(L, -1));
    read_gradients(L, lua_gettop(L), a->dx, n, "a backward hook");
  }
  for (int i = 0; i < n; i++) {
    if (!node->edges[i].node) a->dx[i] = NULL;
    tensor_retain(a->dx[i]);
  }
  a->dx[n] = NULL;
}

void border_signal(Call *call, Node *node, Tensor **dx)
{
  int last = node->nedges - 1;
  if (node->edges[last].node) dx[last] = op(zeros, (Ints){NULL, 0}, DTYPE_f32, DEVICE_CPU, false);
}
