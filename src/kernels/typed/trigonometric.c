/* Trigonometric and hyperbolic functions of the pointwise rows. */
#define ROWS "ops/math/trigonometric.def"
#define FAMILY trigonometric
#include "kernels/typed/pointwise.h"
