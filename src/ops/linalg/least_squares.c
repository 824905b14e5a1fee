/* Least squares, pseudoinverses and ranks. */
#include "ops/linalg/least_squares.h"

#include <string.h>

#include "launch/linalg/least_squares.h"
#include "launch/look.h"
#include "launch/linalg/matrices.h"
#include "ops/index/mask.h"
#include "ops/linalg/eigen.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* What machine precision makes of the singular values of matrices of this size. */
static double default_tolerance(const Tensor *A)
{
  double epsilon = dtype_to_real(tensor_dtype(A)) == DTYPE_f32 ? 0x1p-23 : 0x1p-52;
  int64_t m = rows_of(A), n = cols_of(A);
  return epsilon * (double)(m > n ? m : n);
}

/* -------------------------------------------------------------- pseudoinverses */

/* A number for each matrix beside the values of each. */
static Tensor *beside_values(Call *call, Tensor *t) { return t->ndim == 0 ? t : op(unsqueeze, t, -1); }

/* The bound of values, which may be negative eigenvalues, that count: [*, 1]. */
static Tensor *bound_of(Call *call, const Tensor *A, Tensor *sizes, Tensor *atol, Tensor *rtol)
{
  if (atol && dtype_is_complex(tensor_dtype(atol))) raise(call, "atol is complex; a real number is wanted");
  if (rtol && dtype_is_complex(tensor_dtype(rtol))) raise(call, "rtol is complex; a real number is wanted");
  if (!rtol) {
    rtol = number(default_tolerance(A));
    if (atol) rtol = op(where, op(gt, atol, number(0)), number(0), rtol);
  }
  Tensor *bound = op(mul, beside_values(call, rtol), op(amax, sizes, INTS(-1), true));
  return atol ? op(maximum, bound, cast(beside_values(call, atol), tensor_dtype(bound))) : bound;
}

FORWARD(pinv_above)
{
  Tensor *A = a->A;
  check_matrices(call, A, "A");
  if (a->hermitian) check_square(call, A, "A");
  if (A->numel == 0) {
    y[0] = op(zeros, batch_and(call, batch_shape(A), INTS(cols_of(A), rows_of(A))), tensor_dtype(A), device_behind(A),
              false);
    return;
  }
  Tensor *left, *values, *right;
  if (a->hermitian) {
    Tensors e = op(eigh_factors, A, false);
    values = e.v[0];
    left = e.v[1];
    right = adjoint(left);
  } else {
    Tensors f = op(svd, A, false);
    left = adjoint(f.v[2]);
    values = f.v[1];
    right = adjoint(f.v[0]);
  }
  Tensor *sizes = op(abs, values);
  Tensor *counts = op(gt, sizes, bound_of(call, A, sizes, a->atol, a->rtol));
  Tensor *inverse = op(where, counts, op(reciprocal, values), number(0));
  y[0] = product_of(op(mul, left, op(unsqueeze, inverse, -2)), right);
}

/* From dP = -P dA P + P P^H dA^H (I - A P) + (I - P A) dA^H P^H P, where the rank stays. (G. Golub and V. Pereyra, "The
   differentiation of pseudo-inverses and nonlinear least squares problems", 1973) */
static Tensor *pinv_gradient(Call *call, Tensor *A, Tensor *p, Tensor *d)
{
  Tensor *ph = adjoint(p), *dh = adjoint(d);
  Tensor *dx = op(neg, product_of(ph, product_of(d, ph)));
  Tensor *left = product_of(dh, product_of(p, ph)), *right = product_of(product_of(ph, p), dh);
  dx = plus(dx, minus(left, product_of(A, product_of(p, left))));
  return plus(dx, minus(right, product_of(product_of(right, p), A)));
}

BACKWARD(pinv_above) { GRAD(A) = a->A->numel ? pinv_gradient(call, a->A, y[0], dy[0]) : zeros_like_of(a->A); }

FORWARD(linalg_pinv) { y[0] = op(pinv_above, a->A, a->atol, a->rtol, a->hermitian); }

FORWARD(linalg_pinv_rcond) { y[0] = op(pinv_above, a->A, NULL, a->rcond, a->hermitian); }

FORWARD(pinverse) { y[0] = op(pinv_above, a->input, NULL, number(a->rcond), false); }

/* ------------------------------------------------------------------------ ranks */

static Tensor *rank_of(Call *call, Tensor *A, Tensor *atol, Tensor *rtol, bool hermitian)
{
  check_matrices(call, A, "A");
  A = op(detach, A);
  if (A->numel == 0) return op(zeros, batch_shape(A), DTYPE_i64, device_behind(A), false);
  Tensor *sizes = hermitian ? op(abs, op(linalg_eigvalsh, A, "L")) : op(svdvals, A);
  return op(sum, op(gt, sizes, bound_of(call, A, sizes, atol, rtol)), INTS(-1), false, DTYPE_NONE);
}

