/* Weighted means of places along the middle one of [outer, n, inner], and of elements at positions. */
#include "core/blocks.h"
#include "kernels/resample.h"
#include "kernels/typed/typed.h"

#if T_FLOATING
#include "kernels/typed/tile.h"

/* x: [places, inner]; at, weight: [terms]; y: [inner] */
static void place(int64_t inner, int64_t terms, const int64_t *at, const T *weight, const T *x, T *restrict y)
{
  for (int64_t i = 0; i < inner; i += RESAMPLE_STRIP) {
    T sum[RESAMPLE_STRIP] = {0};
    int64_t n = inner - i < RESAMPLE_STRIP ? inner - i : RESAMPLE_STRIP;
    for (int64_t t = 0; t < terms; t++) {
      const T *from = x + at[t] * inner + i;
      for (int64_t j = 0; j < n; j++) sum[j] += weight[t] * from[j];
    }
    memcpy(y + i, sum, (size_t)n * sizeof(T));
  }
}

/* How many terms all of n places have, or 0 where they differ. */
static int64_t terms_each(int64_t n, const int64_t *first)
{
  for (int64_t i = 1; i <= n; i++)
    if (first[i] != i * first[1]) return 0;
  return first[n > 0];
}

/* The same of few terms, a number that the compiler knows. */
INLINE void place_of_few(int terms, int64_t inner, const int64_t *at, const T *weight, const T *x, T *restrict y)
{
  for (int64_t j = 0; j < inner; j++) {
    T sum = 0;
    for (int t = 0; t < terms; t++) sum += weight[t] * x[at[t] * inner + j];
    y[j] = sum;
  }
}

/* All places of n, each of as many terms. x: [outer, n[0], inner]; y: [outer, n[1], inner] */
INLINE void resample_evenly(int terms, int64_t outer, const int64_t *n, int64_t inner, const int64_t *at,
                            const T *weight, const T *x, T *y)
{
  for (int64_t o = 0; o < outer; o++, x += n[0] * inner, y += n[1] * inner)
    for (int64_t i = 0; i < n[1]; i++) place_of_few(terms, inner, at + i * terms, weight + i * terms, x, y + i * inner);
}

static void resample_pairs(int64_t outer, const int64_t *n, int64_t inner, const int64_t *at, const T *weight,
                           const T *x, T *y)
{
  if (inner == 1) resample_evenly(2, outer, n, 1, at, weight, x, y);
  else resample_evenly(2, outer, n, inner, at, weight, x, y);
}

static void resample_fours(int64_t outer, const int64_t *n, int64_t inner, const int64_t *at, const T *weight,
                           const T *x, T *y)
{
  if (inner == 1) resample_evenly(4, outer, n, 1, at, weight, x, y);
  else resample_evenly(4, outer, n, inner, at, weight, x, y);
}

/* Whether the terms of each of n places are elements side by side. */
static bool side_by_side(int64_t n, const int64_t *first, const int64_t *at)
{
  for (int64_t i = 0; i < n; i++)
    for (int64_t t = first[i] + 1; t < first[i + 1]; t++)
      if (at[t] != at[t - 1] + 1) return false;
  return true;
}

/* A sum of n weighted elements, in some that don't wait for each other. */
static T sum_of_dense(int64_t n, const T *weight, const T *x)
{
  enum { SUMS = 16 };
  T sums[SUMS] = {0}, sum = 0;
  int64_t i = 0;
  for (; i + SUMS <= n; i += SUMS)
    for (int64_t s = 0; s < SUMS; s++) sums[s] += weight[i + s] * x[i + s];
  for (; i < n; i++) sum += weight[i] * x[i];
  for (int64_t s = 0; s < SUMS; s++) sum += sums[s];
  return sum;
}

