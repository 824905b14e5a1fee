/* One step of an optimizer on many parameters together. */
#ifndef NNLUA_LAUNCH_OPTIM_STEP_H
#define NNLUA_LAUNCH_OPTIM_STEP_H

#include "core/tensor.h"
#include "kernels/optim.h"

enum { STEP_STATES = 5, STEP_TENSORS = 2 + STEP_STATES };

/* The work on one parameter. */
typedef struct StepPart {
  /* set by the caller: the parameter, its gradient, then what is kept of it that is like it, NULL for what isn't */
  Tensor *tensors[STEP_TENSORS];
  StepCoefficients coefficients;
  /* set by step_part_prepare */
  const OptimKernels *kernels;
  Tensor *buffers[STEP_TENSORS]; /* the same, or contiguous copies of the kernel's dtype */
  void *data[STEP_TENSORS];      /* their elements */
  int64_t count, first_chunk;    /* elements, and where its chunks begin among those of all parts */
} StepPart;

/* Lays a part's tensors out for the kernels: may raise, where launch_steps may not. */
void step_part_prepare(Call *call, StepPart *part);

/* Steps all parts, in chunks of all together: the parameters and what is kept, not the gradients, are changed. */
void launch_steps(Call *call, StepId step, StepPart *parts, int64_t n);

/* The number that a 0-dim tensor on the cpu holds, and another one in its place. */
double step_number(const Tensor *t);
void step_number_set(Tensor *t, double value);

#endif
