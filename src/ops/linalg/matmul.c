/* Products of matrices and vectors. */
#include "ops/linalg/matmul.h"

#include "launch/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_same_dtype(Call *call, const Tensor *a, const Tensor *b)
{
  if (a->dtype != b->dtype)
    raise(call, "dtypes %s and %s don't match: convert one, as x:to(nl.%s)", dtype_name(tensor_dtype(a)),
          dtype_name(tensor_dtype(b)), dtype_name(tensor_dtype(dtype_is_inexact(tensor_dtype(b)) ? b : a)));
  if (a->dtype == DTYPE_b8) raise(call, "bool tensors are not taken: convert them");
}

void check_rank(Call *call, const Tensor *t, const char *name, int ndim)
{
  if (t->ndim != ndim)
    raise(call, "%s has shape %s; %s is wanted", name, shape_text(call, tensor_shape(t)),
          ndim == 1   ? "a vector"
          : ndim == 2 ? "a matrix"
                      : "a batch of matrices");
}

static void check_inner(Call *call, const Tensor *a, const Tensor *b, int64_t left, int64_t right)
{
  if (left != right)
    raise(call, "shapes %s and %s don't fit: %lld against %lld", shape_text(call, tensor_shape(a)),
          shape_text(call, tensor_shape(b)), (long long)left, (long long)right);
}

/* ----------------------------------------------------------- two dimensions */

/* The product of matrices and vectors: sums over the left's last dimension and the right's first. */
static Tensor *product(Call *call, Tensor *l, Tensor *r, Ints shape)
{
  check_same_dtype(call, l, r);
  check_inner(call, l, r, l->shape[l->ndim - 1], r->shape[0]);
  Tensor *y = result_new(call, tensor_dtype(l), device_of(l), shape);
  launch_product(call, l, r, y);
  return y;
}

FORWARD(mm)
{
  Tensor *l = a->input, *r = a->mat2;
  check_rank(call, l, "input", 2);
  check_rank(call, r, "mat2", 2);
  y[0] = product(call, l, r, INTS(l->shape[0], r->shape[1]));
}

BACKWARD(mm)
{
  if (WANTS(input)) GRAD(input) = op(mm, dy[0], adjoint(a->mat2));
  if (WANTS(mat2)) GRAD(mat2) = op(mm, adjoint(a->input), dy[0]);
}

FORWARD(mv)
{
  Tensor *l = a->input, *r = a->vec;
  check_rank(call, l, "input", 2);
  check_rank(call, r, "vec", 1);
  y[0] = product(call, l, r, INTS(l->shape[0]));
}

/* Each element of one vector times each of the other. */
static Tensor *outer(Call *call, Tensor *u, Tensor *v) { return op(mul, op(unsqueeze, u, 1), v); }

BACKWARD(mv)
{
  if (WANTS(input)) GRAD(input) = outer(call, dy[0], conjugate(a->vec));
  if (WANTS(vec)) GRAD(vec) = op(mv, adjoint(a->input), dy[0]);
}

FORWARD(dot)
{
  Tensor *l = a->input, *r = a->tensor;
  check_rank(call, l, "input", 1);
  check_rank(call, r, "tensor", 1);
  y[0] = product(call, l, r, (Ints){NULL, 0});
}

BACKWARD(dot)
{
  if (WANTS(input)) GRAD(input) = op(mul, dy[0], conjugate(a->tensor));
  if (WANTS(tensor)) GRAD(tensor) = op(mul, dy[0], conjugate(a->input));
}

static void check_addend(Call *call, const Tensor *input, Ints shape)
{
  if (!shape_expands(tensor_shape(input), shape))
    raise(call, "input has shape %s, which doesn't broadcast to %s", shape_text(call, tensor_shape(input)),
          shape_text(call, shape));
}

/* beta * input + alpha * product; of integers, which have no scaled product, without the fractions of both. */
static Tensor *with_addend(Call *call, Tensor *input, Tensor *product, Scalar beta, Scalar alpha)
{
  bool whole = !dtype_is_inexact(tensor_dtype(product));
  if (whole) beta = scalar_int(scalar_integer(beta));
  if (whole) alpha = scalar_int(scalar_integer(alpha));
  if (!scalar_equals(alpha, 1)) product = op(mul, product, tensor_from_number(call, alpha));
  if (scalar_equals(beta, 0)) return product;
  if (!scalar_equals(beta, 1)) input = op(mul, input, tensor_from_number(call, beta));
  return plus(input, product);
}

