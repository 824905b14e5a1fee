/* no_grad and its kin: tokens, and the modes that they add up to. */
#include "lua/autograd/modes.h"

#include <string.h>

#include "core/recorder.h"
#include "lua/autograd/carriers.h"
#include "lua/named_arguments.h"
#include "lua/parse.h"
#include "lua/spares.h"

static char modes_key, token_meta, settings_key, values_key, spares_key; /* registry keys, by address */

/* What nl.set_grad_enabled has set plainly in a coroutine. */
typedef struct Setting {
  bool given, value;
  uint64_t order;
} Setting;

typedef struct ModeToken {
  uint32_t kind;
  uint8_t mode;
  uint32_t scope;  /* of MODE_SCOPE */
  DType autocast;  /* of MODE_AUTOCAST */
  uint64_t number; /* of the value of MODE_SAVED_HOOKS and MODE_NO_SAVED_HOOKS */
  bool linked;     /* it counts */
  bool value, check_nan;
  bool restores; /* closing it puts back what set_grad_enabled or set_detect_anomaly changed */
  bool open;
  bool of_call, ending; /* a call has it, not a block; that call is about to return */
  struct Modes *modes;
  lua_State *owner; /* kept alive by the user value */
  uint64_t order;   /* later ones win */
  struct ModeToken *previous, *next;
  Setting before; /* the coroutine's setting when this one was opened */
} ModeToken;

typedef struct Modes {
  Context *ctx;
  ModeToken *first, *last; /* by rising order */
  uint64_t order;
  bool grad, inference, anomaly, check_nan; /* what holds where no token says otherwise */
  uint32_t scope;                           /* and in which scope new tensors are */
  DType autocast;
  uint64_t saved_hooks, no_saved_hooks;
  bool user_grad;         /* what is_grad_enabled says: inference mode stands beside it */
  lua_State *floor_state; /* where the core called Lua: older tokens of this coroutine don't count */
  uint64_t floor;
} Modes;

/* ---------------------------------------------------------------- the list */

static void link_token(Modes *m, ModeToken *t)
{
  ModeToken *after = m->last;
  while (after && after->order > t->order) after = after->previous;
  t->previous = after;
  t->next = after ? after->next : m->first;
  if (t->next) t->next->previous = t;
  else m->last = t;
  if (after) after->next = t;
  else m->first = t;
  t->linked = true;
  m->ctx->mode_tokens = 1;
}

/* The context itself changes at the next entry: this may run as a finalizer, in the middle of an op. */
static void unlink_token(ModeToken *t)
{
  Modes *m = t->modes;
  if (!t->linked) return;
  if (t->previous) t->previous->next = t->next;
  else m->first = t->next;
  if (t->next) t->next->previous = t->previous;
  else m->last = t->previous;
  t->linked = false;
  m->ctx->mode_tokens = 1;
}

static bool is_running(lua_State *co)
{
  lua_Debug ar;
  return lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar);
}

static bool counts(const Modes *m, const ModeToken *t, lua_State *L)
{
  if (t->owner == L) return L != m->floor_state || t->order > m->floor;
  return t->order > m->floor && is_running(t->owner);
}

typedef struct Effect {
  bool grad, inference, anomaly, check_nan;
  uint32_t scope;
  DType autocast;
  uint64_t saved_hooks, no_saved_hooks;
} Effect;

static void apply_token(const ModeToken *t, Effect *e)
{
  switch ((ModeKind)t->mode) {
    case MODE_GRAD: e->grad = t->value; break;
    case MODE_INFERENCE:
      e->inference = t->value;
      e->grad = !t->value;
      break;
    case MODE_ANOMALY:
      e->anomaly = t->value;
      e->check_nan = t->check_nan;
      break;
    case MODE_SCOPE: e->scope = t->scope; break;
    case MODE_AUTOCAST: e->autocast = t->autocast; break;
    case MODE_SAVED_HOOKS: e->saved_hooks = t->number; break;
    case MODE_NO_SAVED_HOOKS: e->no_saved_hooks = t->number; break;
  }
}

