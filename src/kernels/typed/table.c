/* All kernels of a dtype, entered over what a plainer instruction set has. */
#include "kernels/storage.h"
#include "kernels/typed/typed.h"

void TYPED(fill_kernels)(KernelStorage *s) AT_START;

#if PRODUCTS_ALONE

void TYPED(fill_matmul)(struct MatmulKernels *);
void TYPED(fill_conv_bytes)(struct ConvBytesKernels *);
void TYPED(fill_kernels)(KernelStorage *s)
{
  TYPED(fill_matmul)(s->matmul);
  TYPED(fill_conv_bytes)(s->conv_bytes);
}

#else

#define FAMILY(name, Type) void TYPED(fill_##name)(struct Type *);
KERNEL_FAMILIES(FAMILY)
#undef FAMILY

#undef POINTWISE_FAMILY
#undef POINTWISE_ROWS
#define POINTWISE_FAMILY(name) const PointwiseKernels *TYPED(name##_rows)(void);
#define POINTWISE_ROWS(file) "ops/table/no_rows.def"
#include "ops/table/pointwise_families.def"

void TYPED(fill_kernels)(KernelStorage *s)
{
  const PointwiseKernels *rows;
#undef POINTWISE_FAMILY
#define POINTWISE_FAMILY(name) \
  if ((rows = TYPED(name##_rows)()) != NULL) s->pointwise[FAMILY_##name] = rows;
#include "ops/table/pointwise_families.def"
#define FAMILY(name, Type) TYPED(fill_##name)(s->name);
  KERNEL_FAMILIES(FAMILY)
}

#endif
