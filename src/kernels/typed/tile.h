/* Tiles of a matrix, transposed in registers. */
#ifndef NNLUA_KERNELS_TILE_H
#define NNLUA_KERNELS_TILE_H

#include "kernels/typed/vector.h"

/* Lines of a tile, and elements of a line. */
enum { TILE = 32 / sizeof(T) };

typedef T Tile __attribute__((vector_size(32)));
typedef T LooseTile __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
#if T_f32
#define FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define LAST_HALVES(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define LAST_HALVES(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* to[i][j] = from[j][i], of lines a step apart; those from `lines` on are any numbers. Interleaving the first half of
   the lines with the second transposes a tile after log2(TILE) times. */
INLINE void transpose_tile(const T *from, int64_t from_step, int lines, T *to, int64_t to_step)
{
  Tile line[TILE], next[TILE];
  for (int i = 0; i < TILE; i++) line[i] = *(const LooseTile *)(from + (i < lines ? i : 0) * from_step);
  for (int stage = 1; stage < TILE; stage *= 2) {
    for (int i = 0; i < TILE / 2; i++) {
      next[2 * i] = FIRST_HALVES(line[i], line[i + TILE / 2]);
      next[2 * i + 1] = LAST_HALVES(line[i], line[i + TILE / 2]);
    }
    for (int i = 0; i < TILE; i++) line[i] = next[i];
  }
  for (int i = 0; i < TILE; i++) *(LooseTile *)(to + i * to_step) = line[i];
}

#endif
