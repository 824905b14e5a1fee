/* The rows of ops/linalg/product.def. */
#ifndef NNLUA_OPS_LINALG_PRODUCT_H
#define NNLUA_OPS_LINALG_PRODUCT_H

#define ROWS "ops/linalg/product.def"
#include "ops/table/declare.h"

#endif
