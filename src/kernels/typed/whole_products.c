/*
 * Products of matrices of integers, in blocks of some rows by two vectors of sums on panels of b. Sums wrap: they are
 * the same modulo 2^32 or 2^64, and are cut when they are stored. Those of bytes into int32 are in
 * typed/byte_products.c.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/typed.h"

#if T_INTEGRAL

#define UNROLL _Pragma("GCC unroll 16")

#if T_i64
typedef uint64_t Sum;
#else
typedef uint32_t Sum;
#endif
typedef Sum Sums __attribute__((vector_size(VECTOR_BYTES)));
typedef Sum LooseSums __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(Sum)), may_alias));

enum { LANES = VECTOR_BYTES / sizeof(Sum), WIDTH = 2 * LANES, ROWS = 4, DEPTH = BLOCK_SIZE(PANEL_K, 4) };

/* A row of sums in its first lanes becomes one of c, or is added to it. */
INLINE void store_sums(const Sums *sum, int vectors, int64_t width, bool add, T *c)
{
  Sum line[WIDTH];
  for (int j = 0; j < vectors; j++) *(LooseSums *)(line + j * LANES) = sum[j];
  for (int64_t j = 0; j < width; j++) c[j] = (T)(add ? (Sum)c[j] + line[j] : line[j]);
}

/* ---- any integers ---- */

/* Rows of c, all of them in the columns of a panel. */
typedef struct Block {
  int64_t depth, width;
  const T *a;
  int64_t a_row, a_col;
  const Sum *panel;
  bool add;
  T *c;
  int64_t c_row;
} Block;

INLINE void run_block(const Block *k, int64_t i, int rows)
{
  Sums sum[ROWS][2];
  const T *a = k->a + i * k->a_row;
  const Sum *b = k->panel;
  UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (Sums){0};
  for (int64_t p = 0; p < k->depth; p++, a += k->a_col, b += WIDTH) {
    const Sums low = *(const LooseSums *)b, high = *(const LooseSums *)(b + LANES);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Sum factor = (Sum)a[r * k->a_row];
      sum[r][0] += factor * low;
      sum[r][1] += factor * high;
    }
  }
  UNROLL for (int r = 0; r < rows; r++) store_sums(sum[r], 2, k->width, k->add, k->c + (i + r) * k->c_row);
}

/* panel: [depth, WIDTH], with zeros from `width` on. */
static void pack_panel(int64_t depth, int64_t width, const T *b, int64_t b_row, int64_t b_col, Sum *panel)
{
  for (int64_t p = 0; p < depth; p++, b += b_row, panel += WIDTH) {
    if (b_col == 1)
      for (int64_t j = 0; j < width; j++) panel[j] = (Sum)b[j];
    else
      for (int64_t j = 0; j < width; j++) panel[j] = (Sum)b[j * b_col];
    for (int64_t j = width; j < WIDTH; j++) panel[j] = 0;
  }
}

/* c (+)= a b. a: [m, k] and b: [k, n], any steps; c: [m, n], rows c_row apart */
static void product(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                    int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row)
{
  _Alignas(64) Sum panel[DEPTH * WIDTH];
  for (int64_t j = 0; j < n; j += WIDTH)
    for (int64_t q = 0; q < k; q += DEPTH) {
      const Block block = {.depth = k - q < DEPTH ? k - q : DEPTH,
                           .width = n - j < WIDTH ? n - j : WIDTH,
                           .a = (const T *)a + q * a_col,
                           .a_row = a_row,
                           .a_col = a_col,
                           .panel = panel,
                           .add = add || q > 0,
                           .c = (T *)c + j,
                           .c_row = c_row};
      pack_panel(block.depth, block.width, (const T *)b + q * b_row + j * b_col, b_row, b_col, panel);
      int64_t i = 0;
      for (; i + ROWS <= m; i += ROWS) run_block(&block, i, ROWS);
      for (; i < m; i++) run_block(&block, i, 1);
    }
}

#if T_i32
void TYPED(fill_byte_products)(MatmulKernels *t) AT_START;
#endif
void TYPED(fill_whole_products)(MatmulKernels *t) AT_START;
void TYPED(fill_whole_products)(MatmulKernels *t)
{
  t->product = product;
#if T_i32
  TYPED(fill_byte_products)(t);
#endif
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
