/* The rows of ops/math/composed_functions.def. */
#ifndef NNLUA_OPS_MATH_COMPOSED_FUNCTIONS_H
#define NNLUA_OPS_MATH_COMPOSED_FUNCTIONS_H

#define ROWS "ops/math/composed_functions.def"
#include "ops/table/declare.h"

#endif
