/*
 * The regularized incomplete gamma functions P(a, x) = 1/Gamma(a) times the integral of t^(a-1) e^-t from 0 to x, and
 * Q = 1 - P, in double precision: each from the series (DLMF 8.11.4) or the continued fraction (8.9.2) of the one that
 * is the smaller; where a is so large and x so near that these take long, from the asymptotic expansion that is
 * uniform in x (8.12.3).
 */
#ifndef NNLUA_KERNELS_INCOMPLETE_GAMMA_H
#define NNLUA_KERNELS_INCOMPLETE_GAMMA_H

#include "kernels/typed/special.h"

/* log(x / a) - x / a + 1, exact where x is near a, too: there by the series of artanh. */
static inline double log_ratio_minus(double a, double x)
{
  double off = x - a, r = off / (x + a), square = r * r, term = 2 * r * square, sum = 0;
  if (!(fabs(off) < 0.4 * a)) return log(x / a) - off / a;
  for (int k = 3; k < 60 && fabs(term) > 1e-18 * fabs(sum); k += 2, term *= square) sum += term / k;
  return sum - r * (off / a);
}

/* x^a e^-x / Gamma(a + 1): for large a by Stirling's series, so that large logarithms don't cancel. */
static inline double gamma_prefactor(double a, double x)
{
  if (a < 10) return exp(a * log(x) - x - log_gamma(a + 1));
  double z = 1 / (a * a);
  double stirling = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188)))) / a;
  return exp(a * log_ratio_minus(a, x) - stirling) / sqrt(2 * PI * a);
}

static inline double lower_series(double a, double x)
{
  double term = 1, sum = 1;
  for (double n = a + 1; term > sum * 1e-17; n++) sum += term *= x / n;
  return sum * gamma_prefactor(a, x);
}

/* By W. J. Lentz's method. */
static inline double upper_fraction(double a, double x)
{
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d, factor = 0;
  for (double n = 1; n < 1e6 && fabs(factor - 1) > 1e-16; n++) {
    double numerator = n * (a - n);
    b += 2;
    d = 1 / (b + numerator * d);
    c = b + numerator / c;
    factor = c * d;
    fraction *= factor;
  }
  return fraction * gamma_prefactor(a, x) * a;
}

/* Q of an x up to 1, where P may be nearly 1 (DLMF 8.7.3). */
static inline double upper_series(double a, double x)
{
  double factor = 1, sum = 0, log_x = log(x);
  for (int n = 1; n < 60 && fabs(factor) > 1e-18; n++) {
    factor *= -x / n;
    sum += factor / (a + n);
  }
  return -expm1(a * log_x - log_gamma(1 + a)) - exp(a * log_x - log_gamma(a)) * sum;
}

/* Q, or P if sign is -1, of a from 1e5 on and an x next to it, eta^2 / 2 = x / a - 1 - log(x / a). */
static inline double gamma_asymptotic(double a, double x, int sign)
{
  double half = -log_ratio_minus(a, x), eta = copysign(sqrt(2 * half), x - a);
  double c0 = -1.0 / 3
              + eta
                  * (1.0 / 12 + eta * (-2.0 / 135 + eta * (1.0 / 864 + eta * (1.0 / 2835 + eta * (-139.0 / 777600)))));
  double c1 = -1.0 / 540 + eta * (-1.0 / 288 + eta * (1.0 / 378)), c2 = 25.0 / 6048;
  double correction = exp(-a * half) / sqrt(2 * PI * a) * (c0 + (c1 + c2 / a) / a);
  return erfc(sign * eta * sqrt(a / 2)) / 2 + sign * correction;
}

/* What is known without computing: Q, or -1. */
static inline double upper_at_bounds(double a, double x)
{
  if (!(x >= 0 && a >= 0) || (a == 0 && x == 0) || (isinf(a) && isinf(x))) return (double)NAN;
  if (a == 0 || isinf(x)) return 0;
  return x == 0 || isinf(a) ? 1 : -1;
}

/* Q if upper is set, else P. */
static inline double incomplete_gamma(double a, double x, bool upper)
{
  double known = upper_at_bounds(a, x);
  if (!(known < 0)) return upper ? known : 1 - known;
  if (a > 1e5 && fabs(x - a) < 4.5 * sqrt(a)) return gamma_asymptotic(a, x, upper ? 1 : -1);
  if (x <= 1 ? !upper || -0.4 / log(x) < a : x <= a) {
    double lower = lower_series(a, x);
    return upper ? 1 - lower : lower;
  }
  double rest = x <= 1 ? upper_series(a, x) : upper_fraction(a, x);
  return upper ? rest : 1 - rest;
}

#define IGAMMA(a, x) ((T)incomplete_gamma((double)(a), (double)(x), false))
#define IGAMMAC(a, x) ((T)incomplete_gamma((double)(a), (double)(x), true))

#endif
