/* Products of matrices of one dtype, by one thread; launch/gemm.h cuts large ones into these. */
#ifndef NNLUA_KERNELS_MATMUL_H
#define NNLUA_KERNELS_MATMUL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * c [m][n] = alpha a [m][k] b [k][n] + beta addend [m][n]. Steps are in elements; a and b may have any, the rows of c
 * and of the addend are contiguous. An addend whose rows are 0 apart is one row for all; it may be c itself, or NULL.
 */
typedef struct Product {
  int64_t m, n, k;
  const void *a;
  int64_t a_row, a_col;
  const void *b;
  int64_t b_row, b_col;
  double alpha, beta;
  const void *addend;
  int64_t addend_row;
  void *c;
  int64_t c_row;
} Product;

/*
 * Kernels of floats can read the elements of a and b as complex numbers: "pairs" says so. Sizes and steps of a product
 * are in complex numbers then, and those of `blocks` in floats.
 */
typedef struct MatmulKernels {
  /* c = a b, plus c if `add`; not of complex matrices. */
  void (*product)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                  int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row);

  /* What follows is of floats only. */

  /* The product. `right` is b packed by pack_right, or NULL: then it is packed where that pays. `left` is memory for a
     packed, left_bytes(m, k), or NULL: then it is taken as it lies. With either, k is at most `depth`. */
  void (*blocks)(const Product *p, bool pairs, const void *right, void *left);
  void (*pack_right)(const Product *p, bool pairs, void *right);
  /* m is small: dot products, where the rows of a and of b's transpose are contiguous; */
  void (*dots)(const Product *p);
  /* sums of rows of b, which are contiguous; */
  void (*row_sums)(const Product *p);
  /* and of complex matrices either, where m is 1: `memory` is for 4 (k + n) floats. */
  void (*pair_row)(const Product *p, void *memory);

  int depth, width, rows;          /* of packed panels: terms, columns of b, rows of a */
  int64_t left_bytes, right_bytes; /* of what is packed at a time, at most */
} MatmulKernels;

/* Whether a complex row is multiplied by dot products; if not, the rows of b are contiguous. */
static inline bool pair_row_is_dots(const Product *p) { return p->b_row == 1 && (p->b_col != 1 || p->n == 1); }

#endif
