/* The rows of ops/shape/cat_split.def, and what splits share. */
#ifndef NNLUA_OPS_SHAPE_CAT_SPLIT_H
#define NNLUA_OPS_SHAPE_CAT_SPLIT_H

#define ROWS "ops/shape/cat_split.def"
#include "ops/table/declare.h"

/* The dimension that a tensor is to be divided along; raises if it has none. */
int divided_dim(Call *call, const Tensor *t, int64_t dim);

#endif
