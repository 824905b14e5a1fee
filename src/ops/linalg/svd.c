/* Decompositions of matrices, and what follows from them. */
#include "ops/linalg/svd.h"

#include "launch/linalg/svd.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/qr.h"
#include "ops/math/arithmetic.h"
#include "ops/random/random.h"
#include "ops/reduce/sum.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* The sizes of matrices; k is the smaller one. */
typedef struct Matrices {
  int64_t m, n, k;
  DType dtype;
} Matrices;

static Matrices matrices_of(Call *call, const Tensor *x)
{
  check_matrices(call, x, "A");
  int64_t m = rows_of(x), n = cols_of(x);
  return (Matrices){m, n, m < n ? m : n, tensor_dtype(x)};
}

FORWARD(svd)
{
  Tensor *x = a->A;
  Matrices b = matrices_of(call, x);
  int64_t columns = a->full_matrices ? b.m : b.k, rows = a->full_matrices ? b.n : b.k;
  y[0] = result_by_columns(call, b.dtype, batch_and(call, batch_shape(x), INTS(b.m, columns)));
  y[1] = result_new(call, dtype_to_real(b.dtype), device_of(x), batch_and(call, batch_shape(x), INTS(b.k)));
  y[2] = result_by_columns(call, b.dtype, batch_and(call, batch_shape(x), INTS(rows, b.n)));
  if (b.k == 0) { /* nothing to decompose; the full vectors are some basis */
    fill_identity(call, y[0]);
    fill_identity(call, y[2]);
    return;
  }
  /* of x = u s vh, x^T is vh^T s u^T */
  launch_svd(call, op(transpose, x, -2, -1), a->full_matrices, op(transpose, y[2], -2, -1), y[1],
             op(transpose, y[0], -2, -1));
}

FORWARD(singular_values)
{
  Matrices b = matrices_of(call, a->A);
  y[0] = result_new(call, dtype_to_real(b.dtype), device_of(a->A), batch_and(call, batch_shape(a->A), INTS(b.k)));
  launch_svd(call, a->A, false, NULL, y[0], NULL);
}

FORWARD(svdvals)
{
  bool recorded = wants_derivative(call, a->A);
  y[0] = recorded ? op(svd, a->A, false).v[1] : op(singular_values, a->A);
}

/* ----------------------------------------------------------------- gradients */

static Tensor *sum_of_given(Call *call, Tensor *p, Tensor *q) { return !p ? q : !q ? p : plus(p, q); }

/* t - t^H */
static Tensor *skew(Call *call, Tensor *t) { return minus(t, adjoint(t)); }

/*
 * With u, s and v thin, dA = u (dS + P s + s Q) vh, and what of du and dv lies outside of the spaces that u and v span:
 * P = skew(u^H du) / E and Q = skew(v^H dv) / E with E[i][j] = s[j]^2 - s[i]^2, by differentiating A = u s v^H,
 * u^H u = 1 and v^H v = 1. (J. Townsend, "Differentiating the Singular Value Decomposition", 2016; for complex matrices
 * the diagonal of skew(u^H du), which is imaginary, over 2 s comes to it.)
 */
typedef struct SvdParts {
  Tensor *u, *s, *vh, *du, *ds, *dvh;
  int64_t m, n, k;
} SvdParts;

/* skew(t) / E without the diagonal, which is 0 / 0 there: for real matrices 0, for complex ones without an effect. */
static Tensor *turn_of(Call *call, Tensor *t, Tensor *apart, Tensor *beside)
{
  return op(div, op(mul, skew(call, t), beside), apart);
}

/* The matrix between u and vh. */
static Tensor *inner_gradient(Call *call, const SvdParts *p)
{
  Tensor *row = op(unsqueeze, p->s, -2), *column = op(unsqueeze, p->s, -1);
  Tensor *eye = op(eye, p->k, NO_INT, tensor_dtype(p->s), device_behind(p->s), false);
  Tensor *beside = minus(ones_like_of(eye), eye);
  Tensor *apart = sum_of_given(call, minus(op(mul, row, row), op(mul, column, column)), eye);
  Tensor *inner = p->ds ? op(mul, op(unsqueeze, p->ds, -1), eye) : NULL;
  Tensor *u_du = p->du ? op(matmul, adjoint(p->u), p->du) : NULL;
  if (p->du) inner = sum_of_given(call, inner, op(mul, turn_of(call, u_du, apart, beside), row));
  if (p->dvh)
    inner = sum_of_given(call, inner,
                         op(mul, column, turn_of(call, op(matmul, p->vh, adjoint(p->dvh)), apart, beside)));
  if (p->du && p->dvh && dtype_is_complex(tensor_dtype(p->u)))
    inner = sum_of_given(call, inner, op(div, op(mul, skew(call, u_du), eye), op(mul, column, number(2))));
  return inner;
}

static Tensor *svd_gradient(Call *call, const SvdParts *p)
{
  Tensor *inner = cast(inner_gradient(call, p), tensor_dtype(p->u));
  Tensor *left = op(matmul, p->u, op(matmul, inner, p->vh));
  if (p->du && p->m > p->k) { /* the part of du at right angles to u */
    Tensor *scaled = op(div, p->du, op(unsqueeze, p->s, -2));
    Tensor *outside = minus(scaled, op(matmul, p->u, op(matmul, adjoint(p->u), scaled)));
    left = sum_of_given(call, left, op(matmul, outside, p->vh));
  }
  if (p->dvh && p->n > p->k) {
    Tensor *scaled = op(div, p->dvh, op(unsqueeze, p->s, -1));
    Tensor *outside = minus(scaled, op(matmul, op(matmul, scaled, adjoint(p->vh)), p->vh));
    left = sum_of_given(call, left, op(matmul, p->u, outside));
  }
  return left;
}

