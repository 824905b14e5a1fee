/* Comparisons and truth values of the pointwise rows. */
#define ROWS "ops/comparison.def"
#define FAMILY comparison
#include "kernels/typed/pointwise.h"
