/* The rows of ops/reduce/variance.def. */
#ifndef NNLUA_OPS_REDUCE_VARIANCE_H
#define NNLUA_OPS_REDUCE_VARIANCE_H

#define ROWS "ops/reduce/variance.def"
#include "ops/table/declare.h"

#endif
