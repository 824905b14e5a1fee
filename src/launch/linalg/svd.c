/* Decompositions by LAPACK, a matrix at a time on one thread. */
#include "launch/linalg/svd.h"

#include "kernels/lapack.h"
#include "kernels/lapack_svd.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/linalg/matrices.h"

/* Where the i-th of the tensors of the last `dims` dimensions begins. */
static char *begin_of_item(const Tensor *t, int dims, int64_t i)
{
  if (!t) return NULL;
  for (int d = t->ndim - dims; d < t->ndim; d++) i *= t->shape[d];
  return (char *)tensor_data(t) + i * (int64_t)dtype_size(tensor_dtype(t));
}

void launch_svd(Call *call, Tensor *x, bool full, Tensor *u, Tensor *s, Tensor *vh)
{
  if (!launch_runs(s)) return;
  library_load(call, &lapack);
  int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1], batch = x->numel / (m * n);
  SvdPlan plan = lapack_svd_plan(tensor_dtype(x), !u ? SVD_NONE : full ? SVD_FULL : SVD_THIN, m, n);
  if (plan.room == 0) raise(call, "matrices of %lld x %lld are too large", (long long)m, (long long)n);
  Tensor *copy = new_beside(call, x, tensor_dtype(x), tensor_shape(x)); /* which LAPACK overwrites */
  launch_copy(call, copy, x);
  check_finite(call, copy);
  Tensor *room = new_beside(call, x, DTYPE_u8, INTS((int64_t)plan.room));
  for (int64_t i = 0; i < batch; i++) {
    bool done = lapack_svd(&plan, begin_of_item(copy, 2, i), begin_of_item(s, 1, i), begin_of_item(u, 2, i),
                           begin_of_item(vh, 2, i), tensor_data(room));
    if (!done)
      raise(call, "the decomposition of matrix %lld of %lld did not converge", (long long)i + 1, (long long)batch);
  }
}
