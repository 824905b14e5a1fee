/*
 * What convolutions are made of. Input is first packed into a slab: padded, cut to what a part of the result needs, and
 * with a stride across columns split into phases. In a slab each element of the kernel (a tap) is one offset, the same
 * for all places, so that the result is a product whose terms are found by offset. ConvProductKernels multiply blocks
 * of it; where many rows repay it, the numbers of a part of the result are laid side by side first.
 */
#ifndef NNLUA_KERNELS_CONV_H
#define NNLUA_KERNELS_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slab may be read so many bytes beyond its end: they must be there, whatever they hold. */
enum { SLAB_SLACK = 64 };

/* sums[i * taps + t] += the sum over lines and columns of dy[i][l][c] * x[at[t] + l * x_line + c]. */
typedef struct ConvDots {
  int64_t rows, taps, lines, columns;
  const void *dy, *x;
  int64_t dy_row, dy_line, x_line;
  const int64_t *at;
  void *sums;
} ConvDots;

/* Where a tap's number of the first image lies in x, and its weight of the first row in w. */
typedef struct ConvTap {
  int64_t x, w;
} ConvTap;

/*
 * One place of some images, which lie side by side in x: c [image][row] = start[row] + the sum over channels and taps
 * of x[channel * x_channel + tap.x + image] * w[channel * w_channel + tap.w + row], or plus what is there (`add`). Rows
 * are whole vectors, which lie w_vector apart in w.
 */
typedef struct ConvPlaceOfImages {
  int images, vectors;
  int64_t channels, taps;
  const void *x, *w;
  int64_t x_channel, w_channel, w_vector;
  const ConvTap *tap;
  const void *start; /* or NULL: 0 */
  bool add;
  void *c;
} ConvPlaceOfImages;

/* Of floats only. */
typedef struct ConvKernels {
  void (*dots)(const ConvDots *k);
  void (*place_of_images)(const ConvPlaceOfImages *k); /* of as many images as a block has rows, at most */
} ConvKernels;

/* Part of a line of an image, and where it goes. */
typedef struct ConvRun {
  int64_t from, to, count;
} ConvRun;

/* slab[channel * plane + to + i] = x[channel * channel_step + from + i * step], run by run. */
typedef struct ConvFill {
  int64_t channels, runs;
  const void *x;
  int64_t channel_step, step;
  const ConvRun *run;
  void *slab;
  int64_t plane;
} ConvFill;

/* A vector that is copied: what is too much of it, the next piece covers. */
typedef struct ConvPiece {
  int64_t from, to;
} ConvPiece;

/* panel[c * taps + t] = the columns that tap t of channel c meets, piece by piece: two vectors of them. A vector more
   may be read, and written behind the panel. */
typedef struct ConvGather {
  int64_t channels, taps, pieces;
  const void *x;
  int64_t channel_step;
  const int64_t *at; /* of the taps */
  const ConvPiece *piece;
  void *panel;
} ConvGather;

/* to[k][c * taps + t] = what tap t of channel c meets at place k, piece by piece (of taps). */
typedef struct ConvPatches {
  int64_t places, channels, taps, pieces;
  const void *x;
  int64_t channel_step;
  const int64_t *at; /* of the places */
  const ConvPiece *piece;
  void *to;
  int64_t to_row;
} ConvPatches;

/* Weights of some taps of a kernel, of terms [channels][taps]. */
typedef struct ConvWeightPart {
  int64_t taps;
  const int64_t *tap_at;
  void *packed;
} ConvWeightPart;

/* packed = w[row * row_step + channel * channel_step + tap_at[tap]] for each part, whose taps are `area` in all. */
typedef struct ConvWeights {
  int64_t rows, channels, area;
  const void *w;
  int64_t row_step, channel_step;
  const ConvWeightPart *part;
  int64_t parts;
} ConvWeights;

/* Blocks of rows that lie from_row apart, packed one behind the other, with `depth` terms in all. */
typedef struct ConvRows {
  int64_t rows, first_block, last_block, depth, from_row;
  void *packed;
} ConvRows;

/* A vector of columns: where they are in b and in a row of c, and how many of them count. */
typedef struct ConvPlace {
  int64_t b, c;
  int32_t count;
} ConvPlace;

