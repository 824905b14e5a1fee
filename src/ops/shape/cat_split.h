/* The rows of ops/shape/cat_split.def. */
#ifndef NNLUA_OPS_SHAPE_CAT_SPLIT_H
#define NNLUA_OPS_SHAPE_CAT_SPLIT_H

#define ROWS "ops/shape/cat_split.def"
#include "ops/table/declare.h"

#endif
