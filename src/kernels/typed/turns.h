/* Every other number of a line, and two lines' numbers in turns, of vectors of floats. */
#ifndef NNLUA_KERNELS_TURNS_H
#define NNLUA_KERNELS_TURNS_H

#include "kernels/typed/vector.h"

#if T_f32
#define LANES (VECTOR_BYTES / 4)
#else
#define LANES (VECTOR_BYTES / 8)
#endif

/* Of 2 V - 1 numbers every other one: a has the first V, b the last V. */
INLINE Vector every_other(Vector a, Vector b)
{
#if LANES == 16
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif LANES == 8
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#elif LANES == 4
  return __builtin_shufflevector(a, b, 0, 2, 5, 7);
#else
  return __builtin_shufflevector(a, b, 0, 3);
#endif
}

INLINE Vector load_every_other(const T *p) { return every_other(load(p), load(p + V - 1)); }

/* Two vectors' numbers in turns: those of their first halves, and of their last. */
INLINE Vector first_in_turns(Vector a, Vector b)
{
#if LANES == 16
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif LANES == 8
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#elif LANES == 4
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#else
  return __builtin_shufflevector(a, b, 0, 2);
#endif
}

INLINE Vector last_in_turns(Vector a, Vector b)
{
#if LANES == 16
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif LANES == 8
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif LANES == 4
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
  return __builtin_shufflevector(a, b, 1, 3);
#endif
}

#endif
