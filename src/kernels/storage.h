/* Where typed/ enters the kernels of a dtype: all but casts, which are not typed. */
#ifndef NNLUA_KERNELS_STORAGE_H
#define NNLUA_KERNELS_STORAGE_H

#include "kernels/pointwise.h"
#include "kernels/pointwise_families.h"
#include "kernels/table.h"

typedef struct KernelStorage {
  const PointwiseKernels *pointwise[POINTWISE_FAMILIES];
#define FAMILY(name, Type) struct Type *name;
  KERNEL_FAMILIES(FAMILY)
#undef FAMILY
} KernelStorage;

#endif
