/* Numbers as bytes. */
#include "kernels/quantize.h"

#include "kernels/typed/typed.h"

#if T_f32

/* Adding it leaves a number of less than 2^22 rounded. */
#define ROUNDER 0x1.8p23f

/* What is no number compares as neither. */
INLINE float within(float x, float low, float high)
{
  const float above = x > low ? x : low;
  return above < high ? above : high;
}

INLINE uint8_t byte_of(float x, float zero) { return (uint8_t)(int32_t)(x + ROUNDER - ROUNDER + zero); }

INLINE uint8_t quantized(float x, const ByteScale *s)
{
  return byte_of(within(x / s->scale, s->low, s->high), s->zero);
}

INLINE float number_of(uint8_t byte, bool is_signed) { return is_signed ? (float)(int8_t)byte : (float)byte; }

static void quantize(int64_t n, const float *x, const ByteScale *s, uint8_t *restrict y)
{
  const ByteScale to = *s;
  for (int64_t i = 0; i < n; i++) y[i] = quantized(x[i], &to);
}

INLINE void dequantize_of(bool is_signed, int64_t n, const uint8_t *x, float scale, float zero, float *restrict y)
{
  for (int64_t i = 0; i < n; i++) y[i] = (number_of(x[i], is_signed) - zero) * scale;
}

static void dequantize(int64_t n, const uint8_t *x, const ByteScale *s, float *y)
{
  if (s->is_signed) dequantize_of(true, n, x, s->scale, s->zero, y);
  else dequantize_of(false, n, x, s->scale, s->zero, y);
}

INLINE void requantize_of(bool is_signed, int64_t n, const uint8_t *x, const ByteScale *from, const ByteScale *to,
                          uint8_t *restrict y)
{
  const ByteScale f = *from, t = *to;
  for (int64_t i = 0; i < n; i++) y[i] = quantized((number_of(x[i], is_signed) - f.zero) * f.scale, &t);
}

static void requantize(int64_t n, const uint8_t *x, const ByteScale *from, const ByteScale *to, uint8_t *y)
{
  if (from->is_signed) requantize_of(true, n, x, from, to, y);
  else requantize_of(false, n, x, from, to, y);
}

/* a b + c, rounded once as ONNX Runtime has it. a is a byte, so that doubles hold the product. */
INLINE float fused_sum(float a, float b, float c)
{
#ifdef __FP_FAST_FMAF
  return __builtin_fmaf(a, b, c);
#else
  return (float)((double)a * b + c);
#endif
}

INLINE void add_of(bool is_signed, int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *given,
                   uint8_t *restrict y)
{
  const BytePair p = *given;
  for (int64_t i = 0; i < n; i++) {
    const float b_part = fused_sum(number_of(b[i], is_signed), p.b, p.plus);
    const float sum = fused_sum(number_of(a[i], is_signed), p.a, b_part);
    y[i] = byte_of(within(sum, p.low, p.high), 0);
  }
}

static void add(int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *p, uint8_t *y)
{
  if (p->is_signed) add_of(true, n, a, b, p, y);
  else add_of(false, n, a, b, p, y);
}

/* Any product is less. Comparing with it keeps the compiler from fusing the product with the sum: it is to be rounded
   before. */
#define MUCH 0x1p100f

INLINE void mul_of(bool is_signed, int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *given,
                   uint8_t *restrict y)
{
  const BytePair p = *given;
  for (int64_t i = 0; i < n; i++) {
    const float whole = (number_of(a[i], is_signed) - p.a_zero) * (number_of(b[i], is_signed) - p.b_zero);
    y[i] = byte_of(within(within(whole * p.a, -MUCH, MUCH) + p.plus, p.low, p.high), 0);
  }
}

static void mul(int64_t n, const uint8_t *a, const uint8_t *b, const BytePair *p, uint8_t *y)
{
  if (p->is_signed) mul_of(true, n, a, b, p, y);
  else mul_of(false, n, a, b, p, y);
}

#endif

void TYPED(fill_quantize)(QuantizeKernels *t) AT_START;
void TYPED(fill_quantize)(QuantizeKernels *t)
{
#if T_f32
  t->quantize = quantize;
  t->dequantize = dequantize;
  t->requantize = requantize;
  t->add = add;
  t->mul = mul;
#else
  (void)t;
#endif
}
