/* The ends of dtypes. */
#ifndef NNLUA_CORE_EXTREMES_H
#define NNLUA_CORE_EXTREMES_H

#include <math.h>

#include "core/scalar.h"

/* The least number of a dtype, or the greatest; of floating ones infinity. */
static inline Scalar extreme_of_dtype(DType d, bool greatest)
{
  if (dtype_is_floating(d)) return scalar_float(greatest ? INFINITY : -INFINITY);
  if (d == DTYPE_b8) return scalar_bool(greatest);
  if (d == DTYPE_u8) return scalar_int(greatest ? UINT8_MAX : 0);
  int64_t bits = (int64_t)dtype_size(d) * 8;
  int64_t high = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
  return scalar_int(greatest ? high : -high - 1);
}

#endif
