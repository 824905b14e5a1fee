/* A layer of a recurrent network, step by step in ops: what recurrent_layer does in one. */
#ifndef NNLUA_OPS_NN_RNN_LAYER_H
#define NNLUA_OPS_NN_RNN_LAYER_H

#include "launch/nn/rnn_layer.h"

#define ROWS "ops/nn/rnn_layer.def"
#include "ops/table/declare.h"

typedef struct Recurrence {
  CellKind kind;
  Tensor *input, *h0, *c0;           /* c0 of LSTM only */
  Tensor *w_ih, *w_hh, *b_ih, *b_hh; /* biases may be NULL */
  Tensor *w_hr;                      /* NULL, or the projection of an LSTM's hidden state */
  Ints sizes;
  bool reverse;
} Recurrence;

/* How many gates a kind has. */
int cell_gates(CellKind kind);

/* The new hidden state from the old one; of LSTM the cells' state at c is replaced. */
Tensor *cell_step(Call *call, const Recurrence *r, Tensor *x, Tensor *h, Tensor **c);

/* The hidden states of all steps, row by row; of LSTM the last state of its cells goes to c. */
Tensor *recurrence_steps(Call *call, const Recurrence *r, Tensor **c);

#endif
