/* How rows of a convolution are cut into blocks, as many as the registers hold sums of. */
#ifndef NNLUA_KERNELS_CONV_ROWS_H
#define NNLUA_KERNELS_CONV_ROWS_H

#include "core/blocks.h"
#include "kernels/typed/vector.h"

#if !T_FLOATING
enum { CONV_ROWS = 4 };
#elif NNLUA_SMALL_BLOCKS
enum { CONV_ROWS = 2 };
#else
enum { CONV_ROWS = PRODUCT_ROWS }; /* kernels/isa.def */
#endif

/* Rows are cut into blocks as even as they can be; a block's packed numbers are [depth][rows of it]. */
static inline int64_t blocks_of(int64_t rows) { return (rows + CONV_ROWS - 1) / CONV_ROWS; }
static inline int64_t block_begin(int64_t rows, int64_t block) { return rows * block / blocks_of(rows); }

#endif
