/*
 * Convolutions of one channel a group, plane by plane: vectors along the lines of an image as it lies, whose taps
 * beyond its edges are lanes that aren't loaded. Of floats only.
 */
#ifndef NNLUA_KERNELS_DEPTHWISE_H
#define NNLUA_KERNELS_DEPTHWISE_H

#include <stdbool.h>
#include <stdint.h>

/* Along a dimension tap t of place p meets the source at p * stride + first + t * apart, with the weight that lies at
   weight_first + t * weight. */
typedef struct PlaneTaps {
  int64_t count, stride, first, apart, weight_first, weight;
} PlaneTaps;

/*
 * Planes of narrow lines without a stride, as wide as their results, are one run of numbers: a tap is one offset in it,
 * and which lanes of a vector meet the plane is the same for all planes: masks [line tap][column tap][vector].
 */
typedef struct PlaneShape {
  int64_t lines, columns; /* of the result */
  int64_t x_lines, x_columns, x_line;
  PlaneTaps line, column[2];
  const void *masks; /* or NULL: line by line */
} PlaneShape;

/*
 * y[line][column] = start, plus what is there (`add`), plus the sum over taps that meet the plane x, and over `terms`
 * planes with weights of their own. Columns have a stride of 1 or 2. In turns, even columns have the taps column[0] and
 * odd ones column[1], whose places are half as many.
 */
typedef struct PlaneSums {
  const PlaneShape *s;
  const void *x, *w;
  int64_t terms, x_term, w_term;
  const void *start; /* one number, or NULL: 0 */
  bool add;
  void *y;
  int64_t y_line;
} PlaneSums;

/* sums[line tap][column tap], a vector each, += the sums over places of dy * x. */
typedef struct PlaneDots {
  const PlaneShape *s;
  const void *dy;
  int64_t dy_line;
  const void *x;
  void *sums;
} PlaneDots;

typedef struct DepthwiseKernels {
  int vector; /* elements of one */
  /* How many bytes the masks of a plane take; 0 if it isn't to be done as one run. */
  int64_t (*mask_bytes)(const PlaneShape *s);
  void (*make_masks)(const PlaneShape *s, void *masks);
  void (*sums)(const PlaneSums *k);
  void (*turns)(const PlaneSums *k);
  void (*dots)(const PlaneDots *k);
  void (*totals)(int64_t n, const void *sums, void *to); /* of n vectors */
} DepthwiseKernels;

#endif