/* x: [outer, n[0], inner]; y: [outer, n[1], inner]; first: [n[1] + 1]; at, weights: [first[n[1]]] */
static void resample(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                     const void *weights, const void *x, void *y)
{
  const T *weight = weights, *from = x;
  T *to = y;
  switch (terms_each(n[1], first)) {
    case 2: resample_pairs(outer, n, inner, at, weight, from, to); return;
    case 4: resample_fours(outer, n, inner, at, weight, from, to); return;
    default: break;
  }
  const bool dense = inner == 1 && side_by_side(n[1], first, at);
  for (int64_t o = 0; o < outer; o++, from += n[0] * inner)
    for (int64_t i = 0; i < n[1]; i++, to += inner) {
      if (dense && first[i] < first[i + 1]) {
        *to = sum_of_dense(first[i + 1] - first[i], weight + first[i], from + at[first[i]]);
        continue;
      }
      if (inner > 1) {
        place(inner, first[i + 1] - first[i], at + first[i], weight + first[i], from, to);
        continue;
      }
      T sum = 0;
      for (int64_t t = first[i]; t < first[i + 1]; t++) sum += weight[t] * from[at[t]];
      *to = sum;
    }
}

/* The transpose: dy: [outer, n[1], inner]; dx: [outer, n[0], inner] */
static void resample_backward(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                              const void *weights, const void *dy, void *dx)
{
  const T *weight = weights, *from = dy;
  T *to = dx;
  memset(dx, 0, (size_t)(outer * n[0] * inner) * sizeof(T));
  for (int64_t o = 0; o < outer; o++, to += n[0] * inner)
    for (int64_t i = 0; i < n[1]; i++, from += inner)
      for (int64_t t = first[i]; t < first[i + 1]; t++) {
        T *restrict into = to + at[t] * inner;
        for (int64_t j = 0; j < inner; j++) into[j] += weight[t] * from[j];
      }
}

/* -------------------------------------------------------------- at positions */

/* What a position tells: nothing is read for 0. */
INLINE T element_at(const T *x, int64_t position) { return position ? x[position - 1] : 0; }

/* `terms` is a constant where it is called, or 0 for any number. */
INLINE void taps_of(int64_t terms, const Taps *t, const int64_t *at, const T *weight, const T *x, T *restrict y)
{
  for (int64_t c = 0; c < t->channels; c++, x += t->elements, y += t->apart)
    for (int64_t i = 0; i < t->places; i++) {
      T sum = weight[i] * element_at(x, at[i]);
      for (int64_t k = 1; k < (terms ? terms : t->terms); k++)
        sum += weight[k * t->apart + i] * element_at(x, at[k * t->apart + i]);
      y[i] = sum;
    }
}

/* x: [channels, elements]; at, weights: [terms, places]; y: [channels, places] */
static void taps(const Taps *t, const int64_t *at, const void *weights, const void *x, void *y)
{
  switch (t->terms) {
    case 1: taps_of(1, t, at, weights, x, y); break;
    case 4: taps_of(4, t, at, weights, x, y); break;
    case 8: taps_of(8, t, at, weights, x, y); break;
    case 16: taps_of(16, t, at, weights, x, y); break;
    default: taps_of(0, t, at, weights, x, y);
  }
}

enum { TAPS_WIDTH = 64 }; /* channels at a time, where a place's lie side by side */

static const T nothing[2 * V]; /* what is read where no element is */

/* The sums of n channels at a place. x: [elements, channels], from the first of them on */
INLINE void taps_at(const Taps *t, const int64_t *at, const T *weight, const T *x, int64_t n, T *sums)
{
  int64_t j = 0;
  for (; j + 2 * V <= n; j += 2 * V) {
    Vector a = {0}, b = {0};
    for (int64_t k = 0; k < t->terms; k++) {
      const int64_t position = at[k * t->apart];
      const T w = weight[k * t->apart], *from = position ? x + (position - 1) * t->channels + j : nothing;
      a += w * load(from);
      b += w * load(from + V);
    }
    store(sums + j, a);
    store(sums + j + V, b);
  }
  for (; j < n; j++) {
    T sum = 0;
    for (int64_t k = 0; k < t->terms; k++) {
      const int64_t position = at[k * t->apart];
      sum += weight[k * t->apart] * (position ? x[(position - 1) * t->channels + j] : 0);
    }
    sums[j] = sum;
  }
}

/* y[j][i] = sums[i][j] of so many places and channels */
INLINE void turn_sums(int64_t places, int64_t channels, const T *sums, T *y, int64_t apart)
{
  int64_t j = 0;
  if (places == TILE)
    for (; j + TILE <= channels; j += TILE) transpose_tile(sums + j, TAPS_WIDTH, TILE, y + j * apart, apart);
  for (; j < channels; j++)
    for (int64_t i = 0; i < places; i++) y[j * apart + i] = sums[i * TAPS_WIDTH + j];
}

