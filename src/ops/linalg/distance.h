/* The rows of ops/linalg/distance.def. */
#ifndef NNLUA_OPS_LINALG_DISTANCE_H
#define NNLUA_OPS_LINALG_DISTANCE_H

#define ROWS "ops/linalg/distance.def"
#include "ops/table/declare.h"

#endif
