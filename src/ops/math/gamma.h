/* The rows of ops/math/gamma.def. */
#ifndef NNLUA_OPS_MATH_GAMMA_H
#define NNLUA_OPS_MATH_GAMMA_H

#define ROWS "ops/math/gamma.def"
#include "ops/table/declare.h"

#endif
