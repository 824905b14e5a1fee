/* How a dimension is brought to another size. */
#ifndef NNLUA_LAUNCH_RESAMPLE_H
#define NNLUA_LAUNCH_RESAMPLE_H

#include "core/tensor.h"

/* What a place is a weighted mean of: the 2 or 4 places around it, or all that it covers. */
typedef enum ResampleKind { RESAMPLE_LINEAR, RESAMPLE_CUBIC, RESAMPLE_AREA } ResampleKind;

typedef struct Resampling {
  ResampleKind kind;
  bool align_corners; /* first and last places stay where they are; not of areas */
  double scale;       /* where places lie follows from this factor; 0: from the sizes */
} Resampling;

/* y = x, floating, with another size along a dimension. */
void launch_resample(Call *call, const Resampling *how, Tensor *x, int dim, Tensor *y);

/* dx = the gradient of launch_resample's x, from y's. */
void launch_resample_backward(Call *call, const Resampling *how, Tensor *dy, int dim, Tensor *dx);

#endif
