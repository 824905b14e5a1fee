/* Copies by element size. */
#include <string.h>

#include "kernels/isa/isa.h"

typedef struct Sixteen {
  uint64_t half[2];
} Sixteen;

/* What lies dense afterwards, of one element or of a line read backwards, as a loop that the compiler makes vectors of.
   Of any other one it must not: AVX-512's scattered stores take twice as long. */
#define COPY(type)                                                                                        \
  if (to_stride == (int64_t)size && from_stride == 0) fill_##type((type *)to, n, *(const type *)from);    \
  else if (to_stride == (int64_t)size && from_stride == -(int64_t)size) turn_##type((type *)to, n, from); \
  else                                                                                                    \
    for (int64_t i = 0; i < n; i++, from += from_stride, to += to_stride) {                               \
      *(type *)to = *(const type *)from;                                                                  \
      __asm__ volatile("");                                                                               \
    }                                                                                                     \
  break

#define DENSE(type)                                                       \
  static void fill_##type(type *restrict to, int64_t n, type value)       \
  {                                                                       \
    for (int64_t i = 0; i < n; i++) to[i] = value;                        \
  }                                                                       \
  static void turn_##type(type *restrict to, int64_t n, const char *from) \
  {                                                                       \
    const type *restrict last = (const type *)from - (n - 1);             \
    for (int64_t i = 0; i < n; i++) to[i] = last[n - 1 - i];              \
  }
DENSE(uint8_t)
DENSE(uint16_t)
DENSE(uint32_t)
DENSE(uint64_t)
DENSE(Sixteen)

/* A dense copy. In pieces: long ones that are read a little behind where they are written, counted in pages, are slow
   in the C library on some processors (its rep movsb: eight times on Zen 3). */
static void copy_dense(size_t bytes, const char *from, char *to)
{
  const size_t piece = 2048;
  size_t behind = ((uintptr_t)to - (uintptr_t)from) & 4095;
  if (bytes <= piece || behind == 0 || behind >= 256 || (to > from && to < from + bytes)) {
    memmove(to, from, bytes);
    return;
  }
  for (; bytes > piece; bytes -= piece, from += piece, to += piece) memmove(to, from, piece);
  memmove(to, from, bytes);
}

static void copy(size_t size, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride)
{
  if (from_stride == (int64_t)size && to_stride == (int64_t)size) {
    copy_dense((size_t)n * size, from, to);
    return;
  }
  switch (size) {
    case 1: COPY(uint8_t);
    case 2: COPY(uint16_t);
    case 4: COPY(uint32_t);
    case 8: COPY(uint64_t);
    default: COPY(Sixteen);
  }
}

/* Short lines are not worth more than a call each; those of one element each are not worth one. */
static void lines(size_t size, int64_t lines, int64_t n, const char *from, const int64_t *from_strides, char *to,
                  const int64_t *to_strides)
{
  const bool dense = to_strides[1] == (int64_t)size;
  for (; lines > 0; lines--, from += from_strides[0], to += to_strides[0]) {
    if (dense && from_strides[1] == 0 && size == 4) fill_uint32_t((uint32_t *)to, n, *(const uint32_t *)from);
    else if (dense && from_strides[1] == (int64_t)size) copy_dense((size_t)n * size, from, to);
    else copy(size, n, from, from_strides[1], to, to_strides[1]);
  }
}

#define PAIRS(type)                                                                                         \
  static void pairs_of_##type(int64_t n, const type *restrict a, const type *restrict b, type *restrict to) \
  {                                                                                                         \
    for (int64_t i = 0; i < n; i++) {                                                                       \
      to[2 * i] = a[i];                                                                                     \
      to[2 * i + 1] = b[i];                                                                                 \
    }                                                                                                       \
  }
PAIRS(uint32_t)
PAIRS(uint64_t)

static void pairs(size_t size, int64_t n, const char *a, const char *b, char *to)
{
  if (size == 4) pairs_of_uint32_t(n, (const uint32_t *)a, (const uint32_t *)b, (uint32_t *)to);
  else pairs_of_uint64_t(n, (const uint64_t *)a, (const uint64_t *)b, (uint64_t *)to);
}

/* ---------------------------------------------------------------- transposes */

/* Elements of 4 and 8 bytes in squares of 4 by 4 and 2 by 2. */
typedef uint32_t Four __attribute__((vector_size(16)));
typedef uint64_t Two __attribute__((vector_size(16)));

static void transpose_four(const char *from, int64_t from_row, char *to, int64_t to_row)
{
  Four x[4], y[4];
  for (int i = 0; i < 4; i++) memcpy(&x[i], from + i * from_row, sizeof x[i]);
  Four a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
  Four c = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
  y[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  y[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  y[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  y[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
  for (int i = 0; i < 4; i++) memcpy(to + i * to_row, &y[i], sizeof y[i]);
}

static void transpose_two(const char *from, int64_t from_row, char *to, int64_t to_row)
{
  Two x[2], y[2];
  for (int i = 0; i < 2; i++) memcpy(&x[i], from + i * from_row, sizeof x[i]);
  y[0] = __builtin_shufflevector(x[0], x[1], 0, 2);
  y[1] = __builtin_shufflevector(x[0], x[1], 1, 3);
  for (int i = 0; i < 2; i++) memcpy(to + i * to_row, &y[i], sizeof y[i]);
}

/* The elements of some rows and columns, one by one. */
#define ELEMENTS(type, i0, i1, k0, k1) \
  for (int64_t i = i0; i < i1; i++)    \
    for (int64_t k = k0; k < k1; k++)  \
  *(type *)(to + k * to_row + i * (int64_t)sizeof(type)) = ((const type *)(from + i * from_row))[k]

/* In squares as far as they go. */
#define SQUARES(type, side, transpose_square)                                     \
  for (int64_t i = 0; i + side <= rows; i += side)                                \
    for (int64_t k = 0; k + side <= columns; k += side)                           \
      transpose_square(from + i * from_row + k * (int64_t)sizeof(type), from_row, \
                       to + k * to_row + i * (int64_t)sizeof(type), to_row);      \
  ELEMENTS(type, 0, rows - rows % side, columns - columns % side, columns);       \
  ELEMENTS(type, rows - rows % side, rows, 0, columns)

static void transpose(size_t size, int64_t rows, int64_t columns, const char *from, int64_t from_row, char *to,
                      int64_t to_row)
{
  switch (size) {
    case 1: ELEMENTS(uint8_t, 0, rows, 0, columns); break;
    case 2: ELEMENTS(uint16_t, 0, rows, 0, columns); break;
    case 4: SQUARES(uint32_t, 4, transpose_four); break;
    case 8: SQUARES(uint64_t, 2, transpose_two); break;
    default: ELEMENTS(Sixteen, 0, rows, 0, columns);
  }
}

void OF_ISA(fill_copies)(CopyKernels *table) { *table = (CopyKernels){copy, lines, pairs, transpose}; }
