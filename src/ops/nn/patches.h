/* The rows of ops/nn/patches.def. */
#ifndef NNLUA_OPS_NN_PATCHES_H
#define NNLUA_OPS_NN_PATCHES_H

#define ROWS "ops/nn/patches.def"
#include "ops/table/declare.h"

#endif