/* The running coroutine's own tokens come last: it was resumed within the others'. */
void modes_refresh(lua_State *L, Context *ctx)
{
  Modes *m = ctx->modes;
  carriers_drain(L, ctx);
  ctx->mode_tokens = m->first != NULL;
  Effect e = {m->grad,  m->inference, m->anomaly,     m->check_nan,
              m->scope, m->autocast,  m->saved_hooks, m->no_saved_hooks};
  for (const ModeToken *t = m->first; t; t = t->next)
    if (t->owner != L && counts(m, t, L)) apply_token(t, &e);
  for (const ModeToken *t = m->first; t; t = t->next)
    if (t->owner == L && counts(m, t, L)) apply_token(t, &e);
  m->user_grad = e.grad;
  ctx->grad_enabled = e.grad && !e.inference;
  ctx->inference = e.inference;
  ctx->anomaly = e.anomaly;
  ctx->anomaly_check_nan = e.check_nan;
  ctx->scope = e.scope;
  ctx->autocast = e.autocast;
  ctx->saved_hooks = e.saved_hooks;
  ctx->no_saved_hooks = e.no_saved_hooks;
}

void modes_enter(lua_State *L, Context *ctx, ModesFrame *saved)
{
  Modes *m = ctx->modes;
  *saved = (ModesFrame){
    m->grad,      m->inference,           m->anomaly,     m->check_nan,      ctx->grad_enabled, ctx->inference,
    ctx->anomaly, ctx->anomaly_check_nan, m->floor_state, m->floor,          m->scope,          ctx->scope,
    m->autocast,  ctx->autocast,          m->saved_hooks, m->no_saved_hooks, ctx->saved_hooks,  ctx->no_saved_hooks};
  m->grad = m->user_grad = ctx->grad_enabled;
  m->inference = ctx->inference;
  m->anomaly = ctx->anomaly;
  m->check_nan = ctx->anomaly_check_nan;
  m->scope = ctx->scope;
  m->autocast = ctx->autocast;
  m->saved_hooks = ctx->saved_hooks;
  m->no_saved_hooks = ctx->no_saved_hooks;
  m->floor_state = L;
  m->floor = m->order;
}

void modes_leave(Context *ctx, const ModesFrame *saved)
{
  Modes *m = ctx->modes;
  m->grad = saved->grad;
  m->inference = saved->inference;
  m->anomaly = saved->anomaly;
  m->check_nan = saved->check_nan;
  m->floor_state = saved->floor_state;
  m->floor = saved->floor;
  m->scope = saved->scope;
  m->autocast = saved->autocast;
  m->saved_hooks = saved->saved_hooks;
  m->no_saved_hooks = saved->no_saved_hooks;
  ctx->saved_hooks = saved->in_saved_hooks;
  ctx->no_saved_hooks = saved->in_no_saved_hooks;
  ctx->autocast = saved->in_autocast;
  ctx->scope = saved->in_scope;
  ctx->grad_enabled = saved->grad_enabled;
  ctx->inference = saved->in_inference;
  ctx->anomaly = saved->in_anomaly;
  ctx->anomaly_check_nan = saved->checks_nan;
  ctx->mode_tokens = 1;
}

/* ---------------------------------------------------------------- settings */

/* The running coroutine's setting: pushes its token, or nil. Settings live as long as their coroutine. */
static ModeToken *push_setting(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &settings_key);
  lua_pushthread(L);
  lua_rawget(L, -2);
  lua_replace(L, -2);
  return lua_touserdata(L, -1);
}

static Setting setting_of(const ModeToken *t) { return t ? (Setting){t->linked, t->value, t->order} : (Setting){0}; }

static void restore_setting(lua_State *L, ModeToken *closed)
{
  ModeToken *t = push_setting(L);
  lua_pop(L, 1);
  if (!t || t->owner != closed->owner) return;
  unlink_token(t);
  t->value = closed->before.value;
  t->order = closed->before.order;
  if (closed->before.given) link_token(t->modes, t);
}

/* ------------------------------------------------------------------ tokens */

static ModeToken *token_test(lua_State *L, int index) { return userdata_test(L, index, KIND_MODE, sizeof(ModeToken)); }

