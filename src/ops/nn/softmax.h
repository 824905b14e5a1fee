/* The rows of ops/nn/softmax.def. */
#ifndef NNLUA_OPS_NN_SOFTMAX_H
#define NNLUA_OPS_NN_SOFTMAX_H

#define ROWS "ops/nn/softmax.def"
#include "ops/table/declare.h"

#endif
