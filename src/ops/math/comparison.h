/* The rows of ops/math/comparison.def. */
#ifndef NNLUA_OPS_MATH_COMPARISON_H
#define NNLUA_OPS_MATH_COMPARISON_H

#define ROWS "ops/math/comparison.def"
#include "ops/table/declare.h"

#endif
