/* Numbers as bytes by a scale of their own, and an LSTM whose recurrent weight is of bytes. */
#ifndef NNLUA_LAUNCH_BYTE_LSTM_H
#define NNLUA_LAUNCH_BYTE_LSTM_H

#include "core/tensor.h"

/* to (uint8) = x (float32) / scale + zero, rounded, with the scale (float32) and zero point (uint8), both 0-dim, by
   which the range of x and 0 is 0…255: ONNX's DynamicQuantizeLinear; of zeros the scale is 1. */
void launch_dynamic_quantize(Call *call, Tensor *x, Tensor *to, Tensor *scale, Tensor *zero);

/* sums [steps * batch, 4 hidden]: of the inputs of all steps with all biases; h0 and c0 [batch, hidden]; the recurrent
   weight r [hidden, 4 hidden] of int8 or uint8 is scale * (r - zero), its totals are the sums of r - zero. The last
   three are [4 hidden]; zero may be NULL. Gates are i, f, g, o. */
typedef struct ByteLstm {
  Tensor *sums, *h0, *c0, *r, *totals, *scale, *zero;
  int64_t steps;
  bool is_reverse;
} ByteLstm;

/* h [steps * batch, hidden]: the states of all steps; c [batch, hidden]: the last cells. Before each step the states of
   all sequences are quantized together, so one thread does it. */
void launch_byte_lstm(Call *call, const ByteLstm *a, Tensor *h, Tensor *c);

#endif
