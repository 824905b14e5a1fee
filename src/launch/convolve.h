/* How convolutions over two dimensions run. */
#ifndef NNLUA_LAUNCH_CONVOLVE_H
#define NNLUA_LAUNCH_CONVOLVE_H

#include "core/tensor.h"

/* Pairs are lines and columns; channels and rows are those of one group. */
typedef struct Convolution {
  int64_t images, groups, channels, rows;
  int64_t size[2], kernel[2], result[2], stride[2], padding[2], dilation[2];
} Convolution;

/*
 * y = x convolved with weight, plus bias, which may be NULL: x [images, groups * channels, size],
 * weight [groups * rows, channels, kernel], bias [groups * rows], y [images, groups * rows, result], of one dtype.
 */
void launch_convolve(Call *call, const Convolution *c, Tensor *x, Tensor *weight, Tensor *bias, Tensor *y);

/* x = the gradient of launch_convolve's x, from y's dy, plus bias [groups * channels], which may be NULL. */
void launch_convolve_input(Call *call, const Convolution *c, Tensor *dy, Tensor *weight, Tensor *bias, Tensor *x);

/* weight = the gradient of launch_convolve's weight. */
void launch_convolve_weight(Call *call, const Convolution *c, Tensor *dy, Tensor *x, Tensor *weight);

#endif
