/* The rows of ops/reduce/cumulative.def. */
#ifndef NNLUA_OPS_REDUCE_CUMULATIVE_H
#define NNLUA_OPS_REDUCE_CUMULATIVE_H

#define ROWS "ops/reduce/cumulative.def"
#include "ops/table/declare.h"

#endif