enum { OWNER = 1, VALUE }; /* user values */

static bool has_value(ModeKind kind) { return kind >= MODE_SAVED_HOOKS; }

/* Pushes a token that was used before, if there is one. */
static ModeToken *take_token(lua_State *L, ModeKind kind)
{
  if (has_value(kind) || !spare_take(L, &spares_key)) return NULL;
  ModeToken *t = token_test(L, -1);
  if (t && !t->open && !t->linked) return t;
  lua_pop(L, 1); /* the debug library can change that */
  return NULL;
}

static ModeToken *push_unused_token(lua_State *L, ModeKind kind)
{
  ModeToken *t = take_token(L, kind);
  return t ? t : lua_newuserdatauv(L, sizeof *t, has_value(kind) ? VALUE : OWNER);
}

static ModeToken *new_token(lua_State *L, Context *ctx, ModeKind kind, bool value)
{
  Modes *m = ctx->modes;
  ModeToken *before = push_setting(L);
  ModeToken *t = push_unused_token(L, kind);
  *t = (ModeToken){.kind = KIND_MODE,
                   .mode = (uint8_t)kind,
                   .value = value,
                   .modes = m,
                   .owner = L,
                   .open = true,
                   .before = setting_of(before)};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &token_meta);
  lua_setmetatable(L, -2);
  lua_pushthread(L);
  lua_setiuservalue(L, -2, OWNER);
  lua_replace(L, -2);
  t->order = ++m->order;
  return t;
}

void push_mode_token(lua_State *L, Context *ctx, ModeKind kind, bool value)
{
  ModeToken *t = new_token(L, ctx, kind, value);
  link_token(t->modes, t);
}

void push_scope_token(lua_State *L, Context *ctx, uint32_t scope)
{
  ModeToken *t = new_token(L, ctx, MODE_SCOPE, false);
  t->scope = scope;
  t->of_call = true;
  link_token(t->modes, t);
}

void push_value_token(lua_State *L, Context *ctx, ModeKind kind, int value)
{
  value = lua_absindex(L, value);
  ModeToken *t = new_token(L, ctx, kind, true);
  t->number = t->order;
  lua_pushvalue(L, value);
  lua_setiuservalue(L, -2, VALUE);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
  lua_pushvalue(L, value);
  lua_rawseti(L, -2, (lua_Integer)t->number);
  lua_pop(L, 1);
  link_token(t->modes, t);
}

bool push_mode_value(lua_State *L, uint64_t number)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
  bool there = lua_rawgeti(L, -1, (lua_Integer)number) != LUA_TNIL;
  lua_remove(L, -2);
  return there;
}

void close_mode_token(lua_State *L, int index)
{
  ModeToken *t = token_test(L, index);
  if (!t || !t->open) return;
  t->open = false;
  unlink_token(t);
  if (t->mode == MODE_ANOMALY && t->restores) {
    t->modes->anomaly = t->before.value;
    t->modes->check_nan = t->before.given;
    t->modes->ctx->mode_tokens = 1;
  } else if (t->mode == MODE_GRAD || t->mode == MODE_INFERENCE) {
    restore_setting(L, t);
  }
}

void give_mode_token(lua_State *L, int index)
{
  close_mode_token(L, index);
  const ModeToken *t = token_test(L, index);
  if (!t || has_value(t->mode)) return;
  index = lua_absindex(L, index);
  lua_pushnil(L);
  lua_setiuservalue(L, index, OWNER);
  spare_give(L, &spares_key, index);
}

lua_State *mode_token_owner(lua_State *L, int index)
{
  if (!token_test(L, index)) return NULL;
  lua_getiuservalue(L, index, OWNER);
  lua_State *owner = lua_tothread(L, -1);
  lua_pop(L, 1);
  return owner;
}

/* A call's token is closed as the call returns, or as an error or coroutine.close ends it: it is on no stack then. Who
   has got it from the debug library could otherwise end the mode of another call, which it serves later. */
