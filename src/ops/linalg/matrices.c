/* What ops on matrices share. */
#include "ops/linalg/matrices.h"

#include <string.h>

#include "core/shape.h"
#include "core/text.h"
#include "launch/linalg/factor.h"
#include "launch/linalg/matrices.h"
#include "launch/look.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

void check_matrices(Call *call, const Tensor *x, const char *name)
{
  if (x->ndim < 2)
    raise(call, "%s has shape %s; a matrix, or a batch of them, is wanted", name, shape_text(call, tensor_shape(x)));
  if (!takes_factors(tensor_dtype(x)))
    raise(call, "%s tensors are not taken: float32, float64 or complex ones are wanted", dtype_name(tensor_dtype(x)));
}

void check_square(Call *call, const Tensor *x, const char *name)
{
  check_matrices(call, x, name);
  if (rows_of(x) != cols_of(x))
    raise(call, "%s has shape %s; square matrices are wanted", name, shape_text(call, tensor_shape(x)));
}

void check_same_dtype(Call *call, const Tensor *x, const char *name, const Tensor *of, const char *name_of)
{
  if (x->dtype != of->dtype)
    raise(call, "%s is %s, but %s is %s; give both one dtype", name, dtype_name(tensor_dtype(x)), name_of,
          dtype_name(tensor_dtype(of)));
}

Ints batch_shape(const Tensor *x) { return (Ints){x->shape, x->ndim - 2}; }

Ints batch_and(Call *call, Ints batch, Ints rest)
{
  int64_t shape[MAX_DIMS + 2], n = 0;
  for (int64_t i = 0; i < batch.n; i++) shape[n++] = batch.v[i];
  for (int64_t i = 0; i < rest.n; i++) shape[n++] = rest.v[i];
  return arena_ints(call->ctx, shape, n);
}

Ints common_batch(Call *call, const Tensor *a, const Tensor *b)
{
  int64_t shape[MAX_DIMS];
  int n = a->ndim - 2;
  for (int i = 0; i < n; i++) shape[i] = a->shape[i];
  n = shape_broadcast(shape, n, batch_shape(b));
  if (n < 0)
    raise(call, "the batches of shapes %s and %s don't fit", shape_text(call, tensor_shape(a)),
          shape_text(call, tensor_shape(b)));
  return arena_ints(call->ctx, shape, n);
}

Tensor *of_batch(Call *call, Tensor *x, Ints batch, int rest)
{
  return expanded_to(call, x, batch_and(call, batch, (Ints){x->shape + (x->ndim - rest), rest}));
}

Tensor *result_by_columns(Call *call, DType dtype, Ints shape)
{
  return result_strided(call, dtype, result_device(call), shape, by_columns_order(call, shape));
}

Tensor *copied_by_columns(Call *call, Tensor *x, Ints shape)
{
  Tensor *y = result_by_columns(call, tensor_dtype(x), shape);
  launch_copy(call, y, expanded_to(call, x, shape));
  return y;
}

void fill_identity(Call *call, Tensor *t)
{
  if (t->numel == 0) return;
  Tensor *eye = op(eye, t->shape[t->ndim - 1], NO_INT, tensor_dtype(t), device_behind(t), false);
  launch_copy(call, t, expanded_to(call, eye, tensor_shape(t)));
}

void check_info(Call *call, Tensor *info, const char *text)
{
  char number[32];
  int value = 0;
  tell_check(call, info, check_info, text);
  int64_t i = first_failure(info, &value);
  if (i < 0) return;
  text_format(number, sizeof number, "%d", value);
  const char *at = strstr(text, "%d"), *rest = at ? at + 2 : "";
  int first = (int)(at ? (size_t)(at - text) : strlen(text));
  if (info->ndim == 0) raise(call, "%.*s%s%s", first, text, at ? number : "", rest);
  raise(call, "matrix %lld of the batch: %.*s%s%s", (long long)i + 1, first, text, at ? number : "", rest);
}
