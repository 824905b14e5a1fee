/* How pooling runs over planes: the last dimensions of tensors, one or two. */
#ifndef NNLUA_LAUNCH_POOL_H
#define NNLUA_LAUNCH_POOL_H

#include "core/tensor.h"
#include "kernels/pool.h"

/* x [..., size], y [..., result], both floating or of int64. */
void launch_avg_pool(Call *call, const Pool *p, Tensor *x, Tensor *y);
void launch_avg_pool_backward(Call *call, const Pool *p, Tensor *dy, Tensor *dx);

/* x [..., size], y [..., result], floating; positions in the plane (int64, as y) unless NULL. */
void launch_max_pool(Call *call, const Pool *p, Tensor *x, Tensor *y, Tensor *positions);
void launch_max_pool_backward(Call *call, const Pool *p, Tensor *x, Tensor *dy, Tensor *dx);

/* The same of as many windows as there are results: of the geometry only sizes count, or, where begins tell where the
   windows of each volume begin, along planes, then lines, then columns (from 1; they have been checked), the kernel's
   size too. */
void launch_placed_max_pool(Call *call, const Pool *p, Tensor *x, Tensor *begins, Tensor *y, Tensor *positions);

#endif