static bool may_close(lua_State *L, ModeToken *t)
{
  if (!t->of_call) return true;
  if (t->ending) {
    t->ending = false;
    return true;
  }
  lua_State *owner = mode_token_owner(L, 1);
  return t->open && t->mode != MODE_SCOPE && owner && !is_held_by_call(L, owner, 1);
}

static int token_close(lua_State *L)
{
  ModeToken *t = token_test(L, 1);
  if (!t) return user_error(L, "close: a mode was expected, got %s", luaL_typename(L, 1));
  if (!may_close(L, t)) return user_error(L, "close: this mode is a call's, which ends it itself");
  close_mode_token(L, 1);
  return 0;
}

static int token_gc(lua_State *L)
{
  ModeToken *t = token_test(L, 1);
  if (t) unlink_token(t);
  return 0;
}

/* ------------------------------------------------------- the Lua functions */

bool is_callable(lua_State *L, int index)
{
  if (lua_isfunction(L, index)) return true;
  if (!luaL_getmetafield(L, index, "__call")) return false;
  lua_pop(L, 1);
  return true;
}

enum { FINISH_SLOTS = 4 };

static int finish_run(lua_State *L, int status, lua_KContext first)
{
  (void)status;
  ModeToken *t = token_test(L, (int)first);
  if (t) t->ending = true;
  if (lua_checkstack(L, FINISH_SLOTS)) give_mode_token(L, (int)first);
  return lua_gettop(L) - (int)first;
}

int run_or_token(lua_State *L, int first)
{
  int top = lua_gettop(L) - 1;
  if (top < first || lua_isnil(L, first)) return 1;
  ((ModeToken *)lua_touserdata(L, -1))->of_call = true;
  lua_insert(L, first);
  lua_toclose(L, first);
  lua_callk(L, top - first, LUA_MULTRET, first, finish_run);
  return finish_run(L, LUA_OK, first);
}

void check_function(lua_State *L, const char *name, int index)
{
  if (lua_gettop(L) < index || lua_isnil(L, index) || is_callable(L, index)) return;
  user_error(L, "%s: a function was expected, got %s", name, luaL_typename(L, index));
}

static int no_grad(lua_State *L)
{
  check_function(L, "no_grad", 1);
  push_mode_token(L, context_of(L), MODE_GRAD, false);
  return run_or_token(L, 1);
}

static int enable_grad(lua_State *L)
{
  Context *ctx = context_of(L);
  check_function(L, "enable_grad", 1);
  tell_asked(ctx);
  push_mode_token(L, ctx, MODE_GRAD, true);
  return run_or_token(L, 1);
}

/* inference_mode(mode = true, f, …), or inference_mode(f, …) */
static int inference_mode(lua_State *L)
{
  bool given = lua_isboolean(L, 1), value = !given || lua_toboolean(L, 1);
  int first = given || (lua_gettop(L) > 0 && lua_isnil(L, 1)) ? 2 : 1;
  check_function(L, "inference_mode", first);
  push_mode_token(L, context_of(L), MODE_INFERENCE, value);
  return run_or_token(L, first);
}

/* Changes the coroutine's setting, and pushes a token that puts it back. */
static void set_plainly(lua_State *L, Context *ctx, bool value)
{
  ModeToken *token = new_token(L, ctx, MODE_GRAD, value);
  token->restores = true;
  ModeToken *t = push_setting(L);
  if (!t) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &settings_key);
    lua_pushthread(L);
    t = new_token(L, ctx, MODE_GRAD, value);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  unlink_token(t);
  t->value = value;
  t->order = ++t->modes->order;
  link_token(t->modes, t);
}

static int set_grad_enabled(lua_State *L)
{
  Context *ctx = context_of(L);
  if (!lua_isboolean(L, 1))
    return user_error(L, "set_grad_enabled: true or false expected, got %s", luaL_typename(L, 1));
  check_function(L, "set_grad_enabled", 2);
  bool value = lua_toboolean(L, 1);
  if (value) tell_asked(ctx);
  if (lua_gettop(L) >= 2 && !lua_isnil(L, 2)) {
    push_mode_token(L, ctx, MODE_GRAD, value);
    return run_or_token(L, 2);
  }
  set_plainly(L, ctx, value);
  return 1;
}

