/* What gathers, scatters and indexing by tensors share. */
#ifndef NNLUA_OPS_INDEX_GATHER_H
#define NNLUA_OPS_INDEX_GATHER_H

#define ROWS "ops/index/gather.def"
#include "ops/table/declare.h"

/* Checks the arguments of a scatter; returns the dimension and sets the positions. src may be NULL. */
int check_scatter(Call *call, Tensor *input, int64_t dim, Tensor **index, const Tensor *src);

/* Raises unless what goes into a tensor has its dtype. */
void check_source_dtype(Call *call, const Tensor *input, const Tensor *src);

/* One element as a tensor of the shape of index. */
Tensor *value_like(Call *call, Tensor *value, DType dtype, const Tensor *index);

/* The gradient of a src of which only the part that index covers was used. */
Tensor *covered_gradient(Call *call, Tensor *part, const Tensor *src);

#endif
