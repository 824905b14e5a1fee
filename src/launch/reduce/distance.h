/* Distances of rows. */
#ifndef NNLUA_LAUNCH_DISTANCE_H
#define NNLUA_LAUNCH_DISTANCE_H

#include "core/tensor.h"
#include "kernels/reduce.h"

/* y [batches, p, r] = the distances of each row of a [batches, p, n] from each row of b [batches, r, n]. */
void launch_distances(Call *call, DistanceKind kind, Tensor *a, Tensor *b, Tensor *y);

/* y [p (p - 1) / 2] = the distances of each row of x [p, n] from those behind it. */
void launch_pair_distances(Call *call, DistanceKind kind, Tensor *x, Tensor *y);

#endif
