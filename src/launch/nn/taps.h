/* Sums of weighted elements at positions that tensors tell: what images sampled on a grid are made of. */
#ifndef NNLUA_LAUNCH_TAPS_H
#define NNLUA_LAUNCH_TAPS_H

#include "core/tensor.h"

/* y [N, C, places] = the sums over terms of weights [N, terms, places] times the elements of x [N, C, elements] at
   positions [N, terms, places], int64, which count from 1, and of which 0 stands for no element. They have been
   checked. */
void launch_taps(Call *call, Tensor *x, Tensor *weights, Tensor *positions, Tensor *y);

/* The gradients of x and of the weights from that of y. */
void launch_taps_back(Call *call, Tensor *dy, Tensor *weights, Tensor *positions, Tensor *dx);
void launch_taps_of_weights(Call *call, Tensor *dy, Tensor *x, Tensor *positions, Tensor *dweights);

#endif
