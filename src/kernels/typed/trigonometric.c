/* Trigonometric and hyperbolic functions of the pointwise rows. */
#define ROWS "ops/math/trigonometric.def"
#define FAMILY trigonometric
#define MADE_OF_FUNCTIONS 1
#include "kernels/typed/pointwise.h"
