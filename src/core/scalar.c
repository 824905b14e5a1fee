/* Numbers outside of tensors: read from texts, from and into elements of any type. */
#include "core/scalar.h"

#include <stdlib.h>
#include <string.h>

#include "core/half.h"
#include "core/text.h"

int64_t scalar_integer(Scalar s)
{
  if (s.kind <= SCALAR_INT) return s.i;
  if (s.re != s.re) return 0;
  if (s.re >= 9223372036854775808.0) return INT64_MAX;
  if (s.re < -9223372036854775808.0) return INT64_MIN;
  return (int64_t)s.re;
}

Scalar scalar_from_text(const char *text)
{
  if (strcmp(text, "REQUIRED") == 0 || text[0] == 'N') return NO_SCALAR;
  if (strcmp(text, "true") == 0) return scalar_bool(true);
  if (strcmp(text, "false") == 0) return scalar_bool(false);
  return strpbrk(text, ".e") ? scalar_float(number_from_text(text, NULL)) : scalar_int(strtoll(text, NULL, 10));
}

bool scalar_equals(Scalar s, double value)
{
  return scalar_real(s) == value && (s.kind != SCALAR_COMPLEX || s.im == 0);
}

DType scalar_dtype(Scalar s, DType default_float)
{
  switch (s.kind) {
    case SCALAR_BOOL: return DTYPE_b8;
    case SCALAR_INT: return DTYPE_i64;
    case SCALAR_COMPLEX: return dtype_to_complex(default_float);
    default: return default_float;
  }
}

/* An unsigned dtype takes negative integers around, as PyTorch does. */
bool scalar_fits(Scalar v, DType dtype)
{
  static const double low[] = {0, 0, -0x1p7, -0x1p15, -0x1p31, -0x1p63};
  static const double end[] = {0, 0x1p8, 0x1p7, 0x1p15, 0x1p31, 0x1p63};
  if (v.kind == SCALAR_COMPLEX) return dtype_is_complex(dtype);
  if (!dtype_is_integral(dtype)) return true;
  if (v.kind == SCALAR_FLOAT) return v.re >= low[dtype] && v.re < end[dtype];
  if (dtype == DTYPE_i64) return true;
  int64_t least = dtype == DTYPE_u8 ? -255 : (int64_t)low[dtype];
  return v.i >= least && v.i < (int64_t)end[dtype];
}

static bool scalar_truth(Scalar s)
{
  return s.kind <= SCALAR_INT ? s.i != 0 : s.re != 0 || (s.kind == SCALAR_COMPLEX && s.im != 0);
}

static double _Complex scalar_complex_value(Scalar s)
{
  double _Complex z;
  memcpy(&z, (double[]){scalar_real(s), s.im}, sizeof z);
  return z;
}

/* A scalar as an element of a dtype, and back, by the dtype's category. */
#define TO_BOOL(suffix, type) scalar_truth(s)
#define TO_INTEGRAL(suffix, type) (type) scalar_integer(s)
#define TO_FLOATING(suffix, type) TO_##suffix(scalar_real(s))
#define TO_COMPLEX(suffix, type) (type) scalar_complex_value(s)
#define OF_BOOL(suffix, v) scalar_bool(v)
#define OF_INTEGRAL(suffix, v) scalar_int(v)
#define OF_FLOATING(suffix, v) scalar_float(OF_##suffix(v))
#define OF_COMPLEX(suffix, v) scalar_complex(__real__ v, __imag__ v)

#define TO_f16(x) float_to_half((float)(x))
#define TO_bf16(x) float_to_bfloat16((float)(x))
#define TO_f32(x) (float)(x)
#define TO_f64(x) (x)
#define OF_f16(v) half_to_float(v)
#define OF_bf16(v) bfloat16_to_float(v)
#define OF_f32(v) (v)
#define OF_f64(v) (v)

void scalar_store(Scalar s, DType dtype, void *element)
{
  switch (dtype) {
#define DTYPE(suffix, name, other, type, category, ...) \
  case DTYPE_##suffix: {                                \
    type v = TO_##category(suffix, type);               \
    memcpy(element, &v, sizeof v);                      \
    break;                                              \
  }
#include "core/dtypes.def"
#undef DTYPE
    default: break;
  }
}

/* A bool's byte may hold any number, which as a bool would be undefined. */
#define ELEMENT_BOOL(type)             \
  uint8_t byte;                        \
  memcpy(&byte, element, sizeof byte); \
  type v = byte != 0
#define ELEMENT(type) \
  type v;             \
  memcpy(&v, element, sizeof v)
#define ELEMENT_INTEGRAL ELEMENT
#define ELEMENT_FLOATING ELEMENT
#define ELEMENT_COMPLEX ELEMENT

Scalar scalar_load(DType dtype, const void *element)
{
  switch (dtype) {
#define DTYPE(suffix, name, other, type, category, ...) \
  case DTYPE_##suffix: {                                \
    ELEMENT_##category(type);                           \
    return OF_##category(suffix, v);                    \
  }
#include "core/dtypes.def"
#undef DTYPE
    default: return NO_SCALAR;
  }
}
