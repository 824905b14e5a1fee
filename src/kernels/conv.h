/*
 * What convolutions are made of. Input is first packed into a slab: padded, cut to the lines that a band of the result
 * needs, and with a stride across columns split into phases. In a slab each element of the kernel (a tap) is one
 * offset, the same for all positions of a line, so that the result is a product whose terms are found by offset: no
 * matrix of patches is ever built.
 */
#ifndef NNLUA_KERNELS_CONV_H
#define NNLUA_KERNELS_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slab may be read so many bytes beyond its end: they must be there, whatever they hold. */
enum { SLAB_SLACK = 64 };

/* Part of an image of [channels, lines, columns], any strides in elements, laid out as [channels][phases][lines][width]
   (or, `last`, as [lines][phases * width][channels]). The first line and column may lie before the image: what is
   outside is 0. */
typedef struct Slab {
  int64_t channels, image_lines, image_columns;
  int64_t channel_step, line_step, column_step;
  int64_t first_line, first_column;
  int64_t lines, width, phases;
} Slab;

static inline int64_t slab_elements(const Slab *s) { return s->channels * s->phases * s->lines * s->width; }

void slab_pack(const Slab *s, size_t size, const void *image, void *to);
void slab_pack_last(const Slab *s, size_t size, const void *image, void *to);

/*
 * y[i][l][c] = bias[i] + the sum over taps t of w[i][t] * x[at[t] + l * x_line + c], for `lines` lines of `columns`
 * columns; w comes from ConvKernels.pack. Steps of y in elements.
 */
typedef struct ConvTaps {
  int64_t rows, taps, lines, columns;
  const void *w, *x, *bias; /* bias may be NULL */
  const int64_t *at;
  int64_t x_line, x_width; /* from line to line of the result, and of the slab */
  void *y;
  int64_t y_row, y_line, y_column;
} ConvTaps;

/* sums[i * taps + t] += the sum over lines and columns of dy[i][l][c] * x[at[t] + l * x_line + c]. */
typedef struct ConvDots {
  int64_t rows, taps, lines, columns;
  const void *dy, *x;
  int64_t dy_row, dy_line, x_line;
  const int64_t *at;
  void *sums;
} ConvDots;

typedef struct ConvKernels {
  /* The weights w[row * row_step + tap_at[tap]] [rows][taps] as `taps` wants them, in packed [rows * taps]. */
  void (*pack)(int64_t rows, int64_t taps, const void *w, int64_t row_step, const int64_t *tap_at, void *packed);
  void (*taps)(const ConvTaps *k);
  void (*dots)(const ConvDots *k);
} ConvKernels;

#endif
