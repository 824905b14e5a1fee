/* Cells of recurrent layers, and their states as bytes, which weights of bytes are multiplied by. */
#ifndef NNLUA_KERNELS_RECURRENT_H
#define NNLUA_KERNELS_RECURRENT_H

#include <stdint.h>

typedef enum CellKind { CELL_TANH, CELL_RELU, CELL_LSTM, CELL_GRU } CellKind;

/* What one row of a step has of n hidden units: states and their gradients [n], sums and their gradients [gates][n]
   (one gate for CELL_TANH and CELL_RELU, four for LSTM, three for GRU).
   Pointers that a kind has no use for are unset. */
typedef struct CellRow {
  void *work;         /* sums that go into the gates; then, of LSTM and GRU, what is kept for the backward */
  const void *hidden; /* GRU: the part of the sums that comes from the hidden state */
  const void *h_prev, *c_prev;
  void *h;            /* the new hidden state */
  const void *dy;     /* the gradient of this step's result */
  void *dh, *dc;      /* the gradients of the state after the step, which become those before it, products aside */
  void *dx, *dhidden; /* of the sums */
} CellRow;

/* The product of bytes x and a weight w [k, n] with zero points: scale * sum (x - x_zero) (w - zero). */
typedef struct BytesProduct {
  const int32_t *sums; /* [n] of x w as they are */
  int32_t x_zero, x_sum;
  const int32_t *zero, *totals; /* [n] of w; its zero points may be NULL: 0; totals: sums of w - zero */
  float x_scale;
  const float *scale; /* [n] */
} BytesProduct;

/* A step of n hidden units, and back. Floats only. */
typedef struct RecurrentKernels {
  void (*cell)(CellKind kind, int64_t n, const CellRow *row);
  void (*cell_backward)(CellKind kind, int64_t n, const CellRow *row);

  /* Of float32 only: the least and the greatest of numbers and 0; numbers / scale, rounded, plus zero, within 0…255,
     and the sum of these; and y += a product. */
  void (*range)(int64_t n, const float *x, float *low, float *high);
  int32_t (*to_bytes)(int64_t n, const float *x, float scale, float zero, uint8_t *to);
  void (*add_bytes_product)(int64_t n, const BytesProduct *p, float *y);
} RecurrentKernels;

#endif
