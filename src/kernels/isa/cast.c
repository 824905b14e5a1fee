/* Casts between all dtypes. */
#include <complex.h>

#include "core/blocks.h"
#include "core/half.h"
#include "kernels/isa/isa.h"
#undef I

static inline int64_t piece_of(int64_t n) { return n < CAST_PIECE ? n : CAST_PIECE; }

/* Floating values reach integers by way of int64, so that small ones wrap as they do in PyTorch. */
#define TO_b8(v) ((v) != 0)
#define TO_u8(v) ((uint8_t)(int64_t)(v))
#define TO_i8(v) ((int8_t)(int64_t)(v))
#define TO_i16(v) ((int16_t)(int64_t)(v))
#define TO_i32(v) ((int32_t)(int64_t)(v))
#define TO_i64(v) ((int64_t)(v))
#define TO_f32(v) ((float)(v))
#define TO_f64(v) ((double)(v))
#define TO_c64(v) ((float _Complex)(v))
#define TO_c128(v) ((double _Complex)(v))

/* Those by way of float call two others: with copies of them the compiler would take twice as long over this file. */
#define CALLED static __attribute__((noinline)) void

/* The loop over contiguous elements: one way for all. */
#define PLAIN(from, to, type) \
  for (int64_t i = 0; i < n; i++) q[i] = TO_##to(p[i])

/* Most sets have no instruction from or to int64, all have those of int32: pieces whose values fit are cast over it.
   What doesn't fit becomes one of int32's ends, by x86's instruction the lower one, by others the nearer. MISFIT gives
   bits, of which some are set where a value may not have fit. */
#define MISFIT_f32(v, fitted) (uint32_t)(((fitted) ^ ((fitted) >> 31)) == INT32_MAX)
#define MISFIT_f64(v, fitted) MISFIT_f32(v, fitted)
#define MISFIT_i64(v, fitted) ((uint64_t)(v) ^ (uint64_t)(int64_t)(fitted))
#define MISFITS_f32 uint32_t
#define MISFITS_f64 uint32_t
#define MISFITS_i64 uint64_t

#define OVER_INT32(from, to, type)                          \
  for (int64_t m; n > 0; n -= m, p += m, q += m) {          \
    m = piece_of(n);                                        \
    MISFITS_##from misfits = 0;                             \
    for (int64_t i = 0; i < m; i++) {                       \
      int32_t fitted = (int32_t)p[i];                       \
      misfits |= MISFIT_##from(p[i], fitted);               \
      q[i] = (type)fitted;                                  \
    }                                                       \
    if (misfits)                                            \
      for (int64_t i = 0; i < m; i++) q[i] = TO_##to(p[i]); \
  }

#define CAST(from, FromType, to, type, LOOP)                                                        \
  CALLED cast_##from##_##to(int64_t n, const char *x, int64_t xs, char *y, int64_t ys)              \
  {                                                                                                 \
    if (xs == (int64_t)sizeof(FromType) && ys == (int64_t)sizeof(type)) {                           \
      const FromType *restrict p = (const FromType *)x;                                             \
      type *restrict q = (type *)y;                                                                 \
      LOOP(from, to, type);                                                                         \
    } else {                                                                                        \
      for (int64_t i = 0; i < n; i++, x += xs, y += ys) *(type *)y = TO_##to(*(const FromType *)x); \
    }                                                                                               \
  }

#define CASTS_FROM(from, FromType, INTEGERS, FLOATS) \
  CAST(from, FromType, b8, bool, PLAIN)              \
  CAST(from, FromType, u8, uint8_t, INTEGERS)        \
  CAST(from, FromType, i8, int8_t, INTEGERS)         \
  CAST(from, FromType, i16, int16_t, INTEGERS)       \
  CAST(from, FromType, i32, int32_t, INTEGERS)       \
  CAST(from, FromType, i64, int64_t, INTEGERS)       \
  CAST(from, FromType, f32, float, FLOATS)           \
  CAST(from, FromType, f64, double, FLOATS)          \
  CAST(from, FromType, c64, float _Complex, PLAIN)   \
  CAST(from, FromType, c128, double _Complex, PLAIN)

