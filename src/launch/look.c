/* Looks at elements by ops. */
#include "launch/look.h"

#include <string.h>

#include "core/shape.h"
#include "kernels/moves.h"
#include "kernels/table.h"
#include "launch/layout.h"

/* Elements are looked at by an op that calls others; a recorder that is told of those knows nothing of it. */
static void tell_look(const Call *call, const Tensor *t)
{
  if (!call->ctx->recording_suspended) tell_read(t, "an op");
}

void check_can_look(Call *call, const Tensor *t)
{
  tell_look(call, t);
  if (!can_look(t)) raise(call, "the shape of the result depends on elements, which meta tensors don't have");
}

void tell_check(Call *call, Tensor *t, ElementCheck *check, const char *text)
{
  Recorder *recorder = call->ctx->recording_suspended ? NULL : call->ctx->recorder;
  if (recorder && recorder->checked) recorder->checked(recorder, call, t, check, text);
}

void check_none_true(Call *call, Tensor *wrong, const char *text)
{
  if (wrong->numel == 0) return;
  tell_check(call, wrong, check_none_true, text);
  if (!can_look(wrong)) return;
  if (memchr(tensor_data(contiguous_as(call, wrong, DTYPE_b8)), 1, (size_t)wrong->numel)) raise(call, "%s", text);
}

Tensor *true_positions(Call *call, Tensor *x)
{
  check_can_look(call, x);
  Tensor *truth = contiguous_as(call, x, DTYPE_b8);
  Tensor *rows = new_beside(call, x, DTYPE_i64, INTS(count_true(truth->numel, tensor_data(truth)), x->ndim));
  positions_of_true(x->ndim, x->shape, tensor_data(truth), tensor_data(rows));
  return rows;
}

Tensor *distinct_positions(Call *call, Tensor *positions, int64_t size)
{
  if (!can_look(positions)) return new_beside(call, positions, DTYPE_i64, INTS(positions->numel));
  Tensor *occurring = new_beside(call, positions, DTYPE_b8, INTS(size));
  bool *occurs = tensor_data(occurring);
  const int64_t *p = tensor_data(positions);
  memset(occurs, 0, (size_t)size);
  for (int64_t i = 0; i < positions->numel; i++) occurs[p[i] - 1] = true;
  Tensor *rows = true_positions(call, occurring);
  return tensor_view(call, rows, INTS(rows->numel), INTS(1), rows->offset);
}

int64_t count_of_true(Call *call, Tensor *x)
{
  check_can_look(call, x);
  return count_true(x->numel, tensor_data(contiguous_as(call, x, DTYPE_b8)));
}

Ints whole_numbers_of(Call *call, Tensor *t)
{
  check_can_look(call, t);
  if (dtype_is_inexact(tensor_dtype(t))) raise(call, "whole numbers are wanted, not %s", dtype_name(tensor_dtype(t)));
  return arena_ints(call->ctx, tensor_data(contiguous_as(call, t, DTYPE_i64)), t->numel);
}

Scalar number_of(Call *call, Tensor *t)
{
  check_can_look(call, t);
  if (t->numel != 1) raise(call, "one number is wanted, not a tensor of shape %s", shape_text(call, tensor_shape(t)));
  return tensor_item(t);
}

PositionRange range_of(Call *call, Tensor *positions, PositionRange given)
{
  tell_look(call, positions);
  kernels_of(DTYPE_i64)->moves->positions_range(positions->numel,
                                                tensor_data(contiguous_as(call, positions, DTYPE_i64)), &given);
  return given;
}
