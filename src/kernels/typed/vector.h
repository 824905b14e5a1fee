/* Vectors of floats, as wide as the instruction set has them (VECTOR_BYTES, kernels/isa.def), for kernels that place
   what they hold in registers. */
#ifndef NNLUA_KERNELS_VECTOR_H
#define NNLUA_KERNELS_VECTOR_H

#include "kernels/typed/typed.h"

#if __AVX2__
#include <immintrin.h>
#endif

/* For loops over a block held in registers: unrolled late, their sums would pass through memory. */
#define UNROLL _Pragma("GCC unroll 16")

#if T_FLOATING

enum { V = VECTOR_BYTES / sizeof(T) };

typedef T Vector __attribute__((vector_size(VECTOR_BYTES)));
typedef T Loose __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));

INLINE Vector load(const T *p) { return *(const Loose *)p; }
INLINE void store(T *p, Vector v) { *(Loose *)p = v; }

/* The first n lanes of a vector only, where the set has instructions for that; where it hasn't, panels are padded. */
#if __AVX512F__
#define HAS_LANES 1
typedef uint16_t Lanes;
INLINE Lanes lanes_of(int n) { return (Lanes)((1u << n) - 1); }
#if T_f32
INLINE Vector load_lanes(const T *p, Lanes n) { return (Vector)_mm512_maskz_loadu_ps(n, p); }
INLINE void store_lanes(T *p, Lanes n, Vector v) { _mm512_mask_storeu_ps(p, n, (__m512)v); }
#else
INLINE Vector load_lanes(const T *p, Lanes n) { return (Vector)_mm512_maskz_loadu_pd((__mmask8)n, p); }
INLINE void store_lanes(T *p, Lanes n, Vector v) { _mm512_mask_storeu_pd(p, (__mmask8)n, (__m512d)v); }
#endif
#elif __AVX2__
#define HAS_LANES 1
typedef __m256i Lanes;
#if T_f32
INLINE Lanes lanes_of(int n)
{
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE Vector load_lanes(const T *p, Lanes n) { return (Vector)_mm256_maskload_ps(p, n); }
INLINE void store_lanes(T *p, Lanes n, Vector v) { _mm256_maskstore_ps(p, n, (__m256)v); }
#else
INLINE Lanes lanes_of(int n) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)); }
INLINE Vector load_lanes(const T *p, Lanes n) { return (Vector)_mm256_maskload_pd(p, n); }
INLINE void store_lanes(T *p, Lanes n, Vector v) { _mm256_maskstore_pd(p, n, (__m256d)v); }
#endif
#else
#define HAS_LANES 0
typedef int Lanes;
INLINE Lanes lanes_of(int n) { return n; }
INLINE Vector load_lanes(const T *p, Lanes n)
{
  (void)n;
  return load(p);
}
#endif

/* The first n lanes in memory become those of v. */
INLINE void store_first(T *p, Lanes lanes, int n, Vector v)
{
#if HAS_LANES
  (void)n;
  store_lanes(p, lanes, v);
#else
  T line[V];
  (void)lanes;
  store(line, v);
  for (int j = 0; j < n; j++) p[j] = line[j];
#endif
}

/* The first n lanes from memory, the others 0; nothing beyond them is read. */
INLINE Vector load_first(const T *p, Lanes lanes, int n)
{
#if HAS_LANES
  (void)n;
  return load_lanes(p, lanes);
#else
  T line[V] = {0};
  (void)lanes;
  for (int j = 0; j < n; j++) line[j] = p[j];
  return load(line);
#endif
}

INLINE T total_of(Vector v)
{
  T part[V];
  store(part, v);
  for (int half = V / 2; half; half /= 2)
    for (int j = 0; j < half; j++) part[j] += part[j + half];
  return part[0];
}

#endif
#endif
