/* Values of polynomials, of vectors. */
#ifndef NNLUA_KERNELS_VECTOR_POLYNOMIAL_H
#define NNLUA_KERNELS_VECTOR_POLYNOMIAL_H

#include "kernels/typed/vector_angles.h"

#if T_FLOATING

/* Functions that are too long to be copied into each loop. */
#define LARGE static __attribute__((noinline, unused))

/* c[0] + c[1] t + …, of four sums of every fourth power, side by side. */
#define VECTOR_POLYNOMIAL(c, t) vector_polynomial(c, sizeof(c) / sizeof *(c), t)

INLINE Vector vector_polynomial(const T *c, int n, Vector t)
{
  Vector square = t * t, fourth = square * square, sum[4] = {{0}, {0}, {0}, {0}};
  UNROLL for (int i = (n - 1) / 4 * 4; i >= 0; i -= 4)
  {
    for (int k = 0; k < 4; k++) sum[k] = sum[k] * fourth + (i + k < n ? c[i + k] : 0);
  }
  return sum[0] + sum[1] * t + (sum[2] + sum[3] * t) * square;
}

#endif
#endif
