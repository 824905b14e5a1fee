/* Rounding, and divisions that round of the pointwise rows. */
#define ROWS "ops/math/rounding.def"
#define FAMILY rounding
#include "kernels/typed/pointwise.h"
