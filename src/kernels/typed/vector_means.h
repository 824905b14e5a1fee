/* What instruction sets do with vectors in ways of their own, each with a plain way for the sets that have none: the
   only place of intrinsics for functions and rows. Included by typed/vector.h. */
#ifndef NNLUA_KERNELS_VECTOR_MEANS_H
#define NNLUA_KERNELS_VECTOR_MEANS_H

/* Comparisons of vectors give masks: all bits of a lane, or none. */
#if T_f32
typedef int32_t Integer;
#else
typedef int64_t Integer;
#endif
typedef Integer Mask __attribute__((vector_size(VECTOR_BYTES)));
typedef double Doubles __attribute__((vector_size(VECTOR_BYTES)));

#if T_f32
#define WIDTH_OF(name) name##_ps
#define WIDE_VECTOR __m512
#define AVX_VECTOR __m256
#else
#define WIDTH_OF(name) name##_pd
#define WIDE_VECTOR __m512d
#define AVX_VECTOR __m256d
#endif

INLINE Mask bits_of(Vector v) { return (Mask)v; }
INLINE Vector vector_of_bits(Mask bits) { return (Vector)bits; }

/* A number or a vector as a vector; the sign of zero stays. */
#define AS_VECTOR(x) ((x) - (Vector){0})

/* a where the mask is set, else b. Of this sum the compiler makes a move under the very bits that AVX-512's comparison
   gave, where its intrinsics would have them made of a vector, and of an `or` three operations. */
INLINE Vector choose(Mask mask, Vector a, Vector b)
{
#if __AVX2__ && !__AVX512F__
  return (Vector)WIDTH_OF(_mm256_blendv)((AVX_VECTOR)b, (AVX_VECTOR)a, (AVX_VECTOR)mask);
#else
  return (Vector)((mask & (Mask)a) + (~mask & (Mask)b));
#endif
}

/* A mask as the bits of a number, the first lane's lowest. */
INLINE uint32_t lanes_set(Mask mask)
{
#if __AVX512F__ && T_f32
  return _mm512_movepi32_mask((__m512i)mask);
#elif __AVX512F__
  return _mm512_movepi64_mask((__m512i)mask);
#elif __AVX2__
  return (uint32_t)WIDTH_OF(_mm256_movemask)((AVX_VECTOR)mask);
#else
  uint32_t set = 0;
  for (int j = 0; j < V; j++) set |= (uint32_t)(mask[j] != 0) << j;
  return set;
#endif
}

/* Whether a mask is set anywhere. */
INLINE bool any_of(Mask mask) { return lanes_set(mask) != 0; }

/* The larger and the smaller ones of two; b where one of them is nan. */
INLINE Vector larger(Vector a, Vector b)
{
#if __AVX512F__
  return (Vector)WIDTH_OF(_mm512_max)((WIDE_VECTOR)a, (WIDE_VECTOR)b);
#elif __AVX2__
  return (Vector)WIDTH_OF(_mm256_max)((AVX_VECTOR)a, (AVX_VECTOR)b);
#else
  return choose(a > b, a, b);
#endif
}

INLINE Vector smaller(Vector a, Vector b)
{
#if __AVX512F__
  return (Vector)WIDTH_OF(_mm512_min)((WIDE_VECTOR)a, (WIDE_VECTOR)b);
#elif __AVX2__
  return (Vector)WIDTH_OF(_mm256_min)((AVX_VECTOR)a, (AVX_VECTOR)b);
#else
  return choose(a < b, a, b);
#endif
}

/* a b + c, rounded once: where HAS_FUSED says that it is one instruction. */
#ifdef __FP_FAST_FMA
#define HAS_FUSED 1
#else
#define HAS_FUSED 0
#endif
INLINE Vector fused(Vector a, Vector b, Vector c)
{
#if __AVX512F__
  return (Vector)WIDTH_OF(_mm512_fmadd)((WIDE_VECTOR)a, (WIDE_VECTOR)b, (WIDE_VECTOR)c);
#elif __AVX2__ && __FMA__
  return (Vector)WIDTH_OF(_mm256_fmadd)((AVX_VECTOR)a, (AVX_VECTOR)b, (AVX_VECTOR)c);
#else
  for (int j = 0; j < V; j++) c[j] = LIBM(fma)(a[j], b[j], c[j]);
  return c;
#endif
}

