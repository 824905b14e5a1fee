#include "core/random.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* MT19937 by M. Matsumoto and T. Nishimura (1997): a recurrence over 624
   words, of which a word is read tempered. */
enum { MT_SHIFT = 397 };

void generator_seed(Generator *generator, uint64_t seed) {
  uint32_t *s = generator->state;
  s[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < GENERATOR_WORDS; i++)
    s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
  generator->seed = seed;
  generator->used = GENERATOR_WORDS;
  generator->has_normal = false;
  generator->next_normal = 0;
}

static inline uint32_t mt_twist(uint32_t far, uint32_t upper, uint32_t lower) {
  uint32_t mixed = (upper & 0x80000000u) | (lower & 0x7fffffffu);
  return far ^ (mixed >> 1) ^ (-(lower & 1u) & 0x9908b0dfu);
}

static void mt_next_block(Generator *generator) {
  /* Two loops without a wrap of the index, so that the compiler vectorises
     them: words are only read that this block has not yet written, or that it
     wrote 227 rounds before. */
  enum { N = GENERATOR_WORDS, M = MT_SHIFT };
  uint32_t *s = generator->state;
  for (int i = 0; i < N - M; i++)
    s[i] = mt_twist(s[i + M], s[i], s[i + 1]);
  for (int i = N - M; i < N - 1; i++)
    s[i] = mt_twist(s[i + M - N], s[i], s[i + 1]);
  s[N - 1] = mt_twist(s[M - 1], s[N - 1], s[0]);
  generator->used = 0;
}

static inline uint32_t mt_temper(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint32_t generator_next32(Generator *generator) {
  if (generator->used >= GENERATOR_WORDS)
    mt_next_block(generator);
  return mt_temper(generator->state[generator->used++]);
}

uint64_t generator_next64(Generator *generator) {
  uint64_t high = generator_next32(generator);
  return high << 32 | generator_next32(generator);
}

void generator_draw32(Generator *generator, int64_t n, uint32_t *out) {
  while (n > 0) {
    if (generator->used >= GENERATOR_WORDS)
      mt_next_block(generator);
    int64_t left = GENERATOR_WORDS - generator->used;
    int64_t count = n < left ? n : left;
    const uint32_t *words = generator->state + generator->used;
    for (int64_t i = 0; i < count; i++)
      out[i] = mt_temper(words[i]);
    generator->used += (int32_t)count;
    out += count;
    n -= count;
  }
}

/* Spreads every bit of x over the result (the finaliser of SplitMix64). */
static uint64_t seed_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

uint64_t generator_fresh_seed(void) {
  static atomic_uint_fast64_t calls;
  uint64_t seed = 0;
  FILE *file = fopen("/dev/urandom", "rb");
  if (file) {
    size_t got = fread(&seed, sizeof seed, 1, file);
    fclose(file);
    if (got == 1)
      return seed;
  }
  /* No such device in this sandbox: the clock, the process and a count. */
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  seed = seed_mix((uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
  seed = seed_mix(seed + (uint64_t)getpid());
  return seed_mix(seed + atomic_fetch_add(&calls, 1));
}
