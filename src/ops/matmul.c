/* Products of matrices and vectors. */
#include <string.h>

#include "core/blocks.h"
#include "kernels/gemm.h"
#include "ops/helpers.h"

static void check_dtypes(Call *call, const Tensor *a, const Tensor *b)
{
  if (a->dtype != b->dtype)
    raise(call, "dtypes %s and %s don't match: convert one, as x:to(nl.%s)", dtype_name(tensor_dtype(a)),
          dtype_name(tensor_dtype(b)), dtype_name(dtype_is_inexact(tensor_dtype(b)) ? tensor_dtype(b) : tensor_dtype(a)));
  if (a->dtype == DTYPE_b8) raise(call, "bool tensors are not taken: convert them");
}

static void check_dims(Call *call, const Tensor *t, const char *name, int ndim)
{
  if (t->ndim != ndim)
    raise(call, "%s has shape %s; %s is wanted", name, shape_text(call, tensor_shape(t)),
          ndim == 1 ? "a vector" : ndim == 2 ? "a matrix" : "a batch of matrices");
}

static void check_inner(Call *call, const Tensor *a, const Tensor *b, int64_t left, int64_t right)
{
  if (left != right)
    raise(call, "shapes %s and %s don't fit: %lld against %lld", shape_text(call, tensor_shape(a)),
          shape_text(call, tensor_shape(b)), (long long)left, (long long)right);
}

/* The last two dimensions as a matrix that gemm takes; in `t` the tensor it lies in, a copy if need be. */
static Matrix matrix_of(Call *call, Tensor **t)
{
  DType d = kernel_dtype(tensor_dtype(*t));
  if ((*t)->dtype != (uint8_t)d) *t = contiguous_as(call, *t, d);
  for (;;) {
    const Tensor *x = *t;
    int r = x->ndim - 2, c = x->ndim - 1;
    Matrix m = {tensor_data(x), x->shape[r], x->shape[c], x->strides[r], x->strides[c]};
    if (!dtype_is_inexact(d) || gemm_takes(&m)) return m;
    Tensor *copy = tensor_new(call, d, device_of(x), tensor_shape(x));
    launch_copy(call, copy, x);
    *t = copy;
  }
}

/* A vector as a column; a copy if its elements repeat. */
static Matrix column_of(Call *call, Tensor *t)
{
  DType d = kernel_dtype(tensor_dtype(t));
  t = contiguous_as(call, t, d);
  return (Matrix){tensor_data(t), t->shape[0], 1, 1, 1};
}

static Matrix row_of(Call *call, Tensor *t)
{
  Matrix m = column_of(call, t);
  return (Matrix){m.data, 1, m.rows, m.rows, 1};
}

/* y, contiguous, = alpha a b + beta y. */
static void multiply(Call *call, const Matrix *a, const Matrix *b, Scalar alpha, Scalar beta, Tensor *y)
{
  DType d = kernel_dtype(tensor_dtype(y));
  if (y->dtype == (uint8_t)d) {
    gemm(d, a, b, alpha, beta, tensor_data(y), b->cols);
    return;
  }
  Tensor *wide = tensor_new(call, d, device_of(y), tensor_shape(y));
  if (!scalar_equals(beta, 0)) launch_copy(call, wide, y);
  gemm(d, a, b, alpha, beta, tensor_data(wide), b->cols);
  launch_copy(call, y, wide);
}

static const Scalar ZERO = {SCALAR_INT, 0, 0, 0}, ONE = {SCALAR_INT, 1, 0, 0};

/* The transpose of a matrix or of a batch of them, conjugated, as gradients of products need it. */
static Tensor *adjoint(Call *call, Tensor *t)
{
  Tensor *turned = op(transpose, t, t->ndim - 2, t->ndim - 1);
  return dtype_is_complex(tensor_dtype(t)) ? op(conj, turned) : turned;
}

static Tensor *conjugate(Call *call, Tensor *t) { return dtype_is_complex(tensor_dtype(t)) ? op(conj, t) : t; }

/* ----------------------------------------------------------- two dimensions */

FORWARD(mm)
{
  Tensor *l = a->input, *r = a->mat2;
  check_dims(call, l, "input", 2);
  check_dims(call, r, "mat2", 2);
  check_dtypes(call, l, r);
  check_inner(call, l, r, l->shape[1], r->shape[0]);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), INTS(l->shape[0], r->shape[1]));
  if (y[0]->device == DEVICE_META) return;
  Matrix ml = matrix_of(call, &l), mr = matrix_of(call, &r);
  multiply(call, &ml, &mr, ONE, ZERO, y[0]);
}

