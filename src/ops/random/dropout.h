/* The rows of ops/random/dropout.def. */
#ifndef NNLUA_OPS_RANDOM_DROPOUT_H
#define NNLUA_OPS_RANDOM_DROPOUT_H

#define ROWS "ops/random/dropout.def"
#include "ops/table/declare.h"

#endif
