/* How pointwise rows run: one forward and one backward for all of them. */
#ifndef NNLUA_OPS_TABLE_POINTWISE_H
#define NNLUA_OPS_TABLE_POINTWISE_H

#include "launch/math/pointwise.h"
#include "ops/table/op.h"

/* Rows that run powers of such numbers. */
extern const Op *const sqrt_row, *const rsqrt_row, *const reciprocal_row;

/* How a row runs on arguments: its kernel, the dtype that it computes for, that of its result, how many operands it
   reads (the first n), and its parameters, in the arguments or the arena. Raises as the row does. */
typedef struct PointwiseWay {
  PointwiseChoice choice;
  DType compute, produced;
  int n;
  const Scalar *params;
} PointwiseWay;
PointwiseWay pointwise_way(Call *call, const void *args);

void pointwise_forward(Call *call, const void *args, Tensor **y);
void pointwise_backward(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g);

/* dy times the derivative of a pointwise op by its operand i, before it is summed to the operand's shape: by ops. */
Tensor *pointwise_derivative(Call *parent, const Op *op, int i, const void *args, Tensor *y, Tensor *dy);

/* The dtype that operands of these dtypes compute in:
   tensors with dimensions weigh more than 0-dim ones, these more than numbers. */
DType promote_operands(Call *call, Tensor *const *operands, int n);

/* The shape that the operands broadcast to, in the arena; raises if they don't fit. */
Ints broadcast_operands(Call *call, Tensor *const *operands, int n);

#endif
