/* Choices of elements by a condition. */
#include "launch/math/where.h"

#include "core/blocks.h"
#include "core/iter.h"
#include "kernels/moves.h"
#include "launch/launch.h"

static void where_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const MoveKernels *k = arg;
  k->where(n, p, strides);
}

/* An operand of a dtype, out of the way of the result. */
static Tensor *operand_beside(Call *call, Tensor *t, DType dtype, const Tensor *y)
{
  if (tensor_dtype(t) != dtype) t = contiguous_as(call, t, dtype);
  return same_place(t, y) ? t : apart_from(call, t, y);
}

void launch_where(Call *call, Tensor *y, Tensor *condition, Tensor *yes, Tensor *no)
{
  if (!launch_runs(y)) return;
  Tensor *const operands[] = {y, operand_beside(call, condition, DTYPE_b8, y),
                              operand_beside(call, yes, tensor_dtype(y), y),
                              operand_beside(call, no, tensor_dtype(y), y)};
  Iter it;
  iter_init(&it, tensor_shape(y));
  for (int i = 0; i < 4; i++) iter_add(&it, operands[i]);
  iter_plan(&it);
  iter_parallel(&it, GRAIN, where_run, (void *)(uintptr_t)movers_of(tensor_dtype(y))->moves);
}
