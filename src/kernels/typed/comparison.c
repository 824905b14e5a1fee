/* Comparisons and truth values of the pointwise rows. */
#define ROWS "ops/math/comparison.def"
#define FAMILY comparison
#include "kernels/typed/pointwise.h"
