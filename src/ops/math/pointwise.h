/* The rows of ops/math/pointwise.def. */
#ifndef NNLUA_OPS_MATH_POINTWISE_H
#define NNLUA_OPS_MATH_POINTWISE_H

#define ROWS "ops/math/pointwise.def"
#include "ops/table/declare.h"

#endif