/* Whole numbers beside x: the nearest ones (of two the even one), those below, above and towards zero. */
#if __AVX512F__
#define WHOLE_NUMBER(function, way) \
  INLINE Vector vector_##function(Vector x) { return (Vector)WIDTH_OF(_mm512_roundscale)((WIDE_VECTOR)x, way); }
#elif __AVX2__
#define WHOLE_NUMBER(function, way) \
  INLINE Vector vector_##function(Vector x) { return (Vector)WIDTH_OF(_mm256_round)((AVX_VECTOR)x, way | 8); }
#else
#define WHOLE_NUMBER(function, way)                          \
  INLINE Vector vector_##function(Vector x)                  \
  {                                                          \
    for (int j = 0; j < V; j++) x[j] = LIBM(function)(x[j]); \
    return x;                                                \
  }
#endif
WHOLE_NUMBER(nearbyint, 0)
WHOLE_NUMBER(floor, 1)
WHOLE_NUMBER(ceil, 2)
WHOLE_NUMBER(trunc, 3)

/* The quotient to within 0.6 ulp, of a divisor that is far from zero and infinity. */
INLINE Vector quotient(Vector a, Vector b)
{
#if __AVX512F__ && __FMA__
  /* An estimate with 14 bits; what it leaves of a, divided by the estimate again, has twice as many. Division itself is
     not pipelined there. */
  Vector r = (Vector)WIDTH_OF(_mm512_rcp14)((WIDE_VECTOR)b);
#if T_f64
  r = r * (1 - b * r) + r;
#endif
  Vector q = a * r;
  return (a - b * q) * r + q;
#else
  return a / b;
#endif
}

#if __AVX512F__
/* v 2^n, whatever it is; n is whole. */
#define HAS_SCALING 1
INLINE Vector scaled_by_power(Vector v, Vector n)
{
  return (Vector)WIDTH_OF(_mm512_scalef)((WIDE_VECTOR)v, (WIDE_VECTOR)n);
}

/* A number x > 0, which may be subnormal, as 2^e m with m from top / 2 to top, where 1 < top < 2: returns m. */
#define HAS_SPLITTING 1
INLINE Vector split_number(Vector x, T top, Vector *e)
{
  WIDE_VECTOR one = (WIDE_VECTOR)AS_VECTOR((T)1), half = (WIDE_VECTOR)AS_VECTOR((T)0.5);
  WIDE_VECTOR m = WIDTH_OF(_mm512_getmant)((WIDE_VECTOR)x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
  WIDE_VECTOR n = WIDTH_OF(_mm512_getexp)((WIDE_VECTOR)x);
#if T_f32
  __mmask16 above = _mm512_cmp_ps_mask(m, (WIDE_VECTOR)AS_VECTOR(top), _CMP_GT_OQ);
#else
  __mmask8 above = _mm512_cmp_pd_mask(m, (WIDE_VECTOR)AS_VECTOR(top), _CMP_GT_OQ);
#endif
  *e = (Vector)WIDTH_OF(_mm512_mask_add)(n, above, n, one);
  return (Vector)WIDTH_OF(_mm512_mask_mul)(m, above, m, half);
}
#endif

#if __AVX2__ && T_f32
#if __AVX512F__
typedef __m256 HalfVector;
INLINE HalfVector low_half(Vector v) { return _mm512_castps512_ps256((__m512)v); }
INLINE HalfVector high_half(Vector v) { return _mm512_extractf32x8_ps((__m512)v, 1); }
INLINE Doubles widened(HalfVector v) { return (Doubles)_mm512_cvtps_pd(v); }
#else
typedef __m128 HalfVector;
INLINE HalfVector low_half(Vector v) { return _mm256_castps256_ps128((__m256)v); }
INLINE HalfVector high_half(Vector v) { return _mm256_extractf128_ps((__m256)v, 1); }
INLINE Doubles widened(HalfVector v) { return (Doubles)_mm256_cvtps_pd(v); }
#endif
#elif T_f32
typedef float HalfVector __attribute__((vector_size(VECTOR_BYTES / 2)));
INLINE HalfVector half_of(Vector v, int from)
{
  HalfVector half = {0};
  for (int j = 0; j < V / 2; j++) half[j] = v[from + j];
  return half;
}
INLINE HalfVector low_half(Vector v) { return half_of(v, 0); }
INLINE HalfVector high_half(Vector v) { return half_of(v, V / 2); }
INLINE Doubles widened(HalfVector v) { return __builtin_convertvector(v, Doubles); }
#endif

#if T_f32
/* A few floats from memory as doubles: where only doubles are wanted this takes less than to widen halves. */
#if __AVX2__
enum { FEW = 4 };
#else
enum { FEW = 2 };
#endif
typedef double FewDoubles __attribute__((vector_size(FEW * sizeof(double))));
INLINE FewDoubles few_doubles(const T *p)
{
#if __AVX2__
  return (FewDoubles)_mm256_cvtps_pd(_mm_loadu_ps(p));
#else
  return (FewDoubles){(double)p[0], (double)p[1]};
#endif
}

/* Two halves of doubles as floats. */
INLINE Vector narrowed(Doubles low, Doubles high)
{
#if __AVX512F__
  __m512 v = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low));
  return (Vector)_mm512_insertf32x8(v, _mm512_cvtpd_ps((__m512d)high), 1);
