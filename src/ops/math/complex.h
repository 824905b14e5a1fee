/* The parts of complex tensors, for other ops. */
#ifndef NNLUA_OPS_MATH_COMPLEX_H
#define NNLUA_OPS_MATH_COMPLEX_H

#include "core/call.h"
#include "core/tensor.h"

#define ROWS "ops/math/complex.def"
#include "ops/table/declare.h"

/* The real and imaginary parts of a complex tensor as one more dimension, the last: its own memory. */
Tensor *parts_view(Call *call, const Tensor *x);

#endif
