/* What every kernel template sees: the element type T, its category, and arithmetic on it. */
#ifndef NNLUA_KERNELS_TYPED_H
#define NNLUA_KERNELS_TYPED_H

#include <complex.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/math.h"
#undef I /* complex.h's unit: a common name */

#define PASTE3_(a, b, c) a##_##b##_##c
#define PASTE3(a, b, c) PASTE3_(a, b, c)
/* fill_pointwise -> fill_pointwise_avx2_f32 */
#define TYPED(name) PASTE3(name, ISA, DTYPE)

#if T_f32
typedef float T;
#define T_FLOATING 1
#define MATH(name) name##_f32
#define LIBM(name) name##f
#elif T_f64
typedef double T;
#define T_FLOATING 1
#define MATH(name) name##_f64
#define LIBM(name) name
#elif T_c64
typedef float _Complex T;
#define T_COMPLEX 1
#define LIBM(name) c##name##f
#elif T_c128
typedef double _Complex T;
#define T_COMPLEX 1
#define LIBM(name) c##name
#elif T_b8
typedef bool T;
#define T_BOOL 1
#elif T_u8
typedef uint8_t T;
#define T_INTEGRAL 1
#elif T_i8
typedef int8_t T;
#define T_INTEGRAL 1
#elif T_i16
typedef int16_t T;
#define T_INTEGRAL 1
#elif T_i32
typedef int32_t T;
#define T_INTEGRAL 1
#elif T_i64
typedef int64_t T;
#define T_INTEGRAL 1
#endif

#if T_c64
typedef float Real;
#elif T_c128
typedef double Real;
#else
typedef T Real;
#endif

/* The type that sums and products of many elements are kept in. */
#if T_FLOATING
typedef double Wide;
#elif T_COMPLEX
typedef double _Complex Wide;
#else
typedef int64_t Wide;
#endif

/* For loops of several kinds of one text: the kind is a constant where one is called. */
#define INLINE static inline __attribute__((always_inline))

static inline T scalar_as_T(Scalar s)
{
#if T_COMPLEX
  return (T)(scalar_real(s) + s.im * _Complex_I);
#elif T_FLOATING
  return (T)scalar_real(s);
#else
  return (T)scalar_integer(s);
#endif
}

#endif
