/* Special functions of the pointwise rows: element by element, so one instruction set is as good as another. */
#include "kernels/typed/typed.h"

#if ISA_base
#include "kernels/typed/special.h"

#define ROWS "ops/math/special.def"
#define FAMILY fill_special
#include "kernels/typed/pointwise.h"
#else
void TYPED(fill_special)(KernelTable *t);
void TYPED(fill_special)(KernelTable *t) { (void)t; }
#endif
