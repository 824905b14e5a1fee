/* The rows of ops/nn/embedding.def. */
#ifndef NNLUA_OPS_NN_EMBEDDING_H
#define NNLUA_OPS_NN_EMBEDDING_H

#define ROWS "ops/nn/embedding.def"
#include "ops/table/declare.h"

#endif
