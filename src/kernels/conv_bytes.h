/*
 * What convolutions of bytes are made of. Sums are exact, in int32. What the taps of some places meet is laid side by
 * side in panels of words of four bytes, or of two int16 where the machine multiplies no bytes, and multiplied with
 * packed weights; results are bytes again, or the sums. Numbers of an image are taken as unsigned ones, weights as
 * signed ones: whoever has others gives `flip`, 0x80, which is added to each, and moves zero points alike.
 */
#ifndef NNLUA_KERNELS_CONV_BYTES_H
#define NNLUA_KERNELS_CONV_BYTES_H

#include <stdint.h>

/* So many bytes more are written behind each line of a buffer, and read behind a slab. */
enum { BYTES_SLACK = 192 };

/* Places: `columns` of each of some lines; what tap t meets at a column of a line is
   x[at[t] + line * line_step + column * step]. */
typedef struct BytePlaces {
  int64_t taps, lines, columns;
  const uint8_t *x, *end; /* nothing may be read from `end` on */
  const int64_t *at;
  int64_t line_step, step;
  uint8_t flip;
  uint8_t *buffer; /* `terms` lines of buffer_line bytes: the places and BYTES_SLACK */
  int64_t buffer_line;
  void *panels; /* of `width` places each, of `words` words of the taps */
} BytePlaces;

/* y[row][place] = rounded((sum + offset of the row - zero of the row * total of the place) * scale of the row), within
   low and high, plus zero, where the total is the sum of all that the place meets; without scales the sums. */
typedef struct ByteRows {
  int64_t rows, words, places;
  const void *weights, *ones; /* packed; ones are those of one row */
  const void *panels;
  const int32_t *offset, *zeros; /* zeros may be NULL: all are 0 */
  int32_t *totals;               /* memory for those of all panels */
  const float *scale;            /* NULL: y is int32 */
  float low, high, zero;
  void *y;
  int64_t y_row;
} ByteRows;

/* A kernel of one channel, at some columns of some lines: `step`, 1 or 2, from one column to the next. */
typedef struct ByteLines {
  int64_t lines, columns, kernel_lines, kernel_columns;
  const uint8_t *x; /* what the first tap meets at the first place; BYTES_SLACK may be read behind the last one */
  int64_t line_step, tap_step, step;
  uint8_t flip;
} ByteLines;

/* Of int32 only. */
typedef struct ConvBytesKernels {
  int terms, width, rows; /* of a word; places of a panel; rows that are packed together at most */
  /* w: [rows, taps]; `to`: for each row ceil(taps / terms) words; the sum of each row is added up. */
  void (*pack)(int64_t rows, int64_t taps, const uint8_t *w, uint8_t flip, void *to, int32_t *sums);
  /* to[line][column] = from[line][column], lines some steps apart; a few instructions for a short line. */
  void (*copy)(int64_t lines, int64_t columns, const uint8_t *from, int64_t from_step, uint8_t *to, int64_t to_step);
  void (*gather)(const BytePlaces *p);
  void (*rows_of)(const ByteRows *p);
  /* One row; of p what says how results are stored. The weights of each line of the kernel are packed as a row's. */
  void (*lines_of)(const ByteLines *l, const ByteRows *p);
} ConvBytesKernels;

#endif