BACKWARD(mm)
{
  if (WANTS(input)) GRAD(input) = op(mm, dy[0], adjoint(call, a->mat2));
  if (WANTS(mat2)) GRAD(mat2) = op(mm, adjoint(call, a->input), dy[0]);
}

FORWARD(mv)
{
  Tensor *l = a->input, *r = a->vec;
  check_dims(call, l, "input", 2);
  check_dims(call, r, "vec", 1);
  check_dtypes(call, l, r);
  check_inner(call, l, r, l->shape[1], r->shape[0]);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), INTS(l->shape[0]));
  if (y[0]->device == DEVICE_META) return;
  Matrix ml = matrix_of(call, &l), mr = column_of(call, r);
  multiply(call, &ml, &mr, ONE, ZERO, y[0]);
}

/* Each element of one vector times each of the other. */
static Tensor *outer_product(Call *call, Tensor *u, Tensor *v) { return op(mul, op(unsqueeze, u, 1), v); }

BACKWARD(mv)
{
  if (WANTS(input)) GRAD(input) = outer_product(call, dy[0], conjugate(call, a->vec));
  if (WANTS(vec)) GRAD(vec) = op(mv, adjoint(call, a->input), dy[0]);
}

FORWARD(dot)
{
  Tensor *l = a->input, *r = a->tensor;
  check_dims(call, l, "input", 1);
  check_dims(call, r, "tensor", 1);
  check_dtypes(call, l, r);
  check_inner(call, l, r, l->shape[0], r->shape[0]);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), ((Ints){NULL, 0}));
  if (y[0]->device == DEVICE_META) return;
  Matrix ml = row_of(call, l), mr = column_of(call, r);
  multiply(call, &ml, &mr, ONE, ZERO, y[0]);
}

BACKWARD(dot)
{
  if (WANTS(input)) GRAD(input) = op(mul, dy[0], conjugate(call, a->tensor));
  if (WANTS(tensor)) GRAD(tensor) = op(mul, dy[0], conjugate(call, a->input));
}

/* As an operand of integers: without its fraction. */
static Tensor *whole_number(Call *call, Scalar s) { return tensor_from_number(call, scalar_int(scalar_integer(s))); }

FORWARD(addmm)
{
  Tensor *l = a->mat1, *r = a->mat2;
  check_dims(call, l, "mat1", 2);
  check_dims(call, r, "mat2", 2);
  check_dtypes(call, l, r);
  check_dtypes(call, l, a->input);
  check_inner(call, l, r, l->shape[1], r->shape[0]);
  if (a->alpha.kind == SCALAR_COMPLEX || a->beta.kind == SCALAR_COMPLEX)
    check_value_fits(call, DTYPE_c128, tensor_dtype(l));
  Ints shape = INTS(l->shape[0], r->shape[1]);
  if (!shape_expands(tensor_shape(a->input), shape))
    raise(call, "input has shape %s, which doesn't broadcast to %s", shape_text(call, tensor_shape(a->input)),
          shape_text(call, shape));
  y[0] = result_new(call, tensor_dtype(l), device_of(l), shape);
  if (y[0]->device == DEVICE_META) return;
  Tensor *to = y[0]->is_contiguous ? y[0] : tensor_new(call, tensor_dtype(l), DEVICE_CPU, shape);
  bool reads = !scalar_equals(a->beta, 0);
  if (reads && to != a->input) launch_copy(call, to, a->input);
  l = apart_from(call, l, y[0]);
  r = apart_from(call, r, y[0]);
  Matrix ml = matrix_of(call, &l), mr = matrix_of(call, &r);
  if (dtype_is_inexact(tensor_dtype(l))) {
    multiply(call, &ml, &mr, a->alpha, a->beta, to);
  } else { /* integers have no scaled product */
    Tensor *product = tensor_new(call, tensor_dtype(l), DEVICE_CPU, shape);
    multiply(call, &ml, &mr, ONE, ZERO, product);
    Tensor *scaled = op(mul, product, whole_number(call, a->alpha));
    if (reads) scaled = op(add, scaled, op(mul, to, whole_number(call, a->beta)), scalar_int(1));
    launch_copy(call, to, scaled);
  }
  if (to != y[0]) launch_copy(call, y[0], to);
}

