/* The rows of ops/linalg/least_squares.def. */
#ifndef NNLUA_OPS_LINALG_LEAST_SQUARES_H
#define NNLUA_OPS_LINALG_LEAST_SQUARES_H

#define ROWS "ops/linalg/least_squares.def"
#include "ops/table/declare.h"

#endif
