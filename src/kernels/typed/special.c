/* Special functions of the pointwise rows: element by element, so one instruction set is as good as another. */
#include "kernels/typed/typed.h"

#if ISA_base
#include "kernels/typed/special.h"

#define ROWS "ops/math/special.def"
#define FAMILY special
#include "kernels/typed/pointwise.h"
#else
#include "kernels/pointwise.h"

const PointwiseKernels *TYPED(special_rows)(void);
const PointwiseKernels *TYPED(special_rows)(void) { return NULL; }
#endif
