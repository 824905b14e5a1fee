/* How pointwise kernels run over tensors. */
#ifndef NNLUA_LAUNCH_POINTWISE_H
#define NNLUA_LAUNCH_POINTWISE_H

#include "core/tensor.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_families.h"

enum { POINTWISE_OPERANDS = 5, NO_DERIVATIVE = -1 };

/* A kernel of a row, which is known by its family and its number there:
   the formula, or the derivative by an operand. */
typedef struct PointwiseChoice {
  int family, index, derivative;
} PointwiseChoice;

/*
 * Runs a kernel of a row over a result and operands of any strides and dtypes, in the dtype that `dtype` computes in:
 * operands are cast on loading, the result on storing (it is `produced` for `dtype`), through small buffers where they
 * are not as the kernel wants them. NULL operands are passed on as NULL. An operand that shares memory with the result
 * is copied, unless it is the same elements. Raises if there is no kernel for the dtype.
 */
void launch_pointwise(Call *call, PointwiseChoice choice, DType dtype, DType produced, Tensor *y,
                      Tensor *const *operands, int n, const Scalar *params);

/* Whether both derivatives of a binary row can be had in one pass: the operands that they need (dy, a, b, y; NULL for
   what isn't needed) are contiguous, of one shape, and of a dtype that is computed in itself. */
bool pair_is_plain(PointwiseChoice choice, DType dtype, Tensor *const *operands);

/* dx[0] and dx[1], new, contiguous and of dy's dtype, = the derivatives of a binary row by its operands. */
void launch_derivative_pair(PointwiseChoice choice, Tensor *const *dx, Tensor *const *operands, const Scalar *params);

#endif
