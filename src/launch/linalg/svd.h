/* Singular value decompositions. */
#ifndef NNLUA_LAUNCH_SVD_H
#define NNLUA_LAUNCH_SVD_H

#include "core/tensor.h"

/* Each matrix of x [*, m, n] = u diag(s) vh, of a dtype that is taken, where m and n are not 0: s [*, k], of the real
   dtype, descends, k being the smaller of m and n; u is [*, m, m] and vh [*, n, n] if `full`, else [*, m, k] and
   [*, k, n]. Both are NULL if no vectors are wanted. Results are new and in row-major order. Raises if elements are
   infinite or nan. */
void launch_svd(Call *call, Tensor *x, bool full, Tensor *u, Tensor *s, Tensor *vh);

#endif