static Tensor *times(Call *call, Tensor *t, Scalar factor)
{
  if (scalar_equals(factor, 1)) return t;
  factor.im = -factor.im;
  return op(mul, t, tensor_from_number(call, factor));
}

BACKWARD(addmm)
{
  if (WANTS(input))
    GRAD(input) = op(sum_to, times(call, dy[0], a->beta), tensor_shape(a->input), tensor_dtype(a->input));
  if (WANTS(mat1)) GRAD(mat1) = times(call, op(mm, dy[0], adjoint(call, a->mat2)), a->alpha);
  if (WANTS(mat2)) GRAD(mat2) = times(call, op(mm, adjoint(call, a->mat1), dy[0]), a->alpha);
}

/* ------------------------------------------------------------------ batches */

FORWARD(bmm)
{
  Tensor *l = a->input, *r = a->mat2;
  check_dims(call, l, "input", 3);
  check_dims(call, r, "mat2", 3);
  check_dtypes(call, l, r);
  check_inner(call, l, r, l->shape[2], r->shape[1]);
  check_inner(call, l, r, l->shape[0], r->shape[0]);
  y[0] = result_new(call, tensor_dtype(l), device_of(l), INTS(l->shape[0], l->shape[1], r->shape[2]));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  DType d = kernel_dtype(tensor_dtype(l));
  Matrix ml = matrix_of(call, &l), mr = matrix_of(call, &r);
  Tensor *to = y[0]->dtype == (uint8_t)d ? y[0] : tensor_new(call, d, DEVICE_CPU, tensor_shape(y[0]));
  gemm_batch(d, to->shape[0], ml, l->strides[0], mr, r->strides[0], tensor_data(to), to->shape[1] * to->shape[2]);
  if (to != y[0]) launch_copy(call, y[0], to);
}

BACKWARD(bmm)
{
  if (WANTS(input)) GRAD(input) = op(bmm, dy[0], adjoint(call, a->mat2));
  if (WANTS(mat2)) GRAD(mat2) = op(bmm, adjoint(call, a->input), dy[0]);
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
  check_dtypes(call, l, r);
  check_inner(call, l, r, l->shape[l->ndim - 1], r->shape[r->ndim > 1 ? r->ndim - 2 : 0]);
  if (l->ndim == 2 && r->ndim == 2) y[0] = op(mm, l, r);
  else if (l->ndim == 1 && r->ndim == 1) y[0] = op(dot, l, r);
  else if (l->ndim == 2 && r->ndim == 1) y[0] = op(mv, l, r);
  else if (l->ndim == 1 && r->ndim == 2) y[0] = op(mv, op(transpose, r, 0, 1), l);
  else if (r->ndim <= 2) y[0] = fold(call, l, r);
  else y[0] = batched(call, l, r);
}

/* ------------------------------------------------------------------- linear */

static void check_linear(Call *call, const Tensor *x, const Tensor *w, const Tensor *bias)
{
  check_dims(call, w, "weight", 2);
  if (x->ndim == 0) raise(call, "a tensor without dimensions is not taken");
  check_dtypes(call, x, w);
  int64_t in = x->shape[x->ndim - 1];
  if (in != w->shape[1])
    raise(call, "shapes %s and %s don't fit: %lld inputs against %lld", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(w)), (long long)in, (long long)w->shape[1]);
  if (!bias) return;
  check_dtypes(call, x, bias);
  if (!shape_expands(tensor_shape(bias), INTS(w->shape[0])))
    raise(call, "bias has shape %s, and there are %lld outputs", shape_text(call, tensor_shape(bias)),
          (long long)w->shape[0]);
}

/* The bias in each row of y. */
static void launch_bias(Call *call, Tensor *y, Tensor *bias)
{
  int64_t n = y->shape[y->ndim - 1];
  if (y->numel > LINEAR_SMALL || bias->ndim != 1 || bias->shape[0] != n || !bias->is_contiguous) {
    launch_copy(call, y, bias);
    return;
  }
  size_t bytes = (size_t)n * dtype_size(tensor_dtype(y));
  char *row = tensor_data(y);
  for (int64_t i = 0; i < y->numel; i += n, row += bytes) memcpy(row, tensor_data(bias), bytes);
}

