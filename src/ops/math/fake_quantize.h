/* The rows of ops/math/fake_quantize.def. */
#ifndef NNLUA_OPS_MATH_FAKE_QUANTIZE_H
#define NNLUA_OPS_MATH_FAKE_QUANTIZE_H

#define ROWS "ops/math/fake_quantize.def"
#include "ops/table/declare.h"

#endif
