/* The rows of ops/nn/attention.def. */
#ifndef NNLUA_OPS_NN_ATTENTION_H
#define NNLUA_OPS_NN_ATTENTION_H

#define ROWS "ops/nn/attention.def"
#include "ops/table/declare.h"

#endif
