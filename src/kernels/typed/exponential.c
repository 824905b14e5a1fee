/* Powers, exponentials and logarithms of the pointwise rows. */
#define ROWS "ops/exponential.def"
#define FAMILY exponential
#include "kernels/typed/pointwise.h"
