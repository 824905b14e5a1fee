/* What the numbers of ONNX's data types mean, and elements that have no type here. */
#include "io/onnx_elements.h"

#include <math.h>
#include <string.h>

enum { FLOAT_DATA = 4, INT32_DATA = 5, INT64_DATA = 7, DOUBLE_DATA = 10, UINT64_DATA = 11 };

enum { LAST_TYPE = 26 };

static const OnnxType types[LAST_TYPE + 1] = {
  [1] = {"float", DTYPE_f32, 32, true, FLOAT_DATA, WIRE_4_BYTES},
  [2] = {"uint8", DTYPE_u8, 8, true, INT32_DATA, WIRE_VARINT},
  [3] = {"int8", DTYPE_i8, 8, true, INT32_DATA, WIRE_VARINT},
  [4] = {"uint16", DTYPE_i32, 16, false, INT32_DATA, WIRE_VARINT},
  [5] = {"int16", DTYPE_i16, 16, true, INT32_DATA, WIRE_VARINT},
  [6] = {"int32", DTYPE_i32, 32, true, INT32_DATA, WIRE_VARINT},
  [7] = {"int64", DTYPE_i64, 64, true, INT64_DATA, WIRE_VARINT},
  [8] = {"string", DTYPE_NONE, 0, false, 0, 0},
  [9] = {"bool", DTYPE_b8, 8, false, INT32_DATA, WIRE_VARINT},
  [10] = {"float16", DTYPE_f16, 16, true, INT32_DATA, WIRE_VARINT},
  [11] = {"double", DTYPE_f64, 64, true, DOUBLE_DATA, WIRE_8_BYTES},
  [12] = {"uint32", DTYPE_i64, 32, false, UINT64_DATA, WIRE_VARINT},
  [13] = {"uint64", DTYPE_i64, 64, true, UINT64_DATA, WIRE_VARINT},
  [14] = {"complex64", DTYPE_c64, 64, true, FLOAT_DATA, WIRE_4_BYTES},
  [15] = {"complex128", DTYPE_c128, 128, true, DOUBLE_DATA, WIRE_8_BYTES},
  [16] = {"bfloat16", DTYPE_bf16, 16, true, INT32_DATA, WIRE_VARINT},
  [17] = {"float8e4m3fn", DTYPE_f32, 8, false, INT32_DATA, WIRE_VARINT},
  [18] = {"float8e4m3fnuz", DTYPE_f32, 8, false, INT32_DATA, WIRE_VARINT},
  [19] = {"float8e5m2", DTYPE_f32, 8, false, INT32_DATA, WIRE_VARINT},
  [20] = {"float8e5m2fnuz", DTYPE_f32, 8, false, INT32_DATA, WIRE_VARINT},
  [21] = {"uint4", DTYPE_u8, 4, false, INT32_DATA, WIRE_VARINT},
  [22] = {"int4", DTYPE_i8, 4, false, INT32_DATA, WIRE_VARINT},
  [23] = {"float4e2m1", DTYPE_f32, 4, false, INT32_DATA, WIRE_VARINT},
  [24] = {"float8e8m0", DTYPE_f32, 8, false, INT32_DATA, WIRE_VARINT},
  [25] = {"uint2", DTYPE_u8, 2, false, INT32_DATA, WIRE_VARINT},
  [26] = {"int2", DTYPE_i8, 2, false, INT32_DATA, WIRE_VARINT},
};

const OnnxType *onnx_type(int64_t data_type)
{
  return data_type >= 1 && data_type <= LAST_TYPE ? &types[data_type] : NULL;
}

bool onnx_bytes(const OnnxType *type, int64_t n, uint64_t *bytes)
{
  if (n < 0 || n > INT64_MAX / 128) return false;
  *bytes = ((uint64_t)n * type->bits + 7) / 8;
  return true;
}

/* A float of sign, exponent and mantissa; `special` says what the largest exponent means. */
typedef struct SmallFloat {
  int exponent_bits, mantissa_bits, bias;
  enum { NO_SPECIAL, IEEE, NAN_IS_ALL_ONES, NAN_IS_MINUS_ZERO } special;
} SmallFloat;

static float small_float(SmallFloat f, unsigned bits)
{
  const unsigned ones = (1u << f.exponent_bits) - 1, all = (1u << f.mantissa_bits) - 1;
  const unsigned mantissa = bits & all, exponent = bits >> f.mantissa_bits & ones;
  const bool is_negative = bits >> (f.mantissa_bits + f.exponent_bits) & 1;
  float value = exponent ? ldexpf((float)(mantissa | (all + 1)), (int)exponent - f.bias - f.mantissa_bits)
                         : ldexpf((float)mantissa, 1 - f.bias - f.mantissa_bits);
  if (f.special == IEEE && exponent == ones) value = mantissa ? NAN : INFINITY;
  if (f.special == NAN_IS_ALL_ONES && exponent == ones && mantissa == all) value = NAN;
  if (f.special == NAN_IS_MINUS_ZERO && is_negative && !exponent && !mantissa) return NAN;
  return is_negative ? -value : value;
}

