/* Orthogonal polynomials of a degree, in double precision: by their recurrences (DLMF 18.9), and by functions of angles
   where the degree is higher. Degrees are rounded towards 0; below 0, and for nan, the value is 0, as in PyTorch. */
#ifndef NNLUA_KERNELS_ORTHOGONAL_H
#define NNLUA_KERNELS_ORTHOGONAL_H

#include "kernels/typed/typed.h"

/* Beyond these degrees, where a value takes as many steps, the results are nan. */
enum { MOST_DEGREE = 1 << 20, MOST_HERMITE_DEGREE = 512 };

/* Chebyshev's polynomials of the four kinds. */
typedef enum ChebyshevKind { KIND_T, KIND_U, KIND_V, KIND_W } ChebyshevKind;

/* At x > 1, or between 0 and 1, by hyperbolic functions, or those of an angle (DLMF 18.5.1 to 18.5.4). */
static inline double chebyshev_by_angle(ChebyshevKind kind, double x, double n)
{
  if (x == 1) return kind == KIND_U ? n + 1 : kind == KIND_W ? n + n + 1 : 1;
  bool inside = x < 1;
  double angle = inside ? acos(x) : acosh(x);
  switch (kind) {
    case KIND_T: return inside ? cos(n * angle) : cosh(n * angle);
    case KIND_U: return inside ? sin((n + 1) * angle) / sin(angle) : sinh((n + 1) * angle) / sinh(angle);
    case KIND_V: return inside ? cos((n + 0.5) * angle) / cos(angle / 2) : cosh((n + 0.5) * angle) / cosh(angle / 2);
    default: return inside ? sin((n + 0.5) * angle) / sin(angle / 2) : sinh((n + 0.5) * angle) / sinh(angle / 2);
  }
}

static inline double chebyshev_by_steps(ChebyshevKind kind, double x, int n)
{
  double p = 1, q = kind == KIND_T ? x : kind == KIND_U ? x + x : kind == KIND_V ? x + x - 1 : x + x + 1;
  if (n == 0) return 1;
  for (int k = 2; k <= n; k++) {
    double next = (x + x) * q - p;
    p = q;
    q = next;
  }
  return q;
}

/* Those at -x are, but for the sign, the same at x, where V and W change places. */
static inline double chebyshev(ChebyshevKind kind, double x, double degree)
{
  double n = trunc(degree);
  if (!(n >= 0)) return 0;
  if (n <= 8) return chebyshev_by_steps(kind, x, (int)n);
  if (!(x < 0)) return chebyshev_by_angle(kind, x, n);
  if (kind == KIND_V || kind == KIND_W) kind = kind == KIND_V ? KIND_W : KIND_V;
  double y = chebyshev_by_angle(kind, -x, n);
  return fmod(n, 2) != 0 ? -y : y;
}

/* Hermite's polynomials, the physicists' H and the probabilists' He. */
static inline double hermite(bool physicists, double x, double degree)
{
  double n = trunc(degree), p = 0, q = 1, factor = physicists ? 2 : 1;
  if (!(n >= 0)) return 0;
  if (n > MOST_HERMITE_DEGREE) return (double)NAN;
  for (int k = 0; k < (int)n; k++) {
    double next = factor * (x * q - k * p);
    p = q;
    q = next;
  }
  return q;
}

static inline double laguerre(double x, double degree)
{
  double n = trunc(degree), p = 0, q = 1;
  if (!(n >= 0)) return 0;
  if (x == 0) return 1;
  if (n > MOST_DEGREE) return (double)NAN;
  for (int k = 0; k < (int)n; k++) {
    double next = ((k + k + 1 - x) * q - k * p) / (k + 1);
    p = q;
    q = next;
  }
  return q;
}

static inline double legendre(double x, double degree)
{
  double n = trunc(degree), p = 0, q = 1;
  if (!(n >= 0)) return 0;
  if (fabs(x) == 1) return x > 0 || fmod(n, 2) == 0 ? 1 : -1;
  if (n > MOST_DEGREE) return (double)NAN;
  for (int k = 0; k < (int)n; k++) {
    double next = ((k + k + 1) * x * q - k * p) / (k + 1);
    p = q;
    q = next;
  }
  return q;
}

#endif
