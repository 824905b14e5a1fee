/* The rows of ops/reduce/quantile.def. */
#ifndef NNLUA_OPS_REDUCE_QUANTILE_H
#define NNLUA_OPS_REDUCE_QUANTILE_H

#define ROWS "ops/reduce/quantile.def"
#include "ops/table/declare.h"

#endif
