/* What attention does to scores between products: softmax a block of keys at a time, and its gradient. */
#ifndef NNLUA_KERNELS_ATTENTION_H
#define NNLUA_KERNELS_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/blocks.h"

/* How attention is cut. */
enum {
  ATTENTION_LANES = 16,                  /* of a row of scores at a time; no less than a vector has */
  ATTENTION_QUERIES = BLOCK_SIZE(96, 4), /* the most of a tile, */
  ATTENTION_KEYS = BLOCK_SIZE(128, 16),  /* a multiple of the lanes */
  ATTENTION_STRIP = BLOCK_SIZE(12, 2),   /* queries that are taken as if they saw the same keys */
  ATTENTION_FEW = BLOCK_SIZE(8, 1)       /* queries up to which keys are not turned */
};

/* The scores of some queries against a block of keys, [rows][n], rows `row` elements apart: n or more, rounded up to a
   multiple of ATTENTION_LANES. */
typedef struct ScoreBlock {
  int64_t rows, n;
  int64_t seen; /* of the keys by the first row; the next one sees one more, and so on */
  void *scores;
  int64_t row;
  const void *mask; /* is added; NULL: none */
  int64_t mask_row, mask_col;
  const uint8_t *kept; /* 1 for weights that dropout keeps, which are multiplied by kept_scale; NULL: all are kept */
  int64_t kept_row;
  double kept_scale;
} ScoreBlock;

/* Floats only. Of each query there is the largest score so far and the sum of e^(score - largest); in the end of the
   latter the reciprocal. Matrices have rows so many elements apart. */
typedef struct AttentionKernels {
  /* y = factor x. x, y: [rows][n] */
  void (*scale_rows)(int64_t rows, int64_t n, double factor, const void *x, int64_t x_row, void *y, int64_t y_row);
  /* y[i] = the sum of a[i] b[i]. a, b: [rows][n] */
  void (*row_dots)(int64_t rows, int64_t n, const void *a, int64_t a_row, const void *b, int64_t b_row, void *y);
  /* scores = e^(score - largest), dropped, and 0 for keys that aren't seen; after the first block of keys what was
     summed up before, the sums and y [rows][width], follows the largest scores. */
  void (*weigh)(const ScoreBlock *b, bool first, void *largest, void *sum, int64_t width, void *y, int64_t y_row);
  /* After the last block: y [rows][width] over the sums, which become reciprocals. Where a mask hides all keys, all
     are 0. */
  void (*divide_rows)(int64_t rows, bool masked, void *largest, void *sum, int64_t width, void *y, int64_t y_row);
  /* From the largest scores and reciprocals of sums: scores = weights, dropped, and d, laid out alike, the gradient of
     these weights, becomes that of scores. dots: for each row the sum of weights times their gradients. */
  void (*weigh_backward)(const ScoreBlock *b, const void *largest, const void *scale, const void *dots, void *d);
} AttentionKernels;

#endif
