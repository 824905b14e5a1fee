/*
 * What signal handlers ask of the interpreter: a word of requests, which every call into the core looks at.
 *
 * Ctrl-C: a handler makes a request; loops of the thread that runs the interpreter notice it between chunks
 * (core/parallel.c) and the engine between nodes, leave the rest undone and raise. Without an interpreter that watches,
 * nothing is ever interrupted.
 */
#ifndef NNLUA_CORE_INTERRUPT_H
#define NNLUA_CORE_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/context.h"

enum {
  REQUEST_INTERRUPT = 1, /* Ctrl-C */
  REQUEST_LOST_FILE = 2  /* pages of a mapped file can't be read (io/mapped.h) */
};

extern atomic_uint requests; /* lock-free: a handler may set it */

/* Returns what was requested before. */
static inline unsigned request_make(unsigned request) { return atomic_fetch_or(&requests, request); }
static inline void request_withdraw(unsigned request) { atomic_fetch_and(&requests, ~request); }
static inline unsigned requests_made(void) { return atomic_load_explicit(&requests, memory_order_relaxed); }

/* From now on requests to interrupt are for this context, on this thread; NULL for none. */
void interrupt_watch(Context *ctx);

/* The watched context if work on this thread may be left undone now: its calls are running, and nothing that they
 * change in place. Else NULL. */
Context *interrupt_target(void);

/* Raises "interrupted!" in the target (core/call.c). */
_Noreturn void raise_interrupted(Context *ctx);

static inline bool interrupt_is_requested(void) { return requests_made() & REQUEST_INTERRUPT; }

#endif
