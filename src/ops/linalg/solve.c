/* Solutions of linear equations, inverses and determinants. */
#include "ops/linalg/solve.h"

#include <math.h>

#include "launch/linalg/factor.h"
#include "launch/look.h"
#include "launch/linalg/matrices.h"
#include "ops/index/mask.h"
#include "ops/index/sort.h"
#include "ops/linalg/factor.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/math/exponential.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static const char *const singular = "A is singular: in A = P L U the diagonal of U has a 0 in row %d";

/* Raises if A [*, n, n] and B don't fit, as A X = B or X A = B. */
static void check_equation(Call *call, const Tensor *A, const Tensor *B, bool left)
{
  check_square(call, A, "A");
  check_matrices(call, B, "B");
  check_same_dtype(call, B, "B", A, "A");
  if ((left ? rows_of(B) : cols_of(B)) != cols_of(A))
    raise(call, "A of shape %s and B of shape %s don't fit %s", shape_text(call, tensor_shape(A)),
          shape_text(call, tensor_shape(B)), left ? "A X = B" : "X A = B");
}

/* Whether B is a vector for each matrix of A. */
static bool is_vectors(const Tensor *A, const Tensor *B)
{
  return B->ndim == 1 || (A->ndim == B->ndim + 1 && shape_equal(tensor_shape(B), (Ints){A->shape, A->ndim - 1}));
}

/* ------------------------------------------------------------------------ solve */

/* Solves in place of x [*, n, k], by columns. */
static void solve_in_place(Call *call, Tensor *lu, Tensor *pivots, bool adjoint, Tensor *x)
{
  Ints batch = batch_shape(x);
  launch_lu_solve(call, of_batch(call, lu, batch, 2), of_batch(call, pivots, batch, 1), adjoint, x);
}

/* X A = B is A^H X^H = B^H: the result is by rows. */
static Tensor *solved_from_right(Call *call, Tensor *lu, Tensor *pivots, Tensor *B, Ints batch)
{
  Tensor *x = copied_by_columns(call, adjoint(B), batch_and(call, batch, INTS(cols_of(B), rows_of(B))));
  solve_in_place(call, lu, pivots, true, x);
  return adjoint(x);
}

/* Vectors lie in memory as the last two dimensions of their shape would, if they were a matrix's. */
static Tensor *solved_vectors(Call *call, Tensor *lu, Tensor *pivots, Tensor *B)
{
  Ints shape = {B->shape, B->ndim}, batch = batch_shape(lu);
  Tensor *column = op(unsqueeze, B, -1);
  if (B->ndim == 1) shape = batch_and(call, batch, shape);
  Tensor *x = copied_by_columns(call, column, batch_and(call, batch, INTS(cols_of(lu), 1)));
  solve_in_place(call, lu, pivots, false, x);
  x = op(select, x, -1, 0);
  if (shape.n == 1) return x;
  Tensor *y = result_by_columns(call, tensor_dtype(B), shape);
  launch_copy(call, y, x);
  return y;
}

FORWARD(solve_factored)
{
  Tensor *A = a->A, *B = a->B;
  if (B->ndim == 0) raise(call, "B has no dimensions; vectors or matrices are wanted");
  check_square(call, A, "A");
  bool vectors = is_vectors(A, B);
  check_equation(call, A, vectors ? op(unsqueeze, B, -1) : B, a->left || vectors);
  if (vectors && !a->left) raise(call, "B is a vector, which X A = B isn't solved for");
  y[1] = copied_by_columns(call, A, tensor_shape(A));
  y[2] = result_new(call, DTYPE_i32, result_device(call), (Ints){A->shape, A->ndim - 1});
  Tensor *info = a->check_errors ? new_beside(call, A, DTYPE_i32, batch_shape(A)) : NULL;
  launch_lu(call, y[1], y[2], info);
  if (info) check_info(call, info, singular);
  if (vectors) {
    y[0] = solved_vectors(call, y[1], y[2], B);
    return;
  }
  Ints batch = common_batch(call, A, B);
  if (!a->left) {
    y[0] = solved_from_right(call, y[1], y[2], B, batch);
    return;
  }
  y[0] = copied_by_columns(call, B, batch_and(call, batch, INTS(rows_of(B), cols_of(B))));
  solve_in_place(call, y[1], y[2], false, y[0]);
}

