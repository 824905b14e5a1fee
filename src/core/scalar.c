/* Numbers outside of tensors: read from texts, from and into elements of any type. */
#include "core/scalar.h"

#include <stdlib.h>
#include <string.h>

#include "core/half.h"

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
  return strpbrk(text, ".e") ? scalar_float(strtod(text, NULL)) : scalar_int(strtoll(text, NULL, 10));
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

static bool scalar_truth(Scalar s)
{
  return s.kind <= SCALAR_INT ? s.i != 0 : s.re != 0 || (s.kind == SCALAR_COMPLEX && s.im != 0);
}

#define STORE(type, value) do { type v_ = (type)(value); memcpy(element, &v_, sizeof v_); } while (0)

void scalar_store(Scalar s, DType dtype, void *element)
{
  switch (dtype) {
    case DTYPE_b8: STORE(bool, scalar_truth(s)); break;
    case DTYPE_u8: STORE(uint8_t, scalar_integer(s)); break;
    case DTYPE_i8: STORE(int8_t, scalar_integer(s)); break;
    case DTYPE_i16: STORE(int16_t, scalar_integer(s)); break;
    case DTYPE_i32: STORE(int32_t, scalar_integer(s)); break;
    case DTYPE_i64: STORE(int64_t, scalar_integer(s)); break;
    case DTYPE_f16: STORE(uint16_t, float_to_half((float)scalar_real(s))); break;
    case DTYPE_bf16: STORE(uint16_t, float_to_bfloat16((float)scalar_real(s))); break;
    case DTYPE_f32: STORE(float, scalar_real(s)); break;
    case DTYPE_f64: STORE(double, scalar_real(s)); break;
    case DTYPE_c64: {
      float z[2] = {(float)scalar_real(s), (float)s.im};
      memcpy(element, z, sizeof z);
      break;
    }
    default: {
      double z[2] = {scalar_real(s), s.im};
      memcpy(element, z, sizeof z);
    }
  }
}

#define LOAD(type, name) type name; memcpy(&name, element, sizeof name)

Scalar scalar_load(DType dtype, const void *element)
{
  switch (dtype) {
    case DTYPE_b8: { LOAD(uint8_t, v); return scalar_bool(v != 0); }
    case DTYPE_u8: { LOAD(uint8_t, v); return scalar_int(v); }
    case DTYPE_i8: { LOAD(int8_t, v); return scalar_int(v); }
    case DTYPE_i16: { LOAD(int16_t, v); return scalar_int(v); }
    case DTYPE_i32: { LOAD(int32_t, v); return scalar_int(v); }
    case DTYPE_i64: { LOAD(int64_t, v); return scalar_int(v); }
    case DTYPE_f16: { LOAD(uint16_t, v); return scalar_float(half_to_float(v)); }
    case DTYPE_bf16: { LOAD(uint16_t, v); return scalar_float(bfloat16_to_float(v)); }
    case DTYPE_f32: { LOAD(float, v); return scalar_float(v); }
    case DTYPE_f64: { LOAD(double, v); return scalar_float(v); }
    case DTYPE_c64: { float z[2]; memcpy(z, element, sizeof z); return scalar_complex(z[0], z[1]); }
    default: { double z[2]; memcpy(z, element, sizeof z); return scalar_complex(z[0], z[1]); }
  }
}
