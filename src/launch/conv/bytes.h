/* Convolutions of bytes. */
#ifndef NNLUA_LAUNCH_CONV_BYTES_H
#define NNLUA_LAUNCH_CONV_BYTES_H

#include "core/tensor.h"

enum { BYTE_AXES = 2 };

/* Lines and columns; what has columns only has one line. Channels and rows are those of one group, at most
   BYTES_TAPS taps in all. Pads are not negative, and the kernel is no larger than the padded image. */
typedef struct ByteConv {
  int64_t images, groups, channels, rows;
  int64_t size[BYTE_AXES], kernel[BYTE_AXES], result[BYTE_AXES];
  int64_t stride[BYTE_AXES], before[BYTE_AXES], dilation[BYTE_AXES];
  Tensor *x_zero, *w_zero; /* NULL: 0; of x one, of w one or one a row; of the dtypes of x and w */
  Tensor *bias;            /* int32; NULL: none */
  Tensor *scale, *y_zero;  /* of the sums, one or one a row; NULL: y is the sums */
} ByteConv;

enum { BYTES_TAPS = 1 << 16 }; /* as many products have a sum that int32 holds */

/* y = the convolution of x and weight, of int8 or uint8, less their zero points, plus the bias. With a scale y is of
   bytes: the sums times scale, rounded, plus the zero point, within what the dtype holds; else of int32. */
void launch_byte_conv(Call *call, const ByteConv *c, Tensor *x, Tensor *weight, Tensor *y);

#endif
