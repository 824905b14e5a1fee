/* Optimizers' steps: one call for all parameters of a group. */
#include "ops/optim/step.h"

#include <string.h>

#include "core/profiler.h"
#include "core/text.h"
#include "nn/module.h"
#include "ops/shape/copy.h"

/* The names of fields, as Lua's strings: upvalues of all functions here. */
enum { NAME_GROUPS = 1, NAME_PARAMS, NAME_LIST };

/* Pushes a field of the table at an index; the type of its value. */
static int get_named(lua_State *L, int index, int name)
{
  lua_pushvalue(L, lua_upvalueindex(name));
  return lua_gettable(L, index);
}

/* ------------------------------------------------------------------- lists */

/*
 * The parameters of a group with their states, where a step finds them without a look into tables. Its user values are
 * the names of the rule's options, as Lua's strings: a step need not make them.
 */
typedef struct StepList {
  uint32_t kind;
  Context *ctx;
  const StepRule *rule;
  int options; /* how many the rule has */
  lua_Integer n;
  StepEntry entries[];
} StepList;

static StepList *list_check(lua_State *L, int index)
{
  StepList *list = userdata_test(L, index, KIND_STEP_LIST, sizeof *list);
  if (!list) user_error(L, "an optimizer's list of parameters was expected, got %s", describe(L, index));
  return list;
}

static void entry_release(StepEntry *e)
{
  StepEntry old = *e;
  *e = (StepEntry){0};
  for (int i = 0; i < STEP_STATES; i++) tensor_release(old.state[i]);
  tensor_release(old.param);
}

static int list_gc(lua_State *L)
{
  StepList *list = userdata_test(L, 1, KIND_STEP_LIST, sizeof *list);
  if (!list) return 0;
  lua_Integer n = list->n;
  list->n = 0;
  for (lua_Integer i = 0; i < n; i++) entry_release(&list->entries[i]);
  return 0;
}

/* The tensor on top of the stack: NULL if it is an uninitialized Parameter, which a later step finds as a tensor. */
static Tensor *parameter_at_top(lua_State *L) { return is_uninitialized(L, -1) ? NULL : tensor_check(L, -1); }

static const StepRule *rule_check(lua_State *L, int index)
{
  const char *name = luaL_checkstring(L, index);
  const StepRule *rule = step_rule(name);
  if (!rule) user_error(L, "there is no optimizer '%s' in the core", name);
  return rule;
}

/* step_list(params, name): a list for a table of parameters, with room for what an optimizer keeps for each */
static int step_list(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  const StepRule *rule = rule_check(L, 2);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  size_t bytes = sizeof(StepList) + (size_t)n * sizeof(StepEntry);
  int options = 0;
  while (rule->options[options].name) options++;
  StepList *list = lua_newuserdatauv(L, bytes, options);
  memset(list, 0, bytes);
  *list = (StepList){.kind = KIND_STEP_LIST, .rule = rule, .options = options, .ctx = nn_state(L)->ctx, .n = n};
  push_gc_metatable(L, "nnlua.StepList", list_gc);
  lua_setmetatable(L, -2);
  for (int k = 0; k < options; k++) {
    lua_pushstring(L, rule->options[k].name);
    lua_setiuservalue(L, -2, k + 1);
  }
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1);
    list->entries[i].param = tensor_retain(parameter_at_top(L));
    lua_pop(L, 1);
  }
  return 1;
}

/* ------------------------------------------------------------------ states */

static StepEntry *entry_check(lua_State *L, StepList **list)
{
  *list = list_check(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || i > (*list)->n)
    user_error(L, "%s: the group had %d parameters, but has been changed: use add_param_group", (*list)->rule->name,
               (int)(*list)->n);
  return &(*list)->entries[i - 1];
}

/* step_state(list, i): what is kept for the i-th parameter, as a table from names to tensors;
   nil if there is nothing */
static int step_state(lua_State *L)
{
  StepList *list;
  const StepEntry *e = entry_check(L, &list);
  lua_pushnil(L);
  for (int k = 0; list->rule->states[k]; k++) {
    if (!e->state[k]) continue;
    if (lua_isnil(L, -1)) {
      lua_newtable(L);
      lua_replace(L, -2);
    }
    push_tensor(L, e->state[k]);
    lua_setfield(L, -2, list->rule->states[k]);
  }
  return 1;
}

