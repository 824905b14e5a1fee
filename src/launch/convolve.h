/* How convolutions over two dimensions run. */
#ifndef NNLUA_LAUNCH_CONVOLVE_H
#define NNLUA_LAUNCH_CONVOLVE_H

#include "core/tensor.h"

/* Pairs are lines and columns; channels are those of one group. */
typedef struct Convolution {
  int64_t images, groups, channels, rows;
  int64_t size[2], kernel[2], result[2], stride[2], padding[2], dilation[2];
} Convolution;

/* All tensors have the dtype of a kernel; weight [groups * rows, channels, h, w], bias (or NULL) and results are
   contiguous. x is [images, groups * channels, size], y [images, groups * rows, result]. */
void launch_convolve(Call *call, const Convolution *c, const Tensor *x, const Tensor *weight, const Tensor *bias,
                     Tensor *y);

/* x = bias + the gradient of y's input, from y's gradient. */
void launch_convolve_input(Call *call, const Convolution *c, const Tensor *dy, const Tensor *weight, const Tensor *bias,
                           Tensor *x);

/* dy must be contiguous here. */
void launch_convolve_weight(Call *call, const Convolution *c, const Tensor *dy, const Tensor *x, Tensor *weight);

#endif
