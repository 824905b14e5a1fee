/* Ctrl-C for the interpreter. */
#include "lua/interrupt.h"

#include "core/interrupt.h"
#include "lua/binding.h"
#include "lua/open.h"

#include <stdatomic.h>

static void (*told)(void);

static void forget_and_tell(Context *ctx)
{
  (void)ctx;
  interrupts_forget();
  told();
}

void interrupts_watch(lua_State *L, void (*raised)(void))
{
  Context *ctx = context_of(L);
  told = raised;
  ctx->host.interrupted = forget_and_tell;
  interrupt_watch(ctx);
}

void interrupts_ignore(void)
{
  interrupt_watch(NULL);
  interrupts_forget();
}

bool interrupts_request(void) { return request_make(REQUEST_INTERRUPT) & REQUEST_INTERRUPT; }

/* Whether a program wants to be told of Ctrl-C, and was. */
static atomic_bool is_wanted, is_noted; /* lock-free: the handler reads and sets them */

bool interrupts_note(void)
{
  if (!is_wanted || is_noted) return false;
  is_noted = true;
  return true;
}

/* want_interrupts(wanted): from now on the first Ctrl-C is only noted, or no longer */
static int want_interrupts(lua_State *L)
{
  is_wanted = lua_toboolean(L, 1);
  is_noted = false;
  return 0;
}

/* interrupt_noted(): whether one was */
static int interrupt_noted(lua_State *L)
{
  lua_pushboolean(L, is_noted);
  return 1;
}

const luaL_Reg interrupt_functions[] = {
  {"want_interrupts", want_interrupts}, {"interrupt_noted", interrupt_noted}, {NULL, NULL}};

void interrupts_raise(lua_State *L) { user_error(L, "interrupted!"); }

void interrupts_forget(void) { request_withdraw(REQUEST_INTERRUPT); }