/* From dA X + A dX = dB: dB's gradient is A^-H dX's, and A's is minus that times X^H. */
BACKWARD(solve_factored)
{
  if (!dy[0]) return;
  Tensor *A = a->A, *B = a->B, *x = y[0], *d = dy[0];
  bool vectors = is_vectors(A, B);
  if (vectors) {
    x = op(unsqueeze, x, -1);
    d = op(unsqueeze, d, -1);
  }
  Tensor *db = call->ctx->grad_enabled ? op(solve_factored, adjoint(A), d, a->left, false).v[0]
                                       : op(linalg_lu_solve, y[1], y[2], d, a->left, true);
  if (WANTS(A)) {
    Tensor *product = a->left ? product_of(db, adjoint(x)) : product_of(adjoint(x), db);
    GRAD(A) = summed_to(op(neg, product), A);
  }
  if (WANTS(B)) GRAD(B) = summed_to(vectors ? op(select, db, -1, 0) : db, B);
}

/* The place of the first 0 on the diagonal of U, from 1, or 0. */
static Tensor *info_of(Call *call, Tensor *lu)
{
  Tensor *zero = op(eq, op(diagonal, op(detach, lu), 0, -2, -1), number(0));
  if (cols_of(lu) == 0) return op(zeros, batch_shape(lu), DTYPE_i32, device_behind(lu), false);
  Tensor *place = op(argmax, cast(zero, DTYPE_i32), -1, false);
  return cast(op(mul, place, op(any, zero, INTS(-1), false)), DTYPE_i32);
}

FORWARD(linalg_solve) { y[0] = op(solve_factored, a->A, a->B, a->left, true).v[0]; }

FORWARD(linalg_solve_ex)
{
  Tensors r = op(solve_factored, a->A, a->B, a->left, a->check_errors);
  y[0] = r.v[0];
  y[1] = info_of(call, r.v[1]);
}

/* ---------------------------------------------------------------------- inverses */

FORWARD(inverse_of)
{
  Tensor *A = a->A;
  check_square(call, A, "A");
  y[0] = result_by_columns(call, tensor_dtype(A), tensor_shape(A));
  y[1] = result_new(call, DTYPE_i32, result_device(call), batch_shape(A));
  Tensor *lu = new_by_columns(call, A, tensor_dtype(A), tensor_shape(A));
  Tensor *pivots = new_beside(call, A, DTYPE_i32, (Ints){A->shape, A->ndim - 1});
  launch_copy(call, lu, A);
  launch_lu(call, lu, pivots, y[1]);
  fill_identity(call, y[0]);
  launch_lu_solve(call, lu, pivots, false, y[0]);
}

BACKWARD(inverse_of)
{
  if (!dy[0]) return;
  Tensor *inverse = adjoint(y[0]);
  GRAD(A) = op(neg, product_of(inverse, product_of(dy[0], inverse)));
}

static Tensor *checked_inverse(Call *call, Tensor *A)
{
  Tensors r = op(inverse_of, A);
  check_info(call, r.v[1], singular);
  return r.v[0];
}

FORWARD(linalg_inv) { y[0] = checked_inverse(call, a->A); }

FORWARD(inverse) { y[0] = checked_inverse(call, a->input); }

FORWARD(linalg_inv_ex)
{
  Tensors r = op(inverse_of, a->A);
  if (a->check_errors) check_info(call, r.v[1], singular);
  y[0] = r.v[0];
  y[1] = r.v[1];
}

/* ------------------------------------------------------------------ determinants */

FORWARD(det)
{
  check_square(call, a->A, "A");
  y[0] = result_new(call, tensor_dtype(a->A), result_device(call), batch_shape(a->A));
  launch_determinant(call, a->A, y[0]);
}

