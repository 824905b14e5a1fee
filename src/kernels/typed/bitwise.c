/* Operations on bits of the pointwise rows. */
#define ROWS "ops/math/bitwise.def"
#define FAMILY bitwise
#include "kernels/typed/pointwise.h"
