/* Activations of the pointwise rows. */
#define ROWS "ops/activation.def"
#define FAMILY activation
#include "kernels/typed/pointwise.h"
