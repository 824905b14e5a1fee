/* Where the kernels of a dtype are that its table points to; all but casts, which are not typed. */
#ifndef NNLUA_KERNELS_STORAGE_H
#define NNLUA_KERNELS_STORAGE_H

#include "kernels/kernels.h"
#include "kernels/pointwise_families.h"

typedef struct KernelStorage {
  const PointwiseKernels *pointwise[POINTWISE_FAMILIES];
#define FAMILY(name, Type) Type name;
  KERNEL_FAMILIES(FAMILY)
#undef FAMILY
} KernelStorage;

#endif
