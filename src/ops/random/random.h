/* The rows of ops/random/random.def. */
#ifndef NNLUA_OPS_RANDOM_RANDOM_H
#define NNLUA_OPS_RANDOM_RANDOM_H

#define ROWS "ops/random/random.def"
#include "ops/table/declare.h"

#endif
