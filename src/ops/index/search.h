/* The rows of ops/index/search.def. */
#ifndef NNLUA_OPS_INDEX_SEARCH_H
#define NNLUA_OPS_INDEX_SEARCH_H

#define ROWS "ops/index/search.def"
#include "ops/table/declare.h"

#endif