/* d A^-H, d a number for each matrix. */
static Tensor *times_inverse(Call *call, Tensor *A, Tensor *d)
{
  Tensor *eye = op(mul, identity_of(cols_of(A), A), op(unsqueeze, op(unsqueeze, d, -1), -1));
  return op(solve_factored, adjoint(A), eye, true, false).v[0];
}

/* The products of all other elements along the last dimension. */
static Tensor *products_of_others(Call *call, Tensor *s)
{
  int64_t n = s->shape[s->ndim - 1];
  Tensor *one = ones_like_of(op(narrow, s, -1, 0, 1));
  Tensor *before[] = {one, op(narrow, s, -1, 0, n - 1)};
  Tensor *behind[] = {one, op(narrow, op(flip, s, INTS(-1)), -1, 0, n - 1)};
  Tensor *left = op(cumprod, op(cat, ((Tensors){before, 2}), -1), -1, DTYPE_NONE);
  Tensor *right = op(cumprod, op(cat, ((Tensors){behind, 2}), -1), -1, DTYPE_NONE);
  return op(mul, left, op(flip, right, INTS(-1)));
}

/* The adjugate's adjoint times d, where A may be singular: with A = U S V^H it is det(U V^H) U S' V^H, the diagonal of
   S' being the products of the other singular values. */
static Tensor *times_adjugate(Call *call, Tensor *A, Tensor *d)
{
  Tensors f = op(svd, A, true);
  Tensor *turn = op(mul, conjugate(op(mul, op(det, f.v[0]), op(det, f.v[2]))), d);
  Tensor *diagonal = op(mul, cast(products_of_others(call, f.v[1]), tensor_dtype(A)), op(unsqueeze, turn, -1));
  return product_of(op(mul, f.v[0], op(unsqueeze, diagonal, -2)), f.v[2]);
}

/* Which matrices have a determinant so small that they may be singular; NULL if none has. */
static Tensor *maybe_singular(Call *call, Tensor *det)
{
  double epsilon = dtype_to_real(tensor_dtype(det)) == DTYPE_f32 ? 0x1p-23 : 0x1p-52;
  Tensor *small = op(lt, op(abs, op(detach, det)), number(100 * epsilon));
  return can_look(det) && count_of_true(call, small) > 0 ? op(unsqueeze, op(unsqueeze, small, -1), -1) : NULL;
}

BACKWARD(det)
{
  Tensor *A = a->A;
  if (A->numel == 0) {
    GRAD(A) = zeros_like_of(A);
    return;
  }
  Tensor *small = maybe_singular(call, y[0]);
  if (!small) {
    GRAD(A) = times_inverse(call, A, op(mul, dy[0], conjugate(y[0])));
    return;
  }
  int64_t n = cols_of(A);
  Tensor *regular = times_inverse(call, op(where, small, identity_of(n, A), A), op(mul, dy[0], conjugate(y[0])));
  Tensor *apart = op(
    diag_embed,
    cast(op(arange_start, scalar_int(1), scalar_int(n + 1), scalar_int(1), DTYPE_i64, device_behind(A), false),
         tensor_dtype(A)),
    0, -2, -1);
  GRAD(A) = op(where, small, times_adjugate(call, op(where, small, A, apart), dy[0]), regular);
}

FORWARD(slogdet)
{
  DType d = tensor_dtype(a->A);
  check_square(call, a->A, "A");
  y[0] = result_new(call, d, result_device(call), batch_shape(a->A));
  y[1] = result_new(call, dtype_to_real(d), result_device(call), batch_shape(a->A));
  launch_log_determinant(call, a->A, y[0], y[1]);
}

/* With t = tr(A^-1 dA), d log|det| is t's real part and d sign is sign i times its imaginary part. */
BACKWARD(slogdet)
{
  Tensor *A = a->A, *d = dy[1] ? cast(dy[1], tensor_dtype(A)) : NULL;
  if (dy[0] && dtype_is_complex(tensor_dtype(A))) {
    Tensor *part = op(imag, op(mul, conjugate(dy[0]), y[0]));
    Tensor *turned = op(complex_of, zeros_like_of(part), op(neg, part));
    d = d ? plus(d, turned) : turned;
  }
  if (d) GRAD(A) = A->numel ? times_inverse(call, A, d) : zeros_like_of(A);
}

