/* A layer of a recurrent network in one direction, over all steps. */
#ifndef NNLUA_LAUNCH_RNN_LAYER_H
#define NNLUA_LAUNCH_RNN_LAYER_H

#include "core/tensor.h"
#include "kernels/recurrent.h"

/* Elements that the forward keeps of a row for each hidden unit: see typed/recurrent.c. */
int64_t cell_kept(CellKind kind);

/* x [rows, in] has the rows of all steps, `sizes` of each step; h0 and c0 [sizes[0], hidden], c0 of LSTM only; weights
   [gates hidden, in] and [gates hidden, hidden]; biases [gates hidden] or NULL, but GRU has a b_hh. Others than GRU may
   have both biases in b_ih. Backward needs h0, c0 and w_hh only. */
typedef struct RnnOperands {
  Tensor *x, *h0, *c0, *w_ih, *w_hh, *b_ih, *b_hh;
} RnnOperands;

/* h [rows, hidden]: the hidden states of all steps; c [sizes[0], hidden]: of LSTM the cells after each sequence's last
   step; kept [rows, cell_kept hidden]: for the backward. */
void launch_rnn_layer(Call *call, CellKind kind, Ints sizes, bool reverse, const RnnOperands *a, Tensor *h, Tensor *c,
                      Tensor *kept);

/* From the forward's h (y) and kept and the gradient of h (NULL: none), to those of the states, dh and dc [sizes[0],
   hidden], which hold the gradients of the last states (dc is NULL but for LSTM), and of the sums: dx, dhidden [rows,
   gates hidden], one tensor but for GRU. */
void launch_rnn_layer_backward(Call *call, CellKind kind, Ints sizes, bool reverse, const RnnOperands *a, Tensor *y,
                               Tensor *kept, Tensor *dy, Tensor *dh, Tensor *dc, Tensor *dx, Tensor *dhidden);

/* to [rows, hidden] = the hidden state before each row's step, of the states y after it. */
void launch_rnn_states_before(Call *call, Ints sizes, bool reverse, Tensor *h0, Tensor *y, Tensor *to);

#endif
