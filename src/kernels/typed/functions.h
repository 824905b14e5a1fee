/* The functions that stand in the texts of pointwise rows, for elements of T. Families made of functions of floats have
   those of typed/vector_functions.h. */
#ifndef NNLUA_KERNELS_FUNCTIONS_H
#define NNLUA_KERNELS_FUNCTIONS_H

#include "kernels/typed/typed.h"

#if T_COMPLEX
#if T_c64
#define CONJ(x) conjf(x)
#else
#define CONJ(x) conj(x)
#endif
#define EXP(x) LIBM(exp)(x)
#define LOG(x) LIBM(log)(x)
#define TANH(x) LIBM(tanh)(x)
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define EXP2(x) EXP((x)*NUM(0.69314718055994531))
#define LOG2(x) (LOG(x) / NUM(0.69314718055994531))
#define LOG10(x) (LOG(x) / NUM(2.3025850929940457))
#define SIN(x) LIBM(sin)(x)
#define COS(x) LIBM(cos)(x)
#define TAN(x) LIBM(tan)(x)
#define ASIN(x) LIBM(asin)(x)
#define ACOS(x) LIBM(acos)(x)
#define ATAN(x) LIBM(atan)(x)
#define SINH(x) LIBM(sinh)(x)
#define COSH(x) LIBM(cosh)(x)
#define ASINH(x) LIBM(asinh)(x)
#define ACOSH(x) LIBM(acosh)(x)
#define ATANH(x) LIBM(atanh)(x)
#define SQRT(x) LIBM(sqrt)(x)
#define ABS(x) LIBM(abs)(x) /* a real number */
#define SGN(x) sign_of(x)
#define ISINF(x) (part_is_infinite(LIBM(real)(x)) | part_is_infinite(LIBM(imag)(x)))
#define ISREAL(x) (LIBM(imag)(x) == 0)

static inline T sign_of(T x) { return x == 0 ? 0 : x / ABS(x); }
static inline bool part_is_infinite(Real x) { return x == (Real)INFINITY || x == -(Real)INFINITY; }
#define POW(a, b) power(a, b)
#define EXPM1(x) (T) exp_minus_1(x)
#define LOG1P(x) (T) log_of_1_plus(x)
#define LOGADDEXP(a, b) (T) log_sum(a, b)
#define REPLACE_NONFINITE(x, nan, posinf, neginf) \
  (T) of_parts(finite_part(LIBM(real)(x), nan, posinf, neginf), finite_part(LIBM(imag)(x), nan, posinf, neginf))

static inline Wide of_parts(double re, double im)
{
  double parts[2] = {re, im};
  Wide x;
  memcpy(&x, parts, sizeof x);
  return x;
}

static inline Real finite_part(Real x, T nan, T posinf, T neginf)
{
  return x != x ? LIBM(real)(nan) : !part_is_infinite(x) ? x : LIBM(real)(x > 0 ? posinf : neginf);
}

/* e^x cos(y) - 1 = (e^x - 1) cos(y) - 2 sin(y / 2)^2, in which nothing is lost near 0. */
static inline Wide exp_minus_1(Wide z)
{
  double x = creal(z), y = cimag(z), half = sin(y / 2);
  return of_parts(expm1(x) * cos(y) - 2 * half * half, exp(x) * sin(y));
}

/* |1 + z|^2 - 1 = x (2 + x) + y^2, in which nothing is lost near 0. */
static inline Wide log_of_1_plus(Wide z)
{
  double x = creal(z), y = cimag(z), rest = x * (2 + x) + y * y, angle = atan2(y, x + 1);
  if (cabs(z) >= 0.5) return of_parts(log(hypot(x + 1, y)), angle);
  return of_parts(rest == 0 ? x : log1p(rest) / 2, angle);
}

/* log(e^a + e^b), which leaves the number with the larger real part out of the powers. nan in a part is nan in both. */
static inline Wide log_sum(Wide a, Wide b)
{
  bool first = creal(a) >= creal(b);
  Wide high = first ? a : b, low = first ? b : a;
  if (a != a || b != b) return of_parts((double)NAN, (double)NAN);
  if (creal(low) != creal(high) || !isinf(creal(low))) return log_of_1_plus(cexp(low - high)) + high;
  return creal(low) < 0 ? low : clog(cexp(low) + cexp(high));
}

/* Anything to the power of 0 is 1; the C library gives nan for 0. */
static inline T power(T a, T b) { return b == 0 ? 1 : LIBM(pow)(a, b); }
#elif T_FLOATING
#define CONJ(x) (x)
#define EXP(x) LIBM(exp)(x)
#define LOG(x) LIBM(log)(x)
#define ABS(x) LIBM(fabs)(x)
#define SGN(x) SIGN(x)
#define ISINF(x) (ABS(x) == (T)INFINITY)
#define SIGNBIT(x) (signbit(x) != 0)
#define COPYSIGN(a, b) LIBM(copysign)(a, b)
#define NEXTAFTER(a, b) next_after(a, b)
#define REPLACE_NONFINITE(x, nan, posinf, neginf) finite_of(x, nan, posinf, neginf)

/* One choice after the other: of nested ones the compiler makes twice as many comparisons. */
static inline T finite_of(T x, T nan, T posinf, T neginf)
{
  T y = x == (T)INFINITY ? posinf : x;
  y = x == -(T)INFINITY ? neginf : y;
  return x != x ? nan : y;
}

