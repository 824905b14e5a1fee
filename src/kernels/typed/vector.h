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
INLINE Lanes lanes_of(int n) { return (Lanes)((1u << (n & 31)) - 1); } /* of n < 0 any: it is past a row */
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

/* v in its first n lanes, 0 in the others. */
INLINE Vector first_of_lanes(Vector v, Lanes lanes, int n)
{
#if __AVX512F__ && T_f32
  (void)n;
  return (Vector)_mm512_maskz_mov_ps(lanes, (__m512)v);
#elif __AVX512F__
  (void)n;
  return (Vector)_mm512_maskz_mov_pd((__mmask8)lanes, (__m512d)v);
#elif __AVX2__
  (void)n;
  return (Vector)(lanes & (__m256i)v);
#else
  (void)lanes;
  for (int j = n; j < V; j++) v[j] = 0;
  return v;
#endif
}

#include "kernels/typed/vector_means.h"

/* The first n lanes from memory, the others the given number; nothing beyond them is read. */
INLINE Vector load_first_or(const T *p, Lanes lanes, int n, T other)
{
#if __AVX512F__ && T_f32
  (void)n;
  return (Vector)_mm512_mask_loadu_ps((__m512)AS_VECTOR(other), lanes, p);
#elif __AVX512F__
  (void)n;
  return (Vector)_mm512_mask_loadu_pd((__m512d)AS_VECTOR(other), (__mmask8)lanes, p);
#elif __AVX2__
  return choose((Mask)lanes, load_first(p, lanes, n), AS_VECTOR(other));
#else
  Vector v = AS_VECTOR(other);
  (void)lanes;
  for (int j = 0; j < n; j++) v[j] = p[j];
  return v;
#endif
}

/* A vector at i of a row of n elements, and how many of its lanes are left of the row there. */
typedef struct RowPart {
  int64_t at;
  int left;
  Lanes lanes;
} RowPart;

INLINE RowPart part_at(int64_t i, int64_t n)
{
  int left = n - i < V ? (int)(n - i) : V;
  return (RowPart){i, left, lanes_of(left)};
}

/* The same where a whole vector is left, which the compiler then knows. */
INLINE RowPart whole_part(int64_t i) { return (RowPart){i, V, lanes_of(V)}; }

INLINE Vector load_part(const T *p, RowPart at)
{
  return at.left == V ? load(p + at.at) : load_first(p + at.at, at.lanes, at.left);
}

INLINE void store_part(T *p, RowPart at, Vector v)
{
  if (at.left == V) store(p + at.at, v);
  else store_first(p + at.at, at.lanes, at.left, v);
}

#define FOR_PARTS(at, n) for (RowPart at = part_at(0, n); at.at < (n); at = part_at(at.at + V, n))

#endif
#endif