FORWARD(addmm)
{
  Tensor *l = a->mat1, *r = a->mat2;
  check_rank(call, l, "mat1", 2);
  check_rank(call, r, "mat2", 2);
  check_same_dtype(call, l, r);
  check_same_dtype(call, l, a->input);
  check_inner(call, l, r, l->shape[1], r->shape[0]);
  check_number_fits(call, a->alpha, tensor_dtype(l));
  check_number_fits(call, a->beta, tensor_dtype(l));
  Ints shape = INTS(l->shape[0], r->shape[1]);
  check_addend(call, a->input, shape);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), shape);
  if (dtype_is_inexact(tensor_dtype(l)) && a->alpha.im == 0 && a->beta.im == 0)
    launch_addmm(call, a->input, l, r, scalar_real(a->beta), scalar_real(a->alpha), y[0]);
  else launch_copy(call, y[0], with_addend(call, a->input, op(mm, l, r), a->beta, a->alpha));
}

static Tensor *times(Call *call, Tensor *t, Scalar factor)
{
  if (scalar_equals(factor, 1)) return t;
  factor.im = -factor.im;
  return op(mul, t, tensor_from_number(call, factor));
}

BACKWARD(addmm)
{
  if (WANTS(input)) GRAD(input) = summed_to(times(call, dy[0], a->beta), a->input);
  if (WANTS(mat1)) GRAD(mat1) = times(call, op(mm, dy[0], adjoint(a->mat2)), a->alpha);
  if (WANTS(mat2)) GRAD(mat2) = times(call, op(mm, adjoint(a->mat1), dy[0]), a->alpha);
}

/* ------------------------------------------------------------------ batches */

FORWARD(bmm)
{
  Tensor *l = a->input, *r = a->mat2;
  check_rank(call, l, "input", 3);
  check_rank(call, r, "mat2", 3);
  check_same_dtype(call, l, r);
  check_inner(call, l, r, l->shape[2], r->shape[1]);
  check_inner(call, l, r, l->shape[0], r->shape[0]);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), INTS(l->shape[0], l->shape[1], r->shape[2]));
  launch_bmm(call, l, r, y[0]);
}

BACKWARD(bmm)
{
  if (WANTS(input)) GRAD(input) = op(bmm, dy[0], adjoint(a->mat2));
  if (WANTS(mat2)) GRAD(mat2) = op(bmm, adjoint(a->input), dy[0]);
}

static void check_batches(Call *call, const Tensor *l, const Tensor *r)
{
  check_rank(call, l, "batch1", 3);
  check_rank(call, r, "batch2", 3);
  if (l->shape[0] != r->shape[0] || l->shape[2] != r->shape[1])
    raise(call, "batches of shapes %s and %s don't fit", shape_text(call, tensor_shape(l)),
          shape_text(call, tensor_shape(r)));
}

FORWARD(baddbmm)
{
  Tensor *l = a->batch1, *r = a->batch2, *x = a->input;
  DType dtype = tensor_dtype(x);
  check_batches(call, l, r);
  if (l->dtype != dtype || r->dtype != dtype)
    raise(call, "dtypes %s, %s and %s don't match", dtype_name(dtype), dtype_name(tensor_dtype(l)),
          dtype_name(tensor_dtype(r)));
  if (dtype == DTYPE_b8) raise(call, "bool tensors are not taken: convert them");
  Ints shape = INTS(l->shape[0], l->shape[1], r->shape[2]);
  check_addend(call, x, shape);
  y[0] = result_new(call, dtype, device_of(l), shape);
  if (dtype_is_inexact(dtype) && a->alpha.im == 0 && a->beta.im == 0)
    launch_baddbmm(call, x, l, r, scalar_real(a->beta), scalar_real(a->alpha), y[0]);
  else launch_copy(call, y[0], with_addend(call, x, op(bmm, l, r), a->beta, a->alpha));
}

