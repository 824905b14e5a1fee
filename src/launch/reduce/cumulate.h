/* Sums, products and extremes of all elements up to each one. */
#ifndef NNLUA_LAUNCH_CUMULATE_H
#define NNLUA_LAUNCH_CUMULATE_H

#include "core/tensor.h"
#include "kernels/cumulate.h"

/* y, of x's shape, = that of x along a dimension up to each element, or from each on; in y's dtype. */
void launch_cumulate(Call *call, CumulateId id, Tensor *x, int dim, bool from_end, Tensor *y);

/* The same of extremes with their positions (int64, from 1). */
void launch_cumulate_extreme(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions);

#endif
