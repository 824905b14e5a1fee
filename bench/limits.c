/*
 * What one thread of this machine can do at most, for bench/run.lua: "flops F", fused multiplications and additions of
 * float32 a second; "copy BYTES RATE", bytes a second read and written where both halves of a copy are BYTES together.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 5, LANES_512 = 16, LANES_256 = 8, CHAINS = 12 };

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* As many independent chains of x = x * a + b as hide the latency, in registers: the loops are unrolled for that. */
#define EACH_CHAIN _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)
#define DEFINE_FMA(name, isa, lanes)                                          \
  __attribute__((target(isa), noinline)) static double name(long n)           \
  {                                                                           \
    typedef float vector __attribute__((vector_size(lanes * sizeof(float)))); \
    vector x[CHAINS], a = (vector){0} + 0.999f, b = (vector){0} + 1e-3f;      \
    EACH_CHAIN x[i] = b + (float)i;                                           \
    double start = seconds();                                                 \
    for (long k = 0; k < n; k++) EACH_CHAIN                                   \
      {                                                                       \
        x[i] = x[i] * a + b;                                                  \
        __asm__("" : "+v"(x[i]));                                             \
      }                                                                       \
    double taken = seconds() - start;                                         \
    EACH_CHAIN __asm__ volatile("" ::"v"(x[i]));                              \
    return (double)n * CHAINS * lanes * 2 / taken;                            \
  }

#if defined __x86_64__
DEFINE_FMA(fma_512, "avx512f", LANES_512)
DEFINE_FMA(fma_256, "avx2,fma", LANES_256)
#endif

static double flops(void)
{
  double (*of)(long) = NULL;
#if defined __x86_64__
  const char *held = getenv("NNLUA_ISA");
  if (__builtin_cpu_supports("avx2")) of = fma_256;
  if (__builtin_cpu_supports("avx512f") && !(held && strcmp(held, "avx2") == 0)) of = fma_512;
#endif
  double best = 0;
  for (int i = 0; of && i < ROUNDS; i++) {
    double now = of(2000000);
    best = now > best ? now : best;
  }
  return best;
}

static double copy_rate(char *block, size_t bytes)
{
  size_t half = bytes / 2, repeats = ((size_t)256 << 20) / bytes + 1;
  double best = 0;
  for (int i = 0; i < ROUNDS; i++) {
    double start = seconds();
    for (size_t r = 0; r < repeats; r++) {
      memcpy(block, block + half, half);
      __asm__ volatile("" ::: "memory");
    }
    double now = (double)(bytes * repeats) / (seconds() - start);
    best = now > best ? now : best;
  }
  return best;
}

int main(void)
{
  static const size_t sizes[] = {16 << 10, 256 << 10, 2 << 20, 16 << 20, 128 << 20, 512 << 20};
  size_t most = sizes[sizeof sizes / sizeof *sizes - 1];
  char *block = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return EXIT_FAILURE;
  madvise(block, most, MADV_HUGEPAGE);
  memset(block, 1, most);
  printf("flops %.4g\n", flops());
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    printf("copy %zu %.4g\n", sizes[i], copy_rate(block, sizes[i]));
  return EXIT_SUCCESS;
}