static int is_grad_enabled(lua_State *L)
{
  Context *ctx = context_of(L);
  const Modes *m = ctx->modes;
  if (ctx->mode_tokens) modes_refresh(L, ctx);
  lua_pushboolean(L, ctx->mode_tokens ? m->user_grad : m->grad);
  return 1;
}

static int is_inference_mode_enabled(lua_State *L)
{
  Context *ctx = context_of(L);
  if (ctx->mode_tokens) modes_refresh(L, ctx);
  lua_pushboolean(L, ctx->inference);
  return 1;
}

/* --------------------------------------------------------------- anomaly mode */

static void warn_of_anomaly_mode(lua_State *L)
{
  lua_warning(L, "nnlua: anomaly mode is on: it finds errors and costs time", 0);
}

/* detect_anomaly(check_nan = true, f, …), detect_anomaly({check_nan = …}), or detect_anomaly(f, …) */
static int detect_anomaly(lua_State *L)
{
  Context *ctx = context_of(L);
  bool check_nan = true;
  int first = 1;
  if (lua_gettop(L) > 0 && !is_callable(L, 1)) {
    static const char *const names[] = {"check_nan", NULL};
    int top = lua_gettop(L);
    lua_pushvalue(L, 1);
    arguments_merge(L, "detect_anomaly", top + 1, names);
    check_nan = argument_bool(L, "detect_anomaly", "check_nan", top + 1, true);
    lua_settop(L, top);
    first = 2;
  }
  check_function(L, "detect_anomaly", first);
  warn_of_anomaly_mode(L);
  push_mode_token(L, ctx, MODE_ANOMALY, true);
  ((ModeToken *)lua_touserdata(L, -1))->check_nan = check_nan;
  return run_or_token(L, first);
}

/* set_detect_anomaly(mode, check_nan = true): for the whole state, until it is set anew or the token is closed. */
static int set_detect_anomaly(lua_State *L)
{
  static const char *const names[] = {"mode", "check_nan", NULL};
  Context *ctx = context_of(L);
  Modes *m = ctx->modes;
  arguments_merge(L, "set_detect_anomaly", 1, names);
  if (!lua_isboolean(L, 1)) return user_error(L, "set_detect_anomaly: true or false expected");
  bool value = lua_toboolean(L, 1), check_nan = argument_bool(L, "set_detect_anomaly", "check_nan", 2, true);
  if (value) warn_of_anomaly_mode(L);
  ModeToken *token = new_token(L, ctx, MODE_ANOMALY, value);
  token->restores = true;
  token->before = (Setting){m->check_nan, m->anomaly, 0};
  m->anomaly = value;
  m->check_nan = check_nan;
  ctx->mode_tokens = 1;
  return 1;
}

static int is_anomaly_enabled(lua_State *L)
{
  Context *ctx = context_of(L);
  if (ctx->mode_tokens) modes_refresh(L, ctx);
  lua_pushboolean(L, ctx->anomaly);
  return 1;
}

/* ------------------------------------------------------------------- autocast */

/* The dtype in the options at an index, DTYPE_NONE where they say {enabled = false}. */
static DType autocast_dtype(lua_State *L, int index)
{
  static const char *const names[] = {"dtype", "enabled", "cache_enabled", NULL};
  int top = lua_gettop(L);
  DType dtype = DTYPE_bf16;
  lua_pushvalue(L, index);
  arguments_merge(L, "autocast", top + 1, names);
  if (!lua_isnil(L, top + 1) && (!dtype_test(L, top + 1, &dtype) || (dtype != DTYPE_bf16 && dtype != DTYPE_f16)))
    user_error(L, "autocast: dtype must be nl.bfloat16 or nl.float16, not %s", type_name(L, top + 1));
  bool enabled = argument_bool(L, "autocast", "enabled", top + 2, true);
  argument_bool(L, "autocast", "cache_enabled", top + 3, true);
  lua_settop(L, top);
  return enabled ? dtype : DTYPE_NONE;
}

