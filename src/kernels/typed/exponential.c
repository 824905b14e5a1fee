/* Powers, exponentials and logarithms of the pointwise rows. */
#define ROWS "ops/math/exponential.def"
#define FAMILY exponential
#define MADE_OF_FUNCTIONS 1
#include "kernels/typed/pointwise.h"
