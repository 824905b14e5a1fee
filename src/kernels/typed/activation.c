/* Activations of the pointwise rows. */
#define ROWS "ops/math/activation.def"
#define FAMILY activation
#define MADE_OF_FUNCTIONS 1
#include "kernels/typed/pointwise.h"
