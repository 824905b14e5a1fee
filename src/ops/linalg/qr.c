/* QR decompositions and products of reflections. */
#include "ops/linalg/qr.h"

#include <string.h>

#include "launch/linalg/matrices.h"
#include "launch/linalg/qr.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/solve.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static Tensor *first_rows(Call *call, Tensor *t, int64_t n) { return op(narrow, t, -2, 0, n); }
static Tensor *first_columns(Call *call, Tensor *t, int64_t n) { return op(narrow, t, -1, 0, n); }

/* ----------------------------------------------------------------------------- QR */

/* Q's columns begin as those of the matrix that has the vectors of the reflections. */
static Tensor *made_q(Call *call, Tensor *factors, Tensor *tau, int64_t columns)
{
  int64_t m = rows_of(factors), n = cols_of(factors), k = columns < n ? columns : n;
  Tensor *q = result_by_columns(call, tensor_dtype(factors), batch_and(call, batch_shape(factors), INTS(m, columns)));
  if (k == 0) {
    fill_identity(call, q);
    return q;
  }
  launch_copy(call, first_columns(call, q, k), first_columns(call, factors, k));
  launch_reflections(call, q, tau);
  return q;
}

FORWARD(qr_factors)
{
  Tensor *A = a->A;
  check_matrices(call, A, "A");
  int64_t m = rows_of(A), n = cols_of(A), k = m < n ? m : n;
  Tensor *factors = new_by_columns(call, A, tensor_dtype(A), tensor_shape(A));
  Tensor *tau = new_beside(call, A, tensor_dtype(A), batch_and(call, batch_shape(A), INTS(k)));
  launch_copy(call, factors, A);
  launch_qr(call, factors, tau);
  int64_t rows = a->complete ? m : k;
  Tensor *r = op(triu, first_rows(call, factors, rows), 0);
  y[0] = a->with_q ? made_q(call, factors, tau, rows) : result_new(call, tensor_dtype(A), result_device(call), INTS(0));
  y[1] = copied_by_columns(call, r, tensor_shape(r));
}

/* The sum of a matrix and its adjoint, halved on the diagonal. */
static Tensor *half_on_diagonal(Call *call, Tensor *t)
{
  Tensor *eye = identity_of(cols_of(t), t);
  return op(mul, t, minus(ones_like_of(eye), scaled(eye, 0.5)));
}

/*
 * With M = dR R^H - Q^H dQ the gradient is (dQ + Q S) R^-H, where S is the Hermitian matrix whose upper triangle is
 * M's; of a wide matrix, with R = [R1 R2], it is Q dR, to whose first columns comes Q lower(-M + M^H) R1^-H; by
 * differentiating Q^H Q = I and A = Q R. (S. F. Walter, "Structured higher-order algorithmic differentiation", 2011)
 */
BACKWARD(qr_factors)
{
  if (!a->with_q) raise(call, "the gradient needs Q, which mode \"r\" doesn't compute; take \"reduced\"");
  Tensor *q = y[0], *r = y[1], *dq = dy[0], *dr = dy[1];
  int64_t m = rows_of(a->A), n = cols_of(a->A);
  if (a->complete && m > n) raise(call, "a complete Q of a matrix with more rows than columns has no gradient");
  Tensor *inner = dr ? product_of(dr, adjoint(r)) : NULL;
  if (dq) {
    Tensor *of_q = op(neg, product_of(adjoint(q), dq));
    inner = inner ? plus(inner, of_q) : of_q;
  }
  if (m >= n) {
    Tensor *upper = upper_part(inner, 0);
    Tensor *left = product_of(q, half_on_diagonal(call, plus(upper, adjoint(upper))));
    GRAD(A) = op(linalg_solve_triangular, adjoint(r), dq ? plus(left, dq) : left, false, false, false);
    return;
  }
  Tensor *skew = lower_part(minus(adjoint(inner), inner), 0);
  Tensor *left = product_of(q, half_on_diagonal(call, skew));
  Tensor *first = op(linalg_solve_triangular, adjoint(first_columns(call, r, m)), left, false, false, false);
  Tensor *rest = op(zeros, batch_and(call, batch_shape(a->A), INTS(m, n - m)), tensor_dtype(r), device_behind(r),
                    false);
  Tensor *both[] = {first, rest}, *padded = op(cat, ((Tensors){both, 2}), -1);
  GRAD(A) = dr ? plus(padded, product_of(q, dr)) : padded;
}

FORWARD(linalg_qr)
{
  bool complete = strcmp(a->mode, "complete") == 0, r = strcmp(a->mode, "r") == 0;
  if (!complete && !r && strcmp(a->mode, "reduced") != 0)
    raise(call, "the mode is \"%s\"; it is \"reduced\", \"complete\" or \"r\"", a->mode);
  Tensors f = op(qr_factors, a->A, !r, complete);
  y[0] = f.v[0];
  y[1] = f.v[1];
}