/* autocast(device_type = "cpu", {dtype = nl.bfloat16, enabled = true}, f, …): each may be left out. */
static int autocast(lua_State *L)
{
  Context *ctx = context_of(L);
  DType dtype = DTYPE_bf16;
  int next = 1;
  if (lua_type(L, next) == LUA_TSTRING) {
    if (strcmp(lua_tostring(L, next), "cpu") != 0)
      return user_error(L, "autocast: device_type must be \"cpu\", not \"%s\"", lua_tostring(L, next));
    next++;
  }
  if (lua_istable(L, next) && !is_callable(L, next)) dtype = autocast_dtype(L, next++);
  check_function(L, "autocast", next);
  push_mode_token(L, ctx, MODE_AUTOCAST, true);
  ((ModeToken *)lua_touserdata(L, -1))->autocast = dtype;
  return run_or_token(L, next);
}

static DType running_autocast(lua_State *L)
{
  Context *ctx = context_of(L);
  if (ctx->mode_tokens) modes_refresh(L, ctx);
  return ctx->autocast;
}

static int is_autocast_enabled(lua_State *L)
{
  lua_pushboolean(L, running_autocast(L) != DTYPE_NONE);
  return 1;
}

/* get_autocast_dtype(): that of the mode, or the one it would have. */
static int get_autocast_dtype(lua_State *L)
{
  DType dtype = running_autocast(L);
  push_dtype(L, dtype == DTYPE_NONE ? DTYPE_bf16 : dtype);
  return 1;
}

/* nl._reset_modes(): the modes of all coroutines end, as in a new state. For nnlua.testing. */
static int reset_modes(lua_State *L)
{
  Modes *m = context_of(L)->modes;
  while (m->first) {
    m->first->open = false;
    unlink_token(m->first);
  }
  m->grad = m->user_grad = true;
  m->inference = m->anomaly = m->check_nan = false;
  m->autocast = DTYPE_NONE;
  m->saved_hooks = m->no_saved_hooks = 0;
  m->ctx->mode_tokens = 1;
  return 0;
}

/* ------------------------------------------------------------------ opening */

static void make_token_meta(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"__close", token_close}, {"__gc", token_gc}, {"close", token_close}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua.Mode");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &token_meta);
}

static void make_weak(lua_State *L, const char *mode, const char *key)
{
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static void make_modes(lua_State *L, Context *ctx)
{
  Modes *m = lua_newuserdatauv(L, sizeof *m, 0);
  *m = (Modes){.ctx = ctx, .grad = true, .user_grad = true, .autocast = DTYPE_NONE};
  lua_rawsetp(L, LUA_REGISTRYINDEX, &modes_key);
  ctx->modes = m;
  make_weak(L, "k", &settings_key);
  make_weak(L, "v", &values_key);
  spares_init(L, &spares_key);
}

void open_modes(lua_State *L, int nl)
{
  static const luaL_Reg functions[] = {{"no_grad", no_grad},
                                       {"enable_grad", enable_grad},
                                       {"set_grad_enabled", set_grad_enabled},
                                       {"inference_mode", inference_mode},
                                       {"is_grad_enabled", is_grad_enabled},
                                       {"is_inference_mode_enabled", is_inference_mode_enabled},
                                       {"is_anomaly_enabled", is_anomaly_enabled},
                                       {"autocast", autocast},
                                       {"is_autocast_enabled", is_autocast_enabled},
                                       {"get_autocast_dtype", get_autocast_dtype},
                                       {"_reset_modes", reset_modes},
                                       {NULL, NULL}};
  static const luaL_Reg in_autograd[] = {{"no_grad", no_grad},
                                         {"enable_grad", enable_grad},
                                         {"set_grad_enabled", set_grad_enabled},
                                         {"inference_mode", inference_mode},
                                         {"detect_anomaly", detect_anomaly},
                                         {"set_detect_anomaly", set_detect_anomaly},
                                         {NULL, NULL}};
  make_token_meta(L);
  make_modes(L, context_of(L));
  lua_pushvalue(L, nl);
  luaL_setfuncs(L, functions, 0);
  lua_getfield(L, nl, "autograd");
  luaL_setfuncs(L, in_autograd, 0);
  lua_pop(L, 2);
}
