/* The rows of ops/math/activation.def. */
#ifndef NNLUA_OPS_MATH_ACTIVATION_H
#define NNLUA_OPS_MATH_ACTIVATION_H

#define ROWS "ops/math/activation.def"
#include "ops/table/declare.h"

#endif
