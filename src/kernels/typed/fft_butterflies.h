/* Transforms of few complex numbers, each a vector's lanes side by side; forward ones. */
#ifndef NNLUA_KERNELS_FFT_BUTTERFLIES_H
#define NNLUA_KERNELS_FFT_BUTTERFLIES_H

#include "kernels/fft.h"
#include "kernels/typed/vector.h"

/* Real and imaginary parts, of V numbers. */
typedef struct Complex {
  Vector re, im;
} Complex;

INLINE Complex sum(Complex a, Complex b) { return (Complex){a.re + b.re, a.im + b.im}; }
INLINE Complex difference(Complex a, Complex b) { return (Complex){a.re - b.re, a.im - b.im}; }
/* a - i b and a + i b */
INLINE Complex minus_i(Complex a, Complex b) { return (Complex){a.re + b.im, a.im - b.re}; }
INLINE Complex plus_i(Complex a, Complex b) { return (Complex){a.re - b.im, a.im + b.re}; }

INLINE Complex times(Complex a, Vector re, Vector im)
{
  return (Complex){a.re * re - a.im * im, a.re * im + a.im * re};
}

INLINE Complex times_number(Complex a, T re, T im) { return (Complex){a.re * re - a.im * im, a.re * im + a.im * re}; }

INLINE void butterfly_2(Complex *v)
{
  Complex a = v[0], b = v[1];
  v[0] = sum(a, b);
  v[1] = difference(a, b);
}

/* of v[0], v[step], v[2 step], v[3 step] */
INLINE void butterfly_4(Complex *v, int step)
{
  Complex a = sum(v[0], v[2 * step]), b = difference(v[0], v[2 * step]);
  Complex c = sum(v[step], v[3 * step]), d = difference(v[step], v[3 * step]);
  v[0] = sum(a, c);
  v[step] = minus_i(b, d);
  v[2 * step] = difference(a, c);
  v[3 * step] = plus_i(b, d);
}

/* e^(-pi i / 4) and e^(-3 pi i / 4) times a */
INLINE Complex eighth(Complex a)
{
  const T c = (T)0.70710678118654752440;
  return (Complex){(a.re + a.im) * c, (a.im - a.re) * c};
}

INLINE Complex three_eighths(Complex a)
{
  const T c = (T)0.70710678118654752440;
  return (Complex){(a.im - a.re) * c, (a.re + a.im) * -c};
}

INLINE void butterfly_8(Complex *v)
{
  Complex even[4], odd[4];
  UNROLL for (int j = 0; j < 4; j++)
  {
    even[j] = v[2 * j];
    odd[j] = v[2 * j + 1];
  }
  butterfly_4(even, 1);
  butterfly_4(odd, 1);
  odd[1] = eighth(odd[1]);
  odd[3] = three_eighths(odd[3]);
  v[0] = sum(even[0], odd[0]);
  v[4] = difference(even[0], odd[0]);
  v[1] = sum(even[1], odd[1]);
  v[5] = difference(even[1], odd[1]);
  v[2] = minus_i(even[2], odd[2]);
  v[6] = plus_i(even[2], odd[2]);
  v[3] = sum(even[3], odd[3]);
  v[7] = difference(even[3], odd[3]);
}

/* As 4 times 4. */
INLINE void butterfly_16(Complex *v)
{
  const T c = (T)0.92387953251128675613, s = (T)0.38268343236508977173; /* of pi / 8 */
  Complex t[16];
  UNROLL for (int j = 0; j < 4; j++) butterfly_4(v + j, 4);
  v[5] = times_number(v[5], c, -s);
  v[6] = eighth(v[6]);
  v[7] = times_number(v[7], s, -c);
  v[9] = eighth(v[9]);
  v[10] = minus_i((Complex){{0}, {0}}, v[10]);
  v[11] = three_eighths(v[11]);
  v[13] = times_number(v[13], s, -c);
  v[14] = three_eighths(v[14]);
  v[15] = times_number(v[15], -c, s);
  UNROLL for (int q = 0; q < 4; q++)
  {
    butterfly_4(v + 4 * q, 1);
    for (int k = 0; k < 4; k++) t[q + 4 * k] = v[4 * q + k];
  }
  UNROLL for (int k = 0; k < 16; k++) v[k] = t[k];
}

/* Of an odd radix: x[j] and x[r - j] come together, so that sums are over half of them (roots as in FftPass). */
INLINE void butterfly_odd(int r, Complex *v, const T *roots)
{
  const int h = r / 2;
  const T *cosines = roots, *sines = roots + h * h;
  Complex sums[FFT_LARGE_PRIME / 2], differences[FFT_LARGE_PRIME / 2], first = v[0];
  UNROLL for (int j = 0; j < h; j++)
  {
    sums[j] = sum(v[j + 1], v[r - 1 - j]);
    differences[j] = difference(v[j + 1], v[r - 1 - j]);
    v[0] = sum(v[0], sums[j]);
  }
  UNROLL for (int k = 0; k < h; k++)
  {
    Complex even = first, odd = {{0}, {0}};
    UNROLL for (int j = 0; j < h; j++)
    {
      const T c = cosines[k * h + j], s = sines[k * h + j];
      even.re += c * sums[j].re;
      even.im += c * sums[j].im;
      odd.re += s * differences[j].re;
      odd.im += s * differences[j].im;
    }
    v[k + 1] = minus_i(even, odd);
    v[r - 1 - k] = plus_i(even, odd);
  }
}

INLINE void butterfly(int r, Complex *v, const T *roots)
{
  if (r == 2) butterfly_2(v);
  else if (r == 4) butterfly_4(v, 1);
  else if (r == 8) butterfly_8(v);
  else if (r == 16) butterfly_16(v);
  else butterfly_odd(r, v, roots);
}

#endif
