/* Values of polynomials, and what the files of special functions share. */
#ifndef NNLUA_KERNELS_POLYNOMIAL_H
#define NNLUA_KERNELS_POLYNOMIAL_H

#include "kernels/typed/typed.h"

#define PI 3.14159265358979323846

/* c[0] + c[1] t + … of an even number of terms: those of even and of odd powers each by Horner's rule, side by side. */
#define POLYNOMIAL(c, t) polynomial(c, sizeof(c) / sizeof *(c), t)

static inline double polynomial(const double *c, size_t n, double t)
{
  double square = t * t, even = 0, odd = 0;
  for (size_t i = n; i > 0; i -= 2) {
    odd = odd * square + c[i - 1];
    even = even * square + c[i - 2];
  }
  return even + t * odd;
}

#endif
