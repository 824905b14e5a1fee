/* Bilinear layers, and the loss of a linear one. */
#include "ops/nn/linear.h"

#include <string.h>

#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/nn/cross_entropy.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_bilinear(Call *call, const Tensor *x1, const Tensor *x2, const Tensor *w, const Tensor *bias)
{
  bool fits = x1->ndim > 0 && x1->ndim == x2->ndim && w->ndim == 3 && x1->shape[x1->ndim - 1] == w->shape[1]
              && x2->shape[x2->ndim - 1] == w->shape[2]
              && (!bias || (bias->ndim == 1 && bias->shape[0] == w->shape[0]));
  for (int i = 0; fits && i < x1->ndim - 1; i++) fits = x1->shape[i] == x2->shape[i];
  if (!fits)
    raise(call, "inputs of shapes %s and %s, weight of %s and bias of %s don't belong together",
          shape_text(call, tensor_shape(x1)), shape_text(call, tensor_shape(x2)), shape_text(call, tensor_shape(w)),
          bias ? shape_text(call, tensor_shape(bias)) : "none");
}

/* The shape of x with another last dimension. */
static Ints with_features(Call *call, const Tensor *x, int64_t n)
{
  int64_t shape[MAX_DIMS];
  memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
  shape[x->ndim - 1] = n;
  return arena_ints(call->ctx, shape, x->ndim);
}

/* input1 times all matrices side by side, each result then by input2. */
FORWARD(bilinear)
{
  Tensor *x1 = a->input1, *x2 = a->input2, *w = a->weight;
  check_bilinear(call, x1, x2, w, a->bias);
  int64_t out = w->shape[0], in1 = w->shape[1], in2 = w->shape[2];
  int64_t rows = 1;
  for (int i = 0; i < x1->ndim - 1; i++) rows *= x1->shape[i];
  Tensor *matrices = op(reshape, op(permute, w, INTS(1, 0, 2)), INTS(in1, out * in2));
  Tensor *products = op(reshape, op(mm, op(reshape, x1, INTS(rows, in1)), matrices), INTS(rows, out, in2));
  Tensor *sums = op(mul, products, op(reshape, x2, INTS(rows, 1, in2)));
  Tensor *y1 = op(reshape, op(sum, sums, INTS(-1), false, tensor_dtype(sums)), with_features(call, x1, out));
  y[0] = a->bias ? plus(y1, a->bias) : y1;
}

FORWARD(linear_cross_entropy)
{
  Tensor *x = a->input, *w = a->linear_weight;
  if (w->ndim < 2 || (x->ndim != 1 && x->ndim != 2) || x->shape[x->ndim - 1] != w->shape[w->ndim - 1])
    raise(call, "input of shape %s and linear_weight of shape %s don't belong together",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(w)));
  if (x->ndim == 1 && w->ndim > 2)
    raise(call, "input of shape %s has no batch, which linear_weight of shape %s wants",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(w)));
  if (a->ignore_index != NO_INT && dtype_is_floating(tensor_dtype(a->target)))
    raise(call, "ignore_index goes with targets that are classes, not with probabilities");
  int64_t in = w->shape[w->ndim - 1], shape[MAX_DIMS] = {x->shape[0]};
  int batch = x->ndim - 1;
  memcpy(shape + batch, w->shape, (size_t)(w->ndim - 1) * sizeof *shape);
  int64_t results = 1;
  for (int i = 0; i < w->ndim - 1; i++) results *= w->shape[i];
  Tensor *bias = a->linear_bias ? op(reshape, a->linear_bias, INTS(results)) : NULL;
  Tensor *logits = op(linear, x, op(reshape, w, INTS(results, in)), bias);
  logits = op(reshape, logits, ((Ints){shape, batch + w->ndim - 1}));
  int64_t ignored = a->ignore_index == NO_INT ? -100 : a->ignore_index;
  y[0] = op(cross_entropy, logits, a->target, a->weight, NO_INT, ignored, NO_INT, a->reduction, a->label_smoothing);
}
