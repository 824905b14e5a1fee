/* The rows of ops/math/trigonometric.def. */
#ifndef NNLUA_OPS_MATH_TRIGONOMETRIC_H
#define NNLUA_OPS_MATH_TRIGONOMETRIC_H

#define ROWS "ops/math/trigonometric.def"
#include "ops/table/declare.h"

#endif
