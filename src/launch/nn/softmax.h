/* Softmax along a dimension, its logarithm, and the sums that they are divided by. */
#ifndef NNLUA_LAUNCH_SOFTMAX_H
#define NNLUA_LAUNCH_SOFTMAX_H

#include "core/tensor.h"
#include "launch/layout.h"

/* y, of x's shape, = the softmax of x along a dimension, or its logarithm; in y's dtype. */
void launch_softmax(Call *call, bool log, Tensor *x, int dim, Tensor *y);

/* dx from the result y of that and its gradient; all of one shape. */
void launch_softmax_backward(Call *call, bool log, Tensor *dy, Tensor *y, int dim, Tensor *dx);

/* y, with outer * inner elements, = log(sum e^x) along the middle of x, which is slabs when it is contiguous. */
void launch_logsumexp(Call *call, Tensor *x, Slabs slabs, Tensor *y);

#endif
