/* Copies of elements, by their size. */
#ifndef NNLUA_KERNELS_COPY_H
#define NNLUA_KERNELS_COPY_H

#include <stddef.h>
#include <stdint.h>

typedef struct CopyKernels {
  void (*copy)(size_t size, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride);
  void (*lines)(size_t size, int64_t lines, int64_t n, const char *from, const int64_t *from_strides, char *to,
                const int64_t *to_strides);
  void (*pairs)(size_t size, int64_t n, const char *a, const char *b, char *to);
  void (*transpose)(size_t size, int64_t rows, int64_t columns, const char *from, int64_t from_row, char *to,
                    int64_t to_row);
} CopyKernels;

extern CopyKernels copy_kernels; /* of the machine's instruction set */

/* Copies n elements of a size in bytes, strides in bytes. */
static inline void copy_elements(size_t size, int64_t n, const char *from, int64_t from_stride, char *to,
                                 int64_t to_stride)
{
  copy_kernels.copy(size, n, from, from_stride, to, to_stride);
}

/* The same of lines of n elements; strides are from line to line and from element to element. */
static inline void copy_lines(size_t size, int64_t lines, int64_t n, const char *from, const int64_t *from_strides,
                              char *to, const int64_t *to_strides)
{
  copy_kernels.lines(size, lines, n, from, from_strides, to, to_strides);
}

/* to[i] = {a[i], b[i]} of n elements of 4 or 8 bytes each. */
static inline void copy_pairs(size_t size, int64_t n, const char *a, const char *b, char *to)
{
  copy_kernels.pairs(size, n, a, b, to);
}

/* to[k][i] = from[i][k] of elements of a size in bytes, which lie side by side in rows that are so many bytes apart. */
static inline void transpose_elements(size_t size, int64_t rows, int64_t columns, const char *from, int64_t from_row,
                                      char *to, int64_t to_row)
{
  copy_kernels.transpose(size, rows, columns, from, from_row, to, to_row);
}

/* Copies bytes past the caches, where the processor can: for results too large to be found there again. Other threads
   see them after copies_past_caches_end. */
void copy_past_caches(size_t bytes, const char *from, char *to);
void copies_past_caches_end(void);

#endif
