/* Arguments that say something for each spatial dimension: kernel sizes, strides, paddings. */
#ifndef NNLUA_OPS_NN_EXTENTS_H
#define NNLUA_OPS_NN_EXTENTS_H

#include "ops/index/gather.h"
#include "ops/shape/permute_repeat.h"
#include "ops/table/helpers.h"

enum { MOST_SPATIAL = 3 };

/* Fills one number for each of n dimensions: the list's, its only one for all, or the default if none was given. */
static inline void extents_of(Call *call, Ints list, const char *name, int n, int64_t dflt, int64_t *to)
{
  if (list.n >= 0 && list.n != 1 && list.n != n)
    raise(call, "%s has %lld elements; there are %d spatial dimensions", name, (long long)list.n, n);
  for (int i = 0; i < n; i++) to[i] = list.n < 0 ? dflt : list.v[list.n == 1 ? 0 : i];
}

/* Raises unless an argument is from `least` to 2^31 - 1: small enough to count with. */
static inline void check_extent(Call *call, const char *name, int64_t value, int64_t least)
{
  if (value < least || value > INT32_MAX)
    raise(call, "%s is %lld; it must be from %lld to %d", name, (long long)value, (long long)least, INT32_MAX);
}

/* index_select of images, volumes and others: channels that are last stay there. */
static inline Tensor *select_of_images(Call *call, Tensor *x, int dim, Tensor *positions)
{
  if (!has_channels_last(x)) return op(index_select, x, dim, positions);
  Tensor *rows = op(movedim, x, INTS(1), INTS(-1));
  return op(movedim, op(index_select, rows, dim == 1 ? x->ndim - 1 : dim - (dim > 1), positions), INTS(-1), INTS(1));
}

#endif
