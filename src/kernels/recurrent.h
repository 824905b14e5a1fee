/* Cells of recurrent layers. */
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

/* A step of n hidden units, and back. Floats only. */
typedef struct RecurrentKernels {
  void (*cell)(CellKind kind, int64_t n, const CellRow *row);
  void (*cell_backward)(CellKind kind, int64_t n, const CellRow *row);
} RecurrentKernels;

#endif
