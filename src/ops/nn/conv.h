/* The rows of ops/nn/conv.def. */
#ifndef NNLUA_OPS_NN_CONV_H
#define NNLUA_OPS_NN_CONV_H

#define ROWS "ops/nn/conv.def"
#include "ops/table/declare.h"

#endif