/*
 * c [row][column] = start[row] + the sum over `depth` terms of a[row][term] * b[at[term] + column], or plus what is
 * there (`add`), for blocks of rows and vectors of columns. a is packed, a_depth terms of which those from a_first on
 * are meant; or, with a_at, lies with its rows a_row apart and its terms at these places. a and c begin with the first
 * block.
 */
typedef struct ConvProduct {
  int64_t rows, first_block, last_block, depth, places;
  const void *a;
  int64_t a_depth, a_first;
  const int64_t *a_at; /* or NULL: packed */
  int64_t a_row;
  const void *b;
  const int64_t *at;
  const ConvPlace *place;
  const void *start; /* or NULL: 0 */
  bool add;
  void *c;
  int64_t c_row;
} ConvProduct;

/*
 * c [tap][row] = the sum over places of x[tap_at[tap] + place_at[place]] * panel[place][row], or plus what is there
 * (`add`), for up to two vectors of rows.
 */
typedef struct ConvCorrelation {
  int64_t taps, places;
  int vectors;
  const void *x;
  const int64_t *tap_at, *place_at;
  const void *panel;
  bool add;
  void *c;
  int64_t c_row;
} ConvCorrelation;

/* y [image][row][plane][line][column] = from [row][image][plane][line][column], whose lines are from_line apart. */
typedef struct ConvSpread {
  int64_t rows, images, planes, lines, columns;
  const void *from;
  int64_t from_row, from_line;
  void *y;
  int64_t y_image, y_row, y_plane, y_line, y_column;
} ConvSpread;

/* y [line][column * turns + turn] = start + from [turn][line][column], whose turns are from_turn apart. */
typedef struct ConvTurns {
  int64_t turns, lines, columns;
  const void *from;
  int64_t from_turn;
  const void *start; /* one number, or NULL: 0 */
  void *y;
  int64_t y_line;
} ConvTurns;

/*
 * Winograd's F(2, 3) in two dimensions: the results of a block of 2x2 places from the 4x4 numbers under them and a
 * kernel of 3x3, by 16 products of transformed numbers, component by component, in place of 36.
 */
enum { WINOGRAD_PARTS = 16 };

/* A line of blocks: where it begins in the slab and in the result, and how many lines of the result it has. */
typedef struct WinogradLine {
  int64_t x, y, lines;
} WinogradLine;

/* to[component][channel][block] of a slab in two phases, of `count` blocks a line. A vector more may be written behind
   a component. */
typedef struct WinogradInput {
  int64_t channels, lines, count;
  const void *x;
  int64_t channel_step, line_step, phase_step;
  const WinogradLine *line;
  void *to;
  int64_t to_channel, to_component;
} WinogradInput;

/* y = start[row] + the results of products[component][row][block], of which so many columns count. */
typedef struct WinogradOutput {
  int64_t rows, lines, count, columns;
  const void *products;
  int64_t product_row, product_component;
  const WinogradLine *line;
  const void *start; /* or NULL */
  void *y;
  int64_t y_row, y_line;
} WinogradOutput;

typedef struct ConvProductKernels {
  int rows, vector; /* of a block, at most, whose columns are two vectors; elements of a vector */
  void (*multiply)(const ConvProduct *p);
  void (*correlate)(const ConvCorrelation *c); /* of floats only */
  void (*pack_weights)(const ConvWeights *w, int64_t first_block, int64_t last_block);
  /* The n terms from `first` on, of rows of `from`. */
  void (*pack_rows)(const ConvRows *r, int64_t n, const void *from, int64_t first);
  /* to[k][i] = from[i][k], of [rows][n]. */
  void (*turn)(int64_t rows, int64_t n, const void *from, int64_t from_row, void *to, int64_t to_row);
  void (*fill)(const ConvFill *f);
  void (*gather)(const ConvGather *g);
  void (*patches)(const ConvPatches *g);
  void (*spread)(const ConvSpread *s);
  void (*take_turns)(const ConvTurns *t); /* of floats only */
} ConvProductKernels;

/* Of floats only. */
typedef struct WinogradKernels {
  /* w's part of 3x3 taps as packed[component], each of which is as ConvProductKernels.pack_weights has one. */
  void (*weights)(const ConvWeights *w, int64_t first_block, int64_t last_block);
  void (*input)(const WinogradInput *w);
  void (*output)(const WinogradOutput *w);
} WinogradKernels;

#endif
