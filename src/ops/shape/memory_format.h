/* The rows of ops/shape/memory_format.def. */
#ifndef NNLUA_OPS_SHAPE_MEMORY_FORMAT_H
#define NNLUA_OPS_SHAPE_MEMORY_FORMAT_H

#define ROWS "ops/shape/memory_format.def"
#include "ops/table/declare.h"

#endif
