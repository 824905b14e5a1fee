/*
 * The normal distribution's tails and quantiles, of vectors. Polynomials interpolate the functions, without
 * what grows or decays, at Chebyshev's points (worked out with 50 digits by definition).
 */
#ifndef NNLUA_KERNELS_VECTOR_TAILS_H
#define NNLUA_KERNELS_VECTOR_TAILS_H

#include "kernels/typed/normal.h"
#include "kernels/typed/vector_polynomial.h"

#if T_FLOATING

/* erfc_scaled: (x + 3) e^(x^2) erfc(x) of t = (x - 3) / (x + 3), x >= 0. erfinv_near and erfinv_middle: erfinv(x) / x
   of w = -log(1 - x^2): of t = w / 3.125 - 1 up to 6.25, and of t = (sqrt(w) - 3.25) / 0.75 up to 16. */
#if T_f64
static const T erfc_scaled[] = {
  1.0740069070883397,      -0.88339445316988367,    0.59022835710410238,     -0.31046726190056184,
  0.11952776128726571,     -0.026827234624709967,   -0.0012124166268093813,  0.0030340620054672576,
  -0.00054830969472633099, -0.00027677788930351104, 0.0001075614977090451,   3.0398423921881703e-5,
  -1.7470587014767351e-5,  -4.7502313075737726e-6,  2.7654103185099286e-6,   1.0014294992887557e-6,
  -4.0798245829659539e-7,  -2.3769581319180379e-7,  4.6085612531551457e-8,   5.4957361232324592e-8,
  -1.0001676849090711e-9,  -1.1066712172163187e-8,  -9.7134577663225688e-10, 1.6739940735895342e-9,
  1.6305251390806974e-10,  -1.3807366412787754e-10};
static const T erfinv_near[] = {
  1.6536545626831027,      0.75049432007996351,    -0.058922567103787597,   -0.022604447453444732,
  0.017808361818756902,    -0.0041373143775478949, -0.0012716922769885114,  0.0012324855702994215,
  -0.00026439358646646057, -0.0001168888508125076, 9.3366927876240584e-5,   -1.5027665773117194e-5,
  -1.125565398396942e-5,   7.1299397431469503e-6,  -6.8765518072549399e-7,  -1.0591188098187531e-6,
  5.4564205722097816e-7,   -1.0412692841159636e-8, -1.0514990713371437e-7,  3.9315111576465583e-8,
  9.0720759478929093e-9,   -8.627191009014394e-9,  -8.5779669396399415e-11, 7.8017121990362521e-10};
static const T erfinv_middle[] = {
  3.0838856104922207,     0.75394422577062397,     0.0030211394363747959,   -0.0015825410894020754,
  0.00078830785130370615, -0.00040063569846585008, 0.00016966502201395563,  -4.7391826210902783e-5,
  2.4058645539617974e-6,  5.1273107998549538e-6,   -2.6647929019048456e-6,  5.2648166640106313e-7,
  9.2891231065348573e-8,  -9.4729317304027855e-8,  2.640207676146399e-8,    -3.1762860610433222e-10,
  -2.463125231038779e-9,  9.4841462885704528e-10,  -1.1668488242884923e-10, -4.6670908711308964e-11,
  2.4109881405066688e-11, -3.4283344932941903e-12};
#define ERFC_END 28.0 /* it is 0 from here on */
#define LOW_HALF (((Integer)1 << 27) - 1)
#else
static const T erfc_scaled[] = {1.07400691f,    -0.883394453f,   0.590228337f,    -0.310467268f,    0.119528081f,
                                -0.0268271439f, -0.00121436704f, 0.00303350404f,  -0.000542572807f, -0.000275113657f,
                                9.86939934e-5f, 2.77585393e-5f,  -1.02881612e-5f, -2.49272039e-6f};
static const T erfinv_near[] = {1.65365456f,     0.75049432f,     -0.0589225737f,  -0.0226044367f,   0.0178084645f,
                                -0.00413748685f, -0.00127227816f, 0.00123352894f,  -0.000262878177f, -0.000119911252f,
                                9.15997666e-5f,  -1.04926159e-5f, -1.07524363e-5f, 3.69780667e-6f};
