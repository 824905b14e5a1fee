/* What the argument "reduction" of losses means. */
#ifndef NNLUA_OPS_NN_REDUCTION_H
#define NNLUA_OPS_NN_REDUCTION_H

#include "launch/nn/losses.h"

/* Raises for a text that isn't one of three. */
Reduction reduction_of(Call *call, const char *text);

/* The losses themselves, their mean or their sum, by ops. */
Tensor *reduced(Call *call, Tensor *losses, const char *reduction);

#endif
