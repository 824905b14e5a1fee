/* Copies of elements, by their size. */
#ifndef NNLUA_KERNELS_COPY_H
#define NNLUA_KERNELS_COPY_H

#include <stddef.h>
#include <stdint.h>

/* Copies n elements of a size in bytes, strides in bytes. */
void copy_elements(size_t size, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride);

/* Copies bytes past the caches, where the processor can: for results too large to be found there again. Other threads
   see them after copies_past_caches_end. */
void copy_past_caches(size_t bytes, const char *from, char *to);
void copies_past_caches_end(void);

/* to[k][i] = from[i][k] of elements of a size in bytes, which lie side by side in rows that are so many bytes apart. */
void transpose_elements(size_t size, int64_t rows, int64_t columns, const char *from, int64_t from_row, char *to,
                        int64_t to_row);

#endif
