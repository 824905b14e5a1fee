/* Lines of pairs or of real numbers to arrays of real and imaginary parts, and back; a transform alone, or as many side
   by side as a vector has lanes. */
#ifndef NNLUA_KERNELS_FFT_LINES_H
#define NNLUA_KERNELS_FFT_LINES_H

#include "kernels/fft.h"
#include "kernels/typed/vector.h"

#if (VECTOR_BYTES == 16 && T_f64)
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3)
#define FIRST_IN_TURN(a, b) EVENS(a, b)
#define LAST_IN_TURN(a, b) ODDS(a, b)
#define REVERSED(a) __builtin_shufflevector(a, a, 1, 0)
#elif VECTOR_BYTES == 16 || (VECTOR_BYTES == 32 && T_f64)
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define FIRST_IN_TURN(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define LAST_IN_TURN(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define REVERSED(a) __builtin_shufflevector(a, a, 3, 2, 1, 0)
#elif VECTOR_BYTES == 32 || T_f64
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define FIRST_IN_TURN(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define LAST_IN_TURN(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define REVERSED(a) __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0)
#else
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define FIRST_IN_TURN(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define LAST_IN_TURN(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define REVERSED(a) __builtin_shufflevector(a, a, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#endif

/* Real and imaginary parts in two arrays. */
typedef struct Split {
  T *re, *im;
} Split;

static inline Split swapped(Split s, bool swap) { return swap ? (Split){s.im, s.re} : s; }

/* Transposes a tile of V vectors: lines in turn, log2(V) times. */
INLINE void turn_tile(Vector *line)
{
  UNROLL for (int stage = 1; stage < V; stage *= 2)
  {
    Vector next[V];
    UNROLL for (int i = 0; i < V / 2; i++)
    {
      next[2 * i] = FIRST_IN_TURN(line[i], line[i + V / 2]);
      next[2 * i + 1] = LAST_IN_TURN(line[i], line[i + V / 2]);
    }
    UNROLL for (int i = 0; i < V; i++) line[i] = next[i];
  }
}

/* ------------------------------------------------------------------- alone */

/* to[j] = x[j step], of n pairs or real numbers */
static void load_alone(int64_t n, int width, const T *x, int64_t step, Split to)
{
  int64_t j = 0;
  if (width == 1) {
    for (; j < n; j++) to.re[j] = x[j * step];
    return;
  }
  if (step == 1)
    for (; j + V <= n; j += V) {
      Vector a = load(x + 2 * j), b = load(x + 2 * j + V);
      store(to.re + j, EVENS(a, b));
      store(to.im + j, ODDS(a, b));
    }
  for (; j < n; j++) {
    to.re[j] = x[2 * j * step];
    to.im[j] = x[2 * j * step + 1];
  }
}

/* y[j step] = scale from[j] */
static void store_alone(int64_t n, int width, Split from, T scale, T *y, int64_t step)
{
  int64_t j = 0;
  if (width == 1) {
    for (; j < n; j++) y[j * step] = from.re[j] * scale;
    return;
  }
  if (step == 1)
    for (; j + V <= n; j += V) {
      Vector re = load(from.re + j) * scale, im = load(from.im + j) * scale;
      store(y + 2 * j, FIRST_IN_TURN(re, im));
      store(y + 2 * j + V, LAST_IN_TURN(re, im));
    }
  for (; j < n; j++) {
    y[2 * j * step] = from.re[j] * scale;
    y[2 * j * step + 1] = from.im[j] * scale;
  }
}

/* ---------------------------------------------------------------- together */

/* Where float k of a line goes: [n][V], the parts of pairs in their arrays. */
INLINE T *place_of(Split s, int64_t k, int width)
{
  return width == 1 ? s.re + k * V : (k & 1 ? s.im : s.re) + k / 2 * V;
}

/* Whether the lanes lie side by side. */
static bool side_by_side(const void *const *line, int count, int width)
{
  for (int l = 1; l < count; l++)
    if ((const T *)line[l] != (const T *)line[0] + l * width) return false;
  return count == V;
}

static void load_together(int64_t n, int width, const void *const *x, int count, int64_t step, Split to)
{
  const T *line[V];
  for (int l = 0; l < V; l++) line[l] = x[l < count ? l : 0];
  int64_t k = 0;
  if (side_by_side(x, count, width)) {
    for (; k < n; k++) {
      const T *from = line[0] + k * step * width;
      if (width == 1) {
        store(to.re + k * V, load(from));
      } else {
        Vector a = load(from), b = load(from + V);
        store(to.re + k * V, EVENS(a, b));
        store(to.im + k * V, ODDS(a, b));
      }
    }
    return;
  }
  if (step == 1)
    for (; k + V <= n * width; k += V) {
      Vector tile[V];
      UNROLL for (int l = 0; l < V; l++) tile[l] = load(line[l] + k);
      turn_tile(tile);
      UNROLL for (int i = 0; i < V; i++) store(place_of(to, k + i, width), tile[i]);
    }
  for (; k < n * width; k++)
    for (int l = 0; l < V; l++) place_of(to, k, width)[l] = line[l][k / width * step * width + k % width];
}

static void store_together(int64_t n, int width, Split from, T scale, void *const *y, int count, int64_t step)
{
  int64_t k = 0;
  if (side_by_side((const void *const *)y, count, width)) {
    for (; k < n; k++) {
      T *to = (T *)y[0] + k * step * width;
      Vector re = load(from.re + k * V) * scale;
      if (width == 1) {
        store(to, re);
      } else {
        Vector im = load(from.im + k * V) * scale;
        store(to, FIRST_IN_TURN(re, im));
        store(to + V, LAST_IN_TURN(re, im));
      }
    }
    return;
  }
  if (step == 1)
    for (; k + V <= n * width; k += V) {
      Vector tile[V];
      UNROLL for (int i = 0; i < V; i++) tile[i] = load(place_of(from, k + i, width)) * scale;
      turn_tile(tile);
      if (count == V) UNROLL for (int l = 0; l < V; l++) store((T *)y[l] + k, tile[l]);
      else
        for (int l = 0; l < count; l++) store((T *)y[l] + k, tile[l]);
    }
  for (; k < n * width; k++)
    for (int l = 0; l < count; l++)
      ((T *)y[l])[k / width * step * width + k % width] = place_of(from, k, width)[l] * scale;
}

#endif
