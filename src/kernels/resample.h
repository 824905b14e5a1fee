/* Sums of weighted elements: along a dimension, as interpolation and averages of adaptive pools have them, and at
   places that tensors tell. */
#ifndef NNLUA_KERNELS_RESAMPLE_H
#define NNLUA_KERNELS_RESAMPLE_H

#include <stdint.h>

/* Sums of so many terms at each of `places` of an image [channels][elements]. Positions and weights are [terms][apart],
   y and dy [channels][apart], of which the first `places` are meant. Positions count from 1; 0 stands for an element
   that is 0. */
typedef struct Taps {
  int64_t channels, elements, terms, places, apart;
} Taps;

/* x and dx are [outer][n[0]][inner], y and dy [outer][n[1]][inner]; first has n[1] + 1 places, from which result i
   takes the terms first[i] <= t < first[i + 1] of at and weights. Floats, and of uint8 `bytes` only. */
typedef struct ResampleKernels {
  /* y[o][i][j] = the sum of weights[t] * x[o][at[t]][j] over the terms of i. */
  void (*forward)(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                  const void *weights, const void *x, void *y);
  /* Its transpose: dx from dy. */
  void (*backward)(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                   const void *weights, const void *dy, void *dx);
  /* forward of whole weights, int16, with `bits` bits behind the point: rounded, and cut off at 0 and 255. */
  void (*bytes)(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                const int16_t *weights, int bits, const uint8_t *x, uint8_t *y);
  /* Of some places of one image, floats only. */
  void (*taps)(const Taps *t, const int64_t *at, const void *weights, const void *x, void *y);
  void (*taps_of_last)(const Taps *t, const int64_t *at, const void *weights, const void *x, /* [elements][channels] */
                       void *y);
  void (*taps_of_weights)(const Taps *t, const int64_t *at, const void *dy, const void *x, void *dweights);
  /* Of all places of one channel: dx [elements] = the transpose of taps. */
  void (*taps_back)(const Taps *t, const int64_t *at, const void *weights, const void *dy, void *dx);
} ResampleKernels;

#endif
