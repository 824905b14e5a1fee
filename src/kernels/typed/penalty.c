/* Losses of elements, of the pointwise rows. */
#define ROWS "ops/math/penalty.def"
#define FAMILY penalty
#define MADE_OF_FUNCTIONS 1
#include "kernels/typed/pointwise.h"
