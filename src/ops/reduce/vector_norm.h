/* The rows of ops/reduce/vector_norm.def. */
#ifndef NNLUA_OPS_REDUCE_VECTOR_NORM_H
#define NNLUA_OPS_REDUCE_VECTOR_NORM_H

#define ROWS "ops/reduce/vector_norm.def"
#include "ops/table/declare.h"

#endif
