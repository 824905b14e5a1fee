/* The rows of ops/index/scatter_reduce.def. */
#ifndef NNLUA_OPS_INDEX_SCATTER_REDUCE_H
#define NNLUA_OPS_INDEX_SCATTER_REDUCE_H

#define ROWS "ops/index/scatter_reduce.def"
#include "ops/table/declare.h"

#endif
