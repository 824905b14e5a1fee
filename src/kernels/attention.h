/* Small steps of attention on rows of scores. */
#ifndef NNLUA_KERNELS_ATTENTION_H
#define NNLUA_KERNELS_ATTENTION_H

#include <stdint.h>

/* All matrices are [rows][n], their rows so many elements apart. Floats only. */
typedef struct AttentionKernels {
  /* y = factor x. */
  void (*scale_rows)(int64_t rows, int64_t n, double factor, const void *x, int64_t x_row, void *y, int64_t y_row);
  /* y += x, whose columns are x_col apart: 0 where x is the same along rows. */
  void (*add_rows)(int64_t rows, int64_t n, const void *x, int64_t x_row, int64_t x_col, void *y, int64_t y_row);
  /* y = a b, element by element. */
  void (*multiply_rows)(int64_t rows, int64_t n, const void *a, int64_t a_row, const void *b, int64_t b_row, void *y,
                        int64_t y_row);
  /* y = 0 in rows whose scores are -infinity, all of them: there is nothing to attend to. */
  void (*clear_hidden_rows)(int64_t rows, int64_t n, const void *scores, void *y);
} AttentionKernels;

#endif
