/* Discrete Fourier transforms along a dimension. */
#ifndef NNLUA_LAUNCH_FFT_H
#define NNLUA_LAUNCH_FFT_H

#include "core/tensor.h"
#include "kernels/fft.h"

/* Whether there are transforms of a dtype. */
bool takes_fft(DType dtype);

/*
 * y = scale times the transform of x along a dimension, of float32 or float64 or of complex numbers of them. x and y
 * have one shape but for that dimension, where a real one is the transform's length n long, a half n / 2 + 1. The sum
 * is over e^(-2 pi i j k / n), of an inverse one over e^(2 pi i j k / n). y may be x.
 */
void launch_fft(Call *call, FftKind kind, bool inverse, Tensor *x, int dim, double scale, Tensor *y);

#endif
