/* Special functions, computed in double precision from their series. */
#ifndef NNLUA_KERNELS_SPECIAL_H
#define NNLUA_KERNELS_SPECIAL_H

#include "kernels/typed/airy.h"
#include "kernels/typed/bessel.h"
#include "kernels/typed/polynomial.h"

/* The logarithm of the gamma function's magnitude, without a global variable for its sign. */
static inline double log_gamma(double x)
{
  int sign;
  return lgamma_r(x, &sign);
}

/* Recurrence up to 10, Bernoulli's asymptotic series from there on, reflection below 0. */
static inline double digamma(double x)
{
  static const double b[] = {1 / 12.0, -1 / 120.0, 1 / 252.0, -1 / 240.0, 1 / 132.0, -691 / 32760.0, 1 / 12.0};
  double sum = 0;
  if (x == 0) return copysign((double)INFINITY, -x);
  if (x < 0) {
    double fraction = x - trunc(x);
    if (fraction == 0) return (double)NAN;
    return digamma(1 - x) - PI / tan(PI * fraction);
  }
  for (; x < 10; x += 1) sum -= 1 / x;
  if (isinf(x)) return x;
  double z = 1 / (x * x), term = z;
  sum += log(x) - 0.5 / x;
  for (int i = 0; i < 7; i++, term *= z) sum -= b[i] * term;
  return sum;
}

/* q^-s, of a small whole s by products. */
static inline double power_below(double q, double s)
{
  if (!(s <= 32) || s != floor(s)) return pow(q, -s);
  double power = 1;
  for (int n = (int)s; n; n >>= 1, q *= q)
    if (n & 1) power *= q;
  return 1 / power;
}

/* Hurwitz' zeta function of q > 0 by the formula of Euler and Maclaurin (DLMF 25.11.7). */
static inline double zeta_above(double s, double q)
{
  static const double b[] = {
    0.083333333333333333,    -0.0013888888888888889,  3.3068783068783069e-5,
    -8.2671957671957672e-7,  2.0876756987868099e-8,   -5.2841901386874932e-10,
    1.3382536530684679e-11,  -3.3896802963225829e-13, 8.5860620562778446e-15,
    -2.1748686985580619e-16, 5.5090028283602295e-18,  -1.3954464685812523e-19}; /* B(2j) / (2j)! */
  double sum = 0, power;
  for (; q < s + 10; q += 1) {
    sum += power = power_below(q, s);
    if (power <= sum * 1e-17) return sum;
  }
  power = power_below(q, s);
  sum += power * q / (s - 1) + 0.5 * power;
  double term = power / q * s;
  for (int j = 0; j < 12 && term > sum * 1e-17; j++) {
    sum += b[j] * term;
    term *= (s + 2 * j + 1) / q * ((s + 2 * j + 2) / q);
  }
  return sum;
}

/* Hurwitz' zeta function. At q < 0, where s must be whole, the terms before the first positive one are a difference of
   two functions, so that they take no time; poles at 0 and below are infinite, as in PyTorch. */
static inline double zeta(double s, double q)
{
  if (s == 1) return (double)INFINITY;
  if (!(s > 1)) return (double)NAN;
  if (q > 0) return isinf(q) ? 0 : zeta_above(s, q);
  if (q == floor(q)) return (double)INFINITY;
  if (!(s == floor(s))) return (double)NAN;
  double first = q - floor(q), before = zeta_above(s, 1 - first) - zeta_above(s, 1 - q);
  return zeta_above(s, first) + (fmod(s, 2) == 0 ? before : -before);
}

static inline double polygamma(double n, double x)
{
  if (n == 0) return digamma(x);
  return (fmod(n, 2) == 0 ? -1 : 1) * tgamma(n + 1) * zeta(n + 1, x);
}

#endif
