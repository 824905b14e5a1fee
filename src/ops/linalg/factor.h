/* The rows of ops/linalg/factor.def. */
#ifndef NNLUA_OPS_LINALG_FACTOR_H
#define NNLUA_OPS_LINALG_FACTOR_H

#define ROWS "ops/linalg/factor.def"
#include "ops/table/declare.h"

#endif
