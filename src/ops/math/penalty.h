/* The rows of ops/math/penalty.def. */
#ifndef NNLUA_OPS_MATH_PENALTY_H
#define NNLUA_OPS_MATH_PENALTY_H

#define ROWS "ops/math/penalty.def"
#include "ops/table/declare.h"

#endif