static float float_of_bits(const OnnxType *type, unsigned bits)
{
  switch (type - types) {
    case 17: return small_float((SmallFloat){4, 3, 7, NAN_IS_ALL_ONES}, bits);
    case 18: return small_float((SmallFloat){4, 3, 8, NAN_IS_MINUS_ZERO}, bits);
    case 19: return small_float((SmallFloat){5, 2, 15, IEEE}, bits);
    case 20: return small_float((SmallFloat){5, 2, 16, NAN_IS_MINUS_ZERO}, bits);
    case 23: return small_float((SmallFloat){2, 1, 1, NO_SPECIAL}, bits);
    default: return bits == 255 ? NAN : ldexpf(1, (int)bits - 127); /* an exponent alone */
  }
}

/* The i-th of elements that share bytes, the first in the lowest bits. */
static unsigned packed_bits(const uint8_t *from, int bits, int64_t i)
{
  const int64_t at = i * bits;
  return (unsigned)from[at / 8] >> at % 8 & ((1u << bits) - 1);
}

static void convert_small(const OnnxType *type, const uint8_t *from, int64_t n, void *to)
{
  const unsigned half = 1u << (type->bits - 1);
  for (int64_t i = 0; i < n; i++) {
    const unsigned bits = packed_bits(from, type->bits, i);
    if (type->dtype == DTYPE_f32) ((float *)to)[i] = float_of_bits(type, bits);
    else if (type->dtype == DTYPE_b8) ((uint8_t *)to)[i] = bits != 0;
    else if (type->dtype == DTYPE_u8) ((uint8_t *)to)[i] = (uint8_t)bits;
    else ((int8_t *)to)[i] = (int8_t)((bits ^ half) - half);
  }
}

void onnx_convert(const OnnxType *type, const uint8_t *from, int64_t n, void *to)
{
  if (n == 0) return;
  if (type->as_it_is) memcpy(to, from, (size_t)n * type->bits / 8);
  else if (type->bits <= 8) convert_small(type, from, n, to);
  else
    for (int64_t i = 0; i < n; i++) {
      const uint8_t *p = from + i * type->bits / 8;
      if (type->bits == 16) ((int32_t *)to)[i] = p[0] | p[1] << 8;
      else ((int64_t *)to)[i] = p[0] | p[1] << 8 | p[2] << 16 | (int64_t)p[3] << 24;
    }
}

/* Calls `each` on all numbers of a type's field. */
static bool for_numbers(const OnnxType *type, WireReader tensor, void (*each)(void *state, uint64_t bits), void *state)
{
  WireField field;
  WireResult result;
  while ((result = wire_next(&tensor, &field)) == WIRE_FIELD) {
    if (field.number != type->field) continue;
    if (field.type == type->wire) each(state, field.bits);
    else if (field.type == WIRE_BYTES) {
      uint64_t bits;
      while (wire_number(&field.inside, type->wire, &bits)) each(state, bits);
      if (field.inside.at != field.inside.end) return false;
    } else return false;
  }
  return result == WIRE_END;
}

static void count_one(void *state, uint64_t bits)
{
  (void)bits;
  ++*(int64_t *)state;
}

int64_t onnx_count_numbers(const OnnxType *type, WireReader tensor)
{
  int64_t n = 0;
  return for_numbers(type, tensor, count_one, &n) ? n : -1;
}

typedef struct Gathered {
  uint8_t *to;
  int bytes;
} Gathered;

static void gather_one(void *state, uint64_t bits)
{
  Gathered *g = state;
  for (int i = 0; i < g->bytes; i++) *g->to++ = (uint8_t)(bits >> 8 * i);
}

/* How many bytes of an element, or of the packed ones, a number stands for: complex ones are two numbers. */
int onnx_bytes_of_number(const OnnxType *type)
{
  if (type->wire != WIRE_VARINT) return type->wire == WIRE_4_BYTES ? 4 : 8;
  return type->bits < 8 ? 1 : type->bits / 8;
}

void onnx_gather_numbers(const OnnxType *type, WireReader tensor, uint8_t *to)
{
  Gathered g = {to, onnx_bytes_of_number(type)};
  for_numbers(type, tensor, gather_one, &g);
}
