/* Activations of the pointwise rows. */
#define ROWS "ops/math/activation.def"
#define FAMILY activation
#include "kernels/typed/pointwise.h"
