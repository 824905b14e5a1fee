/* nl.compile: calls of what was compiled, which run a plan where one fits, else the network itself. */
#include "nn/compile.h"

#include <stdlib.h>
#include <string.h>

#include "lua/call.h"
#include "lua/pressure.h"
#include "nn/forward.h"

enum { MOST_PROGRAMS = 16, MOST_TRACES = 64 };

/* One key, and the plan that runs for it, or why there is none. */
typedef struct KeyPlan {
  Plan *plan;
  char reason[REASON_TEXT];
  Form arguments, results;
  Guards guards;
  DType autocast, default_dtype;
  uint8_t default_device;
  bool inference;
  uint32_t global_hooks;
  uint64_t runs, last; /* how often it ran, and when last */
} KeyPlan;

/*
 * What nl.compile makes. User values: TARGET, what was compiled; LISTS, for each plan a table {the arguments'
 * references, the results', the guard, steps of optimizers, userdata of outputs that aren't new}; TRACE, the Lua
 * function that traces a call; WITHOUT, the names of passes that are left out.
 */
typedef struct Compiled {
  uint32_t kind;
  Context *ctx;
  NnState *nn;
  KeyPlan *programs[MOST_PROGRAMS];
  int n, traces;
  uint64_t calls, with_gradients; /* so many of them ran plainly since gradients were wanted */
} Compiled;

enum { TARGET = 1, LISTS, TRACE, WITHOUT, COMPILED_USER_VALUES = WITHOUT };
enum { ARGUMENT_REFERENCES = 1, RESULT_REFERENCES, GUARD, STEPS, HELD };

static Compiled *compiled_check(lua_State *L, int index)
{
  Compiled *c = userdata_test(L, index, KIND_COMPILED, sizeof *c);
  if (!c) luaL_error(L, "something compiled was expected");
  return c;
}

static void program_free(KeyPlan *p)
{
  if (!p) return;
  if (p->plan) plan_free(p->plan);
  free(p->arguments.items);
  free(p->results.items);
  free(p->guards.stamps);
  free(p);
}

static int compiled_gc(lua_State *L)
{
  Compiled *c = lua_touserdata(L, 1);
  for (int i = 0; i < c->n; i++) program_free(c->programs[i]);
  c->n = 0;
  return 0;
}

/* ------------------------------------------------------------------ plain calls */

static int called_plainly(lua_State *L, int status, lua_KContext top)
{
  (void)status;
  return lua_gettop(L) - (int)top;
}

/* Calls what was compiled, with `n` arguments from `first` on. */
static int call_plainly(lua_State *L, int self, int first, int n)
{
  int top = lua_gettop(L);
  luaL_checkstack(L, n + 8, "too many arguments");
  lua_getiuservalue(L, self, TARGET);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  lua_callk(L, n, LUA_MULTRET, top, called_plainly);
  return called_plainly(L, LUA_OK, top);
}

/* trace(compiled, target, …) */
static int call_tracing(lua_State *L, int self, int first, int n)
{
  int top = lua_gettop(L);
  luaL_checkstack(L, n + 8, "too many arguments");
  lua_getiuservalue(L, self, TRACE);
  lua_pushvalue(L, self);
  lua_getiuservalue(L, self, TARGET);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  lua_callk(L, n + 2, LUA_MULTRET, top, called_plainly);
  return called_plainly(L, LUA_OK, top);
}

/* -------------------------------------------------------------------- choosing */

static bool modes_match(const Compiled *c, const KeyPlan *p)
{
  const Context *ctx = c->ctx;
  if (p->plan && p->plan->trains && (!ctx->grad_enabled || ctx->saved_hooks)) return false;
  return p->autocast == ctx->autocast && p->inference == ctx->inference && p->default_dtype == ctx->default_dtype
         && p->default_device == ctx->default_device && p->global_hooks == c->nn->global_hooks;
}

