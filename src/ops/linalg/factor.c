/* Cholesky, LU and LDL factors. */
#include "ops/linalg/factor.h"

#include "launch/linalg/factor.h"
#include "launch/linalg/matrices.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/solve.h"
#include "ops/math/arithmetic.h"
#include "ops/math/complex.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* --------------------------------------------------------------------- Cholesky */

static const char *const not_definite =
  "it is not positive definite: its leading part of size %d has no factor (see linalg.cholesky_ex)";

FORWARD(cholesky_factor)
{
  check_square(call, a->A, "A");
  y[0] = copied_by_columns(call, a->A, tensor_shape(a->A));
  y[1] = result_new(call, DTYPE_i32, result_device(call), batch_shape(a->A));
  launch_cholesky(call, y[0], a->upper, y[1]);
}

/* Of A = L L^H: L^-H F L^-1, where F is the Hermitian matrix with half of L^H dL's lower triangle, by differentiating
   both sides. (I. Murray, "Differentiation of the Cholesky decomposition", 2016) */
BACKWARD(cholesky_factor)
{
  if (!dy[0]) return;
  Tensor *l = a->upper ? adjoint(y[0]) : y[0], *dl = a->upper ? adjoint(dy[0]) : dy[0];
  Tensor *lower = lower_part(product_of(adjoint(l), dl), 0);
  Tensor *half = scaled(plus(lower, adjoint(lower_part(lower, -1))), 0.5);
  Tensor *left = op(linalg_solve_triangular, adjoint(l), half, true, true, false);
  GRAD(A) = op(linalg_solve_triangular, l, left, false, false, false);
}

FORWARD(linalg_cholesky)
{
  Tensors r = op(cholesky_factor, a->A, a->upper);
  check_info(call, r.v[1], not_definite);
  y[0] = r.v[0];
}

FORWARD(linalg_cholesky_ex)
{
  Tensors r = op(cholesky_factor, a->A, a->upper);
  if (a->check_errors) check_info(call, r.v[1], not_definite);
  y[0] = r.v[0];
  y[1] = r.v[1];
}

/* --------------------------------------------------------------------------- LU */

static const char *const no_inverse = "U has a 0 on its diagonal, in row %d, so lu_solve can't solve by it "
                                      "(see linalg.lu and linalg.lu_factor_ex)";

FORWARD(lu_factors)
{
  check_matrices(call, a->A, "A");
  int64_t m = rows_of(a->A), n = cols_of(a->A);
  y[0] = copied_by_columns(call, a->A, tensor_shape(a->A));
  y[1] = result_new(call, DTYPE_i32, result_device(call), batch_and(call, batch_shape(a->A), INTS(m < n ? m : n)));
  y[2] = result_new(call, DTYPE_i32, result_device(call), batch_shape(a->A));
  launch_lu(call, y[0], y[1], y[2]);
}

/*
 * Let L and U be k x k, the rest of a tall matrix L2 = A2 U^-1, of a wide one U2 = L^-1 A2. From
 * L^-1 P^T dA U^-1 = L^-1 dL + dU U^-1, whose parts are strictly lower and upper:
 * P^T dA = L^-H (lower(L^H dL - dU2 U2^H) + upper(dU U^H - L2^H dL2)) U^-H, and dA2 = dL2 U^-H or L^-H dU2.
 */
BACKWARD(lu_factors)
{
  if (!dy[0]) return;
  Tensor *lu = y[0], *d = dy[0];
  int64_t m = rows_of(lu), n = cols_of(lu), k = m < n ? m : n;
  Tensor *l = op(narrow, op(narrow, lu, -2, 0, k), -1, 0, k), *u = l,
         *top = op(narrow, op(narrow, d, -2, 0, k), -1, 0, k);
  Tensor *unit = plus(lower_part(l, -1), identity_of(k, lu));
  Tensor *lower = product_of(adjoint(unit), lower_part(top, -1));
  Tensor *upper = product_of(upper_part(top, 0), adjoint(upper_part(u, 0)));
  Tensor *rest = NULL;
  if (m > k) {
    Tensor *l2 = op(narrow, lu, -2, k, m - k), *d2 = op(narrow, d, -2, k, m - k);
    upper = minus(upper, product_of(adjoint(l2), d2));
    rest = op(linalg_solve_triangular, adjoint(u), d2, false, false, false);
  }
  if (n > k) {
    Tensor *u2 = op(narrow, lu, -1, k, n - k), *d2 = op(narrow, d, -1, k, n - k);
    lower = minus(lower, product_of(d2, adjoint(u2)));
    rest = op(linalg_solve_triangular, adjoint(l), d2, true, true, true);
  }
  Tensor *inner = plus(lower_part(lower, -1), upper_part(upper, 0));
  Tensor *dx = op(linalg_solve_triangular, adjoint(l), inner, true, true, true);
  dx = op(linalg_solve_triangular, adjoint(u), dx, false, false, false);
  if (rest) {
    Tensor *both[] = {dx, rest};
    dx = op(cat, ((Tensors){both, 2}), m > k ? -2 : -1);
  }
  GRAD(A) = product_of(op(permutation_of, y[1], m, tensor_dtype(lu)), dx);
}

static void check_pivoted(Call *call, bool pivot)
{
  if (!pivot) raise(call, "LU factors without pivots are not there on the cpu");
}

