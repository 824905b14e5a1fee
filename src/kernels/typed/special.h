/* Special functions, computed in double precision from their series. */
#ifndef NNLUA_KERNELS_SPECIAL_H
#define NNLUA_KERNELS_SPECIAL_H

#include "kernels/typed/typed.h"

#define PI 3.14159265358979323846

/* Newton's method with Halley's correction on erfc, from a first guess by S. Winitzki (2008). */
static inline double erfinv(double p)
{
  double a = fabs(p), rest = 1 - a; /* exact where it is small */
  if (!(a < 1)) return a == 1 ? copysign((double)INFINITY, p) : (double)NAN;
  double log_of = log(rest * (1 + a)), half = 2 / (PI * 0.147) + log_of / 2;
  double x = sqrt(sqrt(half * half - log_of / 0.147) - half);
  for (int i = 0; i < 4; i++) {
    double off = (a < 0.5 ? a - erf(x) : erfc(x) - rest) * 0.88622692545275801 * exp(x * x);
    x += off / (1 - x * off);
  }
  return copysign(x, p);
}

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

/* Hurwitz' zeta function of s > 1 by the formula of Euler and Maclaurin. */
static inline double zeta(double s, double q)
{
  /* B(2j) / (2j)! */
  static const double b[] = {1 / 12.0,          -1 / 720.0,
                             1 / 30240.0,       -1 / 1209600.0,
                             1 / 47900160.0,    -691 / 1307674368000.0,
                             1 / 74724249600.0, -3617 / 10670622842880000.0};
  double sum = 0, factor = s;
  if (q <= 0 && q == floor(q)) return (double)INFINITY;
  for (int i = 0; i < 12 || q < 12; i++, q += 1) sum += pow(q, -s);
  sum += pow(q, 1 - s) / (s - 1) + 0.5 * pow(q, -s);
  for (int j = 0; j < 8; j++) {
    sum += b[j] * factor * pow(q, -s - 2 * j - 1);
    factor *= (s + 2 * j + 1) * (s + 2 * j + 2);
  }
  return sum;
}

static inline double polygamma(double n, double x)
{
  if (n == 0) return digamma(x);
  return (fmod(n, 2) == 0 ? -1 : 1) * tgamma(n + 1) * zeta(n + 1, x);
}

/* The modified Bessel functions of orders 0 and 1: the power series, whose terms have one sign,
   or the asymptotic one. */
static inline double bessel_i(int order, double x)
{
  double a = fabs(x), term = order ? a / 2 : 1, sum = term, sign = order && x < 0 ? -1 : 1;
  if (a != a) return a;
  if (a < 30) {
    for (int k = 1; term > sum * 1e-17; k++) sum += term *= a * a / 4 / (k * (double)(k + order));
    return sign * sum;
  }
  term = sum = 1;
  for (int k = 1; k < 30; k++) {
    double odd = 2 * k - 1;
    term *= (odd * odd - 4 * order) / (8 * k * a);
    sum += term;
  }
  return sign * exp(a / 2) * sum / sqrt(2 * PI * a) * exp(a / 2);
}

#define ERFC(x) LIBM(erfc)(x)
#define ERFINV(x) ((T)erfinv((double)(x)))
#define LGAMMA(x) ((T)log_gamma((double)(x)))
#define DIGAMMA(x) ((T)digamma((double)(x)))
#define POLYGAMMA_OF(x, n) ((T)polygamma((double)(n), (double)(x)))
#define I0(x) ((T)bessel_i(0, (double)(x)))
#define I1(x) ((T)bessel_i(1, (double)(x)))

#endif
