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

#if T_FLOATING
/* How many vectors a block of so many rows has, whose sums fill the registers: 24 with 32 of them, 12 with 16. */
#if NNLUA_SMALL_BLOCKS
enum { VECTORS = 3 };
#define BLOCKS(X) X(1, 3) X(2, 2)
#else
enum { VECTORS = 8 };
#if PRODUCT_ROWS == 12
#define BLOCKS(X) X(1, 8) X(2, 8) X(3, 8) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3) X(9, 2) X(10, 2) X(11, 2) X(12, 2)
#else
#define BLOCKS(X) X(1, 8) X(2, 6) X(3, 4) X(4, 3) X(5, 2) X(6, 2)
#endif
#endif
#endif

/* Rows are cut into blocks as even as they can be; a block's packed numbers are [depth][rows of it]. */
static inline int64_t blocks_of(int64_t rows) { return (rows + CONV_ROWS - 1) / CONV_ROWS; }
static inline int64_t block_begin(int64_t rows, int64_t block) { return rows * block / blocks_of(rows); }

#endif
