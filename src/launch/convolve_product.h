/* Convolutions of floats with many rows, as products over all images (kernels/conv.h: ConvProductKernels). */
#ifndef NNLUA_LAUNCH_CONVOLVE_PRODUCT_H
#define NNLUA_LAUNCH_CONVOLVE_PRODUCT_H

#include "kernels/conv.h"
#include "launch/convolve.h"
#include "launch/launch.h"

/* The places of a result that the same taps reach: all of the forward's; of the gradient of an input, those of one
   residue of the stride. Tap t of place (line, column) meets the source at (first + place * stride + tap). */
typedef struct ConvPart {
  int64_t taps, *tap_line, *tap_column, *weight_at; /* offsets in the source, and of the weight of a row and channel */
  int64_t first[2], size[2], reach[2];              /* lines and columns: reach is the largest tap's */
  int64_t y;                                        /* where the result of place (0, 0) is */
} ConvPart;

/* A convolution of x into y in parts; channels and rows are those of a group. x has any strides. */
typedef struct ConvJob {
  const KernelTable *k;
  DType dtype;
  int64_t size, images, groups, channels, rows;
  const char *x;
  int64_t x_image, x_channel, x_line, x_column, x_size[2];
  int64_t stride[2];
  const Tensor *weight;
  int64_t weight_row, weight_channel, weight_group;
  const char *bias;
  char *y;
  int64_t y_image, y_row, y_line, y_column;
  const ConvPart *parts;
  int64_t nparts;
} ConvJob;

void conv_multiply(Call *call, const ConvJob *j);

/* weight = the gradient, from dy [groups * rows of an image][result]; both contiguous. The part is the forward's. */
void conv_multiply_weight(Call *call, const ConvJob *j, const Tensor *dy, Tensor *weight);

#endif
