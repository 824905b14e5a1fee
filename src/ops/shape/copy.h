/* Plain helpers of forwards, below the door: what they make is not recorded. */
#ifndef NNLUA_OPS_SHAPE_COPY_H
#define NNLUA_OPS_SHAPE_COPY_H

#include "launch/copy.h"
#include "launch/layout.h"

#define ROWS "ops/shape/copy.def"
#include "ops/table/declare.h"

/* An unset result like t, in t's order; in an in-place form the destination. */
Tensor *result_like(Call *call, const Tensor *t, DType dtype, Device device);

/* A result with the elements of t, in t's order; in an in-place form the destination. */
Tensor *result_copy(Call *call, Tensor *t);

/* The same, but contiguous, as PyTorch has what its scatters give. */
Tensor *result_contiguous_copy(Call *call, Tensor *t);

/* Zeros of a gradient's dtype and device, of another shape: through the door. */
Tensor *zeros_for(Call *call, const Tensor *gradient, Ints shape);

/* A stretch of a dimension as a view below the door. */
Tensor *stretch(Call *call, const Tensor *t, int dim, int64_t start, int64_t length);

#endif
