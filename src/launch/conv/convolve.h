/* How convolutions over one, two or three dimensions run. */
#ifndef NNLUA_LAUNCH_CONVOLVE_H
#define NNLUA_LAUNCH_CONVOLVE_H

#include "core/tensor.h"

/* Planes, lines and columns: what an image has fewer, it has one of. */
enum { CONV_DIMS = 3 };

/* Channels and rows are those of one group. */
typedef struct Convolution {
  int64_t images, groups, channels, rows;
  int64_t size[CONV_DIMS], kernel[CONV_DIMS], result[CONV_DIMS];
  int64_t stride[CONV_DIMS], padding[CONV_DIMS], dilation[CONV_DIMS];
} Convolution;

/*
 * y = x convolved with weight, plus bias, which may be NULL: x [images, groups * channels, size],
 * weight [groups * rows, channels, kernel], bias [groups * rows], y [images, groups * rows, result], of one dtype and
 * with one to three dimensions behind the first two.
 */
void launch_convolve(Call *call, const Convolution *c, Tensor *x, Tensor *weight, Tensor *bias, Tensor *y);

/* x = the gradient of launch_convolve's x, from y's dy, plus bias [groups * channels], which may be NULL. */
void launch_convolve_input(Call *call, const Convolution *c, Tensor *dy, Tensor *weight, Tensor *bias, Tensor *x);

/* weight = the gradient of launch_convolve's weight. */
void launch_convolve_weight(Call *call, const Convolution *c, Tensor *dy, Tensor *x, Tensor *weight);

#endif