FORWARD(linear)
{
  Tensor *x = a->input, *w = a->weight;
  check_linear(call, x, w, a->bias);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), with_tail(call, tensor_shape(x), x->ndim - 1, 1, w->shape[0], 0));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  Matrix mx, mw = matrix_of(call, &w), turned = {mw.data, mw.cols, mw.rows, mw.col_step, mw.row_step};
  if (x->ndim == 2) {
    mx = matrix_of(call, &x);
  } else {
    int64_t k = x->shape[x->ndim - 1], rows = y[0]->numel / w->shape[0];
    x = contiguous_as(call, x, kernel_dtype(tensor_dtype(x)));
    mx = (Matrix){tensor_data(x), rows, k, k, 1};
  }
  if (a->bias) launch_bias(call, y[0], a->bias);
  multiply(call, &mx, &turned, ONE, a->bias ? ONE : ZERO, y[0]);
}

/* All but the last dimension as one. */
static Tensor *as_rows(Call *call, Tensor *t, const Tensor *like)
{
  if (t->ndim == 2) return t;
  int64_t rows = 1;
  for (int i = 0; i < like->ndim - 1; i++) rows *= like->shape[i];
  return op(reshape, t, INTS(rows, t->shape[t->ndim - 1]));
}

/* A contiguous matrix of a kernel's dtype as it is, or turned. */
static Matrix plain_matrix(const Tensor *t, bool turned)
{
  int64_t rows = t->shape[0], cols = t->shape[1];
  return turned ? (Matrix){tensor_data(t), cols, rows, 1, cols} : (Matrix){tensor_data(t), rows, cols, cols, 1};
}

static Tensor *product_of(Call *call, DType d, const Matrix *l, const Matrix *r)
{
  Tensor *y = tensor_new(call, d, DEVICE_CPU, INTS(l->rows, r->cols));
  gemm(d, l, r, ONE, ZERO, tensor_data(y), r->cols);
  return y;
}

static bool is_plain(const Tensor *t, DType d) { return t->dtype == (uint8_t)d && t->is_contiguous && tensor_data(t); }

/* The gradients of a small layer, straight from the kernels: through the door they would take twice the time. */
static bool small_linear_backward(Call *call, const struct linear_args *a, Tensor *dy, struct Gradients *g)
{
  DType d = tensor_dtype(dy);
  bool dx = WANTS(input), dw = WANTS(weight), db = a->bias && WANTS(bias);
  bool fits = !call->ctx->grad_enabled && dtype_is_floating(d) && !dtype_is_half(d) && dy->ndim == 2
              && dy->numel <= LINEAR_SMALL && is_plain(dy, d) && (!dx || is_plain(a->weight, d)) && (!dw || is_plain(a->input, d))
              && (!db || (a->bias->ndim == 1 && a->bias->shape[0] == dy->shape[1]))
              && dy->shape[0] > 0 && dy->shape[1] <= LINEAR_COLUMNS;
  if (!fits) return false;
  Matrix down = plain_matrix(dy, false), turned = plain_matrix(dy, true);
  if (dx) {
    Matrix w = plain_matrix(a->weight, false);
    GRAD(input) = product_of(call, d, &down, &w);
  }
  if (dw) {
    Matrix x = plain_matrix(a->input, false);
    GRAD(weight) = product_of(call, d, &turned, &x);
  }
  if (db) {
    Tensor *sum = GRAD(bias) = tensor_new(call, d, DEVICE_CPU, INTS(dy->shape[1]));
    double wide[LINEAR_COLUMNS];
    kernels_of(d)->reduce_columns[REDUCE_SUM](dy->shape[0], dy->shape[1], dy->shape[1], tensor_data(dy), wide);
    const int64_t size = (int64_t)dtype_size(d);
    if (d == DTYPE_f64) memcpy(tensor_data(sum), wide, (size_t)(sum->numel * size));
    else cast_kernel(DTYPE_f64, d)(sum->numel, (const char *)wide, sizeof *wide, tensor_data(sum), size);
  }
  return true;
}

BACKWARD(linear)
{
  const Tensor *x = a->input;
  if (small_linear_backward(call, a, dy[0], g)) return;
  Tensor *d = as_rows(call, dy[0], x);
  if (WANTS(input)) {
    Tensor *dx = op(mm, d, conjugate(call, a->weight));
    GRAD(input) = x->ndim == 2 ? dx : op(reshape, dx, tensor_shape(x));
  }
  if (WANTS(weight)) GRAD(weight) = op(mm, op(transpose, d, 0, 1), conjugate(call, as_rows(call, a->input, x)));
  if (a->bias && WANTS(bias)) GRAD(bias) = op(sum_to, d, tensor_shape(a->bias), tensor_dtype(a->bias));
}
