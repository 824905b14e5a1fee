/*
 * Ctrl-C. A signal handler makes a request; loops of the thread that runs the interpreter notice it between chunks
 * (core/parallel.c) and the engine between nodes, leave the rest undone and raise. Without an interpreter that watches,
 * nothing is ever interrupted.
 */
#ifndef NNLUA_CORE_INTERRUPT_H
#define NNLUA_CORE_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/context.h"

extern atomic_bool interrupt_requested; /* lock-free: a handler may set it */

/* From now on requests are for this context, on this thread; NULL for none. */
void interrupt_watch(Context *ctx);

/* The watched context if work on this thread may be left undone now: its calls are running, and nothing that they
 * change in place. Else NULL. */
Context *interrupt_target(void);

/* Raises "interrupted!" in the target (core/call.c). */
_Noreturn void raise_interrupted(Context *ctx);

static inline bool interrupt_is_requested(void)
{
  return atomic_load_explicit(&interrupt_requested, memory_order_relaxed);
}

#endif
