/* Elements that are narrower in memory than the floats they become, exactly, when they are read. All but STORED_SAME
   are of float32 only. `stored` is a constant where these are called. */
#ifndef NNLUA_KERNELS_NARROW_H
#define NNLUA_KERNELS_NARROW_H

#include "core/half.h"
#include "kernels/matmul.h"
#include "kernels/typed/vector.h"

/* The place of an element. */
INLINE const void *stored_at(const void *p, int64_t i, Stored stored)
{
  return (const char *)p + i * stored_size(stored, sizeof(T));
}

INLINE T stored_element(const void *p, int64_t i, Stored stored)
{
  switch (stored) {
    case STORED_F16: return half_to_float(((const uint16_t *)p)[i]);
    case STORED_BF16: return bfloat16_to_float(((const uint16_t *)p)[i]);
    case STORED_I8: return ((const int8_t *)p)[i];
    default: return ((const T *)p)[i];
  }
}

/* A vector of the elements from i on. */
INLINE Vector load_stored(const void *p, int64_t i, Stored stored)
{
  if (stored == STORED_SAME) return load((const T *)p + i);
  const void *from = stored_at(p, i, stored);
#if T_f32 && __AVX512F__
  if (stored == STORED_I8) return (Vector)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from)));
  const __m256i halves = _mm256_loadu_si256(from);
  if (stored == STORED_F16) return (Vector)_mm512_cvtph_ps(halves);
  return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
#elif T_f32 && __AVX2__
  if (stored == STORED_I8) return (Vector)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from)));
  const __m128i halves = _mm_loadu_si128(from);
  if (stored == STORED_F16) return (Vector)_mm256_cvtph_ps(halves);
  return (Vector)_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16);
#else
  Vector v = {0};
  for (int j = 0; j < V; j++) v[j] = stored_element(from, j, stored);
  return v;
#endif
}

/* The first n lanes from memory, the others 0. */
INLINE Vector load_first_stored(const void *p, int64_t i, Lanes lanes, int n, Stored stored)
{
  if (stored == STORED_SAME) return load_first((const T *)p + i, lanes, n);
  Vector v = {0};
  for (int j = 0; j < n; j++) v[j] = stored_element(p, i + j, stored);
  return v;
}

INLINE void widen_elements(Stored stored, int64_t n, const void *from, const void *next, T *to)
{
  int64_t i = 0;
  for (; i + V <= n; i += V) {
    __builtin_prefetch(stored_at(next, i, stored));
    store(to + i, load_stored(from, i, stored));
  }
  for (; i < n; i++) to[i] = stored_element(from, i, stored);
}

/* A line of n elements, and a hint where the next one begins. */
static inline void widen_line(Stored stored, int64_t n, const void *from, const void *next, T *to)
{
  switch (stored) {
    case STORED_F16: widen_elements(STORED_F16, n, from, next, to); break;
    case STORED_BF16: widen_elements(STORED_BF16, n, from, next, to); break;
    case STORED_I8: widen_elements(STORED_I8, n, from, next, to); break;
    default: memcpy(to, from, (size_t)n * sizeof(T));
  }
}

#endif
