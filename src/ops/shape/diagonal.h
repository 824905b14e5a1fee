/* The rows of ops/shape/diagonal.def. */
#ifndef NNLUA_OPS_SHAPE_DIAGONAL_H
#define NNLUA_OPS_SHAPE_DIAGONAL_H

#define ROWS "ops/shape/diagonal.def"
#include "ops/table/declare.h"

#endif
