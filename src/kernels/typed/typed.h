/* What every kernel template sees: the element type T, its category, and arithmetic on it. */
#ifndef NNLUA_KERNELS_TYPED_H
#define NNLUA_KERNELS_TYPED_H

#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/scalar.h"
#undef I /* complex.h's unit: a common name */

#define PASTE2_(a, b) a##_##b
#define PASTE2(a, b) PASTE2_(a, b)
#define PASTE3_(a, b, c) a##_##b##_##c
#define PASTE3(a, b, c) PASTE3_(a, b, c)
/* fill_pointwise -> fill_pointwise_avx2_f32 */
#define TYPED(name) PASTE3(name, ISA, T_SUFFIX)

/* What fills tables stands side by side in the program, apart from the kernels: start-up reads few of its pages so. */
#define AT_START __attribute__((section(".text.startup")))

/* The element type. The build file defines T_<dtype> and T_<category>. */
#define DTYPE(suffix, name, other, type, ...) typedef type TYPE_OF_##suffix;
#include "core/dtypes.def"
#undef DTYPE
typedef PASTE2(TYPE_OF, T_SUFFIX) T;

#if T_f32
#define LIBM(name) name##f
#elif T_f64
#define LIBM(name) name
#elif T_c64
#define LIBM(name) c##name##f
#elif T_c128
#define LIBM(name) c##name
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
