/* The rows of ops/linalg/quantized.def. */
#ifndef NNLUA_OPS_LINALG_QUANTIZED_H
#define NNLUA_OPS_LINALG_QUANTIZED_H

#define ROWS "ops/linalg/quantized.def"
#include "ops/table/declare.h"

#endif
