/* Optimizers' steps: one call for all parameters of a group. */
#include "ops/optim.h"

#include <string.h>

#include "nn/module.h"

/* ------------------------------------------------------------------- lists */

enum { STEP_MAGIC = 0x6e6e4f01, MOST_STATES = 4 };

/* What an optimizer keeps for a parameter. The tensors are counted. */
typedef struct StepEntry { Tensor *param, *state[MOST_STATES]; } StepEntry;

/* The parameters of a group with their states, where a step finds them without a look into tables. */
typedef struct StepList {
  uint32_t magic;
  int states;          /* how many tensors of state a parameter has */
  Context *ctx;
  lua_Integer n;
  StepEntry entries[];
} StepList;

static StepList *list_check(lua_State *L, int index)
{
  StepList *list = lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
  if (!list || lua_rawlen(L, index) < sizeof *list || list->magic != STEP_MAGIC)
    user_error(L, "an optimizer's list of parameters was expected, got %s", describe(L, index));
  return list;
}

static void entry_release(StepEntry *e, int states)
{
  Tensor *param = e->param;
  e->param = NULL;
  for (int i = 0; i < states; i++) {
    Tensor *state = e->state[i];
    e->state[i] = NULL;
    tensor_release(state);
  }
  tensor_release(param);
}

static int list_gc(lua_State *L)
{
  StepList *list = lua_touserdata(L, 1);
  for (lua_Integer i = 0; i < list->n; i++) entry_release(&list->entries[i], list->states);
  list->n = 0;
  return 0;
}

/* The tensor on top of the stack: NULL if it is an uninitialized Parameter, which a later step finds as a tensor. */
static Tensor *parameter_at_top(lua_State *L)
{
  return is_uninitialized(L, -1) ? NULL : tensor_check(L, -1);
}

/* step_list(params, states): a list for a table of parameters, with room for some tensors of state each */
static int step_list(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1), states = luaL_checkinteger(L, 2);
  luaL_argcheck(L, states >= 0 && states <= MOST_STATES, 2, "too many");
  size_t bytes = sizeof(StepList) + (size_t)n * sizeof(StepEntry);
  StepList *list = lua_newuserdatauv(L, bytes, 0);
  memset(list, 0, bytes);
  *list = (StepList){.magic = STEP_MAGIC, .states = (int)states, .ctx = nn_state(L)->ctx, .n = n};
  if (luaL_newmetatable(L, "nnlua.StepList")) {
    lua_pushcfunction(L, list_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1);
    list->entries[i].param = tensor_retain(parameter_at_top(L));
    lua_pop(L, 1);
  }
  return 1;
}

static Tensor **state_place(lua_State *L)
{
  StepList *list = list_check(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2), k = luaL_checkinteger(L, 3);
  luaL_argcheck(L, i >= 1 && i <= list->n, 2, "out of range");
  luaL_argcheck(L, k >= 1 && k <= list->states, 3, "out of range");
  return &list->entries[i - 1].state[k - 1];
}

/* step_state(list, i, k): the k-th tensor of state of the i-th parameter, or nil */
static int step_state(lua_State *L)
{
  Tensor **place = state_place(L);
  if (*place) push_tensor(L, *place);
  else lua_pushnil(L);
  return 1;
}

/* set_step_state(list, i, k, tensor or nil) */
static int set_step_state(lua_State *L)
{
  Tensor **place = state_place(L), *old = *place;
  *place = lua_isnoneornil(L, 4) ? NULL : tensor_retain(tensor_check(L, 4));
  tensor_release(old);
  return 0;
}

/* Brings a list in line with the group's table of parameters: an entry whose parameter is another one starts afresh. */
static void list_sync(lua_State *L, StepList *list, int params)
{
  if ((lua_Integer)lua_rawlen(L, params) != list->n)
    user_error(L, "the group had %d parameters and has %d: use add_param_group", (int)list->n,
               (int)lua_rawlen(L, params));
  for (lua_Integer i = 0; i < list->n; i++) {
    StepEntry *e = &list->entries[i];
    lua_rawgeti(L, params, i + 1);
    Tensor *param = tensor_test(L, -1);
    if (param != e->param) {
      parameter_at_top(L);
      entry_release(e, list->states);
      e->param = tensor_retain(param);
    }
    lua_pop(L, 1);
  }
}

/* --------------------------------------------------------------------- SGD */

/* sgd_step(list, params, lr, momentum, dampening, weight_decay, nesterov, maximize) */
static int sgd(lua_State *L)
{
  StepList *list = list_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  const SgdOptions options = {
    .lr = luaL_checknumber(L, 3), .momentum = luaL_checknumber(L, 4), .dampening = luaL_checknumber(L, 5),
    .weight_decay = luaL_checknumber(L, 6), .nesterov = lua_toboolean(L, 7), .maximize = lua_toboolean(L, 8),
  };
  list_sync(L, list, 2);
  Context *ctx = list->ctx;
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  bool recording = ctx->grad_enabled;
  ctx->grad_enabled = false;
  Call call = {.ctx = ctx};
  for (lua_Integer i = 0; i < list->n; i++) {
    StepEntry *e = &list->entries[i];
    Tensor *momentum = e->state[0];
    if (!e->param || !e->param->grad) continue;
    sgd_step(&call, e->param, e->param->grad, &momentum, &options);
    if (!e->state[0]) e->state[0] = tensor_retain(momentum);
  }
  ctx->grad_enabled = recording;
  entry_leave(ctx, &entry);
  return 0;
}

/* --------------------------------------------------------------- gradients */

/* Drops the gradient of the tensor on top of the stack, and the userdata that x.grad remembers. */
static void drop_gradient(lua_State *L, Tensor *t)
{
  Tensor *grad = t->grad;
  t->grad = NULL;
  tensor_release(grad);
  if (lua_getiuservalue(L, -1, EXTRAS) == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, -2, "grad");
  }
  lua_pop(L, 1);
}

/* Fills a gradient with zeros; one that is part of a graph is detached from it first. */
static void clear_gradient(Call *call, Tensor *t)
{
  Tensor *grad = t->grad;
  if (grad->grad_fn) grad = tensor_alias(call, grad);
  op_(fill, grad, scalar_int(0));
  if (grad == t->grad) return;
  Tensor *old = t->grad;
  t->grad = tensor_retain(grad);
  tensor_release(old);
}

static int enter_and_clear(lua_State *L, Context *ctx, Tensor *t)
{
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  bool recording = ctx->grad_enabled;
  ctx->grad_enabled = false;
  Call call = {.ctx = ctx};
  clear_gradient(&call, t);
  ctx->grad_enabled = recording;
  entry_leave(ctx, &entry);
  return 0;
}

/* zero_grads(list, drop): drops the gradients of a list of tensors, or fills them with zeros */
static int zero_grads(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  bool drop = lua_toboolean(L, 2);
  Context *ctx = drop ? NULL : nn_state(L)->ctx;
  if (ctx) core_prepare(L, ctx);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    Tensor *t = tensor_test(L, -1);
    if (t && t->grad) {
      if (drop) drop_gradient(L, t);
      else enter_and_clear(L, ctx, t);
    }
    lua_pop(L, 1);
  }
  return 0;
}

const luaL_Reg optim_functions[] = {
  {"step_list", step_list}, {"step_state", step_state}, {"set_step_state", set_step_state}, {"sgd_step", sgd},
  {"zero_grads", zero_grads},
  {NULL, NULL},
};