/* Whether arguments and guards are those of a program, whose lists are on top of the stack; takes their tensors. */
static bool program_matches(lua_State *L, KeyPlan *p, int first, int n, Tensor **inputs)
{
  int lists = lua_gettop(L);
  lua_rawgeti(L, lists, ARGUMENT_REFERENCES);
  FormCursor cursor = {.form = &p->arguments, .references = lists + 1, .tensors = inputs};
  bool matches = !p->arguments.is_broken;
  for (int i = 0; i < n && matches; i++) matches = cursor.item < p->arguments.n && form_matches(L, &cursor, first + i);
  matches &= cursor.item == p->arguments.n;
  if (matches) {
    lua_rawgeti(L, lists, GUARD);
    matches = guards_hold(L, -1, &p->guards);
  }
  if (matches && p->plan && p->plan->work) {
    lua_rawgeti(L, lists, STEPS);
    matches = steps_are_ready(L, lua_gettop(L), p->plan->work, false);
  }
  lua_settop(L, lists);
  return matches && (!p->plan || plan_fits(p->plan, inputs));
}

/* The program for a call, whose lists are pushed; NULL if there is none. */
static KeyPlan *find_program(lua_State *L, Compiled *c, int self, int first, int n, Tensor **inputs)
{
  int top = lua_gettop(L);
  lua_getiuservalue(L, self, LISTS);
  for (int i = 0; i < c->n; i++) {
    KeyPlan *p = c->programs[i];
    if (!modes_match(c, p)) continue;
    lua_rawgeti(L, top + 1, i + 1);
    if (program_matches(L, p, first, n, inputs)) {
      lua_replace(L, top + 1);
      return p;
    }
    lua_settop(L, top + 1);
  }
  lua_settop(L, top);
  return NULL;
}

/* --------------------------------------------------------------------- running */

/* An argument's userdata that holds a tensor, or one that the program holds, in place of a new one. */
static void push_same(lua_State *L, int lists, int output, const Tensor *t, int first, int n)
{
  for (int i = first; i < first + n; i++) {
    if (tensor_test(L, i) != t) continue;
    lua_pushvalue(L, i);
    return;
  }
  lua_rawgeti(L, lists, HELD);
  lua_rawgeti(L, -1, output + 1);
  lua_remove(L, -2);
}

static int push_results(lua_State *L, const KeyPlan *p, int lists, int first_box)
{
  int top = lua_gettop(L), n = 0;
  lua_rawgeti(L, lists, RESULT_REFERENCES);
  FormCursor cursor = {.form = &p->results, .references = top + 1};
  for (; cursor.item < p->results.n; n++) form_push(L, &cursor, first_box);
  return n;
}

/* Views among the results keep what they are views of. */
static void link_views(lua_State *L, int first, int n, int first_box, int boxes)
{
  for (int i = first_box; i < first_box + boxes; i++) {
    const TensorBox *box = box_test(L, i);
    for (int k = first; k < first + n && box->tensor->base; k++)
      if (tensor_test(L, k) == box->tensor->base) finish_results(L, k, 1, i, 1);
  }
}

