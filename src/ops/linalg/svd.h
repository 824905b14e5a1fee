/* The rows of ops/linalg/svd.def. */
#ifndef NNLUA_OPS_LINALG_SVD_H
#define NNLUA_OPS_LINALG_SVD_H

#define ROWS "ops/linalg/svd.def"
#include "ops/table/declare.h"

#endif
