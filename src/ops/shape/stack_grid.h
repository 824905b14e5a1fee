/* The rows of ops/shape/stack_grid.def. */
#ifndef NNLUA_OPS_SHAPE_STACK_GRID_H
#define NNLUA_OPS_SHAPE_STACK_GRID_H

#define ROWS "ops/shape/stack_grid.def"
#include "ops/table/declare.h"

#endif
