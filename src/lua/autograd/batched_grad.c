/* autograd.grad with is_grads_batched: one pass for each row of the gradients given, its results stacked. */
#include "lua/autograd/autograd.h"
#include "lua/call.h"
#include "ops/shape/cat_split.h"

/* Where the merged arguments of autograd.grad are. */
enum {
  OUTPUTS = 1,
  INPUTS,
  GRAD_OUTPUTS,
  RETAIN_GRAPH,
  CREATE_GRAPH,
  ONLY_INPUTS,
  ALLOW_UNUSED,
  BATCHED,
  MATERIALIZE,
  AS_TABLE
};

/* Leaves a table of the gradients given on the stack and returns how many rows they have. */
static int64_t list_seeds(lua_State *L)
{
  if (tensor_test(L, GRAD_OUTPUTS)) {
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, GRAD_OUTPUTS);
    lua_rawseti(L, -2, 1);
  } else if (lua_istable(L, GRAD_OUTPUTS)) {
    lua_pushvalue(L, GRAD_OUTPUTS);
  } else {
    return user_error(L, "autograd.grad: with is_grads_batched the argument 'grad_outputs' is needed");
  }
  int64_t rows = -1;
  for (lua_Integer k = 1; k <= (lua_Integer)lua_rawlen(L, -1); k++) {
    lua_rawgeti(L, -1, k);
    const Tensor *t = tensor_test(L, -1);
    bool fits = t && t->ndim > 0 && (rows < 0 || rows == t->shape[0]);
    if (!fits)
      return user_error(
        L, "autograd.grad: with is_grads_batched each of 'grad_outputs' is a tensor with the same number of rows");
    rows = t->shape[0];
    lua_pop(L, 1);
  }
  if (rows < 1) return user_error(L, "autograd.grad: with is_grads_batched 'grad_outputs' must have rows");
  return rows;
}

/* Calls grad for row i of the seeds at an index; leaves its table of gradients on the stack. */
static void run_row(lua_State *L, lua_CFunction grad, int seeds, int64_t i, bool last)
{
  lua_pushcfunction(L, grad);
  lua_pushvalue(L, OUTPUTS);
  lua_pushvalue(L, INPUTS);
  lua_newtable(L);
  for (lua_Integer k = 1; k <= (lua_Integer)lua_rawlen(L, seeds); k++) {
    lua_rawgeti(L, seeds, k);
    lua_geti(L, -1, i);
    lua_remove(L, -2);
    lua_rawseti(L, -2, k);
  }
  if (last) lua_pushvalue(L, RETAIN_GRAPH);
  else lua_pushboolean(L, true);
  lua_pushvalue(L, CREATE_GRAPH);
  lua_pushvalue(L, ONLY_INPUTS);
  lua_pushvalue(L, ALLOW_UNUSED);
  lua_pushnil(L);
  lua_pushvalue(L, MATERIALIZE);
  lua_pushboolean(L, true);
  lua_call(L, AS_TABLE, 1);
}

static Tensor *make_stacked(Call *call, void *rows) { return op(stack, *(const Tensors *)rows, 0); }

/* Replaces the list of rows on top of the stack by the tensor that they make, or nil if there are none. */
static void stack_rows(lua_State *L, Context *ctx, int64_t rows)
{
  int list = lua_gettop(L);
  int64_t there = 0, missing = 0;
  Tensor **v = lua_newuserdatauv(L, (size_t)rows * sizeof *v, 0);
  for (int64_t i = 0; i < rows; i++) {
    lua_rawgeti(L, list, i + 1);
    v[i] = tensor_test(L, -1);
    if (v[i]) there++;
    else missing = i + 1;
    lua_pop(L, 1); /* the list keeps it */
  }
  if (there == 0) {
    lua_settop(L, list);
    lua_pushnil(L);
    lua_replace(L, list);
    return;
  }
  if (missing) {
    user_error(L, "autograd.grad: row %d of the gradients given reaches no input that others reach", (int)missing);
    return;
  }
  push_made(L, ctx, make_stacked, &(Tensors){v, rows});
  finish_results(L, list, 1, lua_gettop(L), 1);
  lua_replace(L, list);
  lua_settop(L, list);
}

int batched_grad(lua_State *L, lua_CFunction grad)
{
  int64_t rows = list_seeds(L);
  int seeds = lua_gettop(L), all = seeds + 1, n = 0;
  lua_newtable(L);
  for (int64_t i = 1; i <= rows; i++) {
    run_row(L, grad, seeds, i, i == rows);
    lua_getfield(L, -1, "n");
    n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    for (int j = 1; j <= n; j++) {
      if (lua_rawgeti(L, all, j) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, all, j);
      }
      lua_rawgeti(L, all + 1, j);
      lua_rawseti(L, -2, i);
      lua_pop(L, 1);
    }
    lua_settop(L, all);
  }
  luaL_checkstack(L, n + 8, "too many gradients: ask for as_table");
  for (int j = 1; j <= n; j++) {
    lua_rawgeti(L, all, j);
    stack_rows(L, context_of(L), rows);
  }
  if (!lua_toboolean(L, AS_TABLE)) return n;
  push_packed(L, all + 1, n);
  return 1;
}
