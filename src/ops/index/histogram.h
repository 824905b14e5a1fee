/* The rows of ops/index/histogram.def. */
#ifndef NNLUA_OPS_INDEX_HISTOGRAM_H
#define NNLUA_OPS_INDEX_HISTOGRAM_H

#define ROWS "ops/index/histogram.def"
#include "ops/table/declare.h"

#endif
