/* Operations on bits of the pointwise rows. */
#define ROWS "ops/math/bitwise.def"
#define FAMILY fill_bitwise
#include "kernels/typed/pointwise.h"
