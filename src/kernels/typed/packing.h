/*
 * Parts of matrices laid side by side for the blocks of a product (typed/matmul.c): of b panels of WIDTH columns, whose
 * rows follow each other, of a panels of ROWS rows, whose columns do.
 *
 * Complex matrices become real ones. A row of a, with the parts of each number in turn, is one of twice the length; of
 * each row of b two are made, b and i b: (a + ia')(b + ib') = (a b - a' b') + i (a b' + a' b).
 */
#ifndef NNLUA_KERNELS_PACKING_H
#define NNLUA_KERNELS_PACKING_H

#include "core/blocks.h"
#include "kernels/typed/tile.h"
#include "kernels/typed/vector.h"

/* A panel of b is at most DEPTH rows, at least a tile's, of WIDTH columns. kernels/isa.def */
#if NNLUA_SMALL_BLOCKS
enum { ROWS = 2, WIDTH = 2 * V, DEPTH = TILE };
#else
enum { ROWS = PRODUCT_ROWS, WIDTH = 2 * V, DEPTH = PANEL_K };
#endif

/* ---- b ---- */

/* panel[p][j] = b[j][p], of contiguous lines b_step apart. */
static inline void pack_lines(int64_t depth, int width, const T *b, int64_t b_step, T *panel)
{
  int j = 0;
  for (; j + TILE <= width; j += TILE) {
    int64_t p = 0;
    for (; p + TILE <= depth; p += TILE) transpose_tile(b + j * b_step + p, b_step, TILE, panel + p * WIDTH + j, WIDTH);
    for (; p < depth; p++)
      for (int i = j; i < j + TILE; i++) panel[p * WIDTH + i] = b[i * b_step + p];
  }
  for (; j < width; j++)
    for (int64_t p = 0; p < depth; p++) panel[p * WIDTH + j] = b[j * b_step + p];
}

/* panel: [depth, WIDTH], of which columns from `width` on become 0 if they aren't masked out later. b: [depth, width],
   any steps. */
static inline void pack_panel(int64_t depth, int width, const T *b, int64_t b_row, int64_t b_col, T *panel)
{
  if (b_row == 1) {
    pack_lines(depth, width, b, b_col, panel);
  } else if (b_col == 1 && width == WIDTH) {
    for (int64_t p = 0; p < depth; p++) memcpy(panel + p * WIDTH, b + p * b_row, WIDTH * sizeof(T));
  } else {
    for (int64_t p = 0; p < depth; p++)
      for (int j = 0; j < width; j++) panel[p * WIDTH + j] = b[p * b_row + j * b_col];
  }
  for (int64_t p = 0; p < depth && !HAS_LANES && width < WIDTH; p++)
    for (int j = width; j < WIDTH; j++) panel[p * WIDTH + j] = 0;
}

/* The same of pairs: depth and steps are those of numbers, `width` counts floats. */
static inline void pack_panel_of_pairs(int64_t depth, int width, const T *b, int64_t b_row, int64_t b_col, T *panel)
{
  for (int64_t p = 0; p < depth; p++, panel += 2 * WIDTH) {
    const T *from = b + 2 * p * b_row;
    for (int j = 0; j < WIDTH; j += 2, from += 2 * b_col) {
      T re = j < width ? from[0] : 0, im = j < width ? from[1] : 0;
      panel[j] = re;
      panel[j + 1] = im;
      panel[WIDTH + j] = -im;
      panel[WIDTH + j + 1] = re;
    }
  }
}

/* ---- a ---- */

/* panel[p][i] = a[i][p], of contiguous rows. Rows that aren't there hold any numbers; up to TILE more are written. */
static inline void pack_rows(int64_t depth, int rows, const T *a, int64_t a_row, T *panel)
{
  int64_t p = 0;
  for (; p + TILE <= depth; p += TILE)
    for (int i = 0; i < ROWS; i += TILE) {
      /* In ascending order: where tiles are wider than a panel, the next column takes back what was too much. */
      int first = i + TILE > ROWS && (int)ROWS > (int)TILE ? ROWS - TILE : i, left = rows - first;
      transpose_tile(a + (left > 0 ? first : 0) * a_row + p, a_row, left > 0 ? left : 1, panel + p * ROWS + first,
                     ROWS);
    }
  for (; p < depth; p++)
    for (int i = 0; i < rows; i++) panel[p * ROWS + i] = a[i * a_row + p];
}

/* The same of any steps, all panels of m rows in turn: a line of a transposed matrix holds a column of all. */
static inline void pack_columns(int64_t m, int64_t depth, const T *a, int64_t a_row, int64_t a_col, T *left)
{
  const int64_t whole = m / ROWS * ROWS;
  for (int64_t p = 0; p < depth; p++) {
    const T *from = a + p * a_col;
    T *to = left + p * ROWS;
    int64_t i = 0;
    if (a_row == 1)
      for (; i < whole; i += ROWS, to += depth * ROWS) memcpy(to, from + i, ROWS * sizeof(T));
    for (; i < m; i += ROWS, to += depth * ROWS)
      for (int r = 0; r < ROWS && i + r < m; r++) to[r] = from[(i + r) * a_row];
  }
}

/* The same of pairs: m, depth and steps are those of numbers. */
static inline void pack_columns_of_pairs(int64_t m, int64_t depth, const T *a, int64_t a_row, int64_t a_col, T *left)
{
  for (int64_t p = 0; p < depth; p++) {
    T *to = left + 2 * p * ROWS;
    for (int64_t i = 0; i < m; i += ROWS, to += 2 * depth * ROWS)
      for (int r = 0; r < ROWS && i + r < m; r++) {
        const T *from = a + 2 * ((i + r) * a_row + p * a_col);
        to[r] = from[0];
        to[ROWS + r] = from[1];
      }
  }
}

#endif
