/*
 * Elementary functions of vectors, for T. Errors are below 2.5 ulp over the whole range, subnormal results included;
 * docs/accuracy.md has them, and tests/accuracy measures them. Infinities, NaN and the sign of zero come out as C's own
 * functions have them. What only few numbers need (ends of the range) is behind a test of the whole vector.
 *
 * Polynomials and rational functions are minimax ones, in relative error of the function, unless a comment names
 * another source. Nothing here needs fma, and nothing breaks where the compiler fuses.
 */
#ifndef NNLUA_KERNELS_VECTOR_MATH_H
#define NNLUA_KERNELS_VECTOR_MATH_H

#include "kernels/typed/vector.h"

#if T_FLOATING

#if T_f32
#define SIGN_BIT INT32_MIN
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#else
#define SIGN_BIT INT64_MIN
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#endif

/* Paths that are hardly ever taken, kept out of loops. */
#define RARE static __attribute__((noinline, cold, unused))

INLINE Vector vector_abs(Vector x) { return vector_of_bits(bits_of(x) & ~SIGN_BIT); }

/* The magnitude, which must not be negative, with the sign of another number. */
INLINE Vector vector_signed(Vector magnitude, Vector sign)
{
  return vector_of_bits(bits_of(magnitude) | (bits_of(sign) & SIGN_BIT));
}

/* ---- exponentials ---- */

#if T_f32
#define LOG2_E 1.44269504f
#define LN2_HIGH 0.693145752f /* 15 bits, so that products with exponents are exact */
#define LN2_LOW 1.42860682e-6f
#define ROUNDER 0x1.8p23f
#define EXP_INNER 87.0f    /* up to here neither e^x nor its exponent is at an end of the range */
#define EXP_LOWEST -104.0f /* e^x is 0 below, infinite above */
#define EXP_HIGHEST 89.0f
#else
#define LOG2_E 1.4426950408889634
#define LN2_HIGH 0x1.62e42feep-1 /* 32 bits */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define ROUNDER 0x1.8p52
#define EXP_INNER 708.0
#define EXP_LOWEST -746.0
#define EXP_HIGHEST 710.0
#endif

/* Terms are taken in pairs, in powers of the square: half as long a chain of operations that wait for each other. */

/* (e^r - 1 - r) / r^2 for |r| <= ln2 / 2; s = r^2. */
INLINE Vector exp_tail(Vector r, Vector s)
{
#if T_f32
  Vector q = 0.001388249835f * s + (0.008366646793f * r + 0.0416672039f);
  return q * s + (0.1666654268f * r + 0.4999999813f);
#else
  Vector q = 2.0875319884927124e-09 * s + (2.5109195301070247e-08 * r + 2.755740329608445e-07);
  q = q * s + (2.7557243803727983e-06 * r + 2.480158717103769e-05);
  q = q * s + (0.00019841269886477665 * r + 0.0013888888888963506);
  q = q * s + (0.008333333333321513 * r + 0.041666666666666505);
  return q * s + (0.16666666666666677 * r + 0.5);
#endif
}

/* x = n ln2 + r with |r| <= ln2 / 2: e^r - 1, and n, which is also in the low bits of power: adding 1.5 * 2^23 rounds
   x / ln2 to an integer and leaves it there. */
typedef struct ExpParts {
  Vector rest, n;
  Mask power;
} ExpParts;

INLINE ExpParts exp_parts(Vector x)
{
  Vector sum = x * LOG2_E + ROUNDER, n = sum - ROUNDER;
  Vector r = x - n * LN2_HIGH - n * LN2_LOW;
  Vector s = r * r;
  return (ExpParts){exp_tail(r, s) * s + r, n, bits_of(sum)};
}

/* 2^n of parts where that is a normal number. */
INLINE Vector power_of(ExpParts e) { return vector_of_bits((e.power + EXPONENT_BIAS) << MANTISSA_BITS); }

