/* Conversions of the two 16-bit float formats, stored as uint16_t. */
#ifndef NNLUA_CORE_HALF_H
#define NNLUA_CORE_HALF_H

#include <stdint.h>
#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

static inline float half_float_of_bits(uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t half_bits_of_float(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Converts a float16 to float, exactly. */
static inline float half_to_float(uint16_t h)
{
  const uint32_t smallest = 113u << 23; /* 2^-14, float16's smallest normal number */
  uint32_t shifted = (uint32_t)(h & 0x7fffu) << 13;
  uint32_t exponent = shifted & 0x0f800000u;
  /* A subnormal is read as the mantissa of a number in [2^-14, 2^-13), less 2^-14. */
  float tiny = half_float_of_bits(shifted + smallest) - half_float_of_bits(smallest);
  uint32_t normal = shifted + (exponent == 0x0f800000u ? 224u << 23 : 112u << 23);
  uint32_t bits = exponent == 0 ? half_bits_of_float(tiny) : normal;
  return half_float_of_bits(bits | (uint32_t)(h & 0x8000u) << 16);
}

/* Converts a float to float16, to the nearest, ties to even; a NaN stays one. */
static inline uint16_t float_to_half(float x)
{
  const uint32_t bias = 126u << 23; /* 0.5: its last bit is float16's smallest step, 2^-24 */
  uint32_t bits = half_bits_of_float(x);
  uint32_t sign = bits >> 16 & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t odd = magnitude >> 13 & 1u;
  uint32_t normal = (magnitude - (112u << 23) + 0xfffu + odd) >> 13;
  /* Adding 0.5 makes the adder itself round a result below the normal numbers. */
  uint32_t tiny = half_bits_of_float(half_float_of_bits(magnitude) + half_float_of_bits(bias)) - bias;
  uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  uint32_t finite = magnitude < 113u << 23 ? tiny : normal;
  return (uint16_t)(sign | (magnitude >= 143u << 23 ? special : finite));
}

/* Converts a bfloat16 to float, exactly. */
static inline float bfloat16_to_float(uint16_t b) { return half_float_of_bits((uint32_t)b << 16); }

/* Converts a float to bfloat16, to the nearest, ties to even; a NaN stays one. */
static inline uint16_t float_to_bfloat16(float x)
{
  uint32_t bits = half_bits_of_float(x);
  uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

/* Converts a double to float16 by way of float, so rounded twice, as PyTorch does. */
static inline uint16_t double_to_half(double x) { return float_to_half((float)x); }

/* Converts a double to bfloat16 by way of float, so rounded twice, as PyTorch does. */
static inline uint16_t double_to_bfloat16(double x) { return float_to_bfloat16((float)x); }

/* Converts n float16 to float. */
static inline void half_to_float_n(int64_t n, const uint16_t *in, float *out)
{
  int64_t i = 0;
#ifdef __F16C__
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(in + i))));
#endif
  for (; i < n; i++) out[i] = half_to_float(in[i]);
}

/* Converts n floats to float16. */
static inline void float_to_half_n(int64_t n, const float *in, uint16_t *out)
{
  int64_t i = 0;
#ifdef __F16C__
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128((__m128i *)(void *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(in + i), 0));
#endif
  for (; i < n; i++) out[i] = float_to_half(in[i]);
}

/* Converts n bfloat16 to float. */
static inline void bfloat16_to_float_n(int64_t n, const uint16_t *in, float *out)
{
  for (int64_t i = 0; i < n; i++) out[i] = bfloat16_to_float(in[i]);
}

/* Converts n floats to bfloat16. */
static inline void float_to_bfloat16_n(int64_t n, const float *in, uint16_t *out)
{
  for (int64_t i = 0; i < n; i++) out[i] = float_to_bfloat16(in[i]);
}

#endif
