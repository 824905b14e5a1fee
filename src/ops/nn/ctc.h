/* The rows of ops/nn/ctc.def. */
#ifndef NNLUA_OPS_NN_CTC_H
#define NNLUA_OPS_NN_CTC_H

#define ROWS "ops/nn/ctc.def"
#include "ops/table/declare.h"

#endif