static const T erfinv_middle[] = {3.08388561f,      0.753944226f,   0.00302136818f,  -0.0015825699f,  0.000786465765f,
                                  -0.000400397638f, 0.00017489639f, -4.81052556e-5f, -3.75140112e-6f, 6.06285645e-6f};
#define ERFC_END 10.5f
#define LOW_HALF (((Integer)1 << 12) - 1)
#endif

/* e^(x^2) erfc(x) for x >= 0, times a factor; with what x + 3 is rounded by. */
INLINE Vector erfc_without_decay(Vector a, Vector factor)
{
  Vector d = a + 3, lost = choose(a < 3, a - (d - 3), 3 - (d - a)), p = VECTOR_POLYNOMIAL(erfc_scaled, (a - 3) / d);
  p = (p + p * (factor - lost / d)) / d;
  return choose(a < (T)INFINITY, p, 1 / a);
}

/* e^(a^2), or its reciprocal, for 0 <= a <= 40, is `main` and `rest` times that: the upper half of a's digits has an
   exact square. */
typedef struct SquareExp {
  Vector main, rest;
} SquareExp;

INLINE SquareExp exp_of_square(Vector a, T sign)
{
  Vector high = vector_of_bits(bits_of(a) & ~LOW_HALF), r = sign * (a - high) * (a + high);
  Vector rest = r * (1 + r * ((T)0.5 + r * ((T)(1 / 6.0) + r * (T)(1 / 24.0))));
  return (SquareExp){vector_exp(sign * high * high), rest};
}

/* 1 - erf(x). */
LARGE Vector vector_erfc(Vector x)
{
  Vector a = smaller(AS_VECTOR(ERFC_END), vector_abs(x));
  SquareExp e = exp_of_square(a, -1);
  Vector y = choose(a < (T)0.5, 1 - erf_near(a), e.main * erfc_without_decay(a, e.rest));
  return choose(x < 0, 2 - y, y);
}

RARE Vector erfinv_anywhere(Vector x)
{
  for (int j = 0; j < V; j++) x[j] = (T)erfinv((double)x[j]);
  return x;
}

/* erfinv(x) / x where w = -log(1 - x^2), up to 16. */
INLINE Vector erfinv_slope(Vector w)
{
  Vector y = VECTOR_POLYNOMIAL(erfinv_near, w * (T)0.32 - 1);
  if (!any_of(w > (T)6.25)) return y;
  return choose(w > (T)6.25, VECTOR_POLYNOMIAL(erfinv_middle, (vector_sqrt(w) - (T)3.25) * (T)(4 / 3.0)), y);
}

/* The inverse of erf. */
LARGE Vector vector_erfinv(Vector x)
{
  Vector w = -vector_log((1 - x) * (1 + x));
  if (any_of(~(w <= 16))) return erfinv_anywhere(x);
  return x * erfinv_slope(w);
}

#if T_f64
/* e^(x^2) erfc(x). */
LARGE Vector vector_erfcx(Vector x)
{
  Vector y = erfc_without_decay(vector_abs(x), (Vector){0});
  if (!any_of(x < 0)) return y;
  SquareExp e = exp_of_square(smaller(AS_VECTOR(ERFC_END), vector_abs(x)), 1);
  return choose(x < 0, 2 * e.main * (1 + e.rest) - y, y);
}

/* The logarithm of the normal distribution's share below x. */
LARGE Vector vector_log_ndtr(Vector x)
{
  Vector a = vector_abs(x) * 0.70710678118654752, scaled = erfc_without_decay(a, (Vector){0});
  SquareExp e = exp_of_square(smaller(AS_VECTOR(ERFC_END), a), -1);
  Vector tail = 0.5 * e.main * (1 + e.rest) * scaled;
  Vector y = vector_log1p(choose(x < 0, tail - 1, -tail));
  if (!any_of(x < -1)) return y;
  return choose(x < -1, vector_log(0.5 * scaled) - a * a, y);
}

RARE Vector ndtri_anywhere(Vector p)
{
  for (int j = 0; j < V; j++) p[j] = normal_quantile(p[j]);
  return p;
}

/* The normal distribution's quantiles. */
LARGE Vector vector_ndtri(Vector p)
{
  Vector w = -vector_log(4 * p * (1 - p));
  if (any_of(~(w <= 16))) return ndtri_anywhere(p);
  return (2 * p - 1) * (erfinv_slope(w) * 1.4142135623730951);
}

#endif
#endif
#endif
