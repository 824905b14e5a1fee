/*
 * nl.scope. While a scope is open, each tensor's userdata that is made is noted with it, in a list newest first; a
 * userdata that the collector frees leaves its list. At the scope's end what nobody but its userdata holds is released:
 * a loss takes its graph along, and that its activations. What is still held by then - a parameter's gradient, the
 * state of an optimizer, the graph behind a result that is kept - stays, as do the userdata of it.
 *
 * A block with `local _ <close> = nl.scope()` doesn't tell the scope what it returns. So the end of such a block is
 * watched by a hook for the few events up to the next: if that is the function's return, the hook sees its results.
 */
#include "lua/scope.h"

#include <stdlib.h>
#include <string.h>

#include "lua/autograd/modes.h"
#include "lua/open.h"
#include "lua/pressure.h"
#include "lua/spares.h"

/* ------------------------------------------------------------------- the lists */

/* An entry of a list of boxes; the head of a scope's list has HEAD for its box. Free entries are a chain by `next`. */
typedef struct Note {
  TensorBox *box;
  uint32_t next, previous;
} Note;

typedef struct Notes {
  uint32_t count, capacity, free;
  Note v[];
} Notes;

static TensorBox head_mark;
#define HEAD (&head_mark)

enum { MOST_NOTES = (1 << 28) - 1 };

/* A free entry, or 0 if memory runs out. */
static uint32_t take_entry(Context *ctx)
{
  Notes *n = ctx->scopes;
  if (n && n->free) {
    uint32_t i = n->free;
    n->free = n->v[i].next;
    return i;
  }
  if (!n || n->count == n->capacity) {
    uint32_t capacity = n ? 2 * n->capacity : 64;
    if (capacity > MOST_NOTES) return 0;
    Notes *grown = realloc(n, sizeof *n + capacity * sizeof *n->v);
    if (!grown) return 0;
    if (!n) *grown = (Notes){.count = 1}; /* the entry 0 is none */
    grown->capacity = capacity;
    ctx->scopes = n = grown;
  }
  return n->count++;
}

static void put_behind(Notes *n, uint32_t head, uint32_t i)
{
  n->v[i].previous = head;
  n->v[i].next = n->v[head].next;
  n->v[n->v[head].next].previous = i;
  n->v[head].next = i;
}

static void take_out(Notes *n, uint32_t i)
{
  n->v[n->v[i].previous].next = n->v[i].next;
  n->v[n->v[i].next].previous = n->v[i].previous;
}

static void give_entry(Notes *n, uint32_t i)
{
  n->v[i] = (Note){.next = n->free};
  n->free = i;
}

static bool is_open_head(const Notes *n, uint32_t i) { return i && n->v[i].box == HEAD; }

void scope_note(Context *ctx, TensorBox *box)
{
  uint32_t i;
  if (box->tensor->is_parameter || !is_open_head(ctx->scopes, ctx->scope) || !(i = take_entry(ctx))) return;
  Notes *n = ctx->scopes;
  n->v[i].box = box;
  put_behind(n, ctx->scope, i);
  box->place = i & MOST_NOTES;
}

void scope_forget(TensorBox *box)
{
  Notes *n = box->tensor->ctx->scopes;
  take_out(n, box->place);
  give_entry(n, box->place);
  box->place = 0;
}

/* Lets a box go with another scope, or with none where that is not open any more. */
static void move_box(TensorBox *box, uint32_t scope)
{
  if (!box->place) return;
  Notes *n = box->tensor->ctx->scopes;
  if (!is_open_head(n, scope)) {
    scope_forget(box);
    return;
  }
  take_out(n, box->place);
  put_behind(n, scope, box->place);
}

void scopes_free(Context *ctx)
{
  free(ctx->scopes);
  ctx->scopes = NULL;
  ctx->scope = 0;
}

static void release_box(TensorBox *box)
{
  Tensor *t = box->tensor;
  scope_forget(box);
  box->kind = KIND_RELEASED;
  box->tensor = NULL;
  tensor_release(t);
}

/* Releases what only its userdata holds, newest first, for results hold what they were made of; a second time for what
   was held by something older. The rest goes on to the scope around. */
