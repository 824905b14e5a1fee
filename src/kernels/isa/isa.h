/* What the files of this folder share: they are compiled once per instruction set, whose name is ISA. Products and
   sums are never fused here, so that every set gives the same numbers. */
#ifndef NNLUA_KERNELS_ISA_H
#define NNLUA_KERNELS_ISA_H

#include "kernels/cast.h"
#include "kernels/copy.h"
#include "kernels/random_fill.h"

#define PASTE2_(a, b) a##_##b
#define PASTE2(a, b) PASTE2_(a, b)
/* fill_casts -> fill_casts_avx2 */
#define OF_ISA(name) PASTE2(name, ISA)

/* Each fills what it is named after; the casts of each dtype, one after the other. */
void OF_ISA(fill_casts)(CastKernels *casts);
void OF_ISA(fill_copies)(CopyKernels *table);
void OF_ISA(fill_random_fills)(RandomFills *table);

#endif
