/* How reductions over any dimensions of tensors of any strides run. */
#ifndef NNLUA_LAUNCH_REDUCE_H
#define NNLUA_LAUNCH_REDUCE_H

#include "kernels/kernels.h"
#include "ops/table/op.h"

/* What is done to each reduced value before it becomes an element of the result. */
typedef struct Finish {
  double divide;   /* by this, if not 0 */
  bool root;       /* then its square root */
} Finish;

/* The shape of x without the dimensions of a mask, or with them as 1. */
Ints reduced_shape(Call *call, const Tensor *x, uint32_t mask, bool keepdim);

/* How many elements go into each result. */
int64_t reduced_count(const Tensor *x, uint32_t mask);

/* The dtype that a reduction's kernel gives for elements of x. */
DType reduced_dtype(ReduceId id, DType x);

/* y, which is contiguous and has an element for each place of x's other dimensions, = the reduction of x over the
   dimensions of the mask. There must be elements to reduce. */
void launch_reduce(Call *call, ReduceId id, Tensor *x, uint32_t mask, Tensor *y, Finish finish);

/* Values (unless NULL) and positions of the extremes of x along a dimension, into contiguous tensors. */
void launch_positions(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions);

/* y, of x's shape, any strides and perhaps x itself, = that of x along a dimension up to each element, or from each on;
   in y's dtype. */
void launch_cumulate(Call *call, CumulateId id, Tensor *x, int dim, bool from_end, Tensor *y);

/* The same of extremes with their positions, into contiguous tensors. */
void launch_cumulate_extreme(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions);

#endif