static void release_list(Context *ctx, uint32_t head, uint32_t around)
{
  Notes *n = ctx->scopes;
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = n->v[head].next, next; i != head; i = next) {
      next = n->v[i].next;
      if (n->v[i].box->tensor->refs == 1) release_box(n->v[i].box);
    }
  }
  n->v[head].box = NULL;
  while (n->v[head].next != head) move_box(n->v[n->v[head].next].box, around);
  give_entry(n, head);
}

/* ------------------------------------------------------------------------ keeping */

enum { VISITED_SLOTS = 6 };

/* The tensors in the value on top, in tables of any depth, go with another scope. Pops the value. */
static void move_value(lua_State *L, uint32_t scope, int visited)
{
  TensorBox *box = box_test(L, -1);
  if (box) move_box(box, scope);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  luaL_checkstack(L, VISITED_SLOTS, "tables within tables");
  lua_pushvalue(L, -1);
  if (lua_rawget(L, visited) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_pushboolean(L, true);
    lua_rawset(L, visited);
    lua_pushnil(L);
    while (lua_next(L, -3)) move_value(L, scope, visited);
  }
  lua_pop(L, 2);
}

static void move_values(lua_State *L, int index, uint32_t scope)
{
  if (!lua_istable(L, index) && !box_test(L, index)) return;
  index = lua_absindex(L, index);
  luaL_checkstack(L, VISITED_SLOTS, "tables within tables");
  lua_newtable(L);
  lua_pushvalue(L, index);
  move_value(L, scope, lua_gettop(L) - 1);
  lua_pop(L, 1);
}

void scope_keep(lua_State *L, int index)
{
  if (context_of(L)->scopes) move_values(L, index, 0);
}

/* ---------------------------------------------------------------------- the object */

static char scope_meta, waiting_key, spares_key; /* registry keys, by address */

/* User values: the token that makes the scope count for its coroutine; the function whose block has ended. */
enum { TOKEN = 1, FUNCTION = 2, SCOPE_USER_VALUES = 2 };

typedef struct Scope {
  uint32_t kind, head, around; /* its list; that of the scope around it */
  bool open, releases;         /* new tensors are noted; there is something to release */
  bool of_call, ending;        /* a call has it, not a block; that call is about to return */
  Context *ctx;
} Scope;

/* What was on before the hook; a state has at most one block's end under watch. */
typedef struct Watch {
  uint32_t kind;
  lua_State *L;
  lua_Hook hook;
  int mask, count;
  int inside; /* calls of other values' __close */
} Watch;

static Scope *scope_check(lua_State *L, const char *function)
{
  Scope *s = userdata_test(L, 1, KIND_SCOPE, sizeof *s);
  if (!s) user_error(L, "%s: a scope was expected, got %s (is it called with a dot?)", function, luaL_typename(L, 1));
  return s;
}

/* Pushes a scope that was used before, if there is one. */
static Scope *take_scope(lua_State *L)
{
  if (!spare_take(L, &spares_key)) return NULL;
  Scope *s = userdata_test(L, -1, KIND_SCOPE, sizeof *s);
  if (s && !s->open && !s->releases) return s;
  lua_pop(L, 1); /* the debug library can change that */
  return NULL;
}

static void push_scope(lua_State *L, Context *ctx)
{
  Scope *s = take_scope(L);
  if (!s) s = lua_newuserdatauv(L, sizeof *s, SCOPE_USER_VALUES);
  *s = (Scope){.kind = KIND_SCOPE, .ctx = ctx};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &scope_meta);
  lua_setmetatable(L, -2);
  modes_refresh(L, ctx);
  s->around = ctx->scope;
  s->head = take_entry(ctx);
  if (!s->head) luaL_error(L, "not enough memory");
  Notes *n = ctx->scopes;
  n->v[s->head] = (Note){HEAD, s->head, s->head};
  s->releases = true;
  push_scope_token(L, ctx, s->head);
  lua_setiuservalue(L, -2, TOKEN);
  s->open = true;
  modes_refresh(L, ctx);
}

/* New tensors are not the scope's any more. */
static void end_scope(lua_State *L, Scope *s, int index)
{
  s->open = false;
  index = lua_absindex(L, index);
  lua_getiuservalue(L, index, TOKEN);
  give_mode_token(L, -1);
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_setiuservalue(L, index, TOKEN);
  modes_refresh(L, s->ctx);
}

