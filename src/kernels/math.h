/* Elementary functions without branches or calls, so that a loop over one of
   them becomes vector code (build with -fno-math-errno -fno-trapping-math).
   Errors are below 2 ulp over the whole range, subnormal numbers included;
   infinities, NaN and the sign of zero come out as C's own functions have
   them. Nothing here needs fma, and nothing breaks where the compiler fuses.

   Polynomials are minimax ones by Remez' algorithm, in relative error of the
   function, unless a comment names another source. */
#ifndef NNLUA_KERNELS_MATH_H
#define NNLUA_KERNELS_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t math_bits_f32(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float math_of_bits_f32(uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint64_t math_bits_f64(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double math_of_bits_f64(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The magnitude, which must not be negative, with the sign of another number. */
static inline float math_signed_f32(float magnitude, float sign)
{
  return math_of_bits_f32(math_bits_f32(magnitude) | (math_bits_f32(sign) & 0x80000000u));
}

static inline double math_signed_f64(double magnitude, double sign)
{
  return math_of_bits_f64(math_bits_f64(magnitude) | (math_bits_f64(sign) & UINT64_C(0x8000000000000000)));
}

/* yes where the condition holds, else no. Said with masks, as gcc makes branches of a ?: between constants and
   follows each of them through the code behind, twice the work once it is vector code. */
static inline float math_select_f32(int condition, float yes, float no)
{
  uint32_t mask = -(uint32_t)condition;
  return math_of_bits_f32((math_bits_f32(yes) & mask) | (math_bits_f32(no) & ~mask));
}

static inline double math_select_f64(int condition, double yes, double no)
{
  uint64_t mask = -(uint64_t)condition;
  return math_of_bits_f64((math_bits_f64(yes) & mask) | (math_bits_f64(no) & ~mask));
}

/* x kept in bounds; a NaN stays one. */
static inline float math_clamp_f32(float x, float low, float high)
{
  x = math_select_f32(x > high, high, x);
  return math_select_f32(x < low, low, x);
}

static inline double math_clamp_f64(double x, double low, double high)
{
  x = math_select_f64(x > high, high, x);
  return math_select_f64(x < low, low, x);
}

/* ---- float: exponentials ---- */

/* (e^r - 1 - r) / r^2 for |r| <= ln2 / 2. */
static inline float math_exp_tail_f32(float r)
{
  float q = 0.001388249835f;
  q = q * r + 0.008366646793f;
  q = q * r + 0.0416672039f;
  q = q * r + 0.1666654268f;
  return q * r + 0.4999999813f;
}

/* x = n ln2 + r with |r| <= ln2 / 2: returns e^r - 1 and, in the low 9 bits of power, n + 254. Adding 1.5 * 2^23
   rounds x / ln2 to an integer and leaves it in the low bits of the sum; 254 makes it positive, for shifts. */
static inline float math_exp_split_f32(float x, uint32_t *power)
{
  const float shift = 0x1.8p23f + 254;
  float sum = x * 1.44269504f + shift;
  float n = sum - shift;
  /* The first part of ln2 has 15 bits, so that n times it is exact. */
  float high = x - n * 0.693145752f, low = n * 1.42860682e-6f;
  float r = high - low;
  float lost = high - r - low; /* by the rounding of r */
  *power = math_bits_f32(sum);
  return r * r * math_exp_tail_f32(r) + lost + r;
}

/* e^x where neither it nor a power of two near it is subnormal or infinite: -87 <= x <= 88. */
static inline float math_exp_inner_f32(float x)
{
  uint32_t power;
  float m = math_exp_split_f32(x, &power);
  return (m + 1) * math_of_bits_f32((power - 127) << 23);
}

/* e^x for -104 <= x <= 89. */
static inline float math_exp_outer_f32(float x)
{
  uint32_t power;
  float m = math_exp_split_f32(x, &power) + 1;
  /* 2^n as two factors: it may be subnormal or infinite where the result is not. */
  uint32_t half = power >> 1;
  return m * math_of_bits_f32(half << 23) * math_of_bits_f32((power - half) << 23);
}

