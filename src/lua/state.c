/* The context of a state, entering the core, and errors. */
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "core/interrupt.h"
#include "core/recorder.h"
#include "io/mapped.h"
#include "lua/binding.h"
#include "lua/autograd/modes.h"
#include "lua/prepare.h"
#include "lua/pressure.h"
#include "lua/scope.h"

enum { LONGEST_PATH = 4096 };

static char context_key;
char core_error_key;
uint64_t box_seal;
bool (*push_module_path)(lua_State *L);
bool (*own_caller)(lua_CFunction f);

/* ---------------------------------------------------------- entering the core */

/* A file that another program has cut off. */
__attribute__((noinline)) static void raise_lost_file(lua_State *L, Context *ctx)
{
  char path[LONGEST_PATH];
  if (mapped_file_lost(ctx, path, sizeof path))
    user_error(L,
               "%s, which was loaded with mmap = true, has been cut off or can't be read any more: its tensors have "
               "zeros from there on",
               path);
}

void check_lost_files(lua_State *L, Context *ctx)
{
  if (requests_made() & REQUEST_LOST_FILE) raise_lost_file(L, ctx);
}

/* A mapped file that lost pages; Ctrl-C in a coroutine that a host runs by itself, where the interpreter's hook does
   not reach. */
static void raise_request(lua_State *L, Context *ctx, unsigned made)
{
  check_lost_files(L, ctx);
  if (!(made & REQUEST_INTERRUPT) || !ctx->host.interrupted) return;
  ctx->host.interrupted(ctx);
  user_error(L, "interrupted!");
}

void core_prepare(lua_State *L, Context *ctx)
{
  unsigned made = requests_made();
  if (made) raise_request(L, ctx, made);
  if (ctx->in_finalizers)
    user_error(L, "memory has run out: finalizers that run because of it can't work with tensors");
  ctx->host.state = L; /* now, for finalizers may have entered the core themselves, in coroutines of theirs */
  if (ctx->mode_tokens) modes_refresh(L, ctx);
}

void core_work(lua_State *L, Context *ctx, void (*work)(Call *call, void *data), void *data)
{
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    core_failed(L, ctx);
    return;
  }
  Call call = {.ctx = ctx};
  work(&call, data);
  entry_leave(ctx, &entry);
}

void core_run(lua_State *L, Context *ctx, void (*work)(Call *call, void *data), void *data)
{
  core_prepare(L, ctx);
  core_work(L, ctx, work, data);
}

/* ------------------------------------------------------------------ errors */

/* Embedded Lua files are named "@nnlua/…". */
bool is_own_code(const lua_Debug *ar) { return ar->source[0] == '@' && strncmp(ar->source + 1, "nnlua/", 6) == 0; }

void push_user_line(lua_State *L)
{
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && !is_own_code(&ar)) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

/* Raises the text on top of the stack. */
static int raise_text(lua_State *L)
{
  push_user_line(L);
  lua_insert(L, -2);
  if (push_module_path && push_module_path(L)) {
    lua_pushliteral(L, " (in ");
    lua_insert(L, -2);
    lua_pushliteral(L, ")");
    lua_concat(L, 5);
  } else {
    lua_concat(L, 2);
  }
  return lua_error(L);
}

int user_error(lua_State *L, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  return raise_text(L);
}

int core_failed(lua_State *L, Context *ctx)
{
  ctx->host.state = L;
  if (ctx->error_is_foreign) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &core_error_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &core_error_key);
    return lua_error(L);
  }
  lua_pushstring(L, ctx->error);
  return raise_text(L);
}

/* -------------------------------------------------------------- recorders */

typedef struct Deed {
  const Tensor *read;
  const char *function;
} Deed;

static void tell_work(Call *call, void *data)
{
  const Deed *d = data;
  if (d->read) tell_read(d->read, d->function);
  else tell_deed(call->ctx, d->function);
}

void tell_reading(lua_State *L, const Tensor *t, const char *function)
{
  if (t->ctx->recorder) core_run(L, t->ctx, tell_work, &(Deed){t, function});
}

void tell_doing(lua_State *L, Context *ctx, const char *function)
{
  if (ctx->recorder) core_run(L, ctx, tell_work, &(Deed){NULL, function});
}

/* ----------------------------------------------------------------- context */

typedef struct ContextBox {
  uint32_t kind;
  Context *ctx;
} ContextBox;

Context *context_of(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key);
  const ContextBox *box = userdata_test(L, -1, KIND_CONTEXT, sizeof *box);
  if (!box) luaL_error(L, "nnlua is not open in this state, or its entries in the registry were changed");
  lua_pop(L, 1);
  return box->ctx;
}

void push_gc_metatable(lua_State *L, const char *name, lua_CFunction gc)
{
  if (luaL_getmetatable(L, name) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
}

static int context_gc(lua_State *L)
{
  ContextBox *box = userdata_test(L, 1, KIND_CONTEXT, sizeof *box);
  Context *ctx = box ? box->ctx : NULL;
  if (!ctx) return 0;
  if (ctx->host.tensor_block) *ctx->host.tensor_block = 0;
  scopes_free(ctx);
  context_close(ctx);
  box->ctx = NULL;
  return 0;
}

static pthread_once_t sealed = PTHREAD_ONCE_INIT; /* one seal for all states: tensors carry it */

static void draw_seal(void)
{
  while (!box_seal)
    if (getentropy(&box_seal, sizeof box_seal) != 0) return;
}

void nnlua_prepare(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key) != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  pthread_once(&sealed, draw_seal);
  if (!box_seal) luaL_error(L, "the system gives no random numbers");
  ContextBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (ContextBox){KIND_CONTEXT, NULL};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, context_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  box->ctx = context_new();
  if (!box->ctx) luaL_error(L, "not enough memory");
  box->ctx->host.reclaim = pressure_reclaim;
  pressure_init(L, box->ctx);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &context_key);
}
