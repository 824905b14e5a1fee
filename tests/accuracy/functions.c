/*
 * Measures the errors of the functions of kernels/typed/vector_math.h against the C library's in a longer type (double
 * for float, long double for double), in units in the last place of the right result: over an interval of each function
 * and over all numbers, with both ends of their range. Prints a line of a table for each function. run.sh compiles and
 * runs it for each instruction set that the machine has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/typed/vector_tails.h"

#if T_f32
typedef double Longer;
#define EXACT(name) name
#else
typedef long double Longer;
#define EXACT(name) name##l
#endif

enum { BATCH = 4096, BATCHES = 1024 };

typedef struct Function {
  const char *name;
  void (*run)(int64_t n, const T *x, T *y);
  Longer (*exact)(Longer x);
  double from, to; /* the interval where most is measured */
} Function;

static Longer exact_sigmoid(Longer x) { return 1 / (1 + EXACT(exp)(-x)); }

#define FUNCTIONS(F)                                                                                                   \
  F(exp, EXACT(exp), -105, 90)                                                                                         \
  F(exp2, EXACT(exp2), -151, 129)                                                                                      \
  F(expm1, EXACT(expm1), -20, 90)                                                                                      \
  F(log, EXACT(log), 0, 4)                                                                                             \
  F(log2, EXACT(log2), 0, 4)                                                                                           \
  F(log10, EXACT(log10), 0, 1000)                                                                                      \
  F(log1p, EXACT(log1p), -1, 4)                                                                                        \
  F(sigmoid, exact_sigmoid, -30, 30)                                                                                   \
  F(tanh, EXACT(tanh), -10, 10)                                                                                        \
  F(sinh, EXACT(sinh), -9, 9)                                                                                          \
  F(cosh, EXACT(cosh), -9, 9) F(asinh, EXACT(asinh), -9, 9) F(acosh, EXACT(acosh), 0, 9) F(atanh, EXACT(atanh), -1, 1) \
    F(erf, EXACT(erf), -4, 4) F(erfc, EXACT(erfc), -4, 10) F(sin, EXACT(sin), -2100, 2100)                             \
      F(cos, EXACT(cos), -2100, 2100) F(tan, EXACT(tan), -2100, 2100) F(atan, EXACT(atan), -9, 9)                      \
        F(asin, EXACT(asin), -1, 1) F(acos, EXACT(acos), -1, 1) F(sqrt, EXACT(sqrt), 0, 4)

