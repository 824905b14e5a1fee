/* The rows of ops/nn/rnn.def. */
#ifndef NNLUA_OPS_NN_RNN_H
#define NNLUA_OPS_NN_RNN_H

#define ROWS "ops/nn/rnn.def"
#include "ops/table/declare.h"

#endif
