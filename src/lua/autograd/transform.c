/* nnlua.func.core: what nl.func's functions (lua/nnlua/func) make their transforms of. */
#include "autograd/transform.h"

#include <stdlib.h>

#include "autograd/engine.h"
#include "lua/autograd/carriers.h"
#include "lua/call.h"
#include "lua/open.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

#define TRANSFORM_NAME "nnlua.Transform"

/* A transform that a function of Lua runs under. */
typedef struct TransformBox {
  uint32_t kind;
  Transform *transform;
} TransformBox;

static Transform *transform_check(lua_State *L, int index)
{
  const TransformBox *box = userdata_test(L, index, KIND_TRANSFORM, sizeof *box);
  if (!box || !box->transform) luaL_error(L, "a transform that is open was expected");
  return box->transform;
}

typedef struct Opening {
  TransformKind kind;
  int64_t rows;
  Randomness randomness;
  TransformBox *box;
} Opening;

static void open_work(Call *call, void *data)
{
  const Opening *o = data;
  o->box->transform = transform_open(call, o->kind, o->rows, o->randomness);
}

static int open_kind(lua_State *L, Opening o)
{
  Context *ctx = context_of(L);
  o.box = lua_newuserdatauv(L, sizeof *o.box, 0);
  *o.box = (TransformBox){KIND_TRANSFORM, NULL};
  luaL_setmetatable(L, TRANSFORM_NAME);
  core_run(L, ctx, open_work, &o);
  return 1;
}

/* open_batch(rows, randomness): until it is closed, tensors may stand for batches of so many rows. */
static int open_batch(lua_State *L)
{
  static const char *const names[] = {
    [RANDOMNESS_ERROR] = "error", [RANDOMNESS_DIFFERENT] = "different", [RANDOMNESS_SAME] = "same", NULL};
  Randomness randomness = (Randomness)luaL_checkoption(L, 2, "error", names);
  return open_kind(L, (Opening){TRANSFORM_BATCH, luaL_checkinteger(L, 1), randomness, NULL});
}

/* open_tangent(): until it is closed, tensors may have tangents. */
static int open_tangent(lua_State *L) { return open_kind(L, (Opening){.kind = TRANSFORM_TANGENT}); }

static int transform_end(lua_State *L)
{
  TransformBox *box = userdata_test(L, 1, KIND_TRANSFORM, sizeof *box);
  if (!box || !box->transform) return 0;
  Transform *t = box->transform;
  box->transform = NULL;
  transform_close(t);
  transform_release(t);
  return 0;
}

/* ------------------------------------------------------------------ stand-ins */

typedef struct Making {
  Transform *transform;
  Tensor *value, *tangent;
  int64_t dim;
} Making;

static Tensor *moved(Call *call, Tensor *t, int64_t from, int64_t to)
{
  return from == to ? t : op(movedim, t, INTS(from), INTS(to));
}

static Tensor *make_batch(Call *call, void *data)
{
  const Making *m = data;
  return stand_in_of_batch(call, m->transform, moved(call, m->value, m->dim, 0));
}

/* batch(transform, x, dim): a stand-in for the rows of x along dim, counted from 1. */
static int batch(lua_State *L)
{
  Making m = {.transform = transform_check(L, 1), .value = tensor_check(L, 2), .dim = luaL_checkinteger(L, 3) - 1};
  push_made(L, context_of(L), make_batch, &m);
  finish_results(L, 2, 1, lua_gettop(L), 1);
  return 1;
}

static Tensor *unmake_batch(Call *call, void *data)
{
  const Making *m = data;
  Tensor *value = m->value;
  if (is_of_transform(value, m->transform)) {
    value = behind(value, m->transform);
  } else { /* the same for all rows */
    int64_t shape[MAX_DIMS + 1] = {m->transform->rows};
    for (int i = 0; i < value->ndim; i++) shape[i + 1] = value->shape[i];
    value = op(expand, value, ((Ints){shape, value->ndim + 1}));
  }
  return moved(call, value, 0, m->dim);
}

/* unbatch(transform, y, dim): the tensor behind y, its rows along dim. */
static int unbatch(lua_State *L)
{
  Making m = {.transform = transform_check(L, 1), .value = tensor_check(L, 2), .dim = luaL_checkinteger(L, 3)};
  int ndim = m.value->ndim + 1;
  if (m.dim > 0) m.dim--;
  if (m.dim < 0) m.dim += ndim;
  if (m.dim < 0 || m.dim >= ndim) return user_error(L, "vmap: out_dims: a result has %d dimensions", ndim);
  push_made(L, context_of(L), unmake_batch, &m);
  finish_results(L, 2, 1, lua_gettop(L), 1);
  return 1;
}

static Tensor *make_dual(Call *call, void *data)
{
  const Making *m = data;
  return stand_in_with_tangent(call, m->transform, m->value, m->tangent);
}

/* dual(transform, x, tangent) */
static int dual(lua_State *L)
{
  Making m = {.transform = transform_check(L, 1), .value = tensor_check(L, 2), .tangent = tensor_check(L, 3)};
  push_made(L, context_of(L), make_dual, &m);
  finish_results(L, 2, 2, lua_gettop(L), 1);
  return 1;
}

