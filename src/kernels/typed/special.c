/* Special functions of the pointwise rows. There are kernels for doubles only: floats are widened, and rounded once. */
#include "kernels/typed/typed.h"
#if T_f64
#include "kernels/typed/vector_special.h"
#endif

#define ROWS "ops/math/special.def"
#define FAMILY special
#define MADE_OF_FUNCTIONS 1
#define IN_DOUBLES_ONLY 1
#include "kernels/typed/pointwise.h"
