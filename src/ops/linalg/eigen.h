/* The rows of ops/linalg/eigen.def. */
#ifndef NNLUA_OPS_LINALG_EIGEN_H
#define NNLUA_OPS_LINALG_EIGEN_H

#define ROWS "ops/linalg/eigen.def"
#include "ops/table/declare.h"

#endif