FORWARD(qr)
{
  Tensors f = op(qr_factors, a->input, true, !a->some);
  y[0] = f.v[0];
  y[1] = f.v[1];
}

FORWARD(geqrf)
{
  Tensor *x = a->input;
  check_matrices(call, x, "input");
  int64_t m = rows_of(x), n = cols_of(x);
  y[0] = copied_by_columns(call, x, tensor_shape(x));
  y[1] = result_new(call, tensor_dtype(x), result_device(call), batch_and(call, batch_shape(x), INTS(m < n ? m : n)));
  launch_qr(call, y[0], y[1]);
}

/* ------------------------------------------------------------------- reflections */

static void check_reflections(Call *call, const Tensor *x, const Tensor *tau)
{
  check_matrices(call, x, "input");
  check_same_dtype(call, tau, "tau", x, "input");
  int64_t k = tau->ndim ? tau->shape[tau->ndim - 1] : -1;
  if (tau->ndim + 1 != x->ndim || !shape_equal((Ints){tau->shape, tau->ndim - 1}, batch_shape(x)) || k > cols_of(x))
    raise(call, "tau has shape %s, which doesn't fit input of shape %s", shape_text(call, tensor_shape(tau)),
          shape_text(call, tensor_shape(x)));
}

/*
 * The product of reflections is I - V T V^H with T = D (I + S D)^-1, where D has tau on its diagonal and S is the part
 * of V^H V above it. (R. Schreiber and C. Van Loan, "A storage-efficient WY representation for products of Householder
 * transformations", 1989)
 */
static Tensor *vectors_of(Call *call, Tensor *x, int64_t k)
{
  Tensor *eye = op(eye, rows_of(x), k, tensor_dtype(x), device_behind(x), false);
  return plus(lower_part(first_columns(call, x, k), -1), eye);
}

static Tensor *inner_of(Call *call, Tensor *v, Tensor *tau)
{
  Tensor *above = upper_part(product_of(adjoint(v), v), 1);
  Tensor *unit = op(mul, above, op(unsqueeze, tau, -2)); /* with a diagonal of ones that isn't read */
  return op(linalg_solve_triangular, unit, op(diag_embed, tau, 0, -2, -1), true, false, true);
}

FORWARD(reflections)
{
  y[0] = copied_by_columns(call, a->input, tensor_shape(a->input));
  Tensor *tau = contiguous_as(call, a->tau, tensor_dtype(a->tau));
  launch_reflections(call, y[0], tau);
}

static Tensor *product_of_reflections(Call *call, Tensor *x, Tensor *tau)
{
  check_reflections(call, x, tau);
  if (rows_of(x) < cols_of(x))
    raise(call, "input has shape %s; it has no more columns than rows", shape_text(call, tensor_shape(x)));
  if (!wants_derivative(call, x) && !wants_derivative(call, tau)) return op(reflections, x, tau);
  int64_t n = cols_of(x);
  Tensor *v = vectors_of(call, x, tau->shape[tau->ndim - 1]);
  Tensor *turned = product_of(product_of(v, inner_of(call, v, tau)), adjoint(first_rows(call, v, n)));
  Tensor *q = minus(op(eye, rows_of(x), n, tensor_dtype(x), device_behind(x), false), turned);
  return op(transpose, op(contiguous, op(transpose, q, -2, -1)), -2, -1);
}

FORWARD(householder_product) { y[0] = product_of_reflections(call, a->input, a->tau); }

FORWARD(orgqr) { y[0] = product_of_reflections(call, a->input, a->tau); }

FORWARD(reflected)
{
  y[0] = copied_by_columns(call, a->other, tensor_shape(a->other));
  Tensor *tau = contiguous_as(call, a->tau, tensor_dtype(a->tau));
  launch_reflect(call, by_columns(call, a->input), tau, !a->left, a->transpose, y[0]);
}

FORWARD(ormqr)
{
  Tensor *x = a->input, *tau = a->tau, *c = a->other;
  check_reflections(call, x, tau);
  check_matrices(call, c, "other");
  check_same_dtype(call, c, "other", x, "input");
  int64_t k = tau->shape[tau->ndim - 1];
  if (!shape_equal(batch_shape(c), batch_shape(x)) || (a->left ? rows_of(c) : cols_of(c)) != rows_of(x)
      || k > rows_of(x))
    raise(call, "input of shape %s and other of shape %s don't fit", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(c)));
  if (!wants_derivative(call, x) && !wants_derivative(call, tau) && !wants_derivative(call, c)) {
    y[0] = op(reflected, x, tau, c, a->left, a->transpose);
    return;
  }
  Tensor *v = vectors_of(call, x, k), *inner = inner_of(call, v, tau);
  if (a->transpose) inner = adjoint(inner);
  Tensor *turned = a->left ? product_of(v, product_of(inner, product_of(adjoint(v), c)))
                           : product_of(product_of(product_of(c, v), inner), adjoint(v));
  y[0] = op(transpose, op(contiguous, op(transpose, minus(c, turned), -2, -1)), -2, -1);
}
