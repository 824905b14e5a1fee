/* Rounding, and divisions that round of the pointwise rows. */
#define ROWS "ops/math/rounding.def"
#define FAMILY rounding
#define MADE_OF_FUNCTIONS 1
#include "kernels/typed/pointwise.h"
