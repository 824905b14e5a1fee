/* The rows of ops/math/calculus.def. */
#ifndef NNLUA_OPS_MATH_CALCULUS_H
#define NNLUA_OPS_MATH_CALCULUS_H

#define ROWS "ops/math/calculus.def"
#include "ops/table/declare.h"

#endif
