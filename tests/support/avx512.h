/*
 * AVX-512's intrinsics that the kernels use (kernels/typed/vector_means.h and its kin), written out for machines
 * without: the preset `avx512` compiles that set's kernels with this, so that all specs run on them anywhere. They
 * compute what the instructions are defined to; estimates have nearly the largest error that is allowed.
 */
#ifndef NNLUA_TESTS_AVX512_H
#define NNLUA_TESTS_AVX512_H

#pragma GCC system_header
#pragma GCC diagnostic ignored "-Wpsabi"
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define AVX512_FUNCTION static __attribute__((noinline, unused))
#define AVX512_EACH(n) for (int j = 0; j < (n); j++)
#define AVX512_IS_SET(k, j) ((k) >> (j)&1)

/* ---- of one number ---- */

/* Of either sign of error from number to number. */
AVX512_FUNCTION double plain_reciprocal(double b)
{
  uint64_t bits;
  memcpy(&bits, &b, sizeof bits);
  return 1 / b * (1 + (bits >> 29 & 1 ? 0.99 : -0.99) * 0x1p-14);
}

AVX512_FUNCTION double plain_scaled(double v, double n)
{
  if (isnan(v) || isnan(n)) return NAN;
  if (isinf(n)) return n > 0 ? (v == 0 ? NAN : v * INFINITY) : isinf(v) ? NAN : v * 0;
  return scalbn(v, (int)fmax(-5000, fmin(5000, floor(n))));
}

AVX512_FUNCTION double plain_mantissa(double x)
{
  int e;
  return isnan(x) ? x : x == 0 || isinf(x) ? copysign(1, x) : 2 * frexp(x, &e);
}

AVX512_FUNCTION double plain_exponent(double x)
{
  int e = 0;
  if (isnan(x) || isinf(x) || x == 0) return isnan(x) ? x : isinf(x) ? INFINITY : -INFINITY;
  frexp(x, &e);
  return e - 1;
}

/* ---- of floats and of doubles: name_ps and name_pd ---- */

#define AVX512_UNARY(type, element, lanes, name, value) \
  AVX512_FUNCTION type plain_##name(type a)             \
  {                                                     \
    AVX512_EACH(lanes) a[j] = (element)(value);         \
    return a;                                           \
  }
#define AVX512_BINARY(type, lanes, name, value)     \
  AVX512_FUNCTION type plain_##name(type a, type b) \
  {                                                 \
    AVX512_EACH(lanes) a[j] = value;                \
    return a;                                       \
  }
#define AVX512_MASKED(type, mask, lanes, name, value)               \
  AVX512_FUNCTION type plain_##name(type s, mask k, type a, type b) \
  {                                                                 \
    AVX512_EACH(lanes) if (AVX512_IS_SET(k, j)) s[j] = value;       \
    return s;                                                       \
  }