BACKWARD(baddbmm)
{
  if (WANTS(input)) GRAD(input) = summed_to(times(call, dy[0], a->beta), a->input);
  if (WANTS(batch1)) GRAD(batch1) = times(call, op(bmm, dy[0], adjoint(a->batch2)), a->alpha);
  if (WANTS(batch2)) GRAD(batch2) = times(call, op(bmm, adjoint(a->batch1), dy[0]), a->alpha);
}

FORWARD(addbmm)
{
  Tensor *l = a->batch1, *r = a->batch2;
  check_batches(call, l, r);
  int64_t depth = l->shape[0] * l->shape[2];
  Tensor *wide = op(reshape, op(permute, l, INTS(1, 0, 2)), INTS(l->shape[1], depth));
  y[0] = op(addmm, a->input, wide, op(reshape, r, INTS(depth, r->shape[2])), a->beta, a->alpha);
}

/* The shape of t with its last dimensions replaced. */
static Ints with_tail(Call *call, Ints shape, int64_t keep, int64_t n, int64_t u, int64_t v)
{
  int64_t full[MAX_DIMS + 2];
  for (int64_t i = 0; i < keep; i++) full[i] = shape.v[i];
  if (n > 0) full[keep] = u;
  if (n > 1) full[keep + 1] = v;
  return arena_ints(call->ctx, full, keep + n);
}

/* Many rows times one matrix or vector: one product. */
static Tensor *fold(Call *call, Tensor *l, Tensor *r)
{
  int64_t k = l->shape[l->ndim - 1];
  int64_t rows = 1;
  for (int i = 0; i < l->ndim - 1; i++) rows *= l->shape[i];
  Tensor *flat = op(reshape, l, INTS(rows, k));
  if (r->ndim == 1) return op(reshape, op(mv, flat, r), with_tail(call, tensor_shape(l), l->ndim - 1, 0, 0, 0));
  return op(reshape, op(mm, flat, r), with_tail(call, tensor_shape(l), l->ndim - 1, 1, r->shape[1], 0));
}

static Tensor *as_batch(Call *call, Tensor *t, Ints batch, int64_t count)
{
  int64_t rows = t->shape[t->ndim - 2], cols = t->shape[t->ndim - 1];
  Tensor *wide = op(expand, t, with_tail(call, batch, batch.n, 2, rows, cols));
  return op(reshape, wide, INTS(count, rows, cols));
}

static Tensor *batched(Call *call, Tensor *l, Tensor *r)
{
  bool row = l->ndim == 1, column = r->ndim == 1;
  const Tensor *left = l, *right = r;
  if (row) l = op(unsqueeze, l, 0);
  if (column) r = op(unsqueeze, r, 1);
  int64_t shape[MAX_DIMS + 2], count = 1;
  for (int i = 0; i < l->ndim - 2; i++) shape[i] = l->shape[i];
  int n = shape_broadcast(shape, l->ndim - 2, (Ints){r->shape, r->ndim - 2});
  if (n < 0)
    raise(call, "the batches of shapes %s and %s don't broadcast", shape_text(call, tensor_shape(left)),
          shape_text(call, tensor_shape(right)));
  for (int i = 0; i < n; i++) count *= shape[i];
  Ints batch = {shape, n};
  Tensor *y = op(bmm, as_batch(call, l, batch, count), as_batch(call, r, batch, count));
  int64_t m = y->shape[1], cols = y->shape[2];
  if (row) return op(reshape, y, with_tail(call, batch, n, 1, cols, 0));
  if (column) return op(reshape, y, with_tail(call, batch, n, 1, m, 0));
  return op(reshape, y, with_tail(call, batch, n, 2, m, cols));
}

FORWARD(matmul)
{
  Tensor *l = a->input, *r = a->other;
  if (l->ndim == 0 || r->ndim == 0) raise(call, "a tensor without dimensions is not taken");
  check_same_dtype(call, l, r);
  check_inner(call, l, r, l->shape[l->ndim - 1], r->shape[r->ndim > 1 ? r->ndim - 2 : 0]);
  if (l->ndim == 2 && r->ndim == 2) y[0] = op(mm, l, r);
  else if (l->ndim == 1 && r->ndim == 1) y[0] = op(dot, l, r);
  else if (l->ndim == 2 && r->ndim == 1) y[0] = op(mv, l, r);
  else if (l->ndim == 1 && r->ndim == 2) y[0] = op(mv, op(transpose, r, 0, 1), l);
  else if (r->ndim <= 2) y[0] = fold(call, l, r);
  else y[0] = batched(call, l, r);
}