/* Stack: …, the program's lists on top. */
static int run_program(lua_State *L, Compiled *c, KeyPlan *p, int first, int n, Tensor **inputs)
{
  Context *ctx = c->ctx;
  int lists = lua_gettop(L), outputs = p->plan->noutputs;
  Tensor *y[MOST_TENSORS];
  TensorBox *boxes[MOST_TENSORS];
  luaL_checkstack(L, outputs + 12, "too many results");
  for (int i = 0; i < outputs; i++) boxes[i] = push_box(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  plan_run(&call, p->plan, inputs, y);
  for (int i = 0; i < outputs; i++) box_fill(boxes[i], y[i]);
  entry_leave(ctx, &entry);
  if (p->plan->work) {
    lua_rawgeti(L, lists, STEPS);
    steps_count(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  for (int i = 0; i < outputs; i++) {
    if (boxes[i]->tensor->refs == 1) continue;
    push_same(L, lists, i, boxes[i]->tensor, first, n);
    if (box_test(L, -1)) lua_replace(L, lists + 1 + i);
    else lua_pop(L, 1);
  }
  link_views(L, first, n, lists + 1, outputs);
  return push_results(L, p, lists, lists + 1);
}

/* Stack: …, n arguments from `first` on, the compiled one at `self` on top. */
static int run_compiled(lua_State *L, Compiled *c, int self, int first, int n)
{
  Context *ctx = c->ctx;
  Tensor *inputs[MOST_TENSORS];
  core_prepare(L, ctx);
  c->calls++;
  if (ctx->transforms || ctx->recorder || ctx->anomaly) return call_plainly(L, self, first, n);
  KeyPlan *p = find_program(L, c, self, first, n, inputs);
  if (!p) {
    if (c->traces >= MOST_TRACES) return call_plainly(L, self, first, n);
    c->traces++;
    return call_tracing(L, self, first, n);
  }
  p->runs++;
  p->last = c->calls;
  const Plan *plan = p->plan;
  if (plan && (plan->trains || plan->is_apart || !ctx->grad_enabled || !plan_wants_gradient(plan, inputs)))
    return run_program(L, c, p, first, n, inputs);
  if (plan) c->with_gradients++;
  return call_plainly(L, self, first, n);
}

/* Behind a function that was compiled; upvalue 1: what nl.compile made of it. */
static int call_compiled_function(lua_State *L)
{
  int n = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  Compiled *c = compiled_check(L, -1);
  return run_compiled(L, c, n + 1, 1, n);
}

/* forward of a module that was compiled, which has it as an attribute. */
static int compiled_module_forward(lua_State *L)
{
  int n = lua_gettop(L);
  module_check(L, 1);
  push_attributes(L, 1);
  lua_getfield(L, -1, "_compiled");
  lua_replace(L, -2);
  Compiled *c = compiled_check(L, -1);
  return run_compiled(L, c, n + 1, 2, n - 1);
}

/* --------------------------------------------------------------------- tracing */

/* A trace under way; user values: what is compiled, the arguments' references, their tensors, the guard. */
typedef struct Trace {
  PlanRecord *record;
  Compiled *compiled;
  Form arguments;
  KeyPlan *made; /* while it is not kept yet */
} Trace;
enum { TRACED = 1, TRACE_REFERENCES, TRACE_TENSORS, TRACE_GUARD, TRACE_USER_VALUES = TRACE_GUARD };

static int trace_close(lua_State *L)
{
  Trace *t = lua_touserdata(L, 1);
  free(t->arguments.items);
  t->arguments = (Form){0};
  if (!t->record) return 0;
  plan_record_free(t->record);
  t->record = NULL;
  program_free(t->made);
  t->made = NULL;
  watch_end(L, t->compiled->nn);
  return 0;
}

static void push_trace_metatable(lua_State *L)
{
  push_gc_metatable(L, "nnlua.trace", trace_close);
  lua_pushcfunction(L, trace_close);
  lua_setfield(L, -2, "__close");
}

static void where(Context *ctx, char *text, size_t size) { user_line(ctx->host.state, text, size); }

typedef struct Opening {
  PlanRecord *record;
  Tensor *inputs[MOST_TENSORS];
  int32_t n;
} Opening;

static void open_record(Call *call, void *data)
{
  Opening *o = data;
  o->record = plan_record_open(call, o->inputs, o->n, false, where);
}

/* The modules below the target as they are before the trace. */
static void guard_target(lua_State *L, int self, int guard)
{
  lua_getiuservalue(L, self, TARGET);
  if (module_test(L, -1)) {
    push_module_list(L, lua_gettop(L), NULL, true);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 2; i <= n; i += 2) {
      lua_rawgeti(L, -1, i);
      guards_add(L, guard, -1);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* compile_record(compiled, …): a trace of a call with these arguments, which ends when it is closed */
static int compile_record(lua_State *L)
{
  Compiled *c = compiled_check(L, 1);
  int n = lua_gettop(L) - 1;
  Trace *t = lua_newuserdatauv(L, sizeof *t, TRACE_USER_VALUES);
  *t = (Trace){.compiled = c};
  push_trace_metatable(L);
  lua_setmetatable(L, -2);
  int trace = lua_gettop(L), references = trace + 1, tensors = trace + 2, guard = trace + 3;
  lua_newtable(L);
  lua_newtable(L);
  guards_push(L);
  const char *problem = NULL;
  for (int i = 0; i < n && !problem; i++) problem = form_add(L, &t->arguments, 2 + i, references, tensors);
  lua_settop(L, guard);
  guard_target(L, 1, guard);
  Opening opening = {.n = 0};
  for (; !problem && opening.n < (int32_t)lua_rawlen(L, tensors); opening.n++) {
    lua_rawgeti(L, tensors, opening.n + 1);
    opening.inputs[opening.n] = tensor_test(L, -1);
    lua_pop(L, 1);
  }
  core_run(L, c->ctx, open_record, &opening);
  t->record = opening.record;
  if (problem) plan_record_refuse(t->record, "%s", problem);
  watch_begin(L, c->nn);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, trace, TRACED);
  lua_setiuservalue(L, trace, TRACE_GUARD);
  lua_setiuservalue(L, trace, TRACE_TENSORS);
  lua_setiuservalue(L, trace, TRACE_REFERENCES);
  return 1;
}

typedef struct Finishing {
  PlanRecord *record;
  Tensor *outputs[MOST_TENSORS];
  int32_t n;
  const char *without;
  Plan *plan;
} Finishing;

/* A plan that there is no memory for is none: the call that was recorded has its results. */
static void finish_plan(Call *call, void *data)
{
  Finishing *f = data;
  Entry entry;
  if (!ENTER(call->ctx, &entry)) {
    if (f->plan) plan_free(f->plan);
    f->plan = NULL;
    plan_record_refuse(f->record, "there was no memory for a plan");
    return;
  }
  f->plan = plan_record_finish(call, f->record, f->outputs, f->n);
  if (f->plan) plan_prepare(call, f->plan, f->without);
  entry_leave(call->ctx, &entry);
}

/* A place for one more program: that of the one that was used last longest ago, if there are many. */
static int free_place(Compiled *c)
{
  if (c->n < MOST_PROGRAMS) return c->n++;
  int oldest = 0;
  for (int i = 1; i < c->n; i++)
    if (c->programs[i]->last < c->programs[oldest]->last) oldest = i;
  program_free(c->programs[oldest]);
  return oldest;
}

/* Keeps a program with its lists: those on top of the stack are taken. */
static void keep_program(lua_State *L, Compiled *c, KeyPlan *p, int self)
{
  int place = free_place(c);
  c->programs[place] = p;
  p->last = c->calls;
  lua_getiuservalue(L, self, LISTS);
  lua_insert(L, -2);
  lua_rawseti(L, -2, place + 1);
  lua_pop(L, 1);
}

/* What else speaks against a plan. */
static void look_at_modules(lua_State *L, Trace *t, int guard)
{
  NnState *nn = t->compiled->nn;
  const char *hooked = guards_add_watched(L, guard, nn);
  if (hooked) plan_record_refuse(t->record, "%s has hooks", hooked);
  if (nn->global_hooks) plan_record_refuse(t->record, "there are hooks of all modules");
  if (nn->was_changed) plan_record_refuse(t->record, "%san attribute of a module is assigned", nn->change);
}

/* Whether an argument is also a tensor that the network, or the function, comes to by itself: its parameter, say. */
static bool has_own_argument(lua_State *L, int guard, int self)
{
  Tensor *tensors[MOST_TENSORS];
  int top = lua_gettop(L), n = 0;
  bool own = false;
  lua_getiuservalue(L, self, TARGET);
  lua_getiuservalue(L, 1, TRACE_TENSORS);
  for (; n < MOST_TENSORS && lua_rawgeti(L, top + 2, n + 1) != LUA_TNIL; lua_pop(L, 1)) {
    tensors[n++] = tensor_test(L, -1);
    own |= guards_have_tensor(L, guard, tensors[n - 1]);
  }
  lua_settop(L, top + 1);
  own |= n > 0 && reaches_tensor(L, top + 1, guard, tensors, n);
  lua_settop(L, top);
  return own;
}

/* Nor may optimizers have changed what plans take from them. */
static void look_at_steps(lua_State *L, const Trace *t)
{
  if (plan_record_reason(t->record)) return;
  steps_push(L);
  if (!steps_are_ready(L, lua_gettop(L), plan_record_work(t->record), true))
    plan_record_refuse(t->record, "an optimizer's options are changed beside its step, or it has hooks");
  lua_pop(L, 1);
}

/* The results' form, and their tensors. */
static const char *take_results(lua_State *L, KeyPlan *p, int first, int n, int references, int tensors)
{
  const char *problem = NULL;
  for (int i = 0; i < n && !problem; i++) problem = form_add(L, &p->results, first + i, references, tensors);
  lua_settop(L, tensors);
  return problem;
}

/* Whether a tensor is among the arguments. */
static bool is_argument(lua_State *L, const Tensor *t)
{
  bool found = false;
  lua_getiuservalue(L, 1, TRACE_TENSORS);
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= n && !found; i++) {
    lua_rawgeti(L, -1, i);
    found = tensor_test(L, -1) == t;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

/* Pushes the userdata of outputs that were there before and are no arguments. */
static void hold_outputs(lua_State *L, const Trace *t, const Finishing *f, int tensors)
{
  lua_newtable(L);
  for (int32_t i = 0; i < f->n; i++) {
    if (!plan_record_is_older(t->record, f->outputs[i]) || is_argument(L, f->outputs[i])) continue;
    lua_rawgeti(L, tensors, i + 1);
    lua_rawseti(L, -2, i + 1);
  }
}

/* A program of what the trace has noted so far; NULL without memory. */
static KeyPlan *new_key_plan(const Compiled *c, Trace *t)
{
  KeyPlan *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  *p = (KeyPlan){.autocast = c->ctx->autocast, .inference = c->ctx->inference};
  p->default_dtype = c->ctx->default_dtype;
  p->default_device = c->ctx->default_device;
  p->global_hooks = c->nn->global_hooks;
  p->arguments = t->arguments;
  t->arguments = (Form){0};
  return p;
}

/* Where things are on compile_finish's stack, behind the trace and n results. */
enum { SELF_AT = 2, GUARD_AT, LISTS_AT, REFERENCES_AT, TENSORS_AT };

/* Makes the plan, if nothing speaks against it, of results whose tensors are in a list; else there is a reason. */
static void make_plan(lua_State *L, const Compiled *c, KeyPlan *p, const Trace *t, Finishing *f, int n)
{
  int tensors = n + TENSORS_AT;
  const char *problem = take_results(L, p, 2, n, n + REFERENCES_AT, tensors);
  if (problem) plan_record_refuse(t->record, "%s", problem);
  for (; !problem && f->n < (int32_t)lua_rawlen(L, tensors); f->n++) {
    lua_rawgeti(L, tensors, f->n + 1);
    f->outputs[f->n] = tensor_test(L, -1);
    lua_pop(L, 1);
  }
  lua_getiuservalue(L, n + SELF_AT, WITHOUT);
  f->without = lua_tostring(L, -1);
  core_run(L, c->ctx, finish_plan, f);
  p->plan = f->plan;
  if (!p->plan) strcpy(p->reason, plan_record_reason(t->record));
}

/* Puts what belongs to a program into its table of lists. */
static void fill_lists(lua_State *L, const Trace *t, const Finishing *f, int n)
{
  hold_outputs(L, t, f, n + TENSORS_AT);
  lua_rawseti(L, n + LISTS_AT, HELD);
  lua_pushvalue(L, n + REFERENCES_AT);
  lua_rawseti(L, n + LISTS_AT, RESULT_REFERENCES);
  lua_pushvalue(L, n + GUARD_AT);
  lua_rawseti(L, n + LISTS_AT, GUARD);
  steps_push(L);
  lua_rawseti(L, n + LISTS_AT, STEPS);
  lua_getiuservalue(L, 1, TRACE_REFERENCES);
  lua_rawseti(L, n + LISTS_AT, ARGUMENT_REFERENCES);
}

/* compile_finish(trace, …): makes a program of the trace of a call that gave these results, and returns them */
static int compile_finish(lua_State *L)
{
  Trace *t = lua_touserdata(L, 1);
  int n = lua_gettop(L) - 1;
  luaL_checkstack(L, n + 20, "too many results");
  Compiled *c = t->compiled;
  plan_record_close(t->record);
  lua_getiuservalue(L, 1, TRACED);
  lua_getiuservalue(L, 1, TRACE_GUARD);
  lua_createtable(L, HELD, 0);
  lua_newtable(L);
  lua_newtable(L);
  KeyPlan *p = t->made = new_key_plan(c, t);
  if (!p) return luaL_error(L, "not enough memory");
  look_at_modules(L, t, n + GUARD_AT);
  look_at_steps(L, t);
  if (has_own_argument(L, n + GUARD_AT, n + SELF_AT)) { /* a plan would take other arguments in its place, too */
    program_free(t->made);
    t->made = NULL;
    c->traces--;
    lua_settop(L, n + 1);
    return n;
  }
  guards_close(L, n + GUARD_AT, &p->guards);
  if (!guards_hold_all(L, n + GUARD_AT)) plan_record_refuse(t->record, "a table of a module is changed");
  Finishing finishing = {.record = t->record};
  make_plan(L, c, p, t, &finishing, n);
  fill_lists(L, t, &finishing, n);
  lua_settop(L, n + LISTS_AT);
  keep_program(L, c, p, n + SELF_AT);
  t->made = NULL;
  lua_settop(L, n + 1);
  return n;
}

/* ---------------------------------------------------------------------- making */

/* compile_new(target, trace, without): what runs the target by plans; for a function also the function to call */
static int compile_new(lua_State *L)
{
  lua_settop(L, 3);
  luaL_checkstring(L, 3);
  NnState *nn = nn_state(L);
  Compiled *c = lua_newuserdatauv(L, sizeof *c, COMPILED_USER_VALUES);
  *c = (Compiled){.kind = KIND_COMPILED, .ctx = nn->ctx, .nn = nn};
  push_gc_metatable(L, "nnlua.compiled", compiled_gc);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 4, TARGET);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 4, TRACE);
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, 4, WITHOUT);
  lua_newtable(L);
  lua_setiuservalue(L, 4, LISTS);
  if (module_test(L, 1)) return 1;
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, call_compiled_function, 1);
  return 2;
}

static void set_count(lua_State *L, const char *name, uint64_t n)
{
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, name);
}

