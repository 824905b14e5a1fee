/* The rows of ops/nn/losses.def. */
#ifndef NNLUA_OPS_NN_LOSSES_H
#define NNLUA_OPS_NN_LOSSES_H

#define ROWS "ops/nn/losses.def"
#include "ops/table/declare.h"

#endif
