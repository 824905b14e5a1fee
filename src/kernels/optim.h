/* The optimizers' steps. */
#ifndef NNLUA_KERNELS_OPTIM_H
#define NNLUA_KERNELS_OPTIM_H

#include <stdint.h>

/* An optimizer of two names (Adam, AdamW) may be one. */
typedef enum StepId {
  STEP_SGD, STEP_ADAM, STEP_ADAGRAD, STEP_RMSPROP, STEP_ADADELTA, STEP_ADAMAX, STEP_NADAM, STEP_RADAM, STEP_ASGD,
  STEP_RPROP, STEP_COUNT
} StepId;

typedef struct OptimKernels {
  /* One step on contiguous buffers [n]: the parameter, its gradient, then what is kept between steps, NULL for what
     isn't. typed/optim.c says what the coefficients are, ops/optim/rules.c gives them. Floats only. */
  void (*step[STEP_COUNT])(int64_t n, void *const *buffers, const double *coefficients);
} OptimKernels;

#endif
