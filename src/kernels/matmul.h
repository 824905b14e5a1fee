/* Products of matrices of one dtype, by one thread; launch/linalg/gemm.h cuts large ones into these. */
#ifndef NNLUA_KERNELS_MATMUL_H
#define NNLUA_KERNELS_MATMUL_H

#include <stdbool.h>
#include <stdint.h>

/* How the elements of a matrix lie in memory: as those of the product, or as what becomes one exactly when it is read:
   halves and int8 for products in float32, bytes of both kinds, on both sides, for those in int32. */
typedef enum Stored { STORED_SAME, STORED_F16, STORED_BF16, STORED_I8, STORED_U8 } Stored;

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
  Stored a_stored, b_stored; /* their rows or their columns are contiguous if not STORED_SAME and no bytes for int32 */
  int32_t a_zero, b_zero;    /* of bytes for int32 only: what each element is less */
} Product;

/* Bytes of an element, where one of the product has `size`. */
static inline int64_t stored_size(Stored stored, int64_t size)
{
  return stored == STORED_SAME ? size : stored >= STORED_I8 ? 1 : 2;
}

/*
 * Kernels of floats can read the elements of a and b as complex numbers: "pairs" says so. Sizes and steps of a product
 * are in complex numbers then, and those of `blocks` in floats.
 */
typedef struct MatmulKernels {
  /* c = a b, plus c if `add`; not of complex matrices. */
  void (*product)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                  int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row);

  /*
   * What follows is of floats, and of int32 for products of bytes: there alpha is 1, and so is beta; k may be beyond
   * `depth`, right is always given, packed for the b_stored that is said, whatever a's is and both zero points, and
   * sizes of memory are those of packed_right_bytes and packed_left_bytes. row_sums are of a few rows; dots, pair_row
   * and widen there are none.
   */

  /* The product. `right` is b packed by pack_right, or NULL: then it is packed where that pays. `left` is memory for a
     packed, m rounded up to `rows` times k elements, twice that if a is narrower than the product; or NULL: then a is
     taken as it lies. With either, k is at most `depth`. Without `right`, b is as wide as the product. */
  void (*blocks)(const Product *p, bool pairs, const void *right, void *left);
  void (*pack_right)(const Product *p, bool pairs, void *right);
  /* m is small, and a as wide as the product: dot products, where the rows of a and of b's transpose are contiguous; */
  void (*dots)(const Product *p);
  /* sums of rows of b, which are contiguous; */
  void (*row_sums)(const Product *p);
  /* and of complex matrices either, where m is 1: `memory` is for 4 (k + n) floats. */
  void (*pair_row)(const Product *p, void *memory);

  /* A matrix of narrower elements, of contiguous rows or columns, as the product's; steps become those of the copy. */
  void (*widen)(Stored stored, int64_t rows, int64_t cols, const void *from, int64_t *row, int64_t *col, void *to);

  int depth, width, rows;          /* of packed panels: lanes, columns of b, rows of a */
  int terms;                       /* in a lane, an element of a packed matrix: more than one of narrow elements */
  int64_t left_bytes, right_bytes; /* of what is packed at a time, at most */

  /* Of float32, where the set multiplies pairs of bfloat16: the kernels for two matrices of those, of which dots take
     them as they lie and blocks are given both packed; their row_sums are those of floats. */
  const struct MatmulKernels *bfloats;
} MatmulKernels;

/* Bytes that some terms of a packed row or column of bytes take: in lanes, and a sum behind each `depth` of them. */
static inline int64_t packed_line_bytes(const MatmulKernels *k, int64_t terms)
{
  const int64_t lanes = (terms + k->terms - 1) / k->terms, stages = (lanes + k->depth - 1) / k->depth;
  return (lanes + stages) * (int64_t)sizeof(int32_t);
}

/* Memory for b [terms, n] packed for a product of bytes, and for what is packed of a [m, terms] at a time. */
static inline int64_t packed_right_bytes(const MatmulKernels *k, int64_t n, int64_t terms)
{
  return (n + k->width - 1) / k->width * k->width * packed_line_bytes(k, terms);
}

static inline int64_t packed_left_bytes(const MatmulKernels *k, int64_t m, int64_t terms)
{
  const int64_t most = (int64_t)k->depth * k->terms;
  return (m + k->rows - 1) / k->rows * k->rows * packed_line_bytes(k, terms < most ? terms : most) + 64;
}

/* Whether a complex row is multiplied by dot products; if not, the rows of b are contiguous. */
static inline bool pair_row_is_dots(const Product *p) { return p->b_row == 1 && (p->b_col != 1 || p->n == 1); }

#endif
