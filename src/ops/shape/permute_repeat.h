/* The rows of ops/shape/permute_repeat.def. */
#ifndef NNLUA_OPS_SHAPE_PERMUTE_REPEAT_H
#define NNLUA_OPS_SHAPE_PERMUTE_REPEAT_H

#define ROWS "ops/shape/permute_repeat.def"
#include "ops/table/declare.h"

#endif
