/* Moves of elements: filling, choosing, gathering and scattering. */
#ifndef NNLUA_KERNELS_MOVES_H
#define NNLUA_KERNELS_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/positions.h"

/*
 * n lines of count steps each: step k of line i pairs element `at` of one side with element k of
 * the other, at = index[i][k] - 1. Strides are in bytes; positions have been checked.
 */
typedef struct IndexedLines {
  int64_t n, count;
  const char *index;
  int64_t index_line, index_step;
  const char *from;
  int64_t from_line, from_step;
  char *to;
  int64_t to_line, to_step;
} IndexedLines;

/* Strides are in bytes. Those before scatter_add serve all types of the size (movers_of in table.h). */
typedef struct MoveKernels {
  /* to [n] = one value. */
  void (*fill)(int64_t n, const void *value, char *to, int64_t to_stride);
  /* y [n] = cond [n] ? a [n] : b [n]: pointers and strides in that order. */
  void (*where)(int64_t n, char *const *p, const int64_t *strides);
  /* to[k] = from[at]. */
  void (*gather)(const IndexedLines *l);
  /* to[at] = from[k]; then adding to or multiplying what is there, or keeping the larger or smaller one (of complex
     numbers not). */
  void (*scatter)(const IndexedLines *l);
  void (*scatter_add)(const IndexedLines *l);
  void (*scatter_multiply)(const IndexedLines *l);
  void (*scatter_max)(const IndexedLines *l);
  void (*scatter_min)(const IndexedLines *l);
  /* Of int64 only: whether all positions [n] are within 1..size. */
  bool (*positions_within)(int64_t n, const int64_t *positions, int64_t size);
  /* Widens the range to hold all positions [n]. */
  void (*positions_range)(int64_t n, const int64_t *positions, PositionRange *range);
} MoveKernels;

#endif
