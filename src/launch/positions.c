/* Positions are checked here, all at once; the worst one is named only if one is wrong. */
#include "launch/positions.h"

#include <string.h>

#include "launch/launch.h"

/* Raises for the worst of the positions, if one is wrong. */
static void check_range(Call *call, const Tensor *positions, int64_t size, int dim, bool negative)
{
  PositionRange range = {INT64_MAX, INT64_MIN, false};
  positions_range(positions->numel, tensor_data(positions), &range);
  if (range.zero) raise(call, "index 0 is out of range: positions count from 1");
  int64_t wrong = range.high > size ? range.high : range.low;
  if (range.high > size || range.low < (negative ? -size : 1))
    raise(call, "index %lld is out of range for dimension %d of size %lld", (long long)wrong, dim + 1, (long long)size);
}

Tensor *checked_positions(Call *call, Tensor *index, int64_t size, int dim, bool negative)
{
  if (index->dtype != DTYPE_i64 && index->dtype != DTYPE_i32 && index->numel)
    raise(call, "positions must be int64, not %s: convert them, as index:long()", dtype_name(tensor_dtype(index)));
  if (index->device == DEVICE_META) return index;
  Tensor *positions = contiguous_as(call, index, DTYPE_i64);
  if (!kernels_of(DTYPE_i64)->positions_within(positions->numel, tensor_data(positions), size))
    check_range(call, positions, size, dim, negative);
  return positions;
}

Tensor *distinct_positions(Call *call, Tensor *positions, int64_t size)
{
  if (!launch_runs(positions)) return new_beside(call, positions, DTYPE_i64, INTS(positions->numel));
  Tensor *occurring = new_beside(call, positions, DTYPE_b8, INTS(size));
  bool *occurs = tensor_data(occurring);
  const int64_t *p = tensor_data(positions);
  memset(occurs, 0, (size_t)size);
  for (int64_t i = 0; i < positions->numel; i++) occurs[p[i] - 1] = true;
  Tensor *found = new_beside(call, positions, DTYPE_i64, INTS(count_true(size, occurs)));
  positions_of_true(1, occurring->shape, occurs, tensor_data(found));
  return found;
}
