/* MT19937 by M. Matsumoto and T. Nishimura (1997): a recurrence over 624 words, of which a word is read tempered.
   In line, so that whoever draws many words has the loops compiled for its own instruction set. */
#ifndef NNLUA_CORE_MT19937_H
#define NNLUA_CORE_MT19937_H

#include "core/random.h"

static inline uint32_t mt_twist(uint32_t far, uint32_t upper, uint32_t lower)
{
  uint32_t mixed = (upper & 0x80000000u) | (lower & 0x7fffffffu);
  return far ^ (mixed >> 1) ^ (-(lower & 1u) & 0x9908b0dfu);
}

static inline void mt_next_block(Generator *generator)
{
  /* Two loops without a wrap of the index, so that the compiler vectorises
     them: words are only read that this block has not yet written, or that it
     wrote 227 rounds before. */
  enum { N = GENERATOR_WORDS, M = 397 };
  uint32_t *s = generator->state;
  for (int i = 0; i < N - M; i++) s[i] = mt_twist(s[i + M], s[i], s[i + 1]);
  for (int i = N - M; i < N - 1; i++) s[i] = mt_twist(s[i + M - N], s[i], s[i + 1]);
  s[N - 1] = mt_twist(s[M - 1], s[N - 1], s[0]);
  generator->used = 0;
}

static inline uint32_t mt_temper(uint32_t y)
{
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

/* Draws n words: the same numbers as n calls of generator_next32, faster. */
static inline void mt_draw(Generator *generator, int64_t n, uint32_t *out)
{
  while (n > 0) {
    if (generator->used >= GENERATOR_WORDS) mt_next_block(generator);
    int64_t left = GENERATOR_WORDS - generator->used;
    int64_t count = n < left ? n : left;
    const uint32_t *words = generator->state + generator->used;
    for (int64_t i = 0; i < count; i++) out[i] = mt_temper(words[i]);
    generator->used += (int32_t)count;
    out += count;
    n -= count;
  }
}

#endif
