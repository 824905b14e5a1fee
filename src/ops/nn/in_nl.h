/* The rows of ops/nn/in_nl.def. */
#ifndef NNLUA_OPS_NN_IN_NL_H
#define NNLUA_OPS_NN_IN_NL_H

#define ROWS "ops/nn/in_nl.def"
#include "ops/table/declare.h"

#endif
