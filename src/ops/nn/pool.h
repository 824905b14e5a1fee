/* The rows of ops/nn/pool.def. */
#ifndef NNLUA_OPS_NN_POOL_H
#define NNLUA_OPS_NN_POOL_H

#define ROWS "ops/nn/pool.def"
#include "ops/table/declare.h"

#endif
