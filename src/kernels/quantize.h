/* Numbers as bytes, int8 or uint8: (real / scale) + zero, rounded. Rounding is to even ones of two as near. */
#ifndef NNLUA_KERNELS_QUANTIZE_H
#define NNLUA_KERNELS_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Results stay within low and high; what is no number is the lowest. */
typedef struct ByteScale {
  bool is_signed; /* of bytes that are read */
  float scale, zero, low, high;
} ByteScale;

/* a byte times `a`, plus another times `b`, plus `plus`; or, of a product, the product of both less their zero points
   times `a`, plus `plus`. */
typedef struct BytePair {
  bool is_signed;
  float a, b, plus, a_zero, b_zero, low, high;
} BytePair;

/* Of float32 only. */
typedef struct QuantizeKernels {
  void (*quantize)(int64_t n, const float *x, const ByteScale *s, uint8_t *y);
  void (*dequantize)(int64_t n, const uint8_t *x, const ByteScale *s, float *y);
  void (*requantize)(int64_t n, const uint8_t *x, const ByteScale *from, const ByteScale *to, uint8_t *y);
  void (*add)(int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *p, uint8_t *y);
  void (*mul)(int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *p, uint8_t *y);
} QuantizeKernels;

#endif
