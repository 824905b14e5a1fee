/* Where PyTorch's compiler fused a product and a sum, fma is spelled out here, so that every build and instruction set
   gives the same numbers. */
#include <math.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "core/half.h"
#include "core/mt19937.h"
#include "kernels/isa/isa.h"

/* Words are drawn a buffer at a time; the buffer is even, so that pairs stay together. */
enum { WORDS = RANDOM_WORDS, PAIRS = WORDS / 2, NORMAL_BLOCK = 16 };

static inline uint64_t low53_of_pair(const uint32_t *pair) { return (uint64_t)(pair[0] & 0x1fffffu) << 32 | pair[1]; }

static inline double unit_f64(const uint32_t *pair) { return (double)(int64_t)low53_of_pair(pair) * 0x1p-53; }

static inline double draw_unit_f64(Generator *generator)
{
  uint32_t pair[2] = {generator_next32(generator), 0};
  pair[1] = generator_next32(generator);
  return unit_f64(pair);
}

/* Numbers in [0, 1) with as many random bits as the type has digits. */
static void fill_unit(Generator *generator, int64_t n, float *out)
{
  uint32_t words[WORDS];
  for (; n > 0; n -= WORDS, out += WORDS) {
    int64_t count = min_i64(n, WORDS);
    mt_draw(generator, count, words);
    for (int64_t i = 0; i < count; i++) out[i] = (float)(int32_t)(words[i] & 0xffffffu) * 0x1p-24f;
  }
}

static void fill_unit_f64(Generator *generator, int64_t n, double *out)
{
  uint32_t words[WORDS];
  for (; n > 0; n -= PAIRS, out += PAIRS) {
    int64_t count = min_i64(n, PAIRS);
    mt_draw(generator, 2 * count, words);
    for (int64_t i = 0; i < count; i++) out[i] = unit_f64(words + 2 * i);
  }
}

/* ---- uniform ---- */

static void uniform_f32(Generator *generator, int64_t n, float *out, double from, double to)
{
  float low = (float)from, range = (float)to - low;
  fill_unit(generator, n, out);
  for (int64_t i = 0; i < n; i++) out[i] = fmaf(out[i], range, low);
}

static void uniform_f64(Generator *generator, int64_t n, double *out, double from, double to)
{
  double range = to - from;
  fill_unit_f64(generator, n, out);
  for (int64_t i = 0; i < n; i++) out[i] = fma(out[i], range, from);
}

/* ---- normal ---- */

static const double two_pi = 6.283185307179586;

/* One of a pair made by Box and Muller's method; the other one is kept for the next call. */
static double draw_normal(Generator *generator)
{
  if (generator->has_normal) {
    generator->has_normal = false;
    return generator->next_normal;
  }
  double angle = two_pi * draw_unit_f64(generator);
  double radius = sqrt(-2 * log(1 - draw_unit_f64(generator)));
  generator->next_normal = radius * sin(angle);
  generator->has_normal = true;
  return radius * cos(angle);
}

/* The logarithm, sine and cosine of float32 normals are Cephes' (S. L. Moshier), with its coefficients, in the order
   of operations that PyTorch's AVX2 code has after its compiler fused what it could: so the numbers are its numbers,
   to the bit. */

static inline float normal_log(float u)
{
  uint32_t bits = half_bits_of_float(u);
  float m = half_float_of_bits((bits & 0x7fffffu) | 0x3f000000u); /* in [0.5, 1) */
  bool low = m < 0.707106781186547524f;
  float e = (float)((int32_t)(bits >> 23) - 126 - low);
  float x = low ? m - 1 + m : m - 1, z = x * x;
  float y = fmaf(7.0376836292e-2f, x, -1.1514610310e-1f);
  y = fmaf(y, x, 1.1676998740e-1f);
  y = fmaf(y, x, -1.2420140846e-1f);
  y = fmaf(y, x, 1.4249322787e-1f);
  y = fmaf(y, x, -1.6668057665e-1f);
  y = fmaf(y, x, 2.0000714765e-1f);
  y = fmaf(y, x, -2.4999993993e-1f);
  y = fmaf(y, x, 3.3333331174e-1f);
  y = fmaf(y * x, z, e * -2.12194440e-4f);
  y = fmaf(z, -0.5f, y);
  return fmaf(e, 0.693359375f, x + y);
}

