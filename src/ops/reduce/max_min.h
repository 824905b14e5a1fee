/* The rows of ops/reduce/max_min.def. */
#ifndef NNLUA_OPS_REDUCE_MAX_MIN_H
#define NNLUA_OPS_REDUCE_MAX_MIN_H

#define ROWS "ops/reduce/max_min.def"
#include "ops/table/declare.h"

#endif