/* e^x for |x| <= EXP_INNER. */
INLINE Vector exp_inner(Vector x)
{
  ExpParts e = exp_parts(x);
#if HAS_SCALING
  return scaled_by_power(e.rest + 1, e.n);
#else
  return vector_of_bits(bits_of(e.rest + 1) + (e.power << MANTISSA_BITS));
#endif
}

/* e^x, with 2^n in two factors: it may be subnormal or infinite where the result is not. */
INLINE Vector exp_outer(Vector x)
{
  ExpParts e = exp_parts(smaller(AS_VECTOR((T)EXP_HIGHEST), larger(AS_VECTOR((T)EXP_LOWEST), x)));
#if HAS_SCALING
  return scaled_by_power(e.rest + 1, e.n);
#else
  Mask biased = e.power + 2 * EXPONENT_BIAS, half = biased >> 1;
  return (e.rest + 1) * vector_of_bits(half << MANTISSA_BITS) * vector_of_bits((biased - half) << MANTISSA_BITS);
#endif
}

RARE Vector exp_anywhere(Vector x) { return exp_outer(x); }

/* e^x. */
INLINE Vector vector_exp(Vector x)
{
#if HAS_SCALING
  return exp_outer(x);
#else
  if (any_of(~(vector_abs(x) <= EXP_INNER))) return exp_anywhere(x);
  return exp_inner(x);
#endif
}

/* ---- logarithms ---- */

/* log(1 + f) + e ln2 */
INLINE Vector log_joined(Vector f, Vector e)
{
#if T_f32
  Vector square = f * f;
  Vector p = 0.06746659795f * square + (0.1188816572f - 0.1167567373f * f);
  p = p * square + (0.1421955155f - 0.1240558583f * f);
  p = p * square + (0.200021187f - 0.1666799598f * f);
  p = p * square + (0.333333126f - 0.250000096f * f);
  Vector y = p * f * square + e * LN2_LOW;
  y = y - 0.5f * square;
  return e * LN2_HIGH + (f + y);
#else
  /* Method and coefficients of fdlibm's e_log.c (Sun Microsystems, 1993). */
  Vector s = f / (2 + f), z = s * s, w = z * z;
  Vector even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  Vector odd = z
               * (6.666666666666735130e-01
                  + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  Vector half_square = 0.5 * f * f;
  Vector tail = s * (half_square + (even + odd)) + e * LN2_LOW;
  return e * LN2_HIGH - ((half_square - tail) - f);
#endif
}

#if T_f32
#define SMALLEST_NORMAL 0x1p-126f
#define LIFT 0x1p25f /* makes subnormal numbers normal */
#define LIFT_BITS 25.0f
#define ROOT_HALF_BITS 0x3f3504f3
#define WHOLE 0x1p23f
#else
#define SMALLEST_NORMAL 0x1p-1022
#define LIFT 0x1p54
#define LIFT_BITS 54.0
#define ROOT_HALF_BITS INT64_C(0x3fe6a09e667f3bcd)
#define WHOLE 0x1p52
#endif

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)), for a normal x > 0: returns m. The exponent goes by way of the low bits of
   WHOLE: integers of 64 bits don't convert. */
INLINE Vector log_split(Vector x, Vector *e)
{
#if HAS_SPLITTING
  return split_number(x, (T)1.4142135623730951, e);
#else
  Mask bits = bits_of(x) - ROOT_HALF_BITS + ((Integer)EXPONENT_BIAS << MANTISSA_BITS);
  Mask exponent = bits >> MANTISSA_BITS & (2 * EXPONENT_BIAS + 1);
  *e = vector_of_bits(exponent | bits_of(AS_VECTOR((T)WHOLE))) - (T)(WHOLE + EXPONENT_BIAS);
  return vector_of_bits((bits & (((Integer)1 << MANTISSA_BITS) - 1)) + ROOT_HALF_BITS);
#endif
}

