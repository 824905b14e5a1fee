/* The rows of ops/math/bitwise.def. */
#ifndef NNLUA_OPS_MATH_BITWISE_H
#define NNLUA_OPS_MATH_BITWISE_H

#define ROWS "ops/math/bitwise.def"
#include "ops/table/declare.h"

#endif
