/* The random number generator: MT19937 with PyTorch's conventions, so that
   the same seed gives the same numbers. */
#ifndef NNLUA_CORE_RANDOM_H
#define NNLUA_CORE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

enum { GENERATOR_WORDS = 624 };

/* A generator is plain data: copying the struct saves and restores its state. */
typedef struct Generator {
  uint64_t seed;      /* as given, all 64 bits */
  double next_normal; /* second value of the last pair of normals */
  bool has_normal;    /* whether next_normal is still to be used */
  int32_t used;       /* words already drawn from this block */
  uint32_t state[GENERATOR_WORDS];
} Generator;

/* Restarts the generator from a seed, of which MT19937 uses the low 32 bits, and forgets a cached normal. */
void generator_seed(Generator *generator, uint64_t seed);

/* Draws 32 random bits. */
uint32_t generator_next32(Generator *generator);

/* Draws 64 random bits: the first word drawn is the upper half, as in PyTorch. */
uint64_t generator_next64(Generator *generator);

/* Returns a seed that differs from run to run. */
uint64_t generator_fresh_seed(void);

#endif
