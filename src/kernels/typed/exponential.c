/* Powers, exponentials and logarithms of the pointwise rows. */
#define ROWS "ops/math/exponential.def"
#define FAMILY exponential
#include "kernels/typed/pointwise.h"