#if T_f32
typedef int32_t Bits;
#else
typedef int64_t Bits;
#endif

/* The next number from a towards b: the bits of numbers are in their order. */
static inline T next_after(T a, T b)
{
  Bits bits;
  memcpy(&bits, &a, sizeof a);
  bits += (b > a) == (a > 0) ? 1 : -1;
  T next, least = sizeof(T) == 4 ? (T)0x1p-149 : (T)0x1p-1074;
  memcpy(&next, &bits, sizeof next);
  next = a == 0 ? (b > 0 ? least : -least) : next;
  next = a == b ? b : next;
  return a != a || b != b ? a + b : next;
}

#else
#define CONJ(x) (x)
#define ABS(x) ((x) < 0 ? -(x) : (x))
#define SGN(x) SIGN(x)
#define SIGNBIT(x) ((x) < 0)
#define ISINF(x) 0
#define FLOOR(x) (x)
#define CEIL(x) (x)
#define TRUNC(x) (x)
#define ROUND(x) (x)
#define FMOD(a, b) trunc_rest(a, b)
#define REMAINDER(a, b) floor_rest(a, b)
#define SHIFT_LEFT(a, b) shift_left(a, b)
#define SHIFT_RIGHT(a, b) shift_right(a, b)
#define GCD(a, b) gcd(a, b)
#define LCM(a, b) lcm(a, b)
#if T_BOOL
#define BIT_NOT(x) (!(x))
#else
#define BIT_NOT(x) (~(x))
#endif
#define POW(a, b) integer_pow(a, b)
#define TRUNC_DIV(a, b) trunc_div(a, b)
#define FLOOR_DIV(a, b) floor_div(a, b)

/* Overflow wraps; a negative exponent gives 0 but for the bases 1 and -1, as in PyTorch. */
static inline T integer_pow(T a, T b)
{
  uint64_t result = 1, base = (uint64_t)a;
  if (b < 0) return a == 1 ? 1 : a == (T)-1 ? (T)(b % 2 ? a : 1) : 0;
  for (uint64_t n = (uint64_t)b; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return (T)result;
}

/* The op has checked that no divisor is 0; the most negative number by -1 wraps. */
static inline T trunc_div(T a, T b) { return b == (T)-1 && (T)-1 < 0 ? (T)(0 - (uint64_t)a) : (T)(a / b); }

static inline T floor_div(T a, T b)
{
  T quotient = trunc_div(a, b);
  return (T)(quotient - (a % (b == (T)-1 ? 1 : b) != 0 && (a < 0) != (b < 0)));
}

/* The rests of both divisions. */
static inline T trunc_rest(T a, T b) { return b == (T)-1 ? 0 : (T)(a % b); }

static inline T floor_rest(T a, T b)
{
  T rest = trunc_rest(a, b);
  return rest != 0 && (b < 0) != (rest < 0) ? (T)(rest + b) : rest;
}

/* Shifts by less than 0, or by all bits, shift all bits out. */
static inline T shift_left(T a, T b) { return b < 0 || b >= (T)(8 * sizeof(T)) ? 0 : (T)((uint64_t)a << b); }

static inline T shift_right(T a, T b)
{
  if (b < 0 || b >= (T)(8 * sizeof(T))) return a < 0 ? (T)-1 : 0;
  return (T)(a >> b);
}

static inline T gcd(T a, T b)
{
  while (b != 0) {
    T rest = trunc_rest(a, b);
    a = b;
    b = rest;
  }
  return ABS(a);
}

static inline T lcm(T a, T b)
{
  T divisor = gcd(a, b);
  if (divisor == 0) return 0;
  T product = (T)(a / divisor * b);
  return ABS(product);
}
#endif

#define SELECT(c, a, b) ((c) ? (a) : (b))
#define SIGN(x) (((x) > 0) - ((x) < 0))
#define NUM(x) ((T)(x)) /* a number as one of T: as an op sees it, down to the signs of zeros */
#define SQUARE_NUMBER(x) ((x) * (x))
#if !T_COMPLEX
#define ISREAL(x) 1
#endif
#define RSQRT(x) (1 / SQRT(x))
#define SINC(x) ((x) == 0 ? 1 : SIN((x)*NUM(3.14159265358979324)) / ((x)*NUM(3.14159265358979324)))
#define NO_GRAD 0

#if T_COMPLEX
#define SINC_SLOPE(x) sinc_slope(x)

/* The derivative of sinc by its series, for |x| < 1/4. */
static inline T sinc_slope(T x)
{
  T u = x * x;
  return x
         * (NUM(-3.2898681336964528)
            + u
                * (NUM(3.2469697011334144)
                   + u
                       * (NUM(-1.1445109447325053)
                          + u
                              * (NUM(0.2091827825412384)
                                 + u
                                     * (NUM(-0.023460810354558236)
                                        + u
                                            * (NUM(0.0017811455163728521)
                                               + u
                                                   * (NUM(-9.7662231263189332e-05)
                                                      + u
                                                          * (NUM(4.0499478466192439e-06)
                                                             + u * (NUM(-1.3148481279991994e-07))))))))));
}
#endif

#endif