static void push_key(lua_State *L, const KeyPlan *p)
{
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int32_t i = 0; p->plan && i < p->plan->ninputs; i++) {
    const Tensor *form = p->plan->values[p->plan->inputs[i]].form;
    if (i) luaL_addstring(&b, ", ");
    luaL_addstring(&b, dtype_name(tensor_dtype(form)));
    luaL_addstring(&b, " {");
    for (int d = 0; d < form->ndim; d++) {
      lua_pushfstring(L, d ? ", %I" : "%I", (LUAI_UACINT)form->shape[d]);
      luaL_addvalue(&b);
    }
    luaL_addstring(&b, "}");
  }
  luaL_pushresult(&b);
}

/* compile_report(compiled): see lua/nnlua/compile_report.lua; nothing if it isn't compiled */
static int compile_report(lua_State *L)
{
  if (lua_tocfunction(L, 1) == call_compiled_function) {
    lua_getupvalue(L, 1, 1);
    lua_replace(L, 1);
  }
  const Compiled *c = userdata_test(L, 1, KIND_COMPILED, sizeof *c);
  if (!c) return 0;
  lua_newtable(L);
  set_count(L, "calls", c->calls);
  set_count(L, "with_gradients", c->with_gradients);
  set_count(L, "traces", (uint64_t)c->traces);
  lua_createtable(L, c->n, 0);
  for (int i = 0; i < c->n; i++) {
    const KeyPlan *p = c->programs[i];
    lua_createtable(L, 0, 5);
    set_count(L, "runs", p->runs);
    push_key(L, p);
    lua_setfield(L, -2, "key");
    if (p->plan) {
      set_count(L, "steps", (uint64_t)plan_count_steps(p->plan));
      set_count(L, "bytes", p->plan->arena_bytes);
    } else {
      lua_pushstring(L, p->reason);
      lua_setfield(L, -2, "reason");
    }
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "programs");
  return 1;
}

/* has_pass(name) */
static int has_pass(lua_State *L)
{
  lua_pushboolean(L, plan_has_pass(luaL_checkstring(L, 1)));
  return 1;
}

const luaL_Reg compile_functions[] = {
  {"has_pass", has_pass},
  {"compile_new", compile_new},
  {"compile_record", compile_record},
  {"compile_finish", compile_finish},
  {"compile_report", compile_report},
  {"compiled_forward", compiled_module_forward},
  {NULL, NULL},
};