/* As taps, of x: [elements, channels] */
static void taps_of_last(const Taps *t, const int64_t *at, const void *weights, const void *x, void *y)
{
  T sums[TILE * TAPS_WIDTH];
  for (int64_t c = 0; c < t->channels; c += TAPS_WIDTH) {
    const int64_t channels = t->channels - c < TAPS_WIDTH ? t->channels - c : TAPS_WIDTH;
    for (int64_t first = 0; first < t->places; first += TILE) {
      const int64_t places = t->places - first < TILE ? t->places - first : TILE;
      for (int64_t i = 0; i < places; i++)
        taps_at(t, at + first + i, (const T *)weights + first + i, (const T *)x + c, channels, sums + i * TAPS_WIDTH);
      turn_sums(places, channels, sums, (T *)y + c * t->apart + first, t->apart);
    }
  }
}

/* x: [channels, elements]; at, dweights: [terms, places]; dy: [channels, places] */
static void taps_of_weights(const Taps *t, const int64_t *at, const void *dy, const void *x, void *dweights)
{
  for (int64_t k = 0; k < t->terms; k++, at += t->apart) {
    const T *from = x, *d = dy;
    T *restrict sum = (T *)dweights + k * t->apart;
    for (int64_t i = 0; i < t->places; i++) sum[i] = 0;
    for (int64_t c = 0; c < t->channels; c++, from += t->elements, d += t->apart)
      for (int64_t i = 0; i < t->places; i++) sum[i] += d[i] * element_at(from, at[i]);
  }
}

/* at, weights: [terms, places]; dy: [places]; dx: [elements] */
static void taps_back(const Taps *t, const int64_t *at, const void *weights, const void *dy, void *dx)
{
  const T *weight = weights, *d = dy;
  T *to = dx;
  memset(to, 0, (size_t)t->elements * sizeof(T));
  for (int64_t k = 0; k < t->terms; k++, at += t->apart, weight += t->apart)
    for (int64_t i = 0; i < t->places; i++)
      if (at[i]) to[at[i] - 1] += weight[i] * d[i];
}

#endif

#if T_u8

/* x: [places, inner]; y: [inner] */
static void place(int64_t inner, int64_t terms, const int64_t *at, const int16_t *weight, int bits, const T *x,
                  T *restrict y)
{
  for (int64_t i = 0; i < inner; i += RESAMPLE_STRIP) {
    int32_t sum[RESAMPLE_STRIP];
    int64_t n = inner - i < RESAMPLE_STRIP ? inner - i : RESAMPLE_STRIP;
    for (int64_t j = 0; j < RESAMPLE_STRIP; j++) sum[j] = 1 << bits >> 1;
    for (int64_t t = 0; t < terms; t++) {
      const T *from = x + at[t] * inner + i;
      int32_t factor = weight[t];
      for (int64_t j = 0; j < n; j++) sum[j] += factor * from[j];
    }
    for (int64_t j = 0; j < n; j++) {
      int32_t value = sum[j] >> bits;
      y[i + j] = (T)(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
    }
  }
}

/* As resample, of bytes. */
static void resample_bytes(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                           const int16_t *weights, int bits, const uint8_t *x, uint8_t *y)
{
  for (int64_t o = 0; o < outer; o++, x += n[0] * inner)
    for (int64_t i = 0; i < n[1]; i++, y += inner) {
      if (inner > 1) {
        place(inner, first[i + 1] - first[i], at + first[i], weights + first[i], bits, x, y);
        continue;
      }
      int32_t sum = 1 << bits >> 1;
      for (int64_t t = first[i]; t < first[i + 1]; t++) sum += weights[t] * x[at[t]];
      sum >>= bits;
      *y = (T)(sum < 0 ? 0 : sum > UINT8_MAX ? UINT8_MAX : sum);
    }
}

#endif

void TYPED(fill_resample)(ResampleKernels *t) AT_START;
void TYPED(fill_resample)(ResampleKernels *t)
{
#if T_FLOATING
  t->forward = resample;
  t->backward = resample_backward;
  t->taps = taps;
  t->taps_of_last = taps_of_last;
  t->taps_of_weights = taps_of_weights;
  t->taps_back = taps_back;
#elif T_u8
  t->bytes = resample_bytes;
#endif
  (void)t;
}
