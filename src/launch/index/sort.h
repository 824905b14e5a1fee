/* Rows sorted one by one, and the order of rows. */
#ifndef NNLUA_LAUNCH_SORT_H
#define NNLUA_LAUNCH_SORT_H

#include "core/tensor.h"

/* The first elements in order of each row (last dimension) of x, as many as rows of values have, with their positions
   (int64, from 1): equal ones as they stand, nan as the largest. The other dimensions agree; any strides. Raises for
   rows of 2^32 elements and more. */
void launch_sort(Call *call, Tensor *x, bool descending, Tensor *values, Tensor *positions);

/* Of each row (last dimension) of x the element of its rank, from 1, in that order, and its position; ranks (int64),
   values and positions have one element for each row in row-major order. */
void launch_ranked(Call *call, Tensor *x, Tensor *ranks, Tensor *values, Tensor *positions);

/* The order of the slices of the first dimension of x, which is contiguous, by their first differing elements:
   positions (int64, from 1). */
void launch_sort_slices(Call *call, Tensor *x, Tensor *positions);

#endif