#define AVX512_BOTH(type, element, mask, lanes, w, fma, sqrt)                                                         \
  AVX512_UNARY(type, element, lanes, sqrt_##w, sqrt(a[j]))                                                            \
  AVX512_UNARY(type, element, lanes, rcp14_##w, plain_reciprocal(a[j]))                                               \
  AVX512_UNARY(type, element, lanes, mantissa_##w, plain_mantissa(a[j]))                                              \
  AVX512_UNARY(type, element, lanes, getexp_##w, plain_exponent(a[j]))                                                \
  AVX512_BINARY(type, lanes, max_##w, a[j] > b[j] ? a[j] : b[j])                                                      \
  AVX512_BINARY(type, lanes, min_##w, a[j] < b[j] ? a[j] : b[j])                                                      \
  AVX512_BINARY(type, lanes, scalef_##w, (element)plain_scaled(a[j], b[j]))                                           \
  AVX512_MASKED(type, mask, lanes, mask_add_##w, a[j] + b[j])                                                         \
  AVX512_MASKED(type, mask, lanes, mask_mul_##w, a[j] * b[j])                                                         \
  AVX512_FUNCTION type plain_fmadd_##w(type a, type b, type c)                                                        \
  {                                                                                                                   \
    AVX512_EACH(lanes) c[j] = fma(a[j], b[j], c[j]);                                                                  \
    return c;                                                                                                         \
  }                                                                                                                   \
  AVX512_FUNCTION type plain_roundscale_##w(type a, int way)                                                          \
  {                                                                                                                   \
    AVX512_EACH(lanes)                                                                                                \
    a[j] = (element)(way == 0 ? nearbyint(a[j]) : way == 1 ? floor(a[j]) : way == 2 ? ceil(a[j]) : trunc(a[j]));      \
    return a;                                                                                                         \
  }                                                                                                                   \
  AVX512_FUNCTION mask plain_greater_##w(type a, type b)                                                              \
  {                                                                                                                   \
    unsigned k = 0;                                                                                                   \
    AVX512_EACH(lanes) k |= (unsigned)(a[j] > b[j]) << j;                                                             \
    return (mask)k;                                                                                                   \
  }                                                                                                                   \
  AVX512_FUNCTION type plain_mask_loadu_##w(type v, mask k, const void *p)                                            \
  {                                                                                                                   \
    AVX512_EACH(lanes) if (AVX512_IS_SET(k, j)) v[j] = ((const element *)p)[j];                                       \
    return v;                                                                                                         \
  }                                                                                                                   \
  AVX512_FUNCTION type plain_maskz_loadu_##w(mask k, const void *p) { return plain_mask_loadu_##w((type){0}, k, p); } \
  AVX512_FUNCTION void plain_mask_storeu_##w(void *p, mask k, type v)                                                 \
  {                                                                                                                   \
    AVX512_EACH(lanes) if (AVX512_IS_SET(k, j))((element *)p)[j] = v[j];                                              \
  }                                                                                                                   \
  AVX512_FUNCTION type plain_mask_blend_##w(mask k, type a, type b)                                                   \
  {                                                                                                                   \
    AVX512_EACH(lanes) if (AVX512_IS_SET(k, j)) a[j] = b[j];                                                          \
    return a;                                                                                                         \
  }                                                                                                                   \
  AVX512_FUNCTION type plain_maskz_mov_##w(mask k, type v) { return plain_mask_blend_##w(k, (type){0}, v); }          \
  AVX512_FUNCTION element plain_reduce_add_##w(type v)                                                                \
  {                                                                                                                   \
    for (int half = lanes / 2; half; half /= 2) AVX512_EACH(half) v[j] += v[j + half];                                \
    return v[0];                                                                                                      \
  }                                                                                                                   \
  AVX512_FUNCTION element plain_reduce_max_##w(type v)                                                                \
  {                                                                                                                   \
    AVX512_EACH(lanes) v[0] = v[j] > v[0] ? v[j] : v[0];                                                              \
    return v[0];                                                                                                      \
  }
AVX512_BOTH(__m512, float, __mmask16, 16, ps, fmaf, sqrtf)
AVX512_BOTH(__m512d, double, __mmask8, 8, pd, fma, sqrt)

/* ---- between them ---- */

typedef int32_t PlainInts __attribute__((vector_size(64)));
typedef int64_t PlainLongs __attribute__((vector_size(64)));

AVX512_FUNCTION __mmask16 plain_movepi32_mask(__m512i v)
{
  unsigned k = 0;
  AVX512_EACH(16) k |= (unsigned)(((PlainInts)v)[j] < 0) << j;
  return (__mmask16)k;
}

AVX512_FUNCTION __mmask8 plain_movepi64_mask(__m512i v)
{
  unsigned k = 0;
  AVX512_EACH(8) k |= (unsigned)(((PlainLongs)v)[j] < 0) << j;
  return (__mmask8)k;
}

AVX512_FUNCTION __m256 plain_half(__m512 v, int which)
{
  __m256 half;
  memcpy(&half, (const char *)&v + 32 * which, sizeof half);
  return half;
}

AVX512_FUNCTION __m512 plain_insert(__m512 v, __m256 half, int which)
{
  memcpy((char *)&v + 32 * which, &half, sizeof half);
  return v;
}

AVX512_FUNCTION __m512 plain_wide(__m256 half) { return plain_insert((__m512){0}, half, 0); }

AVX512_FUNCTION __m512d plain_cvtps_pd(__m256 v)
{
  __m512d wide;
  AVX512_EACH(8) wide[j] = v[j];
  return wide;
}

AVX512_FUNCTION __m256 plain_cvtpd_ps(__m512d v)
{
  __m256 narrow;
  AVX512_EACH(8) narrow[j] = (float)v[j];
  return narrow;
}

AVX512_FUNCTION __m512i plain_cvtepi8_epi32(__m128i v)
{
  PlainInts wide;
  AVX512_EACH(16) wide[j] = ((const signed char *)&v)[j];
  return (__m512i)wide;
}

AVX512_FUNCTION __m512i plain_cvtepu16_epi32(__m256i v)
{
  uint16_t parts[16];
  PlainInts wide;
  memcpy(parts, &v, sizeof parts);
  AVX512_EACH(16) wide[j] = parts[j];
  return (__m512i)wide;
}

AVX512_FUNCTION __m512 plain_cvtepi32_ps(__m512i v)
{
  __m512 floats;
  AVX512_EACH(16) floats[j] = (float)((PlainInts)v)[j];
  return floats;
}

AVX512_FUNCTION __m512i plain_slli_epi32(__m512i v, int n) { return (__m512i)((PlainInts)v << n); }

AVX512_FUNCTION __m512 plain_cvtph_ps(__m256i v)
{
  __m128i parts[2];
  memcpy(parts, &v, sizeof parts);
  return plain_insert(plain_wide(_mm256_cvtph_ps(parts[0])), _mm256_cvtph_ps(parts[1]), 1);
}

/* ---- their names ---- */

#define _mm512_cvtepi32_ps plain_cvtepi32_ps
#define _mm512_cvtepi8_epi32 plain_cvtepi8_epi32
#define _mm512_cvtepu16_epi32 plain_cvtepu16_epi32
#define _mm512_cvtpd_ps plain_cvtpd_ps
#define _mm512_cvtph_ps plain_cvtph_ps
#define _mm512_cvtps_pd plain_cvtps_pd
#define _mm512_fmadd_ps plain_fmadd_ps
#define _mm512_fmadd_pd plain_fmadd_pd
#define _mm512_getexp_ps plain_getexp_ps
#define _mm512_getexp_pd plain_getexp_pd
#define _mm512_mask_add_ps plain_mask_add_ps
#define _mm512_mask_add_pd plain_mask_add_pd
#define _mm512_mask_blend_pd plain_mask_blend_pd
#define _mm512_mask_blend_ps plain_mask_blend_ps
#define _mm512_mask_loadu_pd plain_mask_loadu_pd
#define _mm512_mask_loadu_ps plain_mask_loadu_ps
#define _mm512_mask_mul_ps plain_mask_mul_ps
#define _mm512_mask_mul_pd plain_mask_mul_pd
#define _mm512_mask_storeu_pd plain_mask_storeu_pd
#define _mm512_mask_storeu_ps plain_mask_storeu_ps
#define _mm512_maskz_loadu_pd plain_maskz_loadu_pd
#define _mm512_maskz_loadu_ps plain_maskz_loadu_ps
#define _mm512_maskz_mov_pd plain_maskz_mov_pd
#define _mm512_maskz_mov_ps plain_maskz_mov_ps
#define _mm512_max_ps plain_max_ps
#define _mm512_max_pd plain_max_pd
#define _mm512_min_ps plain_min_ps
#define _mm512_min_pd plain_min_pd
#define _mm512_movepi32_mask plain_movepi32_mask
#define _mm512_movepi64_mask plain_movepi64_mask
#define _mm512_rcp14_ps plain_rcp14_ps
#define _mm512_rcp14_pd plain_rcp14_pd
#define _mm512_reduce_add_pd plain_reduce_add_pd
#define _mm512_reduce_add_ps plain_reduce_add_ps
#define _mm512_reduce_max_ps plain_reduce_max_ps
#define _mm512_reduce_max_pd plain_reduce_max_pd
#define _mm512_roundscale_ps plain_roundscale_ps
#define _mm512_roundscale_pd plain_roundscale_pd
#define _mm512_scalef_ps plain_scalef_ps
#define _mm512_scalef_pd plain_scalef_pd
#define _mm512_slli_epi32 plain_slli_epi32
#define _mm512_sqrt_ps plain_sqrt_ps
#define _mm512_sqrt_pd plain_sqrt_pd
#define _mm512_getmant_ps(x, range, sign) plain_mantissa_ps(x)
#define _mm512_getmant_pd(x, range, sign) plain_mantissa_pd(x)
#define _mm512_cmp_ps_mask(a, b, greater) plain_greater_ps(a, b)
#define _mm512_cmp_pd_mask(a, b, greater) plain_greater_pd(a, b)
#define _mm512_castps256_ps512 plain_wide
#define _mm512_castps512_ps256(v) plain_half(v, 0)
#define _mm512_extractf32x8_ps plain_half
#define _mm512_insertf32x8 plain_insert

#define __AVX512F__ 1
#define __AVX512VL__ 1
#define __AVX512DQ__ 1
#define __AVX512BW__ 1

#endif