#define RUN(name, ...)                                                           \
  static void run_##name(int64_t n, const T *x, T *y)                            \
  {                                                                              \
    for (int64_t i = 0; i < n; i += V) store(y + i, vector_##name(load(x + i))); \
  }
FUNCTIONS(RUN)

#define ENTER(name, exact, from, to) {#name, run_##name, exact, from, to},
static const Function functions[] = {FUNCTIONS(ENTER)};

/* Functions of two numbers, each from the interval or any. */
typedef struct Pair {
  const char *name;
  void (*run)(int64_t n, const T *a, const T *b, T *y);
  Longer (*exact)(Longer a, Longer b);
  double from, to;
} Pair;

#if T_f32
#define PAIRS(F) F(pow, pow, -9, 9) F(atan2, atan2, -9, 9) F(hypot, hypot, -9, 9)
#else
#define PAIRS(F) F(atan2, atan2l, -9, 9) F(hypot, hypotl, -9, 9)
#endif

#define RUN_PAIR(name, ...)                                                                   \
  static void run_##name(int64_t n, const T *a, const T *b, T *y)                             \
  {                                                                                           \
    for (int64_t i = 0; i < n; i += V) store(y + i, vector_##name(load(a + i), load(b + i))); \
  }
PAIRS(RUN_PAIR)

static const Pair pairs[] = {PAIRS(ENTER)};

static uint64_t random_bits(void)
{
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static T any_number(void)
{
  uint64_t bits = random_bits();
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* In units in the last place of a result as small as `right`; infinite where nan, an infinity or a sign is wrong. */
static double error_of(Longer right, T y)
{
  T rounded = (T)right;
  int exponent;
  if (isnan(rounded) || isnan(y)) return isnan(rounded) && isnan(y) ? 0 : INFINITY;
  if (isinf(rounded) || isinf(y)) return rounded == y ? 0 : INFINITY;
  if (rounded == 0 && y == 0) return signbit(rounded) == signbit(y) ? 0 : INFINITY;
  frexp((double)right, &exponent);
  if (exponent < 2 - EXPONENT_BIAS) exponent = 2 - EXPONENT_BIAS;
  return (double)(fabsl((long double)right - (long double)y) / ldexpl(1, exponent - 1 - MANTISSA_BITS));
}

static const double ends[] = {0,  -0.0,  INFINITY, -INFINITY, NAN,   1,      -1,    2,
                              -2, 1e-40, -1e-40,   88.7,      -88.7, -103.5, 709.7, -745};
enum { ENDS = sizeof ends / sizeof *ends };

static void fill(double from, double to, int batch, T *x)
{
  for (int i = 0; i < BATCH; i++) {
    double share = (double)(random_bits() >> 11) * 0x1p-53;
    x[i] = batch % 2 ? any_number() : (T)(from + (to - from) * share);
  }
  for (int i = 0; i < ENDS; i++) x[i] = (T)ends[i];
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least of many runs over numbers that stay in the nearest cache. */
static double nanoseconds(const Function *f, const Pair *p, T *a, T *b, T *y)
{
  double best = INFINITY;
  for (int i = 0; i < BATCH; i++) {
    a[i] = (T)(0.2 + 0.7 * (double)(random_bits() >> 11) * 0x1p-53);
    b[i] = (T)(0.2 + 0.7 * (double)(random_bits() >> 11) * 0x1p-53);
  }
  for (int i = 0; i < 2000; i++) {
    double start = now();
    if (f) f->run(BATCH, a, y);
    else p->run(BATCH, a, b, y);
    double took = now() - start;
    if (took < best) best = took;
  }
  return best / BATCH;
}

/* The error that a function may have: erfc is a product of three that round. */
static double most_of(const Function *f) { return f->exact == EXACT(erfc) ? 6.5 : 2.6; }

static bool measure(const Function *f, T *x, T *y)
{
  double worst = 0;
  T at = 0;
  for (int batch = 0; batch < BATCHES; batch++) {
    fill(f->from, f->to, batch, x);
    f->run(BATCH, x, y);
    for (int i = 0; i < BATCH; i++) {
      double error = error_of(f->exact((Longer)x[i]), y[i]);
      if (error <= worst) continue;
      worst = error;
      at = x[i];
    }
  }
  printf("| %s | %.2f | %.9g | %.2f |\n", f->name, worst, (double)at, nanoseconds(f, NULL, x, x, y));
  return worst <= most_of(f);
}

static bool measure_pair(const Pair *p, T *a, T *b, T *y)
{
  double worst = 0;
  T at[2] = {0};
  for (int batch = 0; batch < BATCHES; batch++) {
    fill(p->from, p->to, batch, a);
    fill(p->from, p->to, batch / 2, b);
    for (int i = 0; i < ENDS * ENDS; i++) a[i] = (T)ends[i / ENDS], b[i] = (T)ends[i % ENDS];
    p->run(BATCH, a, b, y);
    for (int i = 0; i < BATCH; i++) {
      double error = error_of(p->exact((Longer)a[i], (Longer)b[i]), y[i]);
      if (error <= worst) continue;
      worst = error;
      at[0] = a[i], at[1] = b[i];
    }
  }
  double ns = nanoseconds(NULL, p, a, b, y);
  printf("| %s | %.2f | %.9g, %.9g | %.2f |\n", p->name, worst, (double)at[0], (double)at[1], ns);
  return worst <= 2.6;
}

int main(void)
{
  static T a[BATCH], b[BATCH], y[BATCH];
  bool right = true;
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) right &= measure(&functions[k], a, y);
  for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) right &= measure_pair(&pairs[k], a, b, y);
  return !right;
}
