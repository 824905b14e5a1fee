/* Short rows turned into columns, so that a vector has an element of each of many rows. */
#ifndef NNLUA_KERNELS_SHORT_ROWS_H
#define NNLUA_KERNELS_SHORT_ROWS_H

#include "core/blocks.h"
#include "kernels/typed/typed.h"

#if T_FLOATING
#include "kernels/typed/tile.h"

/* Element k of row r is number k * SOFTMAX_STRIP + r of the columns; whole tiles are written. */
enum { SHORT_COLUMNS = (SOFTMAX_SHORT + TILE - 1) / TILE * TILE * SOFTMAX_STRIP };

/* Up to which row tiles are turned, whose last lines reach beyond the last one's elements: `room` elements follow. */
INLINE int64_t rows_by_tiles(int64_t rows, int64_t n, int64_t room)
{
  int64_t r = rows / TILE * TILE;
  while (r > 0 && r * n + TILE > room) r -= TILE;
  return r;
}

/* x: [rows, n] at the beginning of `room` elements, rows <= SOFTMAX_STRIP, n <= SOFTMAX_SHORT */
static inline void turn_in(int64_t rows, int64_t n, int64_t room, const T *x, T *columns)
{
  int64_t r = 0, by_tiles = rows_by_tiles(rows, n, room);
  for (; r < by_tiles; r += TILE)
    for (int64_t k = 0; k < n; k += TILE)
      transpose_tile(x + r * n + k, n, TILE, columns + k * SOFTMAX_STRIP + r, SOFTMAX_STRIP);
  for (; r < rows; r++)
    for (int64_t k = 0; k < n; k++) columns[k * SOFTMAX_STRIP + r] = x[r * n + k];
}

/* The way back. What a tile writes beyond a row's end is overwritten by what comes later. */
static inline void turn_out(int64_t rows, int64_t n, int64_t room, const T *columns, T *y)
{
  int64_t r = 0, by_tiles = rows_by_tiles(rows, n, room);
  for (; r < by_tiles; r += TILE)
    for (int64_t k = (n - 1) / TILE * TILE; k >= 0; k -= TILE)
      transpose_tile(columns + k * SOFTMAX_STRIP + r, SOFTMAX_STRIP, TILE, y + r * n + k, n);
  for (; r < rows; r++)
    for (int64_t k = 0; k < n; k++) y[r * n + k] = columns[k * SOFTMAX_STRIP + r];
}

/* Over [rows, n] a strip of `width` rows at a time, from row `first` and element `begin` on, where `room` elements
   follow. */
#define FOR_SHORT_ROWS                                                                           \
  for (int64_t first = 0, width, begin, room; first < rows; first += width)                      \
    if ((width = rows - first < SOFTMAX_STRIP ? rows - first : SOFTMAX_STRIP, begin = first * n, \
         room = (rows - first) * n))

#endif
#endif
