/* The rows of ops/nn/batch_layer_norm.def. */
#ifndef NNLUA_OPS_NN_BATCH_LAYER_NORM_H
#define NNLUA_OPS_NN_BATCH_LAYER_NORM_H

#define ROWS "ops/nn/batch_layer_norm.def"
#include "ops/table/declare.h"

#endif
