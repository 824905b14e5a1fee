/* The rows of ops/linalg/matmul.def. */
#ifndef NNLUA_OPS_LINALG_MATMUL_H
#define NNLUA_OPS_LINALG_MATMUL_H

#define ROWS "ops/linalg/matmul.def"
#include "ops/table/declare.h"

#endif