/* e^x. */
static inline float exp_f32(float x) { return math_exp_outer_f32(math_clamp_f32(x, -104.0f, 89.0f)); }

/* 2^x. */
static inline float exp2_f32(float x)
{
  const float shift = 0x1.8p23f + 254;
  x = math_clamp_f32(x, -151.0f, 128.5f);
  float sum = x + shift;
  float r = (x - (sum - shift)) * 0.693147181f;
  uint32_t power = math_bits_f32(sum), half = power >> 1;
  float m = r * r * math_exp_tail_f32(r) + r + 1;
  return m * math_of_bits_f32(half << 23) * math_of_bits_f32((power - half) << 23);
}

/* e^x - 1. */
static inline float expm1_f32(float x)
{
  uint32_t power;
  float m = math_exp_split_f32(math_clamp_f32(x, -20.0f, 89.0f), &power);
  /* Half of 2^n, as 2^128 is no float. */
  float scale = math_of_bits_f32((power - 128) << 23);
  float y = 2 * (scale * m + (scale - 0.5f));
  /* A result of zero would have lost its sign. */
  return math_of_bits_f32(math_bits_f32(y) | (math_bits_f32(x) & 0x80000000u));
}

/* 1 / (1 + e^-x). */
static inline float sigmoid_f32(float x)
{
  float a = -fabsf(x);
  float e = math_exp_outer_f32(math_select_f32(a < -104.0f, -104.0f, a)), sum = 1 + e;
  float y = (x < 0 ? e : 1.0f) / sum;
  float lost = e - (sum - 1); /* by the rounding of sum, which is near 1 where that tells */
  return y - y * lost;
}

/* The hyperbolic tangent. */
static inline float tanh_f32(float x)
{
  float a = fabsf(x);
  a = math_select_f32(a > 9.1f, 9.1f, a);
  float z = a * a;
  float p = -0.005895157304f;
  p = p * z + 0.02079597109f;
  p = p * z - 0.05378383016f;
  p = p * z + 0.1333192413f;
  p = p * z - 0.33333298f;
  float near = z * a * p + a;
  float far = 1 - 2 / (math_exp_inner_f32(2 * a) + 1);
  return math_signed_f32(a < 0.6f ? near : far, x);
}

/* ---- float: logarithms ---- */

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)), for a normal x > 0: returns m. */
static inline float math_log_split_f32(float x, int32_t *e)
{
  const uint32_t root = 0x3f3504f3u; /* sqrt(1/2) */
  uint32_t bits = math_bits_f32(x) - root;
  *e = (int32_t)bits >> 23;
  return math_of_bits_f32((bits & 0x7fffffu) + root);
}

/* log(1 + f) + e ln2 */
static inline float math_log_join_f32(float f, float e)
{
  float p = 0.06746659795f;
  p = p * f - 0.1167567373f;
  p = p * f + 0.1188816572f;
  p = p * f - 0.1240558583f;
  p = p * f + 0.1421955155f;
  p = p * f - 0.1666799598f;
  p = p * f + 0.200021187f;
  p = p * f - 0.250000096f;
  p = p * f + 0.333333126f;
  float square = f * f;
  float y = p * f * square + e * 1.42860682e-6f;
  y = y - 0.5f * square;
  return e * 0.693145752f + (f + y);
}

/* Puts in the values at and beyond the ends: of the logarithm of u, where x is the argument and y the result so far. */
static inline float math_log_ends_f32(float u, float x, float y)
{
  float low = u == 0 ? -INFINITY : NAN;
  y = x < INFINITY ? y : x;
  return u > 0 ? y : low;
}

