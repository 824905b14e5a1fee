/* The rows of ops/nn/resample.def. */
#ifndef NNLUA_OPS_NN_RESAMPLE_H
#define NNLUA_OPS_NN_RESAMPLE_H

#define ROWS "ops/nn/resample.def"
#include "ops/table/declare.h"

#endif
