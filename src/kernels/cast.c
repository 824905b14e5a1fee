/* Casts between all dtypes, and copies by element size. Memory-bound: one build serves every instruction set. */
#include <complex.h>
#include <string.h>

#include "core/half.h"
#include "kernels/kernels.h"
#undef I

/* READ_<dtype> gives a value of a C arithmetic type, WRITE_<dtype> takes any. */
#define SAME(v) (v)
#define READ_b8 SAME
#define READ_u8 SAME
#define READ_i8 SAME
#define READ_i16 SAME
#define READ_i32 SAME
#define READ_i64 SAME
#define READ_f16(v) half_to_float(v)
#define READ_bf16(v) bfloat16_to_float(v)
#define READ_f32 SAME
#define READ_f64 SAME
#define READ_c64 SAME
#define READ_c128 SAME

/* Floating values reach integers by way of int64, so that small ones wrap as they do in PyTorch. */
#define WRITE_b8(v) ((v) != 0)
#define WRITE_u8(v) ((uint8_t)(int64_t)(v))
#define WRITE_i8(v) ((int8_t)(int64_t)(v))
#define WRITE_i16(v) ((int16_t)(int64_t)(v))
#define WRITE_i32(v) ((int32_t)(int64_t)(v))
#define WRITE_i64(v) ((int64_t)(v))
#define WRITE_f16(v) float_to_half((float)(v))
#define WRITE_bf16(v) float_to_bfloat16((float)(v))
#define WRITE_f32(v) ((float)(v))
#define WRITE_f64(v) ((double)(v))
#define WRITE_c64(v) ((float _Complex)(v))
#define WRITE_c128(v) ((double _Complex)(v))

#define CAST(from, FromType, to, ToType)                                                              \
  static void cast_##from##_##to(int64_t n, const char *x, int64_t xs, char *y, int64_t ys)           \
  {                                                                                                   \
    if (xs == (int64_t)sizeof(FromType) && ys == (int64_t)sizeof(ToType)) {                           \
      const FromType *p = (const FromType *)x;                                                        \
      ToType *q = (ToType *)y;                                                                        \
      for (int64_t i = 0; i < n; i++) q[i] = WRITE_##to(READ_##from(p[i]));                           \
    } else {                                                                                          \
      for (int64_t i = 0; i < n; i++, x += xs, y += ys)                                               \
        *(ToType *)y = WRITE_##to(READ_##from(*(const FromType *)x));                                 \
    }                                                                                                 \
  }

#define CASTS_FROM(from, FromType)             \
  CAST(from, FromType, b8, bool)               \
  CAST(from, FromType, u8, uint8_t)            \
  CAST(from, FromType, i8, int8_t)             \
  CAST(from, FromType, i16, int16_t)           \
  CAST(from, FromType, i32, int32_t)           \
  CAST(from, FromType, i64, int64_t)           \
  CAST(from, FromType, f16, uint16_t)          \
  CAST(from, FromType, bf16, uint16_t)         \
  CAST(from, FromType, f32, float)             \
  CAST(from, FromType, f64, double)            \
  CAST(from, FromType, c64, float _Complex)    \
  CAST(from, FromType, c128, double _Complex)

#define DTYPE(suffix, name, type, category) CASTS_FROM(suffix, type)
DTYPES(DTYPE)
#undef DTYPE

#define CAST_ROW(from)                                                                             \
  [DTYPE_##from] = {cast_##from##_b8, cast_##from##_u8, cast_##from##_i8, cast_##from##_i16,       \
                    cast_##from##_i32, cast_##from##_i64, cast_##from##_f16, cast_##from##_bf16,   \
                    cast_##from##_f32, cast_##from##_f64, cast_##from##_c64, cast_##from##_c128},
static const CastKernel casts[DTYPE_COUNT][DTYPE_COUNT] = {
#define DTYPE(suffix, name, type, category) CAST_ROW(suffix)
  DTYPES(DTYPE)
#undef DTYPE
};

CastKernel cast_kernel(DType from, DType to) { return casts[from][to]; }

typedef struct Sixteen { uint64_t half[2]; } Sixteen;

#define COPY(type)                                                             \
  for (int64_t i = 0; i < n; i++, from += from_stride, to += to_stride)        \
    *(type *)to = *(const type *)from;                                         \
  break

void copy_elements(size_t size, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride)
{
  if (from_stride == (int64_t)size && to_stride == (int64_t)size) {
    memmove(to, from, (size_t)n * size);
    return;
  }
  switch (size) {
    case 1: COPY(uint8_t);
    case 2: COPY(uint16_t);
    case 4: COPY(uint32_t);
    case 8: COPY(uint64_t);
    default: COPY(Sixteen);
  }
}
