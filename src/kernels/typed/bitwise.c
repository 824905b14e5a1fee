/* Operations on bits of the pointwise rows. */
#define ROWS "ops/bitwise.def"
#define FAMILY fill_bitwise
#include "kernels/typed/pointwise.h"
