/* Losses of elements, of the pointwise rows. */
#define ROWS "ops/math/penalty.def"
#define FAMILY penalty
#include "kernels/typed/pointwise.h"
