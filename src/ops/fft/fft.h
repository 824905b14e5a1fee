/* Fourier transforms of one dimension, of two and of several. */
#define ROWS "ops/fft/fft.def"
#include "ops/table/declare.h"