static void release_scope(lua_State *L, Scope *s)
{
  if (!s->releases) return;
  s->releases = false;
  release_list(s->ctx, s->head, s->around);
  pressure_scope_ended(L, s->ctx);
}

/* ------------------------------------------------------------- the end of a block */

static void watch_event(lua_State *L, lua_Debug *ar);

/* Pushes the list of scopes whose blocks have ended. */
static Watch *push_waiting(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &waiting_key);
  Watch *w = userdata_test(L, -1, KIND_SCOPE_WATCH, sizeof *w);
  if (!w || !push_table_of(L, -1, 1)) luaL_error(L, "nnlua's entries in the registry were changed");
  lua_replace(L, -2);
  return w;
}

/* Releases the scopes whose blocks have ended. The list of them is on top; a return gives its event. */
static void release_waiting(lua_State *L, Watch *w, lua_Debug *returning)
{
  int list = lua_gettop(L);
  if (w->L && lua_gethook(w->L) == watch_event) lua_sethook(w->L, w->hook, w->mask, w->count);
  w->L = NULL;
  if (returning) lua_getinfo(L, "r", returning);
  for (int i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
    Scope *s = userdata_test(L, -1, KIND_SCOPE, sizeof *s);
    for (int k = 0; s && returning && k < returning->ntransfer; k++) {
      if (!lua_getlocal(L, returning, returning->ftransfer + k)) break;
      move_values(L, -1, s->around);
      lua_pop(L, 1);
    }
    if (s) release_scope(L, s);
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawseti(L, list, i);
  }
  lua_pop(L, 2);
}

static int scope_close(lua_State *L);

