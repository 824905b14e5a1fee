/* The arithmetic core of the pointwise rows. */
#define ROWS "ops/math/pointwise.def"
#define FAMILY pointwise
#include "kernels/typed/pointwise.h"