/* Whether all are normal, positive and finite. */
INLINE bool all_normal(Vector x)
{
  const Integer smallest = (Integer)1 << MANTISSA_BITS, infinite = (2 * EXPONENT_BIAS + 1) * smallest;
  return !any_of(bits_of(x) + infinite >= -2 * smallest); /* which wraps */
}

/* x 2^e = u with u normal where x is subnormal. */
INLINE Vector lifted(Vector x, Vector *e)
{
  Mask is_small = x < SMALLEST_NORMAL;
  *e = choose(is_small, AS_VECTOR(-(T)LIFT_BITS), AS_VECTOR((T)0));
  return choose(is_small, x * LIFT, x);
}

/* Puts in the values at and beyond the ends: of the logarithm of u, where x is the argument and y the result so far. */
INLINE Vector log_ends(Vector u, Vector x, Vector y)
{
  y = choose(x < INFINITY, y, x);
  return choose(u > 0, y, choose(u == 0, AS_VECTOR(-(T)INFINITY), AS_VECTOR((T)NAN)));
}

RARE Vector log_anywhere(Vector x)
{
  Vector shift, e, m = log_split(lifted(x, &shift), &e);
  return log_ends(x, x, log_joined(m - 1, e + shift));
}

/* The natural logarithm. */
INLINE Vector vector_log(Vector x)
{
  if (!all_normal(x)) return log_anywhere(x);
  Vector e, m = log_split(x, &e);
  return log_joined(m - 1, e);
}

/* log(1 + x), which has the sign of x. */
INLINE Vector log1p_of(bool anywhere, Vector x)
{
  Vector u = 1 + x, e, m = log_split(u, &e);
  /* m - 1 = 2^-e (1 + x) - 1 without the rounding of u; a large x needs no such care. */
  Vector scale = vector_of_bits(bits_of((T)(WHOLE + EXPONENT_BIAS) - e) << MANTISSA_BITS);
  Vector f = choose(e > (T)(MANTISSA_BITS + 7), m - 1, scale * x + (scale - 1));
  Vector y = log_joined(f, e);
  if (anywhere) y = log_ends(u, x, y);
  return vector_of_bits(bits_of(y) | (bits_of(x) & SIGN_BIT));
}

RARE Vector log1p_anywhere(Vector x) { return log1p_of(true, x); }

INLINE Vector vector_log1p(Vector x)
{
  if (!all_normal(1 + x)) return log1p_anywhere(x);
  return log1p_of(false, x);
}

#if T_f32
#define LOG10_2_HIGH 0.301025390625f
#define LOG10_2_LOW 4.605038981e-06f
#else
#define LOG10_2_HIGH 0x1.34413509f7p-2 /* 42 bits */
#define LOG10_2_LOW 0x1.3fde623e2566bp-43
#endif

/* The logarithms to base 2, exact for powers of 2, and to base 10, of the parts of a number. */
INLINE Vector log2_joined(Vector m, Vector e) { return log_joined(m - 1, (Vector){0}) * LOG2_E + e; }
INLINE Vector log10_joined(Vector m, Vector e)
{
  return e * LOG10_2_HIGH + (log_joined(m - 1, (Vector){0}) * (T)0.43429448190325183 + e * LOG10_2_LOW);
}

