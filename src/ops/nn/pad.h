/* The rows of ops/nn/pad.def. */
#ifndef NNLUA_OPS_NN_PAD_H
#define NNLUA_OPS_NN_PAD_H

#define ROWS "ops/nn/pad.def"
#include "ops/table/declare.h"

#endif
