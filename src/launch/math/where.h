/* Choices of elements by a condition. */
#ifndef NNLUA_LAUNCH_WHERE_H
#define NNLUA_LAUNCH_WHERE_H

#include "core/tensor.h"

/* y takes elements of `yes` where the condition (bool or uint8) isn't 0, else of `no`; all broadcast to y, and what is
   taken is cast to its dtype. */
void launch_where(Call *call, Tensor *y, Tensor *condition, Tensor *yes, Tensor *no);

#endif