/* set_step_state(list, i, table or nil): the other way round; what the optimizer does not keep is left out */
static int set_step_state(lua_State *L)
{
  StepList *list;
  StepEntry *e = entry_check(L, &list), values = {0};
  lua_settop(L, 3);
  bool given = lua_istable(L, 3);
  for (int k = 0; given && list->rule->states[k]; k++) {
    if (lua_getfield(L, 3, list->rule->states[k]) != LUA_TNIL) values.state[k] = tensor_check(L, -1);
  }
  for (int k = 0; k < STEP_STATES; k++) {
    Tensor *old = e->state[k];
    e->state[k] = tensor_retain(values.state[k]);
    tensor_release(old);
  }
  return 0;
}

/* Brings a list in line with the group's table of parameters: an entry whose parameter is another one starts afresh. */
static void list_sync(lua_State *L, StepList *list, int params)
{
  if ((lua_Integer)lua_rawlen(L, params) != list->n)
    user_error(L, "%s: the group had %d parameters and has %d: use add_param_group", list->rule->name, (int)list->n,
               (int)lua_rawlen(L, params));
  for (lua_Integer i = 0; i < list->n; i++) {
    StepEntry *e = &list->entries[i];
    lua_rawgeti(L, params, i + 1);
    Tensor *param = tensor_test(L, -1);
    if (param != e->param) {
      parameter_at_top(L);
      entry_release(e);
      e->param = tensor_retain(param);
    }
    lua_pop(L, 1);
  }
}

/* -------------------------------------------------------------------- step */

/* The number that a tensor of one element on the cpu holds, which a rate may be; false if there is none. */
static bool take_element(const Tensor *t, double *to)
{
  if (!t || t->numel != 1 || t->device != device_of_numbers() || dtype_is_complex(tensor_dtype(t))) return false;
  *to = step_number(t);
  return true;
}

/* The number, or true or false, or a tensor's, on top of the stack; false if it is none. */
static inline bool take_number(lua_State *L, double *to)
{
  int is_number;
  *to = lua_tonumberx(L, -1, &is_number);
  if (is_number) return true;
  *to = lua_toboolean(L, -1);
  return lua_isboolean(L, -1) || take_element(tensor_test(L, -1), to);
}

/* A list of numbers, on top of the stack. */
static void read_list(lua_State *L, const StepRule *rule, const StepOption *option, double *to)
{
  if (!lua_istable(L, -1))
    user_error(L, "%s: %s must be a list of %d numbers, not %s", rule->name, option->name, option->count,
               describe(L, -1));
  for (int i = 0; i < option->count; i++) {
    lua_geti(L, -1, i + 1);
    if (!take_number(L, &to[i]))
      user_error(L, "%s: %s[%d] must be a number, not %s", rule->name, option->name, i + 1, describe(L, -1));
    lua_pop(L, 1);
  }
}

enum { SELF = 1, GROUP, LIST, PARAMS }; /* where they are on the stack of a step */

/* The options that the list's rule names, from the group. Leaves their values on the stack. */
static void read_options(lua_State *L, const StepList *list, StepOptions *options)
{
  const StepRule *rule = list->rule;
  memset(options, 0xff, sizeof *options); /* nan */
  luaL_checkstack(L, list->options + 2, NULL);
  for (int k = 0; k < list->options; k++) {
    const StepOption *option = &rule->options[k];
    double *to = (double *)(void *)((char *)options + option->offset);
    lua_getiuservalue(L, LIST, k + 1);
    lua_gettable(L, GROUP);
    if (option->count > 1) read_list(L, rule, option, to);
    else if (!take_number(L, to))
      user_error(L, "%s: %s must be a number, not %s", rule->name, option->name, describe(L, -1));
  }
}

/* Begins the step in the profile that runs. */
static void begin_profiled(Context *ctx, ProfileFrame *f, const StepRule *rule)
{
  char name[64];
  const char *point = strchr(rule->name, '.');
  text_format(name, sizeof name, "Optimizer.step#%s.step", point ? point + 1 : rule->name);
  profile_begin(ctx, f, profile_clock(), PROFILE_CALL, name, ctx->host.state);
}