/* Whether the event's function is the one on top, which is popped. */
static bool is_event_of(lua_State *L, lua_Debug *ar)
{
  lua_getinfo(L, "f", ar);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/*
 * After a block's end there come, in order: the return from scope_close; calls of the __close of other values of the
 * block, with all that they call; then either the return of the function, with its results, or anything else.
 */
static void watch_event(lua_State *L, lua_Debug *ar)
{
  Watch *w = push_waiting(L);
  if (w->inside) {
    if (ar->event == LUA_HOOKCALL) w->inside++;
    else if (ar->event == LUA_HOOKRET) w->inside--;
    lua_pop(L, 1);
    return;
  }
  if (ar->event == LUA_HOOKRET) {
    lua_pushcfunction(L, scope_close);
    if (is_event_of(L, ar)) {
      lua_pop(L, 1);
      return;
    }
    lua_rawgeti(L, -1, 1);
    if (!userdata_test(L, -1, KIND_SCOPE, sizeof(Scope))) lua_pushnil(L);
    else lua_getiuservalue(L, -1, FUNCTION);
    lua_replace(L, -2);
    release_waiting(L, w, is_event_of(L, ar) ? ar : NULL);
    return;
  }
  lua_getinfo(L, "n", ar);
  if (ar->event == LUA_HOOKCALL && ar->name && strcmp(ar->name, "close") == 0
      && strcmp(ar->namewhat, "metamethod") == 0) {
    w->inside = 1;
    lua_pop(L, 1);
    return;
  }
  release_waiting(L, w, NULL);
}

/* Puts off releasing the scope at 1 until it is known what the function, on top, returns. */
static void wait_for_return(lua_State *L)
{
  lua_setiuservalue(L, 1, FUNCTION);
  Watch *w = push_waiting(L);
  if (w->L && w->L != L) {
    release_waiting(L, w, NULL);
    w = push_waiting(L);
  }
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  if (w->L) return;
  *w = (Watch){KIND_SCOPE_WATCH, L, lua_gethook(L), lua_gethookmask(L), lua_gethookcount(L), 0};
  lua_sethook(L, watch_event, LUA_MASKCALL | LUA_MASKRET, 0);
}

static int refuse_close(lua_State *L) { return user_error(L, "close: this scope is a call's, which ends it itself"); }

/* A call's scope, at 1, is closed as a call's mode is (lua/autograd/modes.c). */
static bool may_close(lua_State *L, Scope *s)
{
  if (!s->of_call) return true;
  if (s->ending) {
    s->ending = false;
    return true;
  }
  lua_getiuservalue(L, 1, TOKEN);
  lua_State *owner = mode_token_owner(L, -1);
  lua_pop(L, 1);
  return s->open && owner && !is_held_by_call(L, owner, 1);
}

/* __close(scope, error) */
static int scope_close(lua_State *L)
{
  Scope *s = scope_check(L, "close");
  if (!may_close(L, s)) return refuse_close(L);
  if (!s->open) return 0;
  end_scope(L, s, 1);
  lua_Debug ar;
  if (lua_isnoneornil(L, 2) && lua_getstack(L, 1, &ar) && lua_getinfo(L, "Sf", &ar) && strcmp(ar.what, "C") != 0)
    wait_for_return(L);
  else release_scope(L, s);
  return 0;
}

/* scope:close(): ends it before the block does. */
static int close_now(lua_State *L)
{
  Scope *s = scope_check(L, "close");
  if (s->of_call) return refuse_close(L);
  if (s->open) end_scope(L, s, 1);
  release_scope(L, s);
  return 0;
}

/* A scope that was never closed releases nothing. It may go in the middle of an op. */
static int scope_gc(lua_State *L)
{
  Scope *s = userdata_test(L, 1, KIND_SCOPE, sizeof *s);
  if (!s || !s->releases || !s->ctx->scopes) return 0;
  s->open = s->releases = false;
  Notes *n = s->ctx->scopes;
  n->v[s->head].box = NULL;
  while (n->v[s->head].next != s->head) scope_forget(n->v[n->v[s->head].next].box);
  if (s->ctx->scope == s->head) s->ctx->scope = 0;
  give_entry(n, s->head);
  return 0;
}

/* scope:keep(…) gives back its arguments. */
static int keep(lua_State *L)
{
  const Scope *s = scope_check(L, "keep");
  for (int i = 2; i <= lua_gettop(L); i++) move_values(L, i, s->around);
  return lua_gettop(L) - 1;
}

/* nl._keep(value): for what Lua code of ours keeps in tables, such as an optimizer's state. */
static int keep_value(lua_State *L)
{
  scope_keep(L, 1);
  lua_settop(L, 1);
  return 1;
}

enum { FINISH_SLOTS = 8 };

/* The scope is at `first`, what the function returned behind it. */
static int finish_call(lua_State *L, int status, lua_KContext first)
{
  (void)status;
  Scope *s = userdata_test(L, (int)first, KIND_SCOPE, sizeof *s);
  if (!s) return luaL_error(L, "the scope of a running call was changed");
  s->ending = true;
  int top = lua_gettop(L);
  luaL_checkstack(L, FINISH_SLOTS, "too many results");
  for (int i = (int)first + 1; i <= top; i++) move_values(L, i, s->around);
  if (s->open) end_scope(L, s, (int)first);
  release_scope(L, s);
  spare_give(L, &spares_key, (int)first);
  return top - (int)first;
}

/* nl.scope(f, …), or nl.scope() */
static int scope(lua_State *L)
{
  int top = lua_gettop(L);
  if (top > 0 && !lua_isnil(L, 1) && !lua_isfunction(L, 1) && !luaL_getmetafield(L, 1, "__call"))
    return user_error(L, "scope: a function was expected, got %s", luaL_typename(L, 1));
  lua_settop(L, top);
  push_scope(L, context_of(L));
  if (top == 0 || lua_isnil(L, 1)) return 1;
  ((Scope *)lua_touserdata(L, -1))->of_call = true;
  lua_insert(L, 1);
  lua_toclose(L, 1);
  lua_callk(L, top - 1, LUA_MULTRET, 1, finish_call);
  return finish_call(L, LUA_OK, 1);
}

void open_scope(lua_State *L, int nl)
{
  static const luaL_Reg methods[] = {
    {"__close", scope_close}, {"__gc", scope_gc}, {"close", close_now}, {"keep", keep}, {NULL, NULL}};
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "nnlua.Scope");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "nnlua.Scope"); /* what getmetatable gives: __gc is not for scripts */
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &scope_meta);
  spares_init(L, &spares_key);
  Watch *w = lua_newuserdatauv(L, sizeof *w, 1);
  *w = (Watch){.kind = KIND_SCOPE_WATCH};
  lua_newtable(L);
  lua_setiuservalue(L, -2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &waiting_key);
  static const luaL_Reg functions[] = {{"scope", scope}, {"_keep", keep_value}, {NULL, NULL}};
  lua_pushvalue(L, nl);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
