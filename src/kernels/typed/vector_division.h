/* Divisions of vectors whose quotients are whole, and the rests that they leave, exact as the C library's. */
#ifndef NNLUA_KERNELS_VECTOR_DIVISION_H
#define NNLUA_KERNELS_VECTOR_DIVISION_H

#include "kernels/typed/vector_math.h"

#if T_FLOATING

RARE Vector fmod_anywhere(Vector a, Vector b)
{
  for (int j = 0; j < V; j++) a[j] = LIBM(fmod)(a[j], b[j]);
  return a;
}

/* The rest of a by b, with the sign of a. As long as the quotient's whole part has no more digits than a number, what
   the quotient, rounded, leaves of a is exact; where it was rounded up to a whole number, that is one too many. */
INLINE Vector vector_fmod(Vector a, Vector b)
{
  Vector quotient = a / b;
  if (!HAS_FUSED || any_of(~((vector_abs(quotient) < WHOLE) & (vector_abs(b) < (T)INFINITY))))
    return fmod_anywhere(a, b);
  Vector rest = fused(-vector_trunc(quotient), b, a), size = vector_signed(vector_abs(b), a);
  rest = choose((rest != 0) & ((rest < 0) ^ (a < 0)), rest + size, rest);
  return vector_signed(vector_abs(rest), a);
}

/* Whether a rest and a divisor have different signs. */
INLINE Mask other_sign(Vector rest, Vector b) { return (rest != 0) & ((rest < 0) ^ (b < 0)); }

/* The rest with the sign of the divisor. */
INLINE Vector vector_remainder(Vector a, Vector b)
{
  Vector rest = vector_fmod(a, b);
  return choose(other_sign(rest, b), rest + b, rest);
}

/* The quotient rounded down, by way of the remainder so that it agrees with it (Python's divmod). */
INLINE Vector vector_floor_div(Vector a, Vector b)
{
  Vector rest = vector_fmod(a, b), exact = a / b, quotient = (a - rest) / b;
  quotient = choose(other_sign(rest, b), quotient - 1, quotient);
  Vector down = vector_floor(quotient);
  down = choose(quotient - down > (T)0.5, down + 1, down);
  return choose(b == 0, exact, choose(quotient == 0, vector_signed(AS_VECTOR((T)0), exact), down));
}

#endif
#endif
