/* The rows of ops/reduce/masked.def. */
#ifndef NNLUA_OPS_REDUCE_MASKED_H
#define NNLUA_OPS_REDUCE_MASKED_H

#define ROWS "ops/reduce/masked.def"
#include "ops/table/declare.h"

#endif
