/* The rows of ops/math/rounding.def. */
#ifndef NNLUA_OPS_MATH_ROUNDING_H
#define NNLUA_OPS_MATH_ROUNDING_H

#define ROWS "ops/math/rounding.def"
#include "ops/table/declare.h"

#endif
