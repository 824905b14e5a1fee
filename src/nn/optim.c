/* Optimizers' steps: one call for all parameters of a group. */
#include "ops/optim/step.h"

#include <string.h>

#include "core/profiler.h"
#include "core/recorder.h"
#include "core/text.h"
#include "nn/compile.h"
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
  tell_doing(L, list->ctx, "looking at an optimizer's state");
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
  tell_doing(L, list->ctx, "setting an optimizer's state");
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

enum { SELF = 1, GROUP, LIST, PARAMS }; /* where they are on the stack of a step */

/* A list of numbers, on top of the stack; false if it is none, and what is wrong is on top then. */
static bool take_list(lua_State *L, const StepOption *option, double *to)
{
  if (!lua_istable(L, -1)) return false;
  for (int i = 0; i < option->count; i++) {
    lua_geti(L, -1, i + 1);
    if (!take_number(L, &to[i])) return false;
    lua_pop(L, 1);
  }
  return true;
}

/* The options that the list's rule names, from the group, both at indices. Leaves their values on the stack. The number
   of one that is none of its kind, or -1; what is wrong is on top then. */
static int take_options(lua_State *L, const StepList *list, int list_index, int group, StepOptions *options)
{
  memset(options, 0xff, sizeof *options); /* nan */
  luaL_checkstack(L, list->options + 2, NULL);
  for (int k = 0; k < list->options; k++) {
    const StepOption *option = &list->rule->options[k];
    double *to = (double *)(void *)((char *)options + option->offset);
    lua_getiuservalue(L, list_index, k + 1);
    lua_gettable(L, group);
    if (!(option->count > 1 ? take_list(L, option, to) : take_number(L, to))) return k;
  }
  return -1;
}

static void read_options(lua_State *L, const StepList *list, StepOptions *options)
{
  int top = lua_gettop(L), wrong = take_options(L, list, LIST, GROUP, options);
  if (wrong < 0) return;
  const StepOption *option = &list->rule->options[wrong];
  const char *name = list->rule->name;
  int items = lua_gettop(L) - top - wrong - 1; /* 1: an item of a list is wrong, the items before are gone */
  if (option->count == 1) user_error(L, "%s: %s must be a number, not %s", name, option->name, describe(L, -1));
  if (items == 0)
    user_error(L, "%s: %s must be a list of %d numbers, not %s", name, option->name, option->count, describe(L, -1));
  double number;
  int i = 1;
  for (lua_geti(L, -2, i); take_number(L, &number); lua_geti(L, -2, i)) lua_pop(L, 1), i++;
  user_error(L, "%s: %s[%d] must be a number, not %s", name, option->name, i, describe(L, -1));
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
  OptimizerWork work = {.rule = list->rule, .entries = list->entries, .n = list->n};
  read_options(L, list, &work.options);
  list_sync(L, list, PARAMS);
  Context *ctx = list->ctx;
  core_prepare(L, ctx);
  ProfileFrame frame;
  frame.profiler = NULL;
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
  optimizer_step(&call, &work);
  ctx->grad_enabled = recording;
  entry_leave(ctx, &entry);
  if (frame.profiler) profile_end(ctx, &frame, profile_clock(), NULL);
}

/* step(optimizer, group): a step of one group */
static int step(lua_State *L)
{
  step_group(L);
  return 0;
}

/* ---------------------------------------------------- steps that nl.compile records */

static const char steps_key; /* its address is the registry's key of the list of steps that a trace has seen */

/* The list has for each group that was stepped: the optimizer, or false if it is that of the group before; the group;
   and its list. */
enum { OPTIMIZER, GROUP_OF_STEP, LIST_OF_STEP, STEP_ITEMS };

void steps_watch(lua_State *L, bool on)
{
  if (on) lua_newtable(L);
  else lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &steps_key);
}

void steps_push(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &steps_key); }