/* The natural logarithm. */
static inline float log_f32(float x)
{
  const float smallest = 0x1p-126f;
  int32_t e;
  float m = math_log_split_f32(x < smallest ? x * 0x1p25f : x, &e);
  float exponent = (float)e - (x < smallest ? 25.0f : 0.0f);
  return math_log_ends_f32(x, x, math_log_join_f32(m - 1, exponent));
}

/* The logarithm to base 2; exact for powers of 2. */
static inline float log2_f32(float x)
{
  const float smallest = 0x1p-126f;
  int32_t e;
  float m = math_log_split_f32(x < smallest ? x * 0x1p25f : x, &e);
  float exponent = (float)e - (x < smallest ? 25.0f : 0.0f);
  float log_of_m = math_log_join_f32(m - 1, 0);
  return math_log_ends_f32(x, x, exponent + log_of_m * 1.44269504f);
}

/* log(1 + x). */
static inline float log1p_f32(float x)
{
  float u = 1 + x;
  int32_t e;
  float m = math_log_split_f32(u, &e);
  /* m - 1 = 2^-e (1 + x) - 1 without the rounding of u; a large x needs no such care. */
  float scale = math_of_bits_f32((127u - (uint32_t)e) << 23);
  float f = e > 30 ? m - 1 : scale * x + (scale - 1);
  float y = math_log_ends_f32(u, x, math_log_join_f32(f, (float)e));
  return x == 0 ? x : y;
}

/* ---- float: the error function ---- */

/* The error function. */
static inline float erf_f32(float x)
{
  float a = fabsf(x);
  a = math_select_f32(a > 3.95f, 3.95f, a); /* from 3.92 on it is 1 */
  float z = a * a;
  float p = 7.853860784e-5f;
  p = p * z - 0.0008010193446f;
  p = p * z + 0.005188327665f;
  p = p * z - 0.02685381192f;
  p = p * z + 0.1128358515f;
  p = p * z - 0.3761262582f;
  float near = a * (p * z + 0.128379166f) + a;
  /* Beyond 1: -log(1 - erf(a)). */
  float q = -0.0001863789278f;
  q = q * a + 0.002947655818f;
  q = q * a - 0.02183805449f;
  q = q * a + 0.1031067356f;
  q = q * a + 0.6381448537f;
  q = q * a + 1.127089178f;
  q = q * a + 0.0003415258305f;
  float far = 1 - math_exp_inner_f32(-q);
  return math_signed_f32(a < 1 ? near : far, x);
}

/* ---- float: sine and cosine ---- */

/* x * 2/pi as a quarter (mod 4) and a remainder in [-1/2, 1/2]. 2/pi comes in parts of 28 bits, so that each product
   is exact and can be reduced on its own: right for every float, however large. */
static inline double math_quarters_f32(float x, uint32_t *quarter)
{
  const double parts[7] = {0x1.45f306cp-1,   0x1.c9c882ap-29, 0x1.4fe13a8p-59, 0x1.f47d4dp-86,
                           0x1.bb81b6cp-113, 0x1.4acc9ep-143, 0x1.0e4107cp-170};
  double sum = 0;
  for (int i = 6; i >= 0; i--) {
    double turns = 0.25 * parts[i] * (double)x;
    sum += turns - floor(turns + 0.5);
  }
  /* Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits. */
  sum *= 4;
  double nearest = sum + 0x1.8p52;
  *quarter = (uint32_t)math_bits_f64(nearest);
  return sum - (nearest - 0x1.8p52);
}

/* sin(x + shift * pi/2). */
static inline float math_sin_shifted_f32(float x, uint32_t shift)
{
  uint32_t quarter;
  float r = (float)(math_quarters_f32(x, &quarter) * 1.5707963267948966);
  float z = r * r;
  float s = -0.0001951463196f;
  s = s * z + 0.008332156054f;
  s = s * z - 0.1666665454f;
  s = s * z * r + r;
  float c = 2.443241267e-5f;
  c = c * z - 0.001388730986f;
  c = c * z + 0.04166664555f;
  c = c * z * z + (1 - 0.5f * z);
  uint32_t turned = quarter + shift;
  return math_of_bits_f32(math_bits_f32(turned & 1 ? c : s) ^ (turned & 2) << 30);
}

