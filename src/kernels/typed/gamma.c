/* Incomplete gamma functions and slopes of draws, of the pointwise rows: element by element, as special.c. */
#include "kernels/typed/typed.h"

#if ISA_base
#include "kernels/typed/draw_slopes.h"
#include "kernels/typed/incomplete_gamma.h"

#define ROWS "ops/math/gamma.def"
#define FAMILY gamma
#include "kernels/typed/pointwise.h"
#else
#include "kernels/pointwise.h"

const PointwiseKernels *TYPED(gamma_rows)(void) AT_START;
const PointwiseKernels *TYPED(gamma_rows)(void) { return NULL; }
#endif
