/*
 * The scope of a call. An entry from outside is a point that errors unwind to; every call made
 * inside owns the tensors it makes, and leaving it releases all but its results. So no op has
 * a release in it, and an error at any point leaks nothing.
 */
#ifndef NNLUA_CORE_CALL_H
#define NNLUA_CORE_CALL_H

#include "core/context.h"

typedef struct Call {
  Context *ctx;
  const struct Op *op;               /* the running op */
  struct Call *parent;               /* the call it was made from */
  struct Tensor *into;               /* an in-place form's destination, else NULL */
  struct Tensor *last_into;          /* that of a composed op's, for the op inside that gives the result */
  struct Planned *planned;           /* what a plan has prepared for it (core/planned.h); NULL: nothing */
  uint8_t device;                    /* a Device: where results are */
  const struct Transform *transform; /* that the op is run for; NULL: for none */
  int32_t list_count;                /* of an op with a list of results */
  struct Tensor **list;
} Call;

typedef struct Ints {
  const int64_t *v;
  int64_t n;
} Ints; /* n < 0: not given */
typedef struct Numbers {
  const double *v;
  int64_t n;
} Numbers; /* likewise: laid out as Ints */
typedef struct Tensors {
  struct Tensor **v;
  int64_t n;
} Tensors;

#define NO_INTS ((Ints){NULL, -1})
#define INTS(...) ((Ints){(const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)})

/*
 * Enters the core: `if (ENTER(ctx, &entry)) {…; entry_leave(ctx, &entry);} else {failed}`.
 * After a failure everything made inside has been released and ctx->error tells why.
 */
#define ENTER(ctx, entry) (entry_open(ctx, entry), _setjmp((entry)->escape) == 0)
void entry_open(Context *ctx, Entry *entry);
void entry_leave(Context *ctx, Entry *entry);

/* Raises an error: unwinds to the innermost entry. The text is prefixed by the op the user called. */
_Noreturn void raise(const Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Raises with the text as it is. */
_Noreturn void raise_plain(Context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Raises an error whose value the host holds. */
_Noreturn void raise_foreign(Context *ctx);

/* Goes on raising the error that was caught last. */
_Noreturn void raise_again(Context *ctx);

_Noreturn void raise_no_memory(Context *ctx, size_t bytes);

/* Makes the scope of the running call the owner of a tensor (whose count it takes over). */
struct Tensor *scope_own(Context *ctx, struct Tensor *t);

/* Makes sure that so many more can be owned without failing. */
void scope_room(Context *ctx, size_t n);

/* The same for a node. */
void scope_own_node(Context *ctx, struct Node *n);

/* Releases what was owned since `mark`. */
void scope_release(Context *ctx, size_t mark);

/* A block of the context's memory; garbage is collected if there is none. Raises if that was no help. */
void *core_allocate(Context *ctx, size_t bytes);

/* Memory until the entry is left; uninitialised. Raises when there is none. */
void *arena_allocate(Context *ctx, size_t bytes);

/* A copy of a list in the arena. */
Ints arena_ints(Context *ctx, const int64_t *v, int64_t n);

/* Raises if the user asked to stop; long loops call it between pieces of work, and parallel_for does. */
void check_interrupt(Call *call);

#endif
