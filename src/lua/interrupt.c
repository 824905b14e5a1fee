/* Ctrl-C for the interpreter. */
#include "lua/interrupt.h"

#include "core/interrupt.h"
#include "lua/binding.h"

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

void interrupts_forget(void) { request_withdraw(REQUEST_INTERRUPT); }
