/* The rows of ops/math/composed_arithmetic.def. */
#ifndef NNLUA_OPS_MATH_COMPOSED_ARITHMETIC_H
#define NNLUA_OPS_MATH_COMPOSED_ARITHMETIC_H

#define ROWS "ops/math/composed_arithmetic.def"
#include "ops/table/declare.h"

#endif
