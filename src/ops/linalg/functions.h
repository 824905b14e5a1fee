/* The rows of ops/linalg/functions.def. */
#ifndef NNLUA_OPS_LINALG_FUNCTIONS_H
#define NNLUA_OPS_LINALG_FUNCTIONS_H

#define ROWS "ops/linalg/functions.def"
#include "ops/table/declare.h"

#endif
