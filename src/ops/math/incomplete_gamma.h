/* The rows of ops/math/incomplete_gamma.def. */
#ifndef NNLUA_OPS_MATH_INCOMPLETE_GAMMA_H
#define NNLUA_OPS_MATH_INCOMPLETE_GAMMA_H

#define ROWS "ops/math/incomplete_gamma.def"
#include "ops/table/declare.h"

#endif