/* Notes a step of all groups of the optimizer at SELF; the groups are behind it. */
static void note_steps(lua_State *L)
{
  int top = lua_gettop(L);
  lua_Integer groups = (lua_Integer)lua_rawlen(L, SELF + 1);
  steps_push(L);
  for (lua_Integer i = 1; i <= groups && lua_istable(L, top + 1); i++) {
    lua_Integer n = (lua_Integer)lua_rawlen(L, top + 1);
    if (i == 1) lua_pushvalue(L, SELF);
    else lua_pushboolean(L, false);
    lua_rawseti(L, top + 1, n + 1 + OPTIMIZER);
    lua_rawgeti(L, SELF + 1, i);
    lua_pushvalue(L, -1);
    lua_rawseti(L, top + 1, n + 1 + GROUP_OF_STEP);
    lua_getfield(L, -1, "_list");
    lua_rawseti(L, top + 1, n + 1 + LIST_OF_STEP);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
}

/* Whether a group's parameters, in the table on top of the stack, are those of its list. */
static bool has_parameters(lua_State *L, const StepList *list)
{
  if (!lua_istable(L, -1) || (lua_Integer)lua_rawlen(L, -1) != list->n) return false;
  bool same = true;
  for (lua_Integer i = 0; i < list->n && same; i++) {
    lua_rawgeti(L, -1, i + 1);
    same = tensor_test(L, -1) == list->entries[i].param;
    lua_pop(L, 1);
  }
  return same;
}

/* The same for one group that was stepped, from item `first` of the list on. */
static bool step_is_ready(lua_State *L, int steps, lua_Integer first, const OptimizerWork *work, StepOptions *options)
{
  int top = lua_gettop(L);
  lua_rawgeti(L, steps, first + OPTIMIZER);
  bool ready = lua_istable(L, -1) ? (lua_getfield(L, -1, "_hooks"), !lua_toboolean(L, -1)) : true;
  lua_settop(L, top);
  lua_rawgeti(L, steps, first + GROUP_OF_STEP);
  lua_rawgeti(L, steps, first + LIST_OF_STEP);
  const StepList *list = userdata_test(L, -1, KIND_STEP_LIST, sizeof *list);
  ready = ready && list && list->entries == work->entries && lua_istable(L, top + 1);
  if (ready) {
    lua_getfield(L, top + 1, "params");
    ready = has_parameters(L, list);
  }
  ready = ready && take_options(L, list, top + 2, top + 1, options) < 0;
  lua_settop(L, top);
  return ready;
}

bool steps_are_ready(lua_State *L, int steps, PlanWork *work, bool first_time)
{
  if (nn_state(L)->step_hooks) return false;
  lua_Integer first = 1;
  for (; work; work = work->next, first += STEP_ITEMS) {
    StepOptions options;
    if (!step_is_ready(L, steps, first, work->work, &options)) return false;
    if (first_time && memcmp(&options, &work->work->options, sizeof options) != 0) return false;
    work->work->options = options;
  }
  return first == (lua_Integer)lua_rawlen(L, steps) + 1;
}

void steps_count(lua_State *L, int steps)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, steps);
  for (lua_Integer i = 1; i <= n; i += STEP_ITEMS) {
    if (lua_rawgeti(L, steps, i + OPTIMIZER) == LUA_TTABLE) {
      lua_getfield(L, -1, "_steps");
      lua_pushinteger(L, lua_tointeger(L, -1) + 1);
      lua_setfield(L, -3, "_steps");
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
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
  if (nn_state(L)->ctx->recorder) note_steps(L);
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

static int enter_and_clear(lua_State *L, Context *ctx, Tensor *t)
{
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  bool recording = ctx->grad_enabled, suspended = ctx->recording_suspended;
  ctx->grad_enabled = false;
  ctx->recording_suspended |= ctx->recorder && ctx->recorder->cleared;
  Call call = {.ctx = ctx};
  gradient_clear(&call, t);
  ctx->grad_enabled = recording;
  ctx->recording_suspended = suspended;
  entry_leave(ctx, &entry);
  return 0;
}

typedef struct Clearing {
  Tensors leaves;
  bool drop;
} Clearing;

static void tell_cleared(Call *call, void *data)
{
  const Clearing *c = data;
  Recorder *r = call->ctx->recorder;
  if (r->cleared) r->cleared(r, call, c->leaves, c->drop);
}

/* Tells the recorder of what zero_list has done to a list. */
static void tell_zeros(lua_State *L, Context *ctx, int list, bool drop)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, list);
  Clearing c = {{lua_newuserdatauv(L, ((size_t)n + 1) * sizeof(Tensor *), 0), 0}, drop};
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    Tensor *t = tensor_test(L, -1);
    if (t) c.leaves.v[c.leaves.n++] = t;
    lua_pop(L, 1);
  }
  core_run(L, ctx, tell_cleared, &c);
  lua_pop(L, 1);
}

/* Drops the gradients of the tensors in the list at an index, or fills them with zeros. */
static void zero_each(lua_State *L, Context *ctx, int list, bool drop)
{
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

/* The same, told to a recorder as one. */
static void zero_list(lua_State *L, int list, bool drop)
{
  Context *ctx = nn_state(L)->ctx;
  if (!drop) core_prepare(L, ctx);
  zero_each(L, ctx, list, drop);
  if (ctx->recorder) tell_zeros(L, ctx, list, drop);
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

/* count_step_hooks(change): keeps count of hooks of all optimizers' steps */
static int count_step_hooks(lua_State *L)
{
  nn_state(L)->step_hooks += (uint32_t)luaL_checkinteger(L, 1);
  return 0;
}

/* tell_deed(what): something happens in Lua that a trace can't see */
static int tell_lua_deed(lua_State *L)
{
  tell_doing(L, nn_state(L)->ctx, luaL_checkstring(L, 1));
  return 0;
}

const luaL_Reg optim_functions[] = {
  {"count_step_hooks", count_step_hooks},
  {"tell_deed", tell_lua_deed},
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