static Tensor *give_value(Call *call, void *data)
{
  (void)call;
  return ((const Making *)data)->value;
}

/* undual(transform, y): the tensor behind y, and its tangent, nil if it has none. */
static int undual(lua_State *L)
{
  const Transform *transform = transform_check(L, 1);
  Tensor *y = tensor_check(L, 2);
  if (!is_of_transform(y, transform)) {
    lua_settop(L, 2);
    return 1;
  }
  Making value = {.value = others_of(y)->value}, tangent = {.value = others_of(y)->tangent};
  push_made(L, context_of(L), give_value, &value);
  push_made(L, context_of(L), give_value, &tangent);
  finish_results(L, 2, 1, lua_gettop(L) - 1, 2);
  return 2;
}

/* is_stand_in(x): whether a transform's function sees x as a stand-in. */
static int is_stand_in(lua_State *L)
{
  const Tensor *t = tensor_test(L, 1);
  lua_pushboolean(L, t && tensor_stands_in(t));
  return 1;
}

/* ---------------------------------------------------------------------- graphs */

typedef struct Asking {
  Tensor **roots, **inputs;
  int nroots, ninputs;
  TensorBox **boxes; /* NULL: they are only counted */
  int64_t n;
} Asking;

static void ask(Call *call, void *data)
{
  Asking *a = data;
  Tensors leaves = graph_other_leaves(call, a->roots, a->nroots, a->inputs, a->ninputs);
  if (!a->boxes || leaves.n < a->n) a->n = leaves.n;
  for (int64_t i = 0; a->boxes && i < a->n; i++) box_fill(a->boxes[i], leaves.v[i]);
}

/* The tensors of a list at an index, in a userdata on the stack. */
static Tensor **read_list(lua_State *L, int index, int *n)
{
  luaL_checktype(L, index, LUA_TTABLE);
  *n = (int)lua_rawlen(L, index);
  Tensor **v = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *v, 0);
  for (int i = 0; i < *n; i++) {
    lua_rawgeti(L, index, i + 1);
    v[i] = tensor_check(L, -1);
    lua_pop(L, 1);
  }
  return v;
}

/* other_leaves(outputs, inputs): a list of the leaves that the outputs' graphs reach but for the inputs. */
static int other_leaves(lua_State *L)
{
  Context *ctx = context_of(L);
  Asking a = {.boxes = NULL};
  a.roots = read_list(L, 1, &a.nroots);
  a.inputs = read_list(L, 2, &a.ninputs);
  core_run(L, ctx, ask, &a);
  a.boxes = lua_newuserdatauv(L, ((size_t)a.n + 1) * sizeof(TensorBox *), 0);
  lua_createtable(L, (int)a.n, 0);
  for (int64_t i = 0; i < a.n; i++) {
    a.boxes[i] = push_box(L, ctx);
    lua_rawseti(L, -2, i + 1);
  }
  if (a.n) core_run(L, ctx, ask, &a);
  return 1;
}

static bool any_behind_wants_gradient(const Tensor *t)
{
  if (!t) return false;
  if (tensor_requires_grad(t)) return true;
  return tensor_stands_in(t)
         && (any_behind_wants_gradient(others_of(t)->value) || any_behind_wants_gradient(others_of(t)->tangent));
}

/* wants_gradient(x): whether x, or a tensor behind it, requires a gradient. */
static int wants_gradient(lua_State *L)
{
  lua_pushboolean(L, any_behind_wants_gradient(tensor_check(L, 1)));
  return 1;
}

static void warn_user(Context *ctx, const char *text) { lua_warning(ctx->host.state, text, 0); }

/* tell_of_rows(enabled): whether ops of batches that go row by row are warned of, each once from now on. */
static int tell_of_rows(lua_State *L)
{
  Context *ctx = context_of(L);
  luaL_checktype(L, 1, LUA_TBOOLEAN);
  ctx->quiet_of_rows = !lua_toboolean(L, 1);
  free(ctx->told_of_rows);
  ctx->told_of_rows = NULL;
  return 0;
}

/* tells_of_rows() */
static int tells_of_rows(lua_State *L)
{
  lua_pushboolean(L, !context_of(L)->quiet_of_rows);
  return 1;
}

int open_func_core(lua_State *L)
{
  static const luaL_Reg functions[] = {{"open_batch", open_batch},
                                       {"open_tangent", open_tangent},
                                       {"batch", batch},
                                       {"unbatch", unbatch},
                                       {"dual", dual},
                                       {"undual", undual},
                                       {"is_stand_in", is_stand_in},
                                       {"close", transform_end},
                                       {"other_leaves", other_leaves},
                                       {"wants_gradient", wants_gradient},
                                       {"tell_of_rows", tell_of_rows},
                                       {"tells_of_rows", tells_of_rows},
                                       {NULL, NULL}};
  context_of(L)->host.warn = warn_user;
  push_gc_metatable(L, TRANSFORM_NAME, transform_end);
  lua_pushcfunction(L, transform_end);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
