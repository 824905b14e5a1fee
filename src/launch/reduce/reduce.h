/* How reductions over any dimensions of tensors of any strides run. */
#ifndef NNLUA_LAUNCH_REDUCE_H
#define NNLUA_LAUNCH_REDUCE_H

#include "core/tensor.h"
#include "kernels/reduce.h"

/* What is done to each reduced value before it becomes an element of the result. */
typedef struct Finish {
  double divide; /* by this, if not 0 */
  bool root;     /* then its square root */
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

/* The same of the squares of the distances from the mean of each reduction; of a real floating point x. */
void launch_squares_about_mean(Call *call, Tensor *x, uint32_t mask, Tensor *y, Finish finish);

/* y, contiguous, bool or uint8, = whether at least `enough` of the elements of each reduction are not zero. */
void launch_count_at_least(Call *call, Tensor *x, uint32_t mask, int64_t enough, Tensor *y);

/* Values (unless NULL) and positions of the extremes of x along a dimension, into contiguous tensors. */
void launch_positions(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions);

#endif
