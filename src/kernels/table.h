/*
 * The kernels of a dtype, by family, for the machine's instruction set. Kernels are void functions on raw pointers that
 * cannot fail; whoever calls them has checked shapes, dtypes and positions. float16 and bfloat16 have none but casts:
 * their loops run in float32 through a small buffer. What a dtype has no kernel for is NULL.
 *
 * A family's struct is in kernels/<family>.h and is only named here: who uses a family includes its header, so that a
 * change of it reaches nobody else.
 */
#ifndef NNLUA_KERNELS_TABLE_H
#define NNLUA_KERNELS_TABLE_H

#include "core/dtype.h"

/* FAMILY(member of the table, struct): the function fill_<member> of a file in typed/ fills it for a dtype. */
#define KERNEL_FAMILIES(FAMILY)               \
  FAMILY(reduce, ReduceKernels)               \
  FAMILY(cumulate, CumulateKernels)           \
  FAMILY(moves, MoveKernels)                  \
  FAMILY(sort, SortKernels)                   \
  FAMILY(matmul, MatmulKernels)               \
  FAMILY(conv, ConvKernels)                   \
  FAMILY(conv_product, ConvProductKernels)    \
  FAMILY(conv_bytes, ConvBytesKernels)        \
  FAMILY(winograd, WinogradKernels)           \
  FAMILY(depthwise, DepthwiseKernels)         \
  FAMILY(pool, PoolKernels)                   \
  FAMILY(resample, ResampleKernels)           \
  FAMILY(softmax, SoftmaxKernels)             \
  FAMILY(loss, LossKernels)                   \
  FAMILY(attention, AttentionKernels)         \
  FAMILY(recurrent, RecurrentKernels)         \
  FAMILY(quantize, QuantizeKernels)           \
  FAMILY(normalization, NormalizationKernels) \
  FAMILY(optim, OptimKernels)                 \
  FAMILY(matrices, MatrixKernels)             \
  FAMILY(fft, FftKernels)

struct PointwiseKernels;
struct CastKernels;
#define FAMILY(name, Type) struct Type;
KERNEL_FAMILIES(FAMILY)
#undef FAMILY

typedef struct KernelTable {
  const struct PointwiseKernels *const *pointwise; /* by family of rows, then by the row's place in its family */
  const struct CastKernels *cast;
#define FAMILY(name, Type) const struct Type *name;
  KERNEL_FAMILIES(FAMILY)
#undef FAMILY
} KernelTable;

extern KernelTable kernel_tables[DTYPE_COUNT]; /* constant once selected (select.h) */
static inline const KernelTable *kernels_of(DType d) { return &kernel_tables[d]; }

/* The table whose moves serve a dtype. */
static inline const KernelTable *movers_of(DType d)
{
  return kernels_of(dtype_is_half(d) ? DTYPE_i16 : d == DTYPE_b8 ? DTYPE_u8 : d);
}

#endif
