/* The rows of ops/math/special.def. */
#ifndef NNLUA_OPS_MATH_SPECIAL_H
#define NNLUA_OPS_MATH_SPECIAL_H

#define ROWS "ops/math/special.def"
#include "ops/table/declare.h"

#endif
