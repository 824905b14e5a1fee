/* How pointwise rows run: one forward and one backward for all of them. */
#ifndef NNLUA_OPS_TABLE_POINTWISE_H
#define NNLUA_OPS_TABLE_POINTWISE_H

#include "kernels/kernels.h"
#include "ops/table/op.h"

void pointwise_forward(Call *call, const void *args, Tensor **y);
void pointwise_backward(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g);

/* The dtype that operands of these dtypes compute in: tensors with dimensions weigh more than 0-dim ones, these more than numbers. */
DType promote_operands(Call *call, Tensor *const *operands, int n);

/* The shape that the operands broadcast to, in the arena; raises if they don't fit. */
Ints broadcast_operands(Call *call, Tensor *const *operands, int n);

enum { LAUNCH_OPERANDS = 5 }; /* of a derivative: dy, three operands and the result */

/*
 * Runs a contiguous kernel of dtype `compute` over a result and operands of any strides and dtypes:
 * operands are cast on loading, the result on storing (from `produced`), through small buffers
 * where they are not as the kernel wants them. NULL operands are passed on as NULL.
 */
void launch_pointwise(Call *call, PointwiseKernel kernel, DType compute, DType produced, Tensor *y,
                      Tensor *const *operands, int n, const Scalar *params);

/* Copies with a cast: to takes the elements of from, which broadcasts to it. */
void launch_copy(Call *call, Tensor *to, const Tensor *from);

#endif
