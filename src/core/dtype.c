/* Which type two types promote to, and what the floating ones hold. */
#include "core/dtype.h"

#include <float.h>

#include "core/half.h"

#define BOOL CATEGORY_BOOL
#define INTEGRAL CATEGORY_INTEGRAL
#define FLOATING CATEGORY_FLOATING
#define COMPLEX CATEGORY_COMPLEX
const DTypeInfo dtype_table[DTYPE_COUNT] = {
#define DTYPE(suffix, name, other, type, category, compute, block, bytes) \
  [DTYPE_##suffix] = {#name, bytes, category, block, DTYPE_##compute},
#include "core/dtypes.def"
#undef DTYPE
};

#define DTYPE(suffix, name, other, type, category, compute, block, bytes) \
  _Static_assert(block > 1 || sizeof(type) == bytes, "the bytes of " #name);
#include "core/dtypes.def"
#undef DTYPE

static DType promote_integral(DType a, DType b)
{
  DType low = a < b ? a : b, high = a < b ? b : a;
  if (low == DTYPE_u8 && high == DTYPE_i8) return DTYPE_i16; /* neither holds the other */
  return high;
}

static DType promote_complex(DType a, DType b)
{
  bool wide = a == DTYPE_c128 || b == DTYPE_c128 || a == DTYPE_f64 || b == DTYPE_f64;
  return wide ? DTYPE_c128 : DTYPE_c64;
}

DType dtype_promote(DType a, DType b)
{
  if (a == b) return a;
  DTypeCategory ca = dtype_category(a), cb = dtype_category(b);
  if (ca == CATEGORY_COMPLEX || cb == CATEGORY_COMPLEX) return promote_complex(a, b);
  if (ca != cb) return ca > cb ? a : b;
  if (ca == CATEGORY_INTEGRAL) return promote_integral(a, b);
  if (dtype_is_half(a) && dtype_is_half(b)) return DTYPE_f32; /* float16 with bfloat16 */
  return a > b ? a : b;
}

DType dtype_to_complex(DType d)
{
  if (dtype_is_complex(d)) return d;
  return d == DTYPE_f64 ? DTYPE_c128 : DTYPE_c64;
}

DType dtype_to_real(DType d)
{
  if (d == DTYPE_c64) return DTYPE_f32;
  return d == DTYPE_c128 ? DTYPE_f64 : d;
}

double dtype_rounded(DType d, double x)
{
  switch (d) {
    case DTYPE_f16: return (double)half_to_float(double_to_half(x));
    case DTYPE_bf16: return (double)bfloat16_to_float(double_to_bfloat16(x));
    case DTYPE_f32: return (double)(float)x;
    default: return x;
  }
}

double dtype_largest(DType d)
{
  switch (dtype_to_real(d)) {
    case DTYPE_f16: return 65504;
    case DTYPE_bf16: return 0x1.fep127;
    case DTYPE_f32: return (double)FLT_MAX;
    default: return DBL_MAX;
  }
}
