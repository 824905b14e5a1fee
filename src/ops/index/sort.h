/* The rows of ops/index/sort.def. */
#ifndef NNLUA_OPS_INDEX_SORT_H
#define NNLUA_OPS_INDEX_SORT_H

#define ROWS "ops/index/sort.def"
#include "ops/table/declare.h"

#endif
