/* The rows of ops/random/draws.def. */
#ifndef NNLUA_OPS_RANDOM_DRAWS_H
#define NNLUA_OPS_RANDOM_DRAWS_H

#define ROWS "ops/random/draws.def"
#include "ops/table/declare.h"

#endif
