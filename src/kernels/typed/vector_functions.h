/* The functions that stand in the texts of pointwise rows, of vectors of T: for families of floats that are made of
   them. Numbers may stand for vectors. */
#ifndef NNLUA_KERNELS_VECTOR_FUNCTIONS_H
#define NNLUA_KERNELS_VECTOR_FUNCTIONS_H

#include "kernels/typed/vector_angles.h"
#include "kernels/typed/vector_division.h"
#include "kernels/typed/vector_tails.h"

#if T_f64
INLINE Vector vector_pow(Vector a, Vector b)
{
  for (int j = 0; j < V; j++) a[j] = pow(a[j], b[j]);
  return a;
}
#endif

#define CONJ(x) (x)
#define NUM(x) ((T)(x))
#define SELECT(c, a, b) choose(c, AS_VECTOR(a), AS_VECTOR(b))
#define EXP(x) vector_exp(AS_VECTOR(x))
#define LOG(x) vector_log(AS_VECTOR(x))
#define POW(a, b) vector_pow(AS_VECTOR(a), AS_VECTOR(b))
#define EXP2(x) vector_exp2(AS_VECTOR(x))
#define LOG2(x) vector_log2(AS_VECTOR(x))
#define LOG10(x) vector_log10(AS_VECTOR(x))
#define EXPM1(x) vector_expm1(AS_VECTOR(x))
#define LOG1P(x) vector_log1p(AS_VECTOR(x))
#define TANH(x) vector_tanh(AS_VECTOR(x))
#define SIGMOID(x) vector_sigmoid(AS_VECTOR(x))
#define ERF(x) vector_erf(AS_VECTOR(x))
#define ERFC(x) vector_erfc(AS_VECTOR(x))
#define ERFINV(x) vector_erfinv(AS_VECTOR(x))
#define NORMAL_SHARE(x) vector_normal_share(AS_VECTOR(x))
#define SQRT(x) vector_sqrt(AS_VECTOR(x))
#define RSQRT(x) (1 / SQRT(x))
#define SIN(x) vector_sin(AS_VECTOR(x))
#define COS(x) vector_cos(AS_VECTOR(x))
#define TAN(x) vector_tan(AS_VECTOR(x))
#define SINH(x) vector_sinh(AS_VECTOR(x))
#define COSH(x) vector_cosh(AS_VECTOR(x))
#define ATANH(x) vector_atanh(AS_VECTOR(x))
#define ASINH(x) vector_asinh(AS_VECTOR(x))
#define ACOSH(x) vector_acosh(AS_VECTOR(x))
#define ASIN(x) vector_asin(AS_VECTOR(x))
#define ACOS(x) vector_acos(AS_VECTOR(x))
#define ATAN(x) vector_atan(AS_VECTOR(x))
#define ATAN2(a, b) vector_atan2(AS_VECTOR(a), AS_VECTOR(b))
#define HYPOT(a, b) vector_hypot(AS_VECTOR(a), AS_VECTOR(b))
#define ABS(x) vector_abs(AS_VECTOR(x))
#define SIGN(x) choose(AS_VECTOR(x) > 0, AS_VECTOR((T)1), choose(AS_VECTOR(x) < 0, AS_VECTOR((T)-1), AS_VECTOR((T)0)))
#define FLOOR(x) vector_floor(AS_VECTOR(x))
#define CEIL(x) vector_ceil(AS_VECTOR(x))
#define TRUNC(x) vector_trunc(AS_VECTOR(x))
#define ROUND(x) vector_nearbyint(AS_VECTOR(x))
#define FMOD(a, b) vector_fmod(a, b)
#define REMAINDER(a, b) vector_remainder(a, b)
#define FLOOR_DIV(a, b) vector_floor_div(a, b)
#define TRUNC_DIV(a, b) vector_trunc((a) / (b))
#define LOGADDEXP(a, b) logaddexp_of(a, b)
#define LOGADDEXP2(a, b) logaddexp2_of(a, b)
#define SQUARE_NUMBER(x) ((x) * (x))
#define SOFTPLUS(x) SELECT((x) > 20, x, LOG1P(EXP(x)))
#define XLOGY(a, b) xlogy_of(AS_VECTOR(a), AS_VECTOR(b))
#define XLOG1PY(a, b) xlog1py_of(AS_VECTOR(a), AS_VECTOR(b))
#define SINC(x) SELECT((x) == 0, 1, SIN((x)*NUM(3.14159265358979324)) / ((x)*NUM(3.14159265358979324)))
#define NO_GRAD 0

INLINE Vector xlogy_of(Vector a, Vector b)
{
  return choose(b != b, b, choose(a == 0, AS_VECTOR((T)0), a * vector_log(b)));
}

INLINE Vector xlog1py_of(Vector a, Vector b)
{
  return choose(b != b, b, choose(a == 0, AS_VECTOR((T)0), a * vector_log1p(b)));
}

/* Equal infinities have no difference. */
INLINE Vector logaddexp_of(Vector a, Vector b)
{
  Vector apart = a - b, sum = larger(a, b) + vector_log1p(vector_exp(-vector_abs(apart)));
  return choose(a == b, a + NUM(0.69314718055994531), sum);
}

INLINE Vector logaddexp2_of(Vector a, Vector b)
{
  Vector apart = a - b, rest = vector_log1p(vector_exp2(-vector_abs(apart))) * NUM(1.4426950408889634);
  return choose(a == b, a + 1, choose(apart == apart, larger(a, b) + rest, apart));
}

/* The derivative of sinc by its series, for |x| < 1/4. */
#define SINC_SLOPE(x) sinc_slope(AS_VECTOR(x))

INLINE Vector sinc_slope(Vector x)
{
  Vector u = x * x, p = NUM(-1.3148481279991994e-07) * u + NUM(4.0499478466192439e-06);
  p = p * u + NUM(-9.7662231263189332e-05);
  p = p * u + NUM(0.0017811455163728521);
  p = p * u + NUM(-0.023460810354558236);
  p = p * u + NUM(0.2091827825412384);
  p = p * u + NUM(-1.1445109447325053);
  p = p * u + NUM(3.2469697011334144);
  return x * (p * u + NUM(-3.2898681336964528));
}

#endif
