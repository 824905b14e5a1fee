/* The optimizers' fused steps: one pass over a parameter, outside of autograd. */
#ifndef NNLUA_OPS_OPTIM_H
#define NNLUA_OPS_OPTIM_H

#include "core/shape.h"
#include "core/tensor.h"

typedef struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
} SgdOptions;

/* One step of stochastic gradient descent. *momentum is the parameter's buffer, NULL before its first step; a new one
   belongs to the running scope, so the caller retains what it keeps. */
void sgd_step(Call *call, Tensor *param, Tensor *grad, Tensor **momentum, const SgdOptions *o);

#endif
