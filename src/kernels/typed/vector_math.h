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

#define INVERSE_FAR (sizeof(T) == 4 ? (T)1e9 : (T)1e18) /* from here on sqrt(x^2 + 1) is x */

/* The inverse of the hyperbolic sine: log(a + sqrt(a^2 + 1)), with what is beyond 1 taken together. */
INLINE Vector vector_asinh(Vector x)
{
  Vector a = vector_abs(x), s = a * a;
  Mask large = a > INVERSE_FAR;
  Vector rest = choose(large, a - 1, a + s / (1 + vector_sqrt(s + 1)));
  return vector_signed(vector_log1p(rest) + choose(large, AS_VECTOR((T)0.69314718055994531), AS_VECTOR((T)0)), x);
}

/* The inverse of the hyperbolic cosine. */
INLINE Vector vector_acosh(Vector x)
{
  Mask large = x > INVERSE_FAR;
  Vector t = x - 1, rest = choose(large, t, t + vector_sqrt(t * (x + 1)));
  Vector y = vector_log1p(rest) + choose(large, AS_VECTOR((T)0.69314718055994531), AS_VECTOR((T)0));
  return choose(x < 1, AS_VECTOR((T)NAN), y);
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

/* ---- powers ---- */

#if T_f32
typedef uint64_t Bits64 __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t Mask64 __attribute__((vector_size(VECTOR_BYTES)));

/* The logarithm to base 2 of x >= 0, as exact as the powers of floats want it: 36 bits. That of 0 and of infinity is a
   number whose product with 0 is 0. */
INLINE Doubles log2_of_doubles(Doubles x)
{
  const int64_t root = INT64_C(0x3fe6a09e667f3bcd), one = INT64_C(1023) << 52;
  Mask64 bits = (Mask64)x - root + one;
  Doubles e = (Doubles)((Mask64)((Bits64)bits >> 52 & 2047) | (Mask64)(0x1p52 - (Doubles){0})) - (0x1p52 + 1023);
  Doubles m = (Doubles)((bits & (((int64_t)1 << 52) - 1)) + root);
  Doubles s = (m - 1) / (m + 1), z = s * s, w = z * z, twice = s * 2.8853900817779268;
  Doubles p = (z * (1 / 13.0) + 1 / 11.0) * w + (z * (1 / 9.0) + 1 / 7.0); /* 2 artanh(s) / ln2 by its series */
  Doubles y = (p * w + (z * (1 / 5.0) + 1 / 3.0)) * (z * twice) + (twice + e);
  Mask64 is_end = (x == 0) | (x == INFINITY);
  Doubles end = (Doubles)((Mask64)(1e300 - (Doubles){0}) | ((x == 0) & INT64_MIN));
  return (Doubles)((is_end & (Mask64)end) | (~is_end & (Mask64)y));
}

/* 2^x, infinite or 0 as a float where |x| > 200. */
INLINE Doubles exp2_of_doubles(Doubles x)
{
  Mask64 above = x > 200, below = x < -200;
  x = (Doubles)((above & (Mask64)(200 - (Doubles){0})) | (below & (Mask64)(-200 - (Doubles){0}))
                | (~(above | below) & (Mask64)x));
  Doubles sum = x + 0x1.8p52, f = (x - (sum - 0x1.8p52)) * 0.69314718055994531;
  Doubles g = f * f, h = g * g; /* Taylor's series */
  Doubles p = (f * (1 / 5040.0) + 1 / 720.0) * g + (f * (1 / 120.0) + 1 / 24.0);
  p = (h * (1 / 40320.0) + p) * h + ((f * (1 / 6.0) + 0.5) * g + (f + 1));
  return (Doubles)((Mask64)p + ((Mask64)sum << 52));
}

RARE Vector pow_anywhere(Vector a, Vector b)
{
  for (int j = 0; j < V; j++) a[j] = powf(a[j], b[j]);
  return a;
}

/* a^b = 2^(b log2|a|) in double, with the sign of an odd power. */
INLINE Vector vector_pow(Vector a, Vector b)
{
  if (V < 8) return pow_anywhere(a, b); /* in vectors of two doubles it takes longer */
  if (any_of(~(vector_abs(b) < 0x1p22f) | (a != a))) return pow_anywhere(a, b);
  Vector m = vector_abs(a);
  Vector y = narrowed(exp2_of_doubles(low_doubles(b) * log2_of_doubles(low_doubles(m))),
                      exp2_of_doubles(high_doubles(b) * log2_of_doubles(high_doubles(m))));
  Vector sum = b + ROUNDER;
  Mask whole = sum - ROUNDER == b;
  y = vector_of_bits(bits_of(y) ^ (bits_of(a) & (bits_of(sum) << 31) & whole));
  return choose((a < 0) & (m < INFINITY) & ~whole, AS_VECTOR(NAN), y);
}
#endif

#endif
#endif