#define LOGARITHM(base)                                    \
  RARE Vector base##_anywhere(Vector x)                    \
  {                                                        \
    Vector shift, e, m = log_split(lifted(x, &shift), &e); \
    return log_ends(x, x, base##_joined(m, e + shift));    \
  }                                                        \
  INLINE Vector vector_##base(Vector x)                    \
  {                                                        \
    if (!all_normal(x)) return base##_anywhere(x);         \
    Vector e, m = log_split(x, &e);                        \
    return base##_joined(m, e);                            \
  }
LOGARITHM(log2)
LOGARITHM(log10)

/* ---- what follows from exponentials ---- */

/* 2^x. */
INLINE Vector exp2_of(Vector x)
{
  Vector sum = x + ROUNDER, r = (x - (sum - ROUNDER)) * (T)0.69314718055994531, s = r * r;
  Vector m = exp_tail(r, s) * s + r + 1;
  Mask biased = bits_of(sum) + 2 * EXPONENT_BIAS, half = biased >> 1;
  return m * vector_of_bits(half << MANTISSA_BITS) * vector_of_bits((biased - half) << MANTISSA_BITS);
}

INLINE Vector vector_exp2(Vector x)
{
  const T low = sizeof(T) == 4 ? -151 : -1076, high = sizeof(T) == 4 ? (T)128.5 : (T)1024.5;
  return exp2_of(smaller(AS_VECTOR(high), larger(AS_VECTOR(low), x)));
}

/* e^x - 1 for |x| <= EXP_INNER, with the sign of x. */
INLINE Vector expm1_inner(Vector x)
{
  ExpParts e = exp_parts(x);
  Vector scale = power_of(e), y = scale * e.rest + (scale - 1);
  return vector_of_bits(bits_of(y) | (bits_of(x) & SIGN_BIT));
}

RARE Vector expm1_anywhere(Vector x)
{
  ExpParts e = exp_parts(smaller(AS_VECTOR((T)EXP_HIGHEST), larger(AS_VECTOR((T)-40), x)));
  Vector scale = vector_of_bits((e.power + (EXPONENT_BIAS - 1))
                                << MANTISSA_BITS); /* half of 2^n, which may be too large */
  Vector y = 2 * (scale * e.rest + (scale - (T)0.5));
  return vector_of_bits(bits_of(y) | (bits_of(x) & SIGN_BIT));
}

INLINE Vector vector_expm1(Vector x)
{
  if (any_of(~(vector_abs(x) <= EXP_INNER))) return expm1_anywhere(x);
  return expm1_inner(x);
}

RARE Vector sigmoid_anywhere(Vector x)
{
  Vector e = exp_outer(-vector_abs(x)), y = choose(x < 0, e, AS_VECTOR((T)1)) / (1 + e);
  return y;
}

/* 1 / (1 + e^-x). */
INLINE Vector vector_sigmoid(Vector x)
{
  if (any_of(~(vector_abs(x) <= EXP_INNER))) return sigmoid_anywhere(x);
  return quotient(AS_VECTOR((T)1), 1 + exp_inner(-x));
}

/* The hyperbolic tangent, by e^2a - 1: what that is wrong by hardly counts where it is large. */
INLINE Vector vector_tanh(Vector x)
{
  const T end = sizeof(T) == 4 ? 10 : 20; /* from here on it is 1 */
  Vector e = expm1_inner(2 * smaller(AS_VECTOR(end), vector_abs(x)));
  return vector_signed(quotient(e, e + 2), x);
}

/* Lane by lane, by the C library: for rare arguments. */
#define OUTER_BY_LANES(name)                             \
  RARE Vector name##_anywhere(Vector x)                  \
  {                                                      \
    for (int j = 0; j < V; j++) x[j] = LIBM(name)(x[j]); \
    return x;                                            \
  }
OUTER_BY_LANES(sinh)
OUTER_BY_LANES(cosh)

/* The hyperbolic sine. */
INLINE Vector vector_sinh(Vector x)
{
  Vector a = vector_abs(x);
  if (any_of(~(a <= EXP_INNER))) return sinh_anywhere(x);
  Vector e = expm1_inner(a);
  return vector_signed((T)0.5 * (e + e / (e + 1)), x);
}

/* The hyperbolic cosine. */
INLINE Vector vector_cosh(Vector x)
{
  Vector a = vector_abs(x);
  if (any_of(~(a <= EXP_INNER))) return cosh_anywhere(x);
  Vector e = exp_inner(a);
  return (T)0.5 * e + (T)0.5 / e;
}

/* The inverse of the hyperbolic tangent. */
INLINE Vector vector_atanh(Vector x)
{
  Vector a = vector_abs(x);
  return vector_signed((T)0.5 * vector_log1p(2 * a / (1 - a)), x);
}

/* ---- the error function ---- */

#if T_f64
INLINE Vector erf_near(Vector a)
{
  Vector z = a * a;
  Vector p = -7.779487864135419e-10 * z + 1.3710991461964517e-08;
  p = p * z - 1.6206316489635374e-07;
  p = p * z + 1.6447131952536898e-06;
  p = p * z - 1.492471233506079e-05;
  p = p * z + 0.00012055293578739574;
  p = p * z - 0.0008548325929380051;
  p = p * z + 0.0052239776061199245;
  p = p * z - 0.026866170643111652;
  p = p * z + 0.11283791670944186;
  p = p * z - 0.3761263890318352;
  p = p * z + 0.12837916709551256;
  return a * p + a;
}

/* -log(1 - erf(a)) for 1 <= a <= 6. */
INLINE Vector erf_tail(Vector a)
{
  Vector q = -1.0495962545688161e-12 * a + 4.795928311032576e-11;
  q = q * a - 1.0256782904015209e-09;
  q = q * a + 1.3626413945549558e-08;
  q = q * a - 1.2570239383803065e-07;
  q = q * a + 8.50558022176486e-07;
  q = q * a - 4.326966710880054e-06;
  q = q * a + 1.6513678423952683e-05;
  q = q * a - 4.503669142124617e-05;
  q = q * a + 7.036522610398145e-05;
  q = q * a + 4.482479390596996e-05;
  q = q * a - 0.0006411758013915935;
  q = q * a + 0.0017690038974563446;
  q = q * a - 0.0002804911874696593;
  q = q * a - 0.019078154217831347;
  q = q * a + 0.102747251825976;
  q = q * a + 0.636628489002406;
  q = q * a + 1.128377329249075;
  return q * a + 1.7962145192579736e-07;
}
#endif

#if T_f32
INLINE Vector erf_near(Vector a)
{
  Vector z = a * a;
  Vector p = 7.853860784e-5f * z - 0.0008010193446f;
  p = p * z + 0.005188327665f;
  p = p * z - 0.02685381192f;
  p = p * z + 0.1128358515f;
  p = p * z - 0.3761262582f;
  return a * (p * z + 0.128379166f) + a;
}

/* -log(1 - erf(a)) for 1 <= a <= 3.95. */
INLINE Vector erf_tail(Vector a)
{
  Vector q = -0.0001863789278f * a + 0.002947655818f;
  q = q * a - 0.02183805449f;
  q = q * a + 0.1031067356f;
  q = q * a + 0.6381448537f;
  q = q * a + 1.127089178f;
  return q * a + 0.0003415258305f;
}
#endif

/* The error function. */
INLINE Vector vector_erf(Vector x)
{
  const T end = sizeof(T) == 4 ? (T)3.95 : 6; /* from 3.92, or 5.93, on it is 1 */
  Vector a = smaller(AS_VECTOR(end), vector_abs(x));
  Vector y = vector_signed(choose(a < 1, erf_near(a), 1 - exp_inner(-erf_tail(a))), x);
  return choose(x == x, y, x);
}

/* The share of the normal distribution below x, (1 + erf(x / sqrt(2))) / 2. Its absolute error is what counts. */
INLINE Vector vector_normal_share(Vector x)
{
#if T_f32
  /* erf as one rational function, whose error is up to 6 ulp where it is near 1. */
  const T end = 3.925f;
  Vector a = x * 0.707106781f;
  a = smaller(AS_VECTOR(end), larger(AS_VECTOR(-end), a));
  Vector z = a * a;
  Vector p = 2.046025604e-06f * z + 0.0002848438562f;
  p = p * z + 0.003772562224f;
  p = p * z + 0.05276933343f;
  p = p * z + 0.1905940344f;
  p = p * z + 1.128379146f;
  Vector q = 3.804777378e-05f * z + 0.001163860851f;
  q = q * z + 0.01498322125f;
  q = q * z + 0.1141828356f;
  q = q * z + 0.5022422954f;
  q = q * z + 1;
  Vector e = quotient(a * p, q);
  e = smaller(AS_VECTOR((T)1), larger(AS_VECTOR((T)-1), e));
  return e * (T)0.5 + (T)0.5;
#else
  return vector_erf(x * 0.70710678118654752) * 0.5 + 0.5;
#endif
}

/* ---- the square root ---- */

/* The square root, correctly rounded. */
INLINE Vector vector_sqrt(Vector x)
{
#if __AVX512F__
  return (Vector)WIDTH_OF(_mm512_sqrt)((WIDE_VECTOR)x);
#elif __AVX2__
  return (Vector)WIDTH_OF(_mm256_sqrt)((AVX_VECTOR)x);
#else
  for (int j = 0; j < V; j++) x[j] = LIBM(sqrt)(x[j]);
  return x;
#endif
}

/* ---- sine and cosine ---- */

#if T_f32
#define TURNS_HIGHEST 2000.0f /* up to here pi in parts is good enough */
#define ONE_BY_PI 0.318309886f
/* pi in parts, of which products with whole numbers and halves are exact (those of SLEEF, by N. Shibata). */
#define PI_PARTS(X, n) \
  X - n * 3.140625f - n * 0.0009670257568359375f - n * 6.2771141529083251953e-07f - n * 1.2154201256553420762e-10f

/* x * 2/pi as a quarter (mod 4) and a remainder in [-1/2, 1/2]. 2/pi comes in parts of 28 bits, so that each product
   is exact and can be reduced on its own: right for every float, however large. */
static inline double quarters_of(float x, uint32_t *quarter)
{
  const double parts[7] = {0x1.45f306cp-1,   0x1.c9c882ap-29, 0x1.4fe13a8p-59, 0x1.f47d4dp-86,
                           0x1.bb81b6cp-113, 0x1.4acc9ep-143, 0x1.0e4107cp-170};
  double sum = 0;
  for (int i = 6; i >= 0; i--) {
    double turns = 0.25 * parts[i] * (double)x;
    sum += turns - floor(turns + 0.5);
  }
  sum *= 4;
  double nearest = floor(sum + 0.5);
  *quarter = (uint32_t)(int32_t)nearest;
  return sum - nearest;
}

/* sin(x + shift * pi/2) of any number. */
static inline float sin_of_any(float x, uint32_t shift)
{
  if (!(fabsf(x) < INFINITY)) return NAN;
  uint32_t quarter;
  float r = (float)(quarters_of(x, &quarter) * 1.5707963267948966), z = r * r;
  float s = ((-0.0001951463196f * z + 0.008332156054f) * z - 0.1666665454f) * z * r + r;
  float c = ((2.443241267e-5f * z - 0.001388730986f) * z + 0.04166664555f) * z * z + (1 - 0.5f * z);
  uint32_t turned = quarter + shift;
  float y = turned & 1 ? c : s;
  if (x == 0 && shift == 0) return x;
  return turned & 2 ? -y : y;
}

/* sin(r) for |r| <= pi / 2. */
INLINE Vector sin_near(Vector r)
{
  Vector z = r * r;
  Vector p = 2.605750744e-06f * z - 0.0001980959012f;
  p = p * z + 0.008333066083f;
  p = p * z - 0.1666665954f;
  return p * z * r + r;
}
#else
#define TURNS_HIGHEST 1e5
#define ONE_BY_PI 0.3183098861837907
/* pi in parts, and the coefficients of the sine, are those of SLEEF (N. Shibata). */
#define PI_PARTS(X, n)                                                                          \
  X - n * 3.1415926218032836914 - n * 3.1786509424591713469e-08 - n * 1.2246467864107188502e-16 \
    - n * 1.2736634327021899816e-24

static inline double sin_of_any(double x, uint32_t shift) { return shift ? cos(x) : sin(x); }

INLINE Vector sin_near(Vector r)
{
  Vector z = r * r;
  Vector p = -7.97255955009037868891952e-18 * z + 2.81009972710863200091251e-15;
  p = p * z - 7.64712219118158833288484e-13;
  p = p * z + 1.60590430605664501629054e-10;
  p = p * z - 2.50521083763502045810755e-08;
  p = p * z + 2.75573192239198747630416e-06;
  p = p * z - 0.000198412698412696162806809;
  p = p * z + 0.00833333333333332974823815;
  p = p * z - 0.166666666666666657414808;
  return p * z * r + r;
}
#endif

RARE Vector turned_anywhere(Vector x, uint32_t shift)
{
  T line[V];
  store(line, x);
  for (int j = 0; j < V; j++) line[j] = sin_of_any(line[j], shift);
  return load(line);
}

/* The sine: x = n pi + r. */
INLINE Vector vector_sin(Vector x)
{
  if (any_of(~(vector_abs(x) <= TURNS_HIGHEST))) return turned_anywhere(x, 0);
  Vector sum = x * ONE_BY_PI + ROUNDER, n = sum - ROUNDER;
  Vector y = sin_near(PI_PARTS(x, n));
  y = vector_of_bits(bits_of(y) ^ (bits_of(sum) << (8 * sizeof(T) - 1)));
  return choose(x == 0, x, y);
}

/* The cosine: x = (n + 1/2) pi + r. */
INLINE Vector vector_cos(Vector x)
{
  if (any_of(~(vector_abs(x) <= TURNS_HIGHEST))) return turned_anywhere(x, 1);
  Vector sum = (x * ONE_BY_PI - (T)0.5) + ROUNDER, n = (sum - ROUNDER) + (T)0.5;
  Vector y = sin_near(PI_PARTS(x, n));
  return vector_of_bits(bits_of(y) ^ (~bits_of(sum) << (8 * sizeof(T) - 1)));
}

#if T_f32
/* The inverses of tangent, sine and cosine: method and coefficients of Cephes (S. L. Moshier). */
INLINE Vector vector_atan(Vector x)
{
  Vector a = vector_abs(x);
  Mask large = a > 2.414213562f, middle = (a > 0.4142135624f) & ~large;
  Vector from = choose(large, AS_VECTOR(-1.0f), choose(middle, a - 1, a));
  Vector by = choose(large, a, choose(middle, a + 1, AS_VECTOR(1.0f)));
  Vector start = choose(large, AS_VECTOR(1.57079633f), choose(middle, AS_VECTOR(0.785398163f), AS_VECTOR(0.0f)));
  Vector u = from / by, z = u * u;
  Vector p = 8.05374449538e-2f * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z - 3.33329491539e-1f;
  return vector_signed(start + (p * z * u + u + start * -2.7827534e-8f), x); /* what start lacks of pi / 2 or pi / 4 */
}

/* asin(a) = y for a <= 1/2, and pi / 2 - 2 y beyond. */
INLINE Vector asin_part(Vector a, Mask far)
{
  Vector z = choose(far, 0.5f * (1 - a), a * a), u = choose(far, vector_sqrt(z), a);
  Vector p = 4.2163199048e-2f * z + 2.4181311049e-2f;
  p = p * z + 4.5470025998e-2f;
  p = p * z + 7.4953002686e-2f;
  p = p * z + 1.6666752422e-1f;
  return p * z * u + u;
}

INLINE Vector vector_asin(Vector x)
{
  Vector a = vector_abs(x);
  Mask far = a > 0.5f;
  Vector y = asin_part(a, far);
  y = choose(far, 1.57079633f - 2 * y, y);
  return vector_of_bits(bits_of(y) ^ (bits_of(x) & SIGN_BIT));
}

INLINE Vector vector_acos(Vector x)
{
  Vector a = vector_abs(x);
  Mask far = a > 0.5f;
  Vector y = asin_part(a, far), twice = 2 * y;
  Vector near = 1.57079633f - vector_of_bits(bits_of(y) | (bits_of(x) & SIGN_BIT));
  return choose(far, choose(x < 0, 3.14159265f - twice, twice), near);
}
#endif

#endif
#endif
