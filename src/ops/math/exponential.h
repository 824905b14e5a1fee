/* The rows of ops/math/exponential.def. */
#ifndef NNLUA_OPS_MATH_EXPONENTIAL_H
#define NNLUA_OPS_MATH_EXPONENTIAL_H

#define ROWS "ops/math/exponential.def"
#include "ops/table/declare.h"

#endif
