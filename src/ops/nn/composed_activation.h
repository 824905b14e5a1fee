/* The rows of ops/nn/composed_activation.def. */
#ifndef NNLUA_OPS_NN_COMPOSED_ACTIVATION_H
#define NNLUA_OPS_NN_COMPOSED_ACTIVATION_H

#define ROWS "ops/nn/composed_activation.def"
#include "ops/table/declare.h"

#endif
