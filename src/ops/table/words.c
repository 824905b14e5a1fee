/* The ops behind the words of backwards. */
#include "ops/table/words.h"

#include "launch/layout.h"
#include "ops/math/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"

Tensor *word_plus(Call *call, Tensor *a, Tensor *b) { return op(add, a, b, scalar_int(1)); }

Tensor *word_minus(Call *call, Tensor *a, Tensor *b) { return op(sub, a, b, scalar_int(1)); }

Tensor *word_cast(Call *call, Tensor *t, DType dtype)
{
  return tensor_dtype(t) == dtype ? t : op(to_dtype, t, dtype, false, false);
}

Tensor *word_summed_to(Call *call, Tensor *t, const Tensor *x)
{
  bool is_it = t->dtype == x->dtype && tensor_same_shape(t, x);
  return is_it ? t : op(sum_to, t, tensor_shape(x), tensor_dtype(x));
}

Tensor *word_scaled(Call *call, Tensor *t, double factor) { return op(mul, t, number(factor)); }

Tensor *word_conjugate(Call *call, Tensor *t) { return dtype_is_complex(tensor_dtype(t)) ? op(conj, t) : t; }

Tensor *word_adjoint(Call *call, Tensor *t) { return conjugate(op(transpose, t, -2, -1)); }

Tensor *word_sum(Call *call, Tensor *t) { return op(sum, t, NO_INTS, false, DTYPE_NONE); }

Tensor *word_like(Call *call, Tensor *t, int value)
{
  return value ? op(ones_like, t, DTYPE_NONE, DEVICE_NONE, false) : op(zeros_like, t, DTYPE_NONE, DEVICE_NONE, false);
}

Tensor *word_ordered_as(Call *call, Tensor *t, const Tensor *x)
{
  Tensor *operand = (Tensor *)(uintptr_t)x;
  int64_t outside[MAX_DIMS], back[MAX_DIMS], n = t->ndim;
  int order[MAX_DIMS];
  if (result_order(call, tensor_shape(t), &operand, 1).n < 0) return op(contiguous, t);
  order_dims(tensor_shape(t), &operand, 1, order);
  for (int64_t i = 0; i < n; i++) { /* order begins with the innermost dimension */
    outside[n - 1 - i] = order[i];
    back[order[i]] = n - 1 - i;
  }
  return op(permute, op(contiguous, op(permute, t, ((Ints){outside, n}))), ((Ints){back, n}));
}