FORWARD(linalg_lu_factor)
{
  check_pivoted(call, a->pivot);
  Tensors r = op(lu_factors, a->A);
  check_info(call, r.v[2], no_inverse);
  y[0] = r.v[0];
  y[1] = r.v[1];
}

FORWARD(linalg_lu_factor_ex)
{
  check_pivoted(call, a->pivot);
  Tensors r = op(lu_factors, a->A);
  if (a->check_errors) check_info(call, r.v[2], no_inverse);
  for (int i = 0; i < 3; i++) y[i] = r.v[i];
}

FORWARD(lu)
{
  check_pivoted(call, a->pivot);
  Tensors r = op(lu_factors, a->A);
  if (!a->get_infos) {
    check_info(call, r.v[2], no_inverse);
    r.n = 2;
  }
  give_list(call, r);
}

FORWARD(permutation_of)
{
  if (tensor_dtype(a->pivots) != DTYPE_i32)
    raise(call, "pivots are %s; int32 ones, as lu_factor gives them, are wanted", dtype_name(tensor_dtype(a->pivots)));
  Ints batch = {a->pivots->shape, a->pivots->ndim - 1};
  y[0] = result_new(call, a->dtype, result_device(call), batch_and(call, batch, INTS(a->rows, a->rows)));
  launch_row_swaps(call, a->pivots, y[0]);
}

static Tensor *nothing(Call *call, const Tensor *like)
{
  return op(empty, INTS(0), tensor_dtype(like), device_behind(like), false);
}

FORWARD(lu_unpack)
{
  Tensor *lu = a->LU_data, *pivots = a->LU_pivots;
  check_matrices(call, lu, "LU_data");
  int64_t m = rows_of(lu), n = cols_of(lu), k = m < n ? m : n;
  if (a->unpack_pivots && !shape_equal(tensor_shape(pivots), batch_and(call, batch_shape(lu), INTS(k))))
    raise(call, "LU_pivots has shape %s, which doesn't fit LU_data of shape %s", shape_text(call, tensor_shape(pivots)),
          shape_text(call, tensor_shape(lu)));
  y[0] = a->unpack_pivots ? op(permutation_of, pivots, m, tensor_dtype(lu)) : nothing(call, lu);
  y[1] = y[2] = NULL;
  if (!a->unpack_data) {
    y[1] = nothing(call, lu);
    y[2] = nothing(call, lu);
    return;
  }
  y[1] = plus(op(tril, op(contiguous, op(narrow, lu, -1, 0, k)), -1),
              op(eye, m, k, tensor_dtype(lu), device_behind(lu), false));
  y[2] = op(triu, op(contiguous, op(narrow, lu, -2, 0, k)), 0);
}

FORWARD(linalg_lu)
{
  check_pivoted(call, a->pivot);
  Tensors f = op(lu_factors, a->A);
  Tensors r = op(lu_unpack, f.v[0], f.v[1], true, true);
  for (int i = 0; i < 3; i++) y[i] = r.v[i];
}

/* -------------------------------------------------------------------------- LDL */

static const char *const no_inverse_of_d = "D has a 0 on its diagonal, in row %d (see linalg.ldl_factor_ex)";

FORWARD(linalg_ldl_factor_ex)
{
  check_square(call, a->A, "A");
  y[0] = copied_by_columns(call, lower_part(a->A, 0), tensor_shape(a->A));
  y[1] = result_new(call, DTYPE_i32, result_device(call), (Ints){a->A->shape, a->A->ndim - 1});
  y[2] = result_new(call, DTYPE_i32, result_device(call), batch_shape(a->A));
  launch_ldl(call, y[0], a->hermitian, y[1], y[2]);
  if (a->check_errors) check_info(call, y[2], no_inverse_of_d);
}

FORWARD(linalg_ldl_factor)
{
  Tensors r = op(linalg_ldl_factor_ex, a->A, a->hermitian, true);
  y[0] = r.v[0];
  y[1] = r.v[1];
}

FORWARD(linalg_ldl_solve)
{
  check_square(call, a->LD, "LD");
  check_matrices(call, a->B, "B");
  check_same_dtype(call, a->B, "B", a->LD, "LD");
  if (tensor_dtype(a->pivots) != DTYPE_i32)
    raise(call, "pivots are int32, not %s", dtype_name(tensor_dtype(a->pivots)));
  if (!shape_equal(tensor_shape(a->pivots), (Ints){a->LD->shape, a->LD->ndim - 1}))
    raise(call, "pivots has shape %s, which doesn't fit LD of shape %s", shape_text(call, tensor_shape(a->pivots)),
          shape_text(call, tensor_shape(a->LD)));
  if (rows_of(a->B) != cols_of(a->LD))
    raise(call, "LD of shape %s and B of shape %s don't fit", shape_text(call, tensor_shape(a->LD)),
          shape_text(call, tensor_shape(a->B)));
  Ints batch = common_batch(call, a->LD, a->B);
  y[0] = copied_by_columns(call, a->B, batch_and(call, batch, INTS(rows_of(a->B), cols_of(a->B))));
  Tensor *ld = by_columns(call, a->LD);
  launch_ldl_solve(call, of_batch(call, ld, batch, 2), of_batch(call, a->pivots, batch, 1), a->hermitian, y[0]);
}
