/* Plain helpers of forwards, below the door: what they make is not recorded. */
#ifndef NNLUA_OPS_SHAPE_COPY_H
#define NNLUA_OPS_SHAPE_COPY_H

#define ROWS "ops/shape/copy.def"
#include "ops/table/declare.h"

/* Raises if a complex value would lose its imaginary part in a dtype. */
void check_value_fits(Call *call, DType value, DType dtype);

/* Fills all elements with a number; raises if that is complex and they are real. */
void launch_fill(Call *call, Tensor *y, Scalar value);

/* The tensor itself if it is contiguous and of the dtype, else a contiguous copy. */
Tensor *contiguous_as(Call *call, Tensor *t, DType dtype);

/* A new tensor of the dtype with the elements of t, laid out as t where that leaves no holes. */
Tensor *copy_of(Call *call, const Tensor *t, DType dtype);

/* An unset result like t, laid out as t where that leaves no holes; in an in-place form the destination. */
Tensor *result_like(Call *call, const Tensor *t, DType dtype, Device device);

/* A result with the elements of t, laid out as t where that leaves no holes; in an in-place form the destination. */
Tensor *result_copy(Call *call, Tensor *t);

/* Zeros of a gradient's dtype and device, of another shape: through the door. */
Tensor *zeros_for(Call *call, const Tensor *gradient, Ints shape);

/* t as of another shape, from which it broadcasts; no record is made. */
Tensor *expanded_to(Call *call, const Tensor *t, Ints shape);

/* A source that is not in the way of writes to a destination: itself, or a copy if they share memory. */
Tensor *apart_from(Call *call, Tensor *source, const Tensor *destination);

/* A stretch of a dimension as a view below the door. */
Tensor *stretch(Call *call, const Tensor *t, int dim, int64_t start, int64_t length);

#endif