#elif __AVX2__
  return (Vector)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)high), _mm256_cvtpd_ps((__m256d)low));
#else
  Vector v = {0};
  for (int j = 0; j < V / 2; j++) v[j] = (T)low[j], v[V / 2 + j] = (T)high[j];
  return v;
#endif
}
#endif

/* The first and the second half of a vector as doubles; of a vector of doubles the vector itself and zeros. */
INLINE Doubles low_doubles(Vector v)
{
#if T_f32
  return widened(low_half(v));
#else
  return v;
#endif
}

INLINE Doubles high_doubles(Vector v)
{
#if T_f32
  return widened(high_half(v));
#else
  (void)v;
  return (Doubles){0};
#endif
}

/* v in its first n lanes, 0 in the others. */
INLINE Doubles first_doubles(Doubles v, int n)
{
  static const double numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
  typedef int64_t Mask64 __attribute__((vector_size(VECTOR_BYTES)));
  Doubles number;
  memcpy(&number, numbers, sizeof number);
  return (Doubles)((Mask64)v & (number < (double)n));
}

/* The sums of all lanes. */
INLINE double total_of_doubles(Doubles v)
{
#if __AVX512F__
  return _mm512_reduce_add_pd((__m512d)v);
#elif __AVX2__
  __m128d half = _mm_add_pd(_mm256_castpd256_pd128((__m256d)v), _mm256_extractf128_pd((__m256d)v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
#else
  double total = 0;
  for (int j = 0; j < (int)(VECTOR_BYTES / sizeof(double)); j++) total += v[j];
  return total;
#endif
}

INLINE T total_of(Vector v)
{
#if T_f64
  return total_of_doubles(v);
#elif __AVX512F__
  return _mm512_reduce_add_ps((__m512)v);
#elif __AVX2__
  __m128 half = _mm_add_ps(low_half(v), high_half(v));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
#else
  T part[V];
  store(part, v);
  for (int half = V / 2; half; half /= 2)
    for (int j = 0; j < half; j++) part[j] += part[j + half];
  return part[0];
#endif
}

/* The largest lane; none may be nan. */
INLINE T largest_of(Vector v)
{
#if __AVX512F__
  return WIDTH_OF(_mm512_reduce_max)((WIDE_VECTOR)v);
#elif __AVX2__ && T_f32
  __m128 half = _mm_max_ps(low_half(v), high_half(v));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
#elif __AVX2__
  __m128d half = _mm_max_pd(_mm256_castpd256_pd128((__m256d)v), _mm256_extractf128_pd((__m256d)v, 1));
  return _mm_cvtsd_f64(_mm_max_sd(half, _mm_unpackhi_pd(half, half)));
#else
  T most = v[0];
  for (int j = 1; j < V; j++) most = v[j] > most ? v[j] : most;
  return most;
#endif
}

#endif
