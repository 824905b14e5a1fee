/* The rows of ops/index/mask.def. */
#ifndef NNLUA_OPS_INDEX_MASK_H
#define NNLUA_OPS_INDEX_MASK_H

#define ROWS "ops/index/mask.def"
#include "ops/table/declare.h"

#endif