/* ------------------------------------------------------------------- linear */

/* The weight as a matrix: a vector is that of one output. */
static Tensor *weight_matrix(Call *call, Tensor *w) { return w->ndim == 1 ? op(unsqueeze, w, 0) : w; }

static void check_linear(Call *call, const Tensor *x, const Tensor *w, const Tensor *bias)
{
  if (w->ndim != 1) check_rank(call, w, "weight", 2);
  if (x->ndim == 0) raise(call, "a tensor without dimensions is not taken");
  check_same_dtype(call, x, w);
  int64_t in = x->shape[x->ndim - 1], taken = w->shape[w->ndim - 1];
  if (in != taken)
    raise(call, "shapes %s and %s don't fit: %lld inputs against %lld", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(w)), (long long)in, (long long)taken);
  if (!bias) return;
  check_same_dtype(call, x, bias);
  Ints outputs = {w->shape, w->ndim - 1};
  if (!shape_expands(tensor_shape(bias), outputs))
    raise(call, "bias has shape %s, and the shape of an input's outputs is %s", shape_text(call, tensor_shape(bias)),
          shape_text(call, outputs));
}

FORWARD(linear)
{
  Tensor *x = a->input, *w = a->weight;
  check_linear(call, x, w, a->bias);
  Ints shape = with_tail(call, tensor_shape(x), x->ndim - 1, w->ndim - 1, w->shape[0], 0);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), shape);
  if (w->ndim == 2) launch_linear(call, x, w, a->bias, y[0]);
  else launch_linear(call, x, weight_matrix(call, w), a->bias, op(unsqueeze, y[0], -1));
}

/* All but the last dimension as one. */
static Tensor *as_rows(Call *call, Tensor *t, const Tensor *like)
{
  if (t->ndim == 2) return t;
  int64_t rows = 1;
  for (int i = 0; i < like->ndim - 1; i++) rows *= like->shape[i];
  return op(reshape, t, INTS(rows, t->shape[t->ndim - 1]));
}

/* The gradients of a small layer, straight from the kernels: through the door they would take twice the time. */
static bool small_linear_backward(Call *call, const struct linear_args *a, Tensor *dy, struct Gradients *g)
{
  const Tensor *x = WANTS(weight) ? a->input : NULL, *w = WANTS(input) ? a->weight : NULL;
  bool wants_bias = a->bias && WANTS(bias);
  if (call->ctx->grad_enabled || !takes_linear_backward(dy, x, w)) return false;
  DType d = tensor_dtype(dy);
  int64_t rows = dy->shape[0], out = dy->shape[1];
  if (wants_bias && (a->bias->ndim != 1 || a->bias->shape[0] != out)) return false;
  Tensor *dx = NULL, *dw = NULL, *db = NULL;
  if (w) dx = GRAD(input) = result_new(call, d, device_of(dy), INTS(rows, w->shape[1]));
  if (x) dw = GRAD(weight) = result_new(call, d, device_of(dy), INTS(out, x->shape[1]));
  if (wants_bias) db = GRAD(bias) = result_new(call, d, device_of(dy), INTS(out));
  launch_linear_backward(call, dy, x, w, dx, dw, db);
  return true;
}

BACKWARD(linear)
{
  const Tensor *x = a->input;
  bool is_vector = a->weight->ndim == 1;
  if (!is_vector && small_linear_backward(call, a, dy[0], g)) return;
  Tensor *d = as_rows(call, is_vector ? op(unsqueeze, dy[0], -1) : dy[0], x);
  if (WANTS(input)) {
    Tensor *dx = op(mm, d, conjugate(weight_matrix(call, a->weight)));
    GRAD(input) = x->ndim == 2 ? dx : op(reshape, dx, tensor_shape(x));
  }
  if (WANTS(weight)) {
    Tensor *dw = op(mm, op(transpose, d, 0, 1), conjugate(as_rows(call, a->input, x)));
    GRAD(weight) = is_vector ? op(select, dw, 0, 0) : dw;
  }
  if (a->bias && WANTS(bias)) GRAD(bias) = summed_to(d, a->bias);
}
