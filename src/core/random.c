/* Seeds generators, by a number or anew, and draws words of 32 and 64 bits. */
#include "core/random.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/mt19937.h"

void generator_seed(Generator *generator, uint64_t seed)
{
  uint32_t *s = generator->state;
  s[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < GENERATOR_WORDS; i++) s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
  generator->seed = seed;
  generator->used = GENERATOR_WORDS;
  generator->has_normal = false;
  generator->next_normal = 0;
}

uint32_t generator_next32(Generator *generator)
{
  if (generator->used >= GENERATOR_WORDS) mt_next_block(generator);
  return mt_temper(generator->state[generator->used++]);
}

uint64_t generator_next64(Generator *generator)
{
  uint64_t high = generator_next32(generator);
  return high << 32 | generator_next32(generator);
}

/* Spreads every bit of x over the result (the finaliser of SplitMix64). */
static uint64_t seed_mix(uint64_t x)
{
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

uint64_t generator_fresh_seed(void)
{
  static atomic_uint_fast64_t calls;
  uint64_t seed = 0;
  FILE *file = fopen("/dev/urandom", "rb");
  if (file) {
    size_t got = fread(&seed, sizeof seed, 1, file);
    fclose(file);
    if (got == 1) return seed;
  }
  /* No such device in this sandbox: the clock, the process and a count. */
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  seed = seed_mix((uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
  seed = seed_mix(seed + (uint64_t)getpid());
  return seed_mix(seed + atomic_fetch_add(&calls, 1));
}
