/* Memory for the bodies of a parallel loop: as many pieces as bodies run at a time. */
#ifndef NNLUA_LAUNCH_SCRATCH_H
#define NNLUA_LAUNCH_SCRATCH_H

#include <stdatomic.h>

#include "core/parallel.h"
#include "core/tensor.h"

enum { SCRATCH_PIECES = 256 };

typedef struct Scratch {
  char *memory;
  int64_t bytes; /* of a piece, a multiple of 64 */
  int pieces;
  atomic_flag taken[SCRATCH_PIECES];
} Scratch;

/* Pieces for up to so many bodies at a time; they live as long as the running call. */
static inline void scratch_init(Call *call, Scratch *s, int64_t bodies, int64_t bytes)
{
  int64_t threads = parallel_threads();
  if (bodies > threads) bodies = threads;
  s->pieces = (int)(bodies < 1 ? 1 : bodies > SCRATCH_PIECES ? SCRATCH_PIECES : bodies);
  s->bytes = (bytes + 63) / 64 * 64;
  for (int i = 0; i < s->pieces; i++) atomic_flag_clear(&s->taken[i]);
  s->memory = tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(s->pieces, s->bytes)));
}

/* A piece of one's own until it is given back. */
static inline char *scratch_take(Scratch *s)
{
  for (int i = 0;; i = (i + 1) % s->pieces)
    if (!atomic_flag_test_and_set(&s->taken[i])) return s->memory + i * s->bytes;
}

static inline void scratch_give(Scratch *s, const char *piece)
{
  atomic_flag_clear(&s->taken[(piece - s->memory) / s->bytes]);
}

#endif
