/* What a tensor tells of its gradient and history: x.grad, x.requires_grad, x.grad_fn, x:detach_() and their kin. */
#include "autograd/inplace.h"
#include "core/recorder.h"
#include "lua/autograd/autograd.h"
#include "lua/autograd/grad_fn.h"
#include "lua/autograd/hooks.h"
#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/tensor/size.h"

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
  Recorder *recorder = t->ctx->recorder;
  if (recorder && recorder->looked) recorder->looked(recorder, t);
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

static void tell_dropped(Call *call, void *t)
{
  Recorder *r = call->ctx->recorder;
  Tensor *leaf = t;
  r->cleared(r, call, (Tensors){&leaf, 1}, true);
}

static void set_grad(lua_State *L, int i, int value)
{
  Tensor *t = tensor_test(L, i), *g = tensor_test(L, value), *old = t->grad;
  bool none = lua_isnil(L, value) || is_none(L, value);
  const Recorder *recorder = t->ctx->recorder;
  if (recorder && recorder->cleared && none) core_run(L, t->ctx, tell_dropped, t);
  else tell_doing(L, t->ctx, "setting grad");
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

static void get_is_leaf(lua_State *L, int i)
{
  Tensor *t = tensor_test(L, i);
  lua_pushboolean(L, t->base ? !current_node(L, t) : tensor_is_leaf(t));
}

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
  if (value != t->requires_grad) tell_asked(t->ctx);
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

static Tensor *make_unversioned(Call *call, void *t)
{
  Tensor *alias = tensor_alias(call, t);
  alias->is_unversioned = true;
  return alias;
}

/* x.data shares the elements but neither history nor version counter. */
static void get_data(lua_State *L, int i)
{
  Tensor *t = tensor_test(L, i);
  push_made(L, t->ctx, make_unversioned, t);
}

typedef struct Adoption {
  Tensor *by;
  const Tensor *of;
} Adoption;

static void adopt_data(Call *call, void *data)
{
  const Adoption *a = data;
  tensor_replace_data(call, a->by, a->of);
}

void replace_data(lua_State *L, Tensor *t, const Tensor *other)
{
  if (other != t) core_run(L, t->ctx, adopt_data, &(Adoption){t, other});
}

static void set_data(lua_State *L, int i, int value)
{
  Tensor *t = tensor_test(L, i), *other = tensor_test(L, value);
  if (!other) user_error(L, "data: a tensor expected, got %s", luaL_typename(L, value));
  if (tensor_requires_grad(t) && !dtype_is_inexact(tensor_dtype(other)))
    user_error(L, "data: a tensor that requires a gradient can't get elements of %s", dtype_name(tensor_dtype(other)));
  replace_data(L, t, other);
}

const Property gradient_properties[] = {{"grad", get_grad, set_grad},
                                        {"grad_fn", get_grad_fn, NULL},
                                        {"is_leaf", get_is_leaf, NULL},
                                        {"requires_grad", get_requires_grad, set_requires_grad},
                                        {"retains_grad", get_retains_grad, NULL},
                                        {"output_nr", get_output_nr, NULL},
                                        {"_version", get_version, NULL},
                                        {"data", get_data, set_data},
                                        {NULL, NULL, NULL}};

/* ------------------------------------------------------------------ methods */

static int requires_grad_(lua_State *L)
{
  static const char *const names[] = {"requires_grad", NULL};
  Tensor *t = tensor_check(L, 1);
  arguments_merge(L, "requires_grad_", 2, names);
  bool value = argument_bool(L, "requires_grad_", "requires_grad", 2, true);
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

static void retain_its_grad(Call *call, void *t) { tensor_retain_grad(call, t); }

static int retain_grad(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  if (!tensor_requires_grad(t)) return user_error(L, "retain_grad: the tensor doesn't require a gradient");
  core_run(L, t->ctx, retain_its_grad, t);
  return 0;
}

const luaL_Reg gradient_methods[] = {
  {"requires_grad_", requires_grad_}, {"detach_", detach_}, {"retain_grad", retain_grad}, {NULL, NULL}};
