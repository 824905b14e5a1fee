/* What the functions of reductions share. A mask has a bit for each dimension that is reduced. */
#ifndef NNLUA_OPS_REDUCE_REDUCE_H
#define NNLUA_OPS_REDUCE_REDUCE_H

#include "ops/table/helpers.h"
#include "launch/reduce/reduce.h"

static const Finish AS_IT_IS = {0, false};

static inline uint32_t all_dims(const Tensor *x) { return (1u << x->ndim) - 1; }

/* The dimensions of a mask. */
Ints dims_of(Call *call, const Tensor *x, uint32_t mask);

/* The input in the dtype asked for, or as it is. */
Tensor *input_as(Call *call, Tensor *x, DType dtype);

/* A result, or its gradient, of a reduction with the reduced dimensions back as 1. */
Tensor *restore_dims(Call *call, Tensor *t, const Tensor *x, uint32_t mask, bool keepdim);

/* The gradient of a sum: each element's is that of its sum. */
Tensor *spread(Call *call, Tensor *dy, const Tensor *x, uint32_t mask, bool keepdim);

/* The reduction of x as a result of the call; `empty` if x has no elements. */
Tensor *reduce_to_new(Call *call, ReduceId id, Tensor *x, uint32_t mask, bool keepdim, DType dtype, Finish finish,
                      double empty);

/* The squares of complex numbers' magnitudes are those of their parts; the sum is real. */
Tensor *sum_of_squares(Call *call, Tensor *x, uint32_t mask, bool keepdim, DType dtype, Finish finish, double empty);

/* Raises if there is nothing to choose from. */
void check_extreme(Call *call, const Tensor *x, uint32_t mask);

/* The gradient of an extreme goes to all elements that are equal to it, in equal shares. */
Tensor *share_among_equals(Call *call, Tensor *x, Tensor *y, Tensor *dy, uint32_t mask, bool keepdim);

/* The same over all elements; where the extreme is nan, the elements that are nan share it, as in PyTorch. */
Tensor *share_of_all(Call *call, Tensor *x, Tensor *y, Tensor *dy);

/* t where y is not 0, and 0 where it is: the subgradient at 0. */
Tensor *zero_where_zero(Call *call, Tensor *t, Tensor *y);

/* The gradient of elements that were chosen along a dimension. */
Tensor *put_back(Call *call, const Tensor *x, int64_t dim, bool keepdim, Tensor *positions, Tensor *dy);

/* Whether an element is 0: a look at the data, which is not recorded. */
bool has_zero(Call *call, Tensor *x);

/* x[k] for all k along a dimension. */
Tensor **slices_of(Call *call, Tensor *x, int dim);

#endif
