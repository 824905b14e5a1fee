/* Losses: how they become one number, squared errors, lists of labels. Those of classes are in cross_entropy.h. */
#ifndef NNLUA_LAUNCH_LOSSES_H
#define NNLUA_LAUNCH_LOSSES_H

#include "core/tensor.h"

typedef enum Reduction { NO_REDUCTION, MEAN, SUM } Reduction;

/* The one element of a tensor = a number. The tensor is on a device that has elements. */
void store_single(Tensor *y, double value);

/* y, a single element, = the sum of the squared differences of x and target (one shape), or their mean; computed in the
   dtype of y. */
void launch_squared_error(Call *call, Tensor *x, Tensor *target, Reduction reduction, Tensor *y);

/* From rows of labels [rows, classes] from 1 on, up to the -1 in each: positions (int64) that may be gathered, which of
   them count, and which classes are named (bool), of the same shape. Raises on a label that is no class. */
void launch_listed_labels(Call *call, Tensor *labels, Tensor *positions, Tensor *counts, Tensor *named);

#endif