/* Of an angle from 0 on; j counts eighths of a turn, rounded up to an even number. */
static inline void normal_sin_cos(float angle, float *sine, float *cosine)
{
  int32_t j = ((int32_t)(angle * 1.27323954473516f) + 1) & ~1;
  float y = (float)j;
  float x = fmaf(y, -0.78515625f, angle);
  x = fmaf(y, -2.4187564849853515625e-4f, x);
  x = fmaf(y, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = fmaf(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = fmaf(c, z, 4.166664568298827e-2f);
  c = fmaf(c * z, z, z * -0.5f) + 1;
  float s = fmaf(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = fmaf(s, z, -1.6666654611e-1f);
  s = fmaf(s * z, x, x);
  bool swap = (j & 2) != 0;
  uint32_t sine_sign = (uint32_t)(j & 4) << 29, cosine_sign = (uint32_t)(~(j - 2) & 4) << 29;
  *sine = half_float_of_bits(half_bits_of_float(swap ? c : s) ^ sine_sign);
  *cosine = half_float_of_bits(half_bits_of_float(swap ? s : c) ^ cosine_sign);
}

/* Turns 16 uniform numbers into normal ones: the first 8 give radii, the last 8 angles. */
static void normal_block_f32(float *x, double mean, double std)
{
  float m = (float)mean, s = (float)std;
  for (int i = 0; i < 8; i++) {
    float radius = sqrtf(-2 * normal_log(1 - x[i])), sine, cosine;
    normal_sin_cos((float)two_pi * x[i + 8], &sine, &cosine);
    x[i] = fmaf(radius * cosine, s, m);
    x[i + 8] = fmaf(radius * sine, s, m);
  }
}

static void normal_block_f64(double *x, double mean, double std)
{
  for (int i = 0; i < 8; i++) {
    double radius = sqrt(-2 * log(1 - x[i])), angle = two_pi * x[i + 8];
    x[i] = fma(radius * cos(angle), std, mean);
    x[i + 8] = fma(radius * sin(angle), std, mean);
  }
}

/* u < p of a u with 53 bits, asked of integers: k / 2^53 < p says k < ceil(p * 2^53). */
static uint64_t bernoulli_bound(double p)
{
  return p >= 1 ? UINT64_C(1) << 53 : p > 0 ? (uint64_t)ceil(p * 0x1p53) : 0;
}

/* ---- each type ---- */

#define AS_IS(x) (x)

#define SUFFIX f32
#define TYPE float
#define OF_DOUBLE (float)
#include "kernels/isa/random_body.h"

#define SUFFIX f64
#define TYPE double
#define OF_DOUBLE AS_IS
#include "kernels/isa/random_body.h"

#define SUFFIX u8
#define TYPE uint8_t
#include "kernels/isa/random_body.h"

static void bernoulli_each_f32(Generator *generator, int64_t n, uint8_t *out, const float *p)
{
  float units[WORDS];
  for (; n > 0; n -= WORDS, out += WORDS, p += WORDS) {
    int64_t count = min_i64(n, WORDS);
    fill_unit(generator, count, units);
    for (int64_t i = 0; i < count; i++) out[i] = units[i] < p[i];
  }
}

static void bernoulli_each_f64(Generator *generator, int64_t n, uint8_t *out, const double *p)
{
  double units[PAIRS];
  for (; n > 0; n -= PAIRS, out += PAIRS, p += PAIRS) {
    int64_t count = min_i64(n, PAIRS);
    fill_unit_f64(generator, count, units);
    for (int64_t i = 0; i < count; i++) out[i] = units[i] < p[i];
  }
}

/* ---- integers ---- */

/* From this many numbers on, a modulo of 32 bits would prefer some of them visibly: 64 bits are drawn. */
#define LARGE_RANGE (UINT64_C(1) << 28)

static void integers(Generator *generator, int64_t n, int64_t *out, int64_t low, int64_t high)
{
  uint64_t base = (uint64_t)low, range = (uint64_t)high - base;
  uint32_t words[WORDS];
  if (range >= LARGE_RANGE) {
    for (int64_t i = 0; i < n; i++) out[i] = (int64_t)(generator_next64(generator) % range + base);
    return;
  }
  uint32_t small = range ? (uint32_t)range : 1;
  for (; n > 0; n -= WORDS, out += WORDS) {
    int64_t count = min_i64(n, WORDS);
    mt_draw(generator, count, words);
    for (int64_t i = 0; i < count; i++) out[i] = (int64_t)(words[i] % small + base);
  }
}

static void permutation(Generator *generator, int64_t n, int64_t *out)
{
  /* Above this size 32 bits are too few for a modulo without a visible bias. */
  bool wide = n >= UINT32_MAX / 20;
  for (int64_t i = 0; i < n; i++) out[i] = i + 1;
  for (int64_t i = 0; i < n - 1; i++) {
    uint64_t bits = wide ? generator_next64(generator) : generator_next32(generator);
    int64_t j = i + (int64_t)(bits % (uint64_t)(n - i));
    int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}

/* ---- the table ---- */

void OF_ISA(fill_random_fills)(RandomFills *t)
{
#define SET(suffix)                               \
  t->uniform_##suffix = uniform_##suffix;         \
  t->normal_##suffix = normal_##suffix;           \
  t->exponential_##suffix = exponential_##suffix; \
  t->bernoulli_##suffix = bernoulli_##suffix
  SET(f32);
  SET(f64);
#undef SET
  t->bernoulli_u8 = bernoulli_u8;
  t->bernoulli_each_f32 = bernoulli_each_f32;
  t->bernoulli_each_f64 = bernoulli_each_f64;
  t->integers = integers;
  t->permutation = permutation;
}
