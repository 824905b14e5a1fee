/* Softmax along a dimension, or its logarithm. */
#ifndef NNLUA_LAUNCH_SOFTMAX_H
#define NNLUA_LAUNCH_SOFTMAX_H

#include "core/tensor.h"

/* y, of x's shape, = the softmax of x along a dimension, or its logarithm; in y's dtype. */
void launch_softmax(Call *call, bool log, Tensor *x, int dim, Tensor *y);

/* dx from the result y of that and its gradient; all of one shape. */
void launch_softmax_backward(Call *call, bool log, Tensor *dy, Tensor *y, int dim, Tensor *dx);

#endif
