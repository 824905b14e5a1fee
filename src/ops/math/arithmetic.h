/* The rows of ops/math/arithmetic.def. */
#ifndef NNLUA_OPS_MATH_ARITHMETIC_H
#define NNLUA_OPS_MATH_ARITHMETIC_H

#define ROWS "ops/math/arithmetic.def"
#include "ops/table/declare.h"

#endif