/* The sine. */
static inline float sin_f32(float x) { return x == 0 ? x : math_sin_shifted_f32(x, 0); }

/* The cosine. */
static inline float cos_f32(float x) { return math_sin_shifted_f32(x, 1); }

/* ---- double: exponentials ---- */

/* As math_exp_split_f32, with n + 2046 in the low 12 bits of power. */
static inline double math_exp_split_f64(double x, uint64_t *power)
{
  const double shift = 0x1.8p52 + 2046;
  double sum = x * 1.4426950408889634 + shift;
  double n = sum - shift;
  /* The first part of ln2 has 32 bits, so that n times it is exact. */
  double high = x - n * 0x1.62e42feep-1, low = n * 0x1.a39ef35793c76p-33;
  double r = high - low;
  double lost = high - r - low;
  double q = 2.0875319884927124e-09;
  q = q * r + 2.5109195301070247e-08;
  q = q * r + 2.755740329608445e-07;
  q = q * r + 2.7557243803727983e-06;
  q = q * r + 2.480158717103769e-05;
  q = q * r + 0.00019841269886477665;
  q = q * r + 0.0013888888888963506;
  q = q * r + 0.008333333333321513;
  q = q * r + 0.041666666666666505;
  q = q * r + 0.16666666666666677;
  q = q * r + 0.5;
  *power = math_bits_f64(sum);
  return r * r * q + lost + r;
}

/* e^x for -708 <= x <= 709. */
static inline double math_exp_inner_f64(double x)
{
  uint64_t power;
  double m = math_exp_split_f64(x, &power);
  return (m + 1) * math_of_bits_f64((power - 1023) << 52);
}

/* e^x for -746 <= x <= 710. */
static inline double math_exp_outer_f64(double x)
{
  uint64_t power;
  double m = math_exp_split_f64(x, &power) + 1;
  uint64_t half = power >> 1;
  return m * math_of_bits_f64(half << 52) * math_of_bits_f64((power - half) << 52);
}

/* e^x. */
static inline double exp_f64(double x) { return math_exp_outer_f64(math_clamp_f64(x, -746.0, 710.0)); }

/* e^x - 1. */
static inline double expm1_f64(double x)
{
  uint64_t power;
  double m = math_exp_split_f64(math_clamp_f64(x, -40.0, 710.0), &power);
  double scale = math_of_bits_f64((power - 1024) << 52);
  double y = 2 * (scale * m + (scale - 0.5));
  return math_of_bits_f64(math_bits_f64(y) | (math_bits_f64(x) & UINT64_C(0x8000000000000000)));
}

/* 1 / (1 + e^-x). */
static inline double sigmoid_f64(double x)
{
  double a = -fabs(x);
  double e = math_exp_outer_f64(math_select_f64(a < -746.0, -746.0, a)), sum = 1 + e;
  double y = (x < 0 ? e : 1.0) / sum;
  double lost = e - (sum - 1); /* by the rounding of sum, which is near 1 where that tells */
  return y - y * lost;
}

/* The hyperbolic tangent. */
static inline double tanh_f64(double x)
{
  double a = fabs(x);
  a = math_select_f64(a > 20.0, 20.0, a);
  double z = a * a;
  double p = -1.7178719798786497e-05;
  p = p * z + 7.931393806123095e-05;
  p = p * z - 0.00023039679736174042;
  p = p * z + 0.0005871883966183567;
  p = p * z - 0.001455215359183643;
  p = p * z + 0.0035920373782473503;
  p = p * z - 0.0088632267772768;
  p = p * z + 0.021869488002544932;
  p = p * z - 0.053968253949294685;
  p = p * z + 0.1333333333329966;
  p = p * z - 0.33333333333333126;
  double near = z * a * p + a;
  double far = 1 - 2 / (math_exp_inner_f64(2 * a) + 1);
  return math_signed_f64(a < 0.6 ? near : far, x);
}

