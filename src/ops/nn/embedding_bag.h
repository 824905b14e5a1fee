/* The rows of ops/nn/embedding_bag.def. */
#ifndef NNLUA_OPS_NN_EMBEDDING_BAG_H
#define NNLUA_OPS_NN_EMBEDDING_BAG_H

#define ROWS "ops/nn/embedding_bag.def"
#include "ops/table/declare.h"

#endif
