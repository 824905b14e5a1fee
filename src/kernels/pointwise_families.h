/* The families of pointwise rows, numbered. */
#ifndef NNLUA_KERNELS_POINTWISE_FAMILIES_H
#define NNLUA_KERNELS_POINTWISE_FAMILIES_H

#include "ops/rows_undefined.h"
#undef POINTWISE_FAMILY
#undef POINTWISE_ROWS
#define POINTWISE_FAMILY(name) FAMILY_##name,
#define POINTWISE_ROWS(file) "ops/no_rows.def"
enum {
#include "ops/pointwise_rows.def"
  POINTWISE_FAMILIES
};
#include "ops/rows_undefined.h"

#endif
