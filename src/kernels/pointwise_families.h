/* The families of pointwise rows, numbered. */
#ifndef NNLUA_KERNELS_POINTWISE_FAMILIES_H
#define NNLUA_KERNELS_POINTWISE_FAMILIES_H

#include "ops/table/rows_undefined.h"
#undef POINTWISE_FAMILY
#undef POINTWISE_ROWS
#define POINTWISE_FAMILY(name) FAMILY_##name,
#define POINTWISE_ROWS(file) "ops/table/no_rows.def"
enum {
#include "ops/table/pointwise_families.def"
  POINTWISE_FAMILIES
};
#include "ops/table/rows_undefined.h"

#endif
