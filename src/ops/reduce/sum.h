/* The rows of ops/reduce/sum.def. */
#ifndef NNLUA_OPS_REDUCE_SUM_H
#define NNLUA_OPS_REDUCE_SUM_H

#define ROWS "ops/reduce/sum.def"
#include "ops/table/declare.h"

#endif
