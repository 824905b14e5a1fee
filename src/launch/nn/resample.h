/* How a dimension is brought to another size. */
#ifndef NNLUA_LAUNCH_RESAMPLE_H
#define NNLUA_LAUNCH_RESAMPLE_H

#include "core/tensor.h"

/* What a place is a weighted mean of: the 2 or 4 places around it, or all that it covers; or, so that nothing fine
   is left over where many places become few, what a filter of a width that grows with the ratio takes in. */
typedef enum ResampleKind {
  RESAMPLE_LINEAR,
  RESAMPLE_CUBIC,
  RESAMPLE_AREA,
  RESAMPLE_TRIANGLE,
  RESAMPLE_KEYS,
  RESAMPLE_LANCZOS
} ResampleKind;

typedef struct Resampling {
  ResampleKind kind;
  bool align_corners; /* first and last places stay where they are; not of areas */
  double scale;       /* where places lie follows from this factor; 0: from the sizes */
} Resampling;

/* y = x, floating or uint8, with another size along a dimension. Bytes have weights of 15 bits, rounded as PyTorch
   rounds them, and not those of areas. */
void launch_resample(Call *call, const Resampling *how, Tensor *x, int dim, Tensor *y);

/* dx = the gradient of launch_resample's x, from y's. */
void launch_resample_backward(Call *call, const Resampling *how, Tensor *dy, int dim, Tensor *dx);

#endif