FORWARD(linalg_matrix_rank) { y[0] = rank_of(call, a->A, a->atol, a->rtol, a->hermitian); }

FORWARD(linalg_matrix_rank_above) { y[0] = rank_of(call, a->A, a->tol, number(0), a->hermitian); }

/* ---------------------------------------------------------------- least squares */

/* X lies as the first rows of LAPACK's, which are as many as the larger dimension has. */
static Tensor *result_of_rows(Call *call, Tensor *b, int64_t n)
{
  Ints shape = batch_and(call, batch_shape(b), INTS(n, cols_of(b)));
  return result_strided(call, tensor_dtype(b), result_device(call), shape, tensor_strides(b));
}

FORWARD(least_squares)
{
  Tensor *A = a->A, *B = a->B;
  int64_t m = rows_of(A), n = cols_of(A), most = m > n ? m : n, least = m < n ? m : n;
  Ints batch = batch_shape(A);
  DType d = tensor_dtype(A);
  Tensor *work = scratch_by_columns(call, d, tensor_shape(A));
  Tensor *b = scratch_by_columns(call, d, batch_and(call, batch, INTS(most, cols_of(B))));
  launch_copy(call, work, A);
  launch_copy(call, op(narrow, b, -2, 0, m), B);
  bool has_rank = a->driver != GELS, has_values = a->driver == GELSS || a->driver == GELSD;
  y[0] = result_of_rows(call, b, n);
  y[1] = result_new(call, DTYPE_i64, result_device(call), has_rank ? batch : INTS(0));
  y[2] = result_new(call, dtype_to_real(d), result_device(call),
                    has_values ? batch_and(call, batch, INTS(least)) : INTS(0));
  launch_least_squares(call, (LeastSquares)a->driver, work, a->rcond, b, has_rank ? y[1] : NULL,
                       has_values ? y[2] : NULL);
  launch_copy(call, y[0], op(narrow, b, -2, 0, n));
}

/* X = P B with the pseudoinverse P. */
BACKWARD(least_squares)
{
  if (!dy[0]) return;
  Tensor *p = op(pinv_above, a->A, NULL, NULL, false);
  if (WANTS(A)) GRAD(A) = pinv_gradient(call, a->A, p, product_of(dy[0], adjoint(a->B)));
  if (WANTS(B)) GRAD(B) = product_of(adjoint(p), dy[0]);
}

static LeastSquares driver_of(Call *call, const char *name)
{
  static const char *const names[] = {[GELS] = "gels", [GELSY] = "gelsy", [GELSS] = "gelss", [GELSD] = "gelsd"};
  for (int i = GELS; i <= GELSD; i++)
    if (strcmp(name, names[i]) == 0) return (LeastSquares)i;
  raise(call, "the driver is \"%s\"; it is \"gelsy\", \"gels\", \"gelsd\" or \"gelss\"", name);
}

/* Whether what is left over is told: B beyond the columns' space. */
static bool has_residuals(Call *call, LeastSquares driver, const Tensor *A, Tensor *rank)
{
  if (rows_of(A) <= cols_of(A) || driver == GELSY) return false;
  if (driver == GELS || !can_look(rank)) return true;
  return count_of_true(call, op(ne, rank, number((double)cols_of(A)))) == 0;
}

FORWARD(linalg_lstsq)
{
  Tensor *A = a->A, *B = a->B;
  LeastSquares driver = driver_of(call, a->driver);
  check_matrices(call, A, "A");
  check_same_dtype(call, B, "B", A, "A");
  bool vectors = A->ndim == B->ndim + 1 && shape_equal(tensor_shape(B), (Ints){A->shape, A->ndim - 1});
  if (vectors) B = op(unsqueeze, B, -1);
  if (B->ndim < 2 || rows_of(B) != rows_of(A))
    raise(call, "A of shape %s and B of shape %s don't fit A X = B", shape_text(call, tensor_shape(A)),
          shape_text(call, tensor_shape(a->B)));
  Ints batch = common_batch(call, A, B);
  A = op(expand, A, batch_and(call, batch, INTS(rows_of(A), cols_of(A))));
  B = op(expand, B, batch_and(call, batch, INTS(rows_of(B), cols_of(B))));
  double rcond = a->rcond < 0 ? default_tolerance(A) : a->rcond;
  Tensors f = op(least_squares, A, B, rcond, driver);
  Tensor *x = f.v[0], *left;
  if (has_residuals(call, driver, A, f.v[1])) {
    Tensor *size = op(abs, minus(product_of(A, x), B));
    left = op(sum, op(mul, size, size), INTS(-2), false, DTYPE_NONE);
  } else {
    left = op(zeros, INTS(0), dtype_to_real(tensor_dtype(A)), device_behind(A), false);
    left = op(zero_link, op(zero_link, left, A), B); /* nothing, of which there are gradients all the same */
  }
  Tensor *results[] = {vectors ? op(select, x, -1, 0) : x, left, f.v[1], op(detach, f.v[2])};
  give_list(call, (Tensors){results, 4});
}
