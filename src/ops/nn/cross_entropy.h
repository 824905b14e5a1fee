/* The rows of ops/nn/cross_entropy.def. */
#ifndef NNLUA_OPS_NN_CROSS_ENTROPY_H
#define NNLUA_OPS_NN_CROSS_ENTROPY_H

#define ROWS "ops/nn/cross_entropy.def"
#include "ops/table/declare.h"

#endif
