/* The rows of ops/shape/series.def. */
#ifndef NNLUA_OPS_SHAPE_SERIES_H
#define NNLUA_OPS_SHAPE_SERIES_H

#define ROWS "ops/shape/series.def"
#include "ops/table/declare.h"

#endif
