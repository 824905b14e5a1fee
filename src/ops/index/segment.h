/* The rows of ops/index/segment.def. */
#ifndef NNLUA_OPS_INDEX_SEGMENT_H
#define NNLUA_OPS_INDEX_SEGMENT_H

#define ROWS "ops/index/segment.def"
#include "ops/table/declare.h"

#endif