/* ---- double: logarithms ---- */

/* As math_log_split_f32; the exponent comes as a double, by way of the low bits of 2^52, as vectors of 64-bit integers
   convert and shift badly. */
static inline double math_log_split_f64(double x, double *e)
{
  const uint64_t root = UINT64_C(0x3fe6a09e667f3bcd), mantissa = (UINT64_C(1) << 52) - 1;
  uint64_t bits = math_bits_f64(x) - root + (UINT64_C(1023) << 52);
  *e = math_of_bits_f64(bits >> 52 | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023);
  return math_of_bits_f64((bits & mantissa) + root);
}

/* log(1 + f) + e ln2; method and coefficients of fdlibm's e_log.c (Sun Microsystems, 1993). */
static inline double math_log_join_f64(double f, double e)
{
  double s = f / (2 + f), z = s * s, w = z * z;
  double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  double odd = z
               * (6.666666666666735130e-01
                  + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  double half_square = 0.5 * f * f;
  double tail = s * (half_square + (even + odd)) + e * 0x1.a39ef35793c76p-33;
  return e * 0x1.62e42feep-1 - ((half_square - tail) - f);
}

static inline double math_log_ends_f64(double u, double x, double y)
{
  double low = u == 0 ? (double)-INFINITY : (double)NAN;
  y = x < (double)INFINITY ? y : x;
  return u > 0 ? y : low;
}

/* The natural logarithm. */
static inline double log_f64(double x)
{
  const double smallest = 0x1p-1022;
  double e, m = math_log_split_f64(x < smallest ? x * 0x1p54 : x, &e);
  e -= x < smallest ? 54.0 : 0.0;
  return math_log_ends_f64(x, x, math_log_join_f64(m - 1, e));
}

/* log(1 + x). */
static inline double log1p_f64(double x)
{
  double u = 1 + x, e, m = math_log_split_f64(u, &e);
  double scale = math_of_bits_f64(math_bits_f64(0x1p52 + 2046 - 1023 - e) << 52);
  double f = e > 60 ? m - 1 : scale * x + (scale - 1);
  double y = math_log_ends_f64(u, x, math_log_join_f64(f, e));
  return x == 0 ? x : y;
}

/* ---- double: the error function ---- */

static inline double math_erf_near_f64(double a)
{
  double z = a * a;
  double p = -7.779487864135419e-10;
  p = p * z + 1.3710991461964517e-08;
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
static inline double math_erf_tail_f64(double a)
{
  double q = -1.0495962545688161e-12;
  q = q * a + 4.795928311032576e-11;
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
  q = q * a + 1.7962145192579736e-07;
  return q;
}

/* The error function. */
static inline double erf_f64(double x)
{
  double a = fabs(x);
  a = math_select_f64(a > 6.0, 6.0, a); /* from 5.93 on it is 1 */
  double far = 1 - math_exp_inner_f64(-math_erf_tail_f64(a));
  return math_signed_f64(a < 1 ? math_erf_near_f64(a) : far, x);
}

/* ---- left to the C library ---- */

/* 2^x. */
static inline double exp2_f64(double x) { return exp2(x); }

/* The logarithm to base 2. */
static inline double log2_f64(double x) { return log2(x); }

/* The sine. */
static inline double sin_f64(double x) { return sin(x); }

/* The cosine. */
static inline double cos_f64(double x) { return cos(x); }

/* x to the power y. */
static inline float pow_f32(float x, float y) { return powf(x, y); }

/* x to the power y. */
static inline double pow_f64(double x, double y) { return pow(x, y); }

#endif
