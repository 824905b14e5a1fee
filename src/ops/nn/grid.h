/* The rows of ops/nn/grid.def. */
#ifndef NNLUA_OPS_NN_GRID_H
#define NNLUA_OPS_NN_GRID_H

#define ROWS "ops/nn/grid.def"
#include "ops/table/declare.h"

#endif