FORWARD(logdet)
{
  Tensors r = op(slogdet, a->input);
  if (dtype_is_complex(tensor_dtype(a->input))) y[0] = plus(op(log, r.v[0]), r.v[1]);
  else y[0] = op(where, op(eq, r.v[0], number(-1)), number((double)NAN), r.v[1]);
}

/* -------------------------------------------------------------------- triangles */

FORWARD(linalg_solve_triangular)
{
  Tensor *A = a->A, *B = a->B;
  check_equation(call, A, B, a->left);
  Ints batch = common_batch(call, A, B);
  y[0] = copied_by_columns(call, B, batch_and(call, batch, INTS(rows_of(B), cols_of(B))));
  launch_triangle_solve(call, of_batch(call, A, batch, 2),
                        (TriangleForm){.upper = a->upper, .unit = a->unitriangular, .right = !a->left}, y[0]);
}

/* A triangle, without its diagonal if that isn't read. */
static Tensor *triangle_of(Call *call, Tensor *t, bool upper, bool unit)
{
  return upper ? upper_part(t, unit) : lower_part(t, -(int64_t)unit);
}

BACKWARD(linalg_solve_triangular)
{
  Tensor *db = op(linalg_solve_triangular, adjoint(a->A), dy[0], !a->upper, a->left, a->unitriangular);
  if (WANTS(A)) {
    Tensor *product = a->left ? product_of(db, adjoint(y[0])) : product_of(adjoint(y[0]), db);
    GRAD(A) = summed_to(op(neg, triangle_of(call, product, a->upper, a->unitriangular)), a->A);
  }
  if (WANTS(B)) GRAD(B) = summed_to(db, a->B);
}

FORWARD(triangular_solve)
{
  check_equation(call, a->A, a->b, true);
  Ints batch = common_batch(call, a->A, a->b);
  Tensor *A = op(expand, a->A, batch_and(call, batch, INTS(rows_of(a->A), rows_of(a->A))));
  Tensor *flipped = op(transpose, A, -2, -1);
  y[0] = op(linalg_solve_triangular, a->transpose ? flipped : A, a->b, a->upper != a->transpose, true,
            a->unitriangular);
  y[1] = op(transpose, op(clone, op(contiguous, flipped)), -2, -1);
}

/* --------------------------------------------------------------------- by factors */

static void check_factors(Call *call, const Tensor *lu, const Tensor *pivots, const Tensor *B)
{
  check_equation(call, lu, B, true);
  if (tensor_dtype(pivots) != DTYPE_i32)
    raise(call, "pivots are %s; int32 ones, as lu_factor gives them, are wanted", dtype_name(tensor_dtype(pivots)));
  if (!shape_equal(tensor_shape(pivots), (Ints){lu->shape, lu->ndim - 1}))
    raise(call, "pivots has shape %s, which doesn't fit LU of shape %s", shape_text(call, tensor_shape(pivots)),
          shape_text(call, tensor_shape(lu)));
}

FORWARD(solve_by_lu)
{
  check_factors(call, a->LU, a->pivots, a->B);
  Ints batch = common_batch(call, a->LU, a->B);
  y[0] = copied_by_columns(call, a->B, batch_and(call, batch, INTS(rows_of(a->B), cols_of(a->B))));
  solve_in_place(call, by_columns(call, a->LU), a->pivots, a->adjoint, y[0]);
}

/* L and U as they stand in their tensor: the gradient of each is that of the tensor in its triangle. */
static Tensor *packed_gradient(Call *call, Tensor *dl, Tensor *du)
{
  return op(neg, plus(lower_part(dl, -1), upper_part(du, 0)));
}

/* Of L Y = P^T B and U X = Y, from the last to the first: dL = -dY' Y^H and dU = -dX' X^H, where dX' and dY' are the
   solutions by the adjoint triangles. */