CASTS_FROM(b8, uint8_t, PLAIN, PLAIN) /* loops over bool are not vectorised */
CASTS_FROM(u8, uint8_t, PLAIN, PLAIN)
CASTS_FROM(i8, int8_t, PLAIN, PLAIN)
CASTS_FROM(i16, int16_t, PLAIN, PLAIN)
CASTS_FROM(i32, int32_t, PLAIN, PLAIN)
CASTS_FROM(i64, int64_t, PLAIN, OVER_INT32)
CASTS_FROM(f32, float, OVER_INT32, PLAIN)
CASTS_FROM(f64, double, OVER_INT32, PLAIN)
CASTS_FROM(c64, float _Complex, PLAIN, PLAIN)
CASTS_FROM(c128, double _Complex, PLAIN, PLAIN)

/* ------------------------------------------------------------------- halves */

#define HALF_AND_FLOAT(half, to_float, of_float)                                                      \
  CALLED cast_##half##_f32(int64_t n, const char *x, int64_t xs, char *y, int64_t ys)                 \
  {                                                                                                   \
    if (xs == (int64_t)sizeof(uint16_t) && ys == (int64_t)sizeof(float))                              \
      to_float##_n(n, (const uint16_t *)x, (float *)y);                                               \
    else                                                                                              \
      for (int64_t i = 0; i < n; i++, x += xs, y += ys) *(float *)y = to_float(*(const uint16_t *)x); \
  }                                                                                                   \
  CALLED cast_f32_##half(int64_t n, const char *x, int64_t xs, char *y, int64_t ys)                   \
  {                                                                                                   \
    if (xs == (int64_t)sizeof(float) && ys == (int64_t)sizeof(uint16_t))                              \
      of_float##_n(n, (const float *)x, (uint16_t *)y);                                               \
    else                                                                                              \
      for (int64_t i = 0; i < n; i++, x += xs, y += ys) *(uint16_t *)y = of_float(*(const float *)x); \
  }
HALF_AND_FLOAT(f16, half_to_float, float_to_half)
HALF_AND_FLOAT(bf16, bfloat16_to_float, float_to_bfloat16)

/* All other types are cast from and to halves by way of float, in a buffer. */
#define BY_WAY_OF_FLOAT(from, to)                                                           \
  static void cast_##from##_##to(int64_t n, const char *x, int64_t xs, char *y, int64_t ys) \
  {                                                                                         \
    float buffer[CAST_PIECE];                                                               \
    for (int64_t m; n > 0; n -= m, x += m * xs, y += m * ys) {                              \
      m = piece_of(n);                                                                      \
      cast_##from##_f32(m, x, xs, (char *)buffer, sizeof *buffer);                          \
      cast_f32_##to(m, (const char *)buffer, sizeof *buffer, y, ys);                        \
    }                                                                                       \
  }
/* clang-format off */
#define EACH_BUT_FLOAT(X, ...)                                                   \
  X(__VA_ARGS__, b8) X(__VA_ARGS__, u8)                                          \
  X(__VA_ARGS__, i8) X(__VA_ARGS__, i16) X(__VA_ARGS__, i32) X(__VA_ARGS__, i64) \
  X(__VA_ARGS__, f64) X(__VA_ARGS__, c64) X(__VA_ARGS__, c128)
/* clang-format on */
#define ONE(with, dtype) +1
_Static_assert(0 EACH_BUT_FLOAT(ONE, f32) + 3 == DTYPE_COUNT, "a dtype has no casts"); /* 3: floats and halves */
#define INTO(half, from) BY_WAY_OF_FLOAT(from, half)
EACH_BUT_FLOAT(BY_WAY_OF_FLOAT, f16)
EACH_BUT_FLOAT(BY_WAY_OF_FLOAT, bf16)
EACH_BUT_FLOAT(INTO, f16)
EACH_BUT_FLOAT(INTO, bf16)
BY_WAY_OF_FLOAT(f16, bf16)
BY_WAY_OF_FLOAT(bf16, f16)
BY_WAY_OF_FLOAT(f16, f16)
BY_WAY_OF_FLOAT(bf16, bf16)

/* ---------------------------------------------------------------- the table */

void OF_ISA(fill_casts)(CastKernels *casts)
{
#define SET(old, new) casts[DTYPE_##old].to[DTYPE_##new] = cast_##old##_##new;
#define DTYPE(from, ...) EACH_BUT_FLOAT(SET, from) SET(from, f32) SET(from, f16) SET(from, bf16)
#include "core/dtypes.def"
#undef DTYPE
#undef SET
}
