/* The rows of ops/shape/view.def. */
#ifndef NNLUA_OPS_SHAPE_VIEW_H
#define NNLUA_OPS_SHAPE_VIEW_H

#define ROWS "ops/shape/view.def"
#include "ops/table/declare.h"

#endif
