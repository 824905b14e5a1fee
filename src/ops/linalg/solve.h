/* The rows of ops/linalg/solve.def. */
#ifndef NNLUA_OPS_LINALG_SOLVE_H
#define NNLUA_OPS_LINALG_SOLVE_H

#define ROWS "ops/linalg/solve.def"
#include "ops/table/declare.h"

#endif