/* The first k of a dimension's positions; the tensor itself if there are no more. */
static Tensor *first(Call *call, Tensor *t, int dim, int64_t k)
{
  if (!t || t->shape[t->ndim + dim] == k) return t;
  return op(narrow, t, dim, 0, k);
}

/* As in PyTorch, the vectors beyond the thin ones have no gradient. */
BACKWARD(svd)
{
  const Tensor *x = a->A;
  int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1], k = m < n ? m : n;
  SvdParts p = {first(call, y[0], -1, k),
                y[1],
                first(call, y[2], -2, k),
                first(call, dy[0], -1, k),
                dy[1],
                first(call, dy[2], -2, k),
                m,
                n,
                k};
  GRAD(A) = svd_gradient(call, &p);
}

FORWARD(svd_of)
{
  Tensor *x = a->input;
  if (!a->compute_uv) {
    Matrices b = matrices_of(call, x);
    y[0] = op(zeros, batch_and(call, batch_shape(x), INTS(b.m, b.m)), b.dtype, device_behind(x), false);
    y[1] = op(svdvals, x);
    y[2] = op(zeros, batch_and(call, batch_shape(x), INTS(b.n, b.n)), b.dtype, device_behind(x), false);
    return;
  }
  Tensors f = op(svd, x, !a->some);
  y[0] = f.v[0];
  y[1] = f.v[1];
  y[2] = adjoint(f.v[2]);
}

/* --------------------------------------------------------- some singular values */

/* The columns of (A - M) x, or of its adjoint times x, as an orthonormal basis. */
static Tensor *basis_of(Call *call, Tensor *A, Tensor *M, Tensor *x)
{
  Tensor *columns = op(matmul, A, x);
  if (M) columns = minus(columns, op(matmul, M, x));
  return op(qr_factors, columns, true, false).v[0];
}

/* (N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.1) */
static void approximate_svd(Call *call, Tensor *A, int64_t q, int64_t niter, Tensor *M, Tensor **y)
{
  if (q < 0) raise(call, "q is %lld; it must not be negative", (long long)q);
  if (niter < 0) raise(call, "niter is %lld; it must not be negative", (long long)niter);
  if (M) M = op(expand, M, tensor_shape(A));
  bool wide = rows_of(A) < cols_of(A);
  Tensor *tall = wide ? adjoint(A) : A, *of_tall = wide && M ? adjoint(M) : M;
  Tensor *flat = adjoint(tall), *of_flat = of_tall ? adjoint(of_tall) : NULL;
  Tensor *start = op(randn, INTS(cols_of(tall), q), NULL, tensor_dtype(A), device_behind(A), false);
  Tensor *basis = basis_of(call, tall, of_tall, start);
  for (int64_t i = 0; i < niter; i++) basis = basis_of(call, tall, of_tall, basis_of(call, flat, of_flat, basis));
  Tensor *small = op(matmul, adjoint(basis), tall);
  if (of_tall) small = minus(small, op(matmul, adjoint(basis), of_tall));
  Tensors f = op(svd, small, false);
  y[wide ? 2 : 0] = op(matmul, basis, f.v[0]);
  y[1] = f.v[1];
  y[wide ? 0 : 2] = adjoint(f.v[2]);
}

FORWARD(svd_lowrank)
{
  check_matrices(call, a->A, "A");
  approximate_svd(call, a->A, a->q, a->niter, a->M, y);
}

FORWARD(pca_lowrank)
{
  Tensor *A = a->A;
  Matrices b = matrices_of(call, A);
  int64_t q = a->q != NO_INT ? a->q : b.k < 6 ? b.k : 6;
  if (q < 0 || q > b.k)
    raise(call, "q is %lld; it is from 0 to %lld for shape %s", (long long)q, (long long)b.k,
          shape_text(call, tensor_shape(A)));
  if (a->center) A = minus(A, op(mean, A, INTS(-2), true, DTYPE_NONE));
  approximate_svd(call, A, q, a->niter, NULL, y);
}

/* -------------------------------------------------------------- nuclear norm */

FORWARD(nuclear_norm)
{
  Tensor *x = a->input;
  int64_t order[MAX_DIMS], n = 0;
  bool given = a->dim.n > 0;
  if (given ? a->dim.n != 2 : x->ndim != 2)
    raise(call, "the nuclear norm is one of matrices: give two dimensions of shape %s",
          shape_text(call, tensor_shape(x)));
  int64_t rows = given ? shape_dim(call, a->dim.v[0], x->ndim) : 0;
  int64_t cols = given ? shape_dim(call, a->dim.v[1], x->ndim) : 1;
  if (rows == cols) raise(call, "dimension %lld is given twice", (long long)rows + 1);
  for (int i = 0; i < x->ndim; i++)
    if (i != rows && i != cols) order[n++] = i;
  order[n++] = rows;
  order[n++] = cols;
  y[0] = op(sum, op(svdvals, op(permute, x, ((Ints){order, n}))), INTS(-1), false, DTYPE_NONE);
  if (!a->keepdim) return;
  y[0] = op(unsqueeze, y[0], rows < cols ? rows : cols);
  y[0] = op(unsqueeze, y[0], rows < cols ? cols : rows);
}
