/* The rows of ops/nn/linear.def. */
#ifndef NNLUA_OPS_NN_LINEAR_H
#define NNLUA_OPS_NN_LINEAR_H

#define ROWS "ops/nn/linear.def"
#include "ops/table/declare.h"

#endif