static void solved_gradients(Call *call, Tensor *lu, Tensor *p, Tensor *x, Tensor *d, Tensor **dlu, Tensor **db)
{
  Tensor *outer = op(linalg_solve_triangular, adjoint(lu), d, false, true, false);
  Tensor *inner = op(linalg_solve_triangular, adjoint(lu), outer, true, true, true);
  *db = product_of(p, inner);
  if (!dlu) return;
  Tensor *middle = product_of(upper_part(lu, 0), x);
  *dlu = packed_gradient(call, product_of(inner, adjoint(middle)), product_of(outer, adjoint(x)));
}

/* The same of U^H Y = B and L^H P^T X = Y. */
static void adjoint_gradients(Call *call, Tensor *lu, Tensor *p, Tensor *x, Tensor *d, Tensor **dlu, Tensor **db)
{
  Tensor *inner = op(linalg_solve_triangular, lu, product_of(adjoint(p), d), false, true, true);
  *db = op(linalg_solve_triangular, lu, inner, true, true, false);
  if (!dlu) return;
  Tensor *z = product_of(adjoint(p), x), *unit = plus(lower_part(lu, -1), identity_of(rows_of(lu), lu));
  Tensor *middle = product_of(adjoint(unit), z);
  *dlu = packed_gradient(call, product_of(z, adjoint(inner)), product_of(middle, adjoint(*db)));
}

BACKWARD(solve_by_lu)
{
  Tensor *p = op(permutation_of, a->pivots, rows_of(a->LU), tensor_dtype(a->LU)), *db, *dlu = NULL;
  (a->adjoint ? adjoint_gradients : solved_gradients)(call, a->LU, p, y[0], dy[0], WANTS(LU) ? &dlu : NULL, &db);
  if (dlu) GRAD(LU) = summed_to(dlu, a->LU);
  if (WANTS(B)) GRAD(B) = summed_to(db, a->B);
}

static Tensor *solved_by_lu(Call *call, Tensor *lu, Tensor *pivots, Tensor *B, bool left, bool adjoint)
{
  if (left) return op(solve_by_lu, lu, pivots, B, adjoint);
  check_equation(call, lu, B, false);
  return adjoint(op(solve_by_lu, lu, pivots, adjoint(B), !adjoint)); /* X A = B is A^H X^H = B^H */
}

FORWARD(linalg_lu_solve) { y[0] = solved_by_lu(call, a->LU, a->pivots, a->B, a->left, a->adjoint); }

FORWARD(lu_solve) { y[0] = solved_by_lu(call, a->LU_data, a->LU_pivots, a->b, true, false); }

FORWARD(cholesky_solve)
{
  check_equation(call, a->L, a->B, true);
  Ints batch = common_batch(call, a->L, a->B);
  y[0] = copied_by_columns(call, a->B, batch_and(call, batch, INTS(rows_of(a->B), cols_of(a->B))));
  Tensor *l = of_batch(call, a->L, batch, 2);
  launch_triangle_solve(call, l, (TriangleForm){.upper = a->upper, .adjoint = a->upper}, y[0]);
  launch_triangle_solve(call, l, (TriangleForm){.upper = a->upper, .adjoint = !a->upper}, y[0]);
}

BACKWARD(cholesky_solve)
{
  Tensor *db = op(cholesky_solve, dy[0], a->L, a->upper);
  if (WANTS(L)) {
    Tensor *half = product_of(db, adjoint(y[0])), *both = plus(half, adjoint(half));
    Tensor *product = a->upper ? product_of(a->L, both) : product_of(both, a->L);
    GRAD(L) = summed_to(op(neg, product), a->L);
  }
  if (WANTS(B)) GRAD(B) = summed_to(db, a->B);
}

FORWARD(cholesky_inverse)
{
  check_square(call, a->L, "L");
  Tensor *eye = op(expand, identity_of(cols_of(a->L), a->L), tensor_shape(a->L));
  y[0] = op(cholesky_solve, eye, a->L, a->upper);
}
