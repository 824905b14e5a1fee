/* The functions that stand in the texts of special rows, of vectors of doubles; what only few call goes lane by
   lane. */
#ifndef NNLUA_KERNELS_VECTOR_SPECIAL_H
#define NNLUA_KERNELS_VECTOR_SPECIAL_H

#include "kernels/typed/special.h"
#include "kernels/typed/vector_bessel.h"
#include "kernels/typed/vector_functions.h"
#include "kernels/typed/vector_gamma.h"
#include "kernels/typed/vector_orthogonal.h"

#if T_f64

#define SGN(x) SIGN(x)
#define ERFCX(x) vector_erfcx(x)
#define LOG_NDTR(x) vector_log_ndtr(x)
#define NDTRI(x) vector_ndtri(x)
#define LGAMMA(x) vector_lgamma(x)
#define DIGAMMA(x) vector_digamma(x)
#define POLYGAMMA_OF(x, n) vector_polygamma(n, x)
#define ZETA_OF(a, b) lanes_zeta(a, b)
#define I0(x) vector_bessel_i(0, x)
#define I1(x) vector_bessel_i(1, x)
#define I0E(x) vector_scaled_bessel_i(0, x)
#define I1E(x) vector_scaled_bessel_i(1, x)
#define BESSEL_J0(x) vector_bessel_j(0, x)
#define BESSEL_J1(x) vector_bessel_j(1, x)
#define BESSEL_Y0(x) vector_bessel_y(0, x)
#define BESSEL_Y1(x) vector_bessel_y(1, x)
#define MODIFIED_BESSEL_K0(x) lanes_bessel_k(0, false, x)
#define MODIFIED_BESSEL_K1(x) lanes_bessel_k(1, false, x)
#define SCALED_K0(x) lanes_bessel_k(0, true, x)
#define SCALED_K1(x) lanes_bessel_k(1, true, x)
#define SPHERICAL_J0(x) vector_spherical_j0(x)
#define AIRY_AI(x) lanes_airy(x)
#define CHEBYSHEV(kind, x, n) vector_chebyshev(KIND_##kind, x, n)
#define SHIFTED_CHEBYSHEV(kind, x, n) vector_chebyshev(KIND_##kind, 2 * (x)-1, n)
#define HERMITE(physicists, x, n) vector_hermite(physicists, x, n)
#define LAGUERRE(x, n) vector_laguerre(x, n)
#define LEGENDRE(x, n) vector_legendre(x, n)
#define FREXP_MANTISSA(x) vector_frexp_mantissa(x)
#define FREXP_EXPONENT(x) vector_frexp_exponent(x)

INLINE Vector lanes_zeta(Vector s, Vector q)
{
  for (int j = 0; j < V; j++) s[j] = zeta(s[j], q[j]);
  return s;
}

INLINE Vector lanes_bessel_k(int order, bool scaled, Vector x)
{
  for (int j = 0; j < V; j++) x[j] = bessel_k(order, scaled, x[j]);
  return x;
}

INLINE Vector lanes_airy(Vector x)
{
  for (int j = 0; j < V; j++) x[j] = airy_ai(x[j]);
  return x;
}

/* Whether all are neither subnormal nor zero, infinite or nan. */
INLINE bool all_ordinary(Vector x) { return all_normal(vector_abs(x)); }

RARE Vector frexp_mantissa_anywhere(Vector x)
{
  int power;
  for (int j = 0; j < V; j++) x[j] = frexp(x[j], &power);
  return x;
}

RARE Vector frexp_exponent_anywhere(Vector x)
{
  for (int j = 0; j < V; j++) {
    int power = 0;
    frexp(x[j], &power);
    x[j] = isfinite(x[j]) ? power : 0;
  }
  return x;
}

/* x as a number from 1/2 to 1, or its negative, times a power of 2: that number, and the power. */
INLINE Vector vector_frexp_mantissa(Vector x)
{
  const Integer mantissa = ((Integer)1 << MANTISSA_BITS) - 1, half = (Integer)(EXPONENT_BIAS - 1) << MANTISSA_BITS;
  if (!all_ordinary(x)) return frexp_mantissa_anywhere(x);
  return vector_of_bits((bits_of(x) & (mantissa | SIGN_BIT)) | half);
}

INLINE Vector vector_frexp_exponent(Vector x)
{
  if (!all_ordinary(x)) return frexp_exponent_anywhere(x);
  Mask biased = (bits_of(vector_abs(x)) >> MANTISSA_BITS) | bits_of(AS_VECTOR(WHOLE));
  return vector_of_bits(biased) - (WHOLE + (EXPONENT_BIAS - 1));
}

#endif
#endif
