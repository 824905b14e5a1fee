/* The arithmetic core of the pointwise rows. */
#define ROWS "ops/math/arithmetic.def"
#define FAMILY arithmetic
#include "kernels/typed/pointwise.h"
