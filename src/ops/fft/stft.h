/* Short-time Fourier transforms. */
#define ROWS "ops/fft/stft.def"
#include "ops/table/declare.h"