/* One step of all parameters of the group at GROUP, by its options; its list is in _list. */
static void step_group(lua_State *L)
{
  luaL_checktype(L, GROUP, LUA_TTABLE);
  lua_settop(L, GROUP);
  get_named(L, GROUP, NAME_LIST);
  get_named(L, GROUP, NAME_PARAMS);
  StepList *list = list_check(L, LIST);
  luaL_checktype(L, PARAMS, LUA_TTABLE);
  StepOptions options;
  read_options(L, list, &options);
  list_sync(L, list, PARAMS);
  Context *ctx = list->ctx;
  core_prepare(L, ctx);
  ProfileFrame frame;
  frame.run = 0;
  if (ctx->profiler) begin_profiled(ctx, &frame, list->rule);
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    profile_end(ctx, &frame, profile_clock(), NULL);
    core_failed(L, ctx);
    return;
  }
  bool recording = ctx->grad_enabled;
  ctx->grad_enabled = false;
  Call call = {.ctx = ctx};
  optimizer_step(&call, list->rule, list->entries, list->n, &options);
  ctx->grad_enabled = recording;
  entry_leave(ctx, &entry);
  if (ctx->profiler) profile_end(ctx, &frame, profile_clock(), NULL);
}

/* step(optimizer, group): a step of one group */
static int step(lua_State *L)
{
  step_group(L);
  return 0;
}

/* ------------------------------------------------------------------ groups */

/* Puts the param_groups of the optimizer at SELF behind it; false if they are no list of tables with a table params
   each. */
static bool take_groups(lua_State *L)
{
  if (lua_type(L, SELF) != LUA_TTABLE) return false;
  lua_settop(L, SELF);
  if (get_named(L, SELF, NAME_GROUPS) != LUA_TTABLE) return false;
  lua_Integer n = (lua_Integer)lua_rawlen(L, SELF + 1);
  for (lua_Integer i = 1; i <= n; i++) {
    if (lua_rawgeti(L, SELF + 1, i) != LUA_TTABLE || get_named(L, SELF + 2, NAME_PARAMS) != LUA_TTABLE) return false;
    lua_settop(L, SELF + 1);
  }
  return true;
}

/* groups_of(optimizer): its param_groups; nothing if there are none */
static int groups_of(lua_State *L) { return take_groups(L); }

/* step_groups(optimizer): true after a step of each group; nothing if there are none */
static int step_groups(lua_State *L)
{
  if (!take_groups(L)) return 0;
  lua_insert(L, SELF); /* the optimizer's place is where step_group has the group */
  lua_Integer n = (lua_Integer)lua_rawlen(L, SELF);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_settop(L, SELF);
    lua_rawgeti(L, SELF, i);
    step_group(L);
  }
  lua_pushboolean(L, true);
  return 1;
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

/* Drops the gradients of the tensors in the list at an index, or fills them with zeros. */
static void zero_list(lua_State *L, int list, bool drop)
{
  Context *ctx = drop ? NULL : nn_state(L)->ctx;
  if (ctx) core_prepare(L, ctx);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    Tensor *t = tensor_test(L, -1);
    if (t && t->grad) {
      if (drop) drop_gradient(L, t);
      else enter_and_clear(L, ctx, t);
    }
    lua_pop(L, 1);
  }
}

/* zero_grads(list, drop) */
static int zero_grads(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  zero_list(L, 1, lua_toboolean(L, 2));
  return 0;
}

/* zero_groups(optimizer, drop): true after the same for all its groups; nothing if there are none */
static int zero_groups(lua_State *L)
{
  bool drop = lua_toboolean(L, 2);
  if (!take_groups(L)) return 0;
  lua_Integer n = (lua_Integer)lua_rawlen(L, SELF + 1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, SELF + 1, i);
    if (get_named(L, SELF + 2, NAME_PARAMS) == LUA_TTABLE) zero_list(L, SELF + 3, drop);
    lua_settop(L, SELF + 1);
  }
  lua_pushboolean(L, true);
  return 1;
}

const luaL_Reg optim_functions[] = {
  {"step_list", step_list},
  {"step_state", step_state},
  {"set_step_state", set_step_state},
  {"step", step},
  {"groups_of", groups_of},
  {"step_groups", step_groups},
  {"zero_groups", zero_groups},
  {"zero_grads", zero_grads},
  {NULL, NULL},
};

int push_optim_names(lua_State *L)
{
  lua_pushliteral(L, "param_groups");
  lua_pushliteral(L, "params");
  lua_pushliteral(L, "_list");
  return NAME_LIST;
}
