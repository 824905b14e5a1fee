/* The rows of ops/nn/placed_pool.def. */
#ifndef NNLUA_OPS_NN_PLACED_POOL_H
#define NNLUA_OPS_NN_PLACED_POOL_H

#define ROWS "ops/nn/placed_pool.def"
#include "ops/table/declare.h"

#endif
